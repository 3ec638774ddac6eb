"""The conditions that the kubelet derives from the container statuses, the phase and the sandbox.

Each function below judges one condition; `condition_list` makes the list of them that a status holds, `condition_parts`
has the pieces; what holds between snapshots is in `condition_invariants`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podfsm.engine.rule import derivation, docs, example, source, timing
from podfsm.engine.versions import Gates
from podfsm.kube.objects import ContainerStatus, PodCondition, PodSpec
from podfsm.rules.condition_parts import (
    FALSE,
    TRUE,
    Judgement,
    from_progress,
    from_readiness,
    initialized_and_over,
    nothing_to_initialize,
    ready_from,
    when_terminal,
    without_statuses,
)
from podfsm.rules.facts import Sandbox
from podfsm.rules.phase import FAILED, SUCCEEDED, TERMINAL, has_started
from podfsm.rules.readiness_gates import shut_gates
from podfsm.rules.sandbox import sandbox_changed
from podfsm.rules.sidecar import is_sidecar

COMPLETED_TRUE: Judgement = ("True", "PodCompleted", "")

_SANDBOX = docs("concepts/workloads/pods/pod-condition.md#pod-ready-to-start-containers")
_GENERATE = "pkg/kubelet/status/generate.go"
_NETWORK = source(_GENERATE, "GeneratePodReadyToStartContainersCondition")


@derivation(
    "cond-podreadytostart-true",
    machine="sandbox",
    cites=[_SANDBOX, _NETWORK, source("pkg/kubelet/kuberuntime/util/util.go", "PodSandboxChanged")],
    gate="PodReadyToStartContainersCondition",
    observable="conditions[PodReadyToStartContainers]",
    examples=[
        example(PodSpec(), (Sandbox(ip="10.0.0.1"),), gives=TRUE),
        example(PodSpec(), (Sandbox(ip=""),), gives=FALSE),
        example(PodSpec(hostNetwork=True), (Sandbox(ip="", host_network=True),), gives=TRUE),
        example(PodSpec(), (Sandbox(ip="10.0.0.2"), Sandbox(ip="10.0.0.1")), gives=FALSE),
    ],
)
def network(spec: PodSpec, sandboxes: Sequence[Sandbox]) -> Judgement:
    """PodReadyToStartContainers is True while the newest sandbox is the only ready one and has the right network.

    Right means the node's network if the Pod asks for it, else one of its own with an address. `sandboxes` come newest
    first.
    """
    return FALSE if not sandboxes or sandbox_lost(sandboxes[0]) or sandbox_changed(spec, sandboxes)[0] else TRUE


@derivation(
    "cond-podreadytostart-false-again",
    machine="sandbox",
    cites=[_SANDBOX, _NETWORK],
    gate="PodReadyToStartContainersCondition",
    observable="True followed by False; always False in final status of a completed pod",
    examples=[example(Sandbox(ready=False), gives=True), example(Sandbox(), gives=False)],
)
def sandbox_lost(newest: Sandbox) -> bool:
    """PodReadyToStartContainers drops to False when the sandbox is lost, and when a finished Pod's is stopped."""
    return not newest.ready


@timing(
    "cond-podreadytostart-early",
    machine="sandbox",
    cites=[
        _SANDBOX,
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod"),
        source("pkg/kubelet/kubelet.go", "OnPodSandboxReady"),
    ],
    since="1.36",
    observable="PodReadyToStartContainers True while containers still wait ContainerCreating",
    examples=[example(2.0, 9.5, True, gives=2.0), example(2.0, 9.5, False, gives=9.5)],
)
def network_reported_at(sandbox_ready: float, next_status: float, pushed: bool) -> float:
    """PodReadyToStartContainers goes to the API as soon as the sandbox is up, before any image is pulled.

    `pushed` is whether the version does so (1.36); before, it came with the next status (1.32). Instants in seconds.
    """
    return sandbox_ready if pushed else next_status


