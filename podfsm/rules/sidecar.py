"""Sidecars: init entries that keep running beside the app containers.

A sidecar starts in its place in the init order, counts as passed once it has started, is restarted after any exit
whatever the Pod's policy, and goes down last, in reverse spec order. What concerns manifests is in `sidecar_checks`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.rule import derivation, docs, example, guard, source, timing
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container
from podfsm.rules.facts import ContainerFacts, ProbeResult, Role, RuntimeContainer, RuntimeState
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/workloads/pods/sidecar-containers.md"
_LIFECYCLE = docs(f"{_PAGE}#sidecar-containers-and-pod-lifecycle")
_JOBS = docs(f"{_PAGE}#jobs-with-sidecar-containers")
_STOPPING = docs("concepts/workloads/pods/pod-termination.md#termination-with-sidecars")
_INIT = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "computeInitContainerActions")
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")
_ORDER = source("pkg/kubelet/kuberuntime/kuberuntime_termination_order.go", "newTerminationOrdering")
_KILL = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "killContainer")
_GATE = "SidecarContainers"


@derivation(
    "sidecar-definition",
    machine="sidecar_container",
    cites=[docs(f"{_PAGE}#pod-sidecar-containers"), source("pkg/api/v1/pod/util.go", "IsRestartableInitContainer")],
    gate=_GATE,
    observable="spec.initContainers[].restartPolicy == Always",
    examples=[example("Always", gives=True), example("OnFailure", gives=False), example(None, gives=False)],
)
def definition(restart_policy: str | None) -> bool:
    """A sidecar is an entry of spec.initContainers whose own restartPolicy is Always."""
    return restart_policy == "Always"


def is_sidecar(container: Container, gates: Gates) -> bool:
    """Whether an entry of spec.initContainers is a sidecar at this version."""
    policy = container.restartPolicy
    return policy is not None and gates.on(_GATE) and bool(definition(policy))


def has_started(container: Container, instance: RuntimeContainer) -> bool:
    """Whether a sidecar's instance has started: it runs and has no startup probe, or that has succeeded."""
    if instance.state is not RuntimeState.RUNNING:
        return False
    return container.startupProbe is None or instance.startup is ProbeResult.SUCCESS


_SIDECAR = ContainerFacts(role=Role.SIDECAR)
_RUNNING = ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.RUNNING)
_EXITED = ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.EXITED, exit_code=1)
_EXITED_APPS_DONE = ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.EXITED, apps_done=True)


@guard(
    "sidecar-start-order",
    machine="sidecar_container",
    cites=[_LIFECYCLE, _INIT],
    gate=_GATE,
    observable="initContainerStatuses[].started before the next startedAt",
    allows=[_SIDECAR],
    refuses=[ContainerFacts(role=Role.SIDECAR, earlier_done=False)],
)
def start_order(facts: ContainerFacts) -> bool:
    """A sidecar starts in its place in the init order, and the next entry starts once the sidecar has started.

    Started means that its process runs and its startup probe, if it has one, has succeeded. Readiness and liveness do
    not matter here.
    """
    return facts.earlier_done


@guard(
    "sidecar-always-restart",
    machine="sidecar_container",
    cites=[docs("concepts/workloads/pods/container-restarts.md#restart-policy"), _INIT],
    gate=_GATE,
    observable="restartCount grows under the Pod's policy Never",
    allows=[_EXITED, ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.CREATED), _SIDECAR],
    refuses=[_RUNNING, ContainerFacts(instance=RuntimeState.EXITED)],
)
def always_restart(facts: ContainerFacts) -> bool:
    """A sidecar that does not run is started again after any exit, whatever the Pod's policy.

    During initialisation and afterwards, until the app containers are done (`sidecar-not-restarted-when-apps-done`).
    """
    return facts.role is Role.SIDECAR and facts.instance is not RuntimeState.RUNNING


@guard(
    "sidecar-not-restarted-when-apps-done",
    machine="sidecar_container",
    cites=[_JOBS, _ACTIONS],
    gate=_GATE,
    observable="a sidecar terminates after the last app container's finishedAt",
    allows=[_EXITED],
    refuses=[_EXITED_APPS_DONE],
)
def not_when_apps_done(facts: ContainerFacts) -> bool:
    """Sidecars are started only while some app container is not done for good; after that they are stopped.

    Holds as long as a sidecar may be started.
    """
    return not facts.apps_done


@derivation(
    "sidecar-readiness-counts",
    machine="sidecar_container",
    cites=[_LIFECYCLE, source("pkg/kubelet/status/generate.go", "GenerateContainersReadyCondition")],
    gate=_GATE,
    observable="sidecar ready false => Ready False",
    examples=[
        example((True,), (True,), gives=True),
        example((True,), (False,), gives=False),
        example((False,), (), gives=False),
    ],
)
def all_ready(apps: Sequence[bool], sidecars: Sequence[bool]) -> bool:
    """The containers of a Pod are ready when all app containers and all sidecars are."""
    return all(apps) and all(sidecars)