@derivation(
    "cond-allcontainersrestarting",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#restart-all-containers"),
        source(_GENERATE, "GenerateAllContainersRestartingCondition"),
    ],
    gate="RestartAllContainersOnContainerExits",
    observable="conditions[AllContainersRestarting]",
    documented="the page calls the condition PodRestartInPlace, a type that does not exist",
    examples=[
        example(
            "Running",
            True,
            False,
            gives=("True", "RestartAllContainersStarted", "container exited with restart policy rule"),
        ),
        example("Running", True, True, gives=FALSE),
        example("Running", False, False, gives=FALSE),
        example(FAILED, True, False, gives=("False", "PodFailed", "")),
    ],
)
def restarting_all(phase: str, requested: bool, removed: bool) -> Judgement:
    """AllContainersRestarting is True from a matched RestartAllContainers rule until the runtime has no container left.

    It exists only on Pods that declare such a rule. `removed`: no container of the Pod is left in the runtime.
    """
    judgement: Judgement
    if phase in TERMINAL:
        judgement = when_terminal(phase)
    elif requested and not removed:
        judgement = ("True", "RestartAllContainersStarted", "container exited with restart policy rule")
    else:
        judgement = FALSE
    return judgement


def containers_ready(spec: PodSpec, statuses: Sequence[ContainerStatus] | None, phase: str, gates: Gates) -> Judgement:
    """The ContainersReady condition (GenerateContainersReadyCondition).

    `statuses` are those of init and app containers.
    """
    judgement: Judgement
    if statuses is None:
        judgement = without_statuses(statuses)
    elif phase == FAILED:
        judgement = when_terminal(phase)
    else:
        unknown, unready = _unready(spec, statuses, gates)
        over = phase == SUCCEEDED and not unknown
        judgement = when_terminal(phase) if over else from_readiness(unknown, unready)
    return judgement


def _unready(spec: PodSpec, statuses: Sequence[ContainerStatus], gates: Gates) -> tuple[list[str], list[str]]:
    by_name = {status.name: status for status in reversed(statuses)}
    unknown, unready = [], []
    sidecars = [container for container in spec.initContainers if is_sidecar(container, gates)]
    for container in (*sidecars, *spec.containers):
        status = by_name.get(container.name)
        if status is None:
            unknown.append(container.name)
        elif not status.ready:
            unready.append(container.name)
    return unknown, unready


def ready(spec: PodSpec, containers: Judgement, conditions: Mapping[str, PodCondition]) -> Judgement:
    """The Ready condition (GeneratePodReadyCondition), from ContainersReady and the other conditions by type."""
    shut = shut_gates(spec.readinessGates, conditions) if spec.readinessGates else ()
    judgement: Judgement = ready_from(containers, shut, conditions)
    return judgement


def initialized(
    spec: PodSpec,
    statuses: Sequence[ContainerStatus] | None,
    phase: str,
    gates: Gates,
    *,
    was_initialized: bool,
) -> Judgement:
    """The Initialized condition (GeneratePodInitializedCondition).

    `was_initialized`: the previous status had it True; it then stays so while init containers run again (gate
    RestartAllContainersOnContainerExits).
    """
    judgement: Judgement
    if nothing_to_initialize(spec.initContainers):
        judgement = COMPLETED_TRUE if initialized_and_over(phase, ()) else TRUE
    elif statuses is None:
        judgement = without_statuses(statuses)
    else:
        unknown, incomplete = _incomplete(spec, statuses, gates)
        if initialized_and_over(phase, unknown):
            judgement = COMPLETED_TRUE
        elif has_started(spec, statuses) or (was_initialized and gates.on("RestartAllContainersOnContainerExits")):
            judgement = TRUE
        else:
            judgement = from_progress(unknown, incomplete)
    return judgement


def _incomplete(spec: PodSpec, statuses: Sequence[ContainerStatus], gates: Gates) -> tuple[list[str], list[str]]:
    by_name = {status.name: status for status in reversed(statuses)}
    unknown, incomplete = [], []
    for container in spec.initContainers:
        status = by_name.get(container.name)
        if status is None:
            unknown.append(container.name)
        elif not (status.started is True if is_sidecar(container, gates) else status.ready):
            incomplete.append(container.name)
    return unknown, incomplete