@guard(
    "sidecar-termination-order",
    machine="sidecar_container",
    cites=[_STOPPING, _ORDER],
    gate=_GATE,
    observable="finishedAt: app containers first, then sidecars from the last to the first",
    allows=[_RUNNING],
    refuses=[ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.RUNNING, others_running=True)],
)
def termination_order(facts: ContainerFacts) -> bool:
    """A sidecar gets its stop signal when all app containers and all sidecars listed after it have exited.

    It does not wait beyond its grace period (`sidecar-termination-shares-grace`).
    """
    return not facts.others_running


@timing(
    "sidecar-termination-shares-grace",
    machine="sidecar_container",
    cites=[_STOPPING, source("pkg/kubelet/kuberuntime/kuberuntime_termination_order.go", "waitForTurn"), _KILL],
    gate=_GATE,
    observable="sidecar exitCode 137 after a slow app container",
    examples=[example(30.0, 10.0, gives=20.0), example(30.0, 29.5, gives=2.0), example(30.0, 40.0, gives=2.0)],
)
def grace_left(grace: float, waited: float) -> float:
    """Waiting for its turn uses up a sidecar's grace period; at least 2 seconds are left from its signal to KILL.

    Exit codes other than 0 are therefore normal for sidecars at termination. In seconds.
    """
    return max(grace - waited, timing_constant("container-grace-min"))


@timing(
    "sidecar-prestop-immediate",
    machine="sidecar_container",
    cites=[_STOPPING, _KILL],
    gate=_GATE,
    observable="preStop of a sidecar starts with the termination",
    examples=[example(100.0, 3.0, 110.0, gives=(100.0, 110.0)), example(100.0, 20.0, 110.0, gives=(100.0, 120.0))],
)
def prestop_and_signal(begun_at: float, prestop: float, turn_at: float) -> tuple[float, float]:
    """A sidecar's preStop hook runs as soon as the Pod terminates, beside the others; only the stop signal waits.

    Gives when the hook starts and when the signal is sent, for a hook of `prestop` seconds and a turn that comes at
    `turn_at`; grace periods are left out.
    """
    return begun_at, max(begun_at + prestop, turn_at)


@guard(
    "sidecar-image-change",
    machine="sidecar_container",
    cites=[docs(f"{_PAGE}#differences-from-init-containers"), _INIT],
    gate=_GATE,
    observable="containerID of the sidecar changes, of the others not",
    allows=[ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.RUNNING, spec_changed=True)],
    refuses=[
        _RUNNING,
        ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.RUNNING, spec_changed=True, startup_probe=True),
    ],
)
def image_change(facts: ContainerFacts) -> bool:
    """A changed image stops and starts just that sidecar, once it has started."""
    started = not facts.startup_probe or facts.startup is ProbeResult.SUCCESS
    running = facts.role is Role.SIDECAR and facts.instance is RuntimeState.RUNNING
    return running and started and facts.spec_changed


@derivation(
    "sidecar-job-completion",
    machine="sidecar_container",
    cites=[_JOBS, _ACTIONS, source("pkg/kubelet/kubelet_pods.go", "getPhase")],
    gate=_GATE,
    seed=7,
    observable="phase Succeeded",
    examples=[
        example((0, 0), sidecars_running=True, gives="Running"),
        example((0, 0), sidecars_running=False, gives="Succeeded"),
        example((0, 1), sidecars_running=False, gives="Failed"),
    ],
)
def phase_when_apps_done(app_exit_codes: Sequence[int], *, sidecars_running: bool) -> str:
    """Sidecars do not keep a Job from completing: they are stopped when the app containers are done, and do not count.

    Gives the phase of a Pod whose app containers are all done for good; the exit codes of its sidecars play no part.
    """
    if sidecars_running:
        return "Running"
    return "Failed" if any(app_exit_codes) else "Succeeded"


@guard(
    "sidecar-start-failure-skipped",
    machine=("sidecar_container", "container"),
    cites=[_LIFECYCLE, source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod")],
    gate=_GATE,
    observable="a sidecar in back-off does not hold up restarts of app containers",
    allows=[_EXITED],
    refuses=[ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED, exit_code=1)],
)
def start_failure_skipped(facts: ContainerFacts) -> bool:
    """A sidecar that could not be started is passed over and the sync goes on; a regular init container ends the sync.

    Holds if the sync goes on to the next container.
    """
    return facts.role is not Role.INIT
