"""Init containers as seen from outside: what a spec may say, what holds in snapshots, and what kubectl prints."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podfsm.engine.rule import derivation, docs, example, invariant, source, validation
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Lifecycle,
    Pod,
    PodCondition,
    PodSchedulingGate,
    PodSpec,
    PodStatus,
    Probe,
)

_PAGE = "concepts/workloads/pods/init-containers.md"
_DETAILS = docs(f"{_PAGE}#detailed-behavior")
_INIT = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "computeInitContainerActions")
_VALIDATION = "pkg/apis/core/validation/validation.go"

OMITS = {
    "init-idempotent": "advice to authors of init containers; that they may run twice is what init-retry, "
    "init-rerun-on-new-sandbox and init-rerun-on-lost-record do.",
    "init-separate-view": "what a process sees of files is not modelled; a container's mounts are its own in the spec.",
}
"""Rules that leave nothing to execute, and why."""

_RUNNING = ContainerState(running=ContainerStateRunning())
_DONE = ContainerState(terminated=ContainerStateTerminated(exitCode=0, reason="Completed"))
_ERROR = ContainerState(terminated=ContainerStateTerminated(exitCode=1, reason="Error"))
_SPEC = PodSpec(containers=(Container(name="a", image="a:1"),), initContainers=(Container(name="i", image="i:1"),))


def _with_init(container_id: str) -> Pod:
    return Pod(
        spec=_SPEC,
        status=PodStatus(
            initContainerStatuses=(ContainerStatus(name="i", state=_DONE, containerID=container_id),),
            containerStatuses=(ContainerStatus(name="a", state=_RUNNING, containerID="a0"),),
        ),
    )


def _with_conditions(initialized: str, ready: str) -> Pod:
    conditions = (PodCondition(type="Initialized", status=initialized), PodCondition(type="Ready", status=ready))
    return Pod(status=PodStatus(conditions=conditions))


@invariant(
    "init-run-once-after-success",
    area="init",
    machine="init_container",
    cites=[_DETAILS, _INIT],
    since="1.3",
    seed=8,
    observable="containerID constant",
    allows=[(_with_init("i0"), _with_init("i0")), (_with_init("i0"), _with_init(""))],
    refuses=[(_with_init("i0"), _with_init("i1"))],
)
def run_once_after_success(before: Pod, after: Pod) -> bool:
    """A successful init container is not run again while an app container of the same sandbox keeps running.

    Its record may disappear from the status, for it may be collected.
    """
    if not after.status.initContainerStatuses:
        return True
    running = {s.containerID for s in before.status.containerStatuses if s.state.running is not None} - {""}
    if not any(s.state.running is not None and s.containerID in running for s in after.status.containerStatuses):
        return True
    done = {
        status.name: status.containerID
        for status in before.status.initContainerStatuses
        if status.state.terminated is not None and status.state.terminated.exitCode == 0
    }
    sidecars = {entry.name for entry in after.spec.initContainers if entry.restartPolicy == "Always"}
    return all(
        status.containerID in ("", done.get(status.name, status.containerID))
        for status in after.status.initContainerStatuses
        if status.name not in sidecars
    )


@validation(
    "init-no-probes-no-lifecycle",
    area="init",
    machine="init_container",
    cites=[docs(f"{_PAGE}#differences-from-regular-containers"), source(_VALIDATION, "validateInitContainers")],
    since="1.3",
    seed=8,
    observable="refused by the API",
    allows=[Container(name="i"), Container(name="s", restartPolicy="Always", readinessProbe=Probe())],
    refuses=[Container(name="i", livenessProbe=Probe()), Container(name="i", lifecycle=Lifecycle())],
)
def no_probes_no_lifecycle(entry: Container) -> bool:
    """A regular init container has no lifecycle hooks and no probes; a sidecar may have them."""
    return entry.restartPolicy == "Always" or not has_probe_or_hook(entry)


def has_probe_or_hook(container: Container) -> bool:
    """Whether a container declares a probe or lifecycle hooks."""
    declared = (container.lifecycle, container.livenessProbe, container.readinessProbe, container.startupProbe)
    return any(part is not None for part in declared)


@validation(
    "init-unique-names",
    area="init",
    cites=[_DETAILS, source(_VALIDATION, "validateInitContainers")],
    since="1.3",
    seed=8,
    observable="refused by the API",
    allows=[_SPEC],
    refuses=[PodSpec(containers=(Container(name="a"),), initContainers=(Container(name="a"),))],
)
def unique_names(spec: PodSpec) -> bool:
    """No two containers of a Pod have the same name, be they app, init or ephemeral containers."""
    names = [c.name for c in (*spec.containers, *spec.initContainers, *spec.ephemeralContainers)]
    return len(set(names)) == len(names)


def _image(spec: PodSpec, image: str) -> PodSpec:
    return msgspec.structs.replace(spec, containers=(Container(name="a", image=image),))


@validation(
    "init-update-only-image",
    area="init",
    cites=[_DETAILS, source(_VALIDATION, "ValidatePodUpdate")],
    since="1.3",
    seed=10,
    observable="refused by the API",
    allows=[
        (_SPEC, _image(_SPEC, "a:2")),
        (_SPEC, PodSpec(**{**msgspec.structs.asdict(_SPEC), "activeDeadlineSeconds": 9})),
    ],
    refuses=[
        (_SPEC, PodSpec(**{**msgspec.structs.asdict(_SPEC), "restartPolicy": "Never"})),
        (_SPEC, PodSpec(**{**msgspec.structs.asdict(_SPEC), "schedulingGates": (PodSchedulingGate(name="g"),)})),
        (_SPEC, PodSpec(containers=_SPEC.containers)),
    ],
)
def only_mutable_fields_change(before: PodSpec, after: PodSpec) -> bool:
    """An ordinary update changes only images, activeDeadlineSeconds, added tolerations and removed scheduling gates.

    The deadline may be set or shortened, a negative grace period may become 1; resources change through the resize
    subresource, ephemeral containers through theirs.
    """
    return (
        _without_mutable(before) == _without_mutable(after)
        and _deadline_may_change(before.activeDeadlineSeconds, after.activeDeadlineSeconds)
        and set(after.schedulingGates) <= set(before.schedulingGates)
        and all(toleration in after.tolerations for toleration in before.tolerations)
        and before.ephemeralContainers == after.ephemeralContainers
    )


def _without_mutable(spec: PodSpec) -> PodSpec:
    grace = spec.terminationGracePeriodSeconds
    return msgspec.structs.replace(
        spec,
        containers=tuple(msgspec.structs.replace(c, image="") for c in spec.containers),
        initContainers=tuple(msgspec.structs.replace(c, image="") for c in spec.initContainers),
        ephemeralContainers=(),
        activeDeadlineSeconds=None,
        tolerations=(),
        schedulingGates=(),
        terminationGracePeriodSeconds=1 if grace is not None and grace < 0 else grace,
    )


def _deadline_may_change(before: int | None, after: int | None) -> bool:
    return before is None or (after is not None and 0 <= after <= before)


@invariant(
    "init-not-ready-while-initialising",
    area="init",
    machine="pod",
    cites=[_DETAILS, source("pkg/kubelet/status/generate.go", "GeneratePodInitializedCondition")],
    since="1.3",
    seed=8,
    observable="condition Initialized False",
    allows=[_with_conditions("False", "False"), _with_conditions("True", "True")],
    refuses=[_with_conditions("False", "True")],
)
def not_ready_while_initialising(pod: Pod) -> bool:
    """A Pod that is not initialized is not ready, so that no Service sends it traffic.

    The functions that derive the two conditions do not look at each other; it holds because a ready app container runs,
    and a running app container makes the Pod initialized.
    """
    status = {condition.type: condition.status for condition in pod.status.conditions}
    return status.get("Initialized") != "False" or status.get("Ready") != "True"


@derivation(
    "init-effective-resources",
    area="init",
    cites=[
        docs("concepts/workloads/pods/sidecar-containers.md#resource-sharing-within-containers"),
        source("staging/src/k8s.io/component-helpers/resource/helpers.go", "PodRequests"),
    ],
    since="1.28",
    observable="scheduler decisions",
    documented="the page takes the highest init container by itself; the sidecars before it count with it",
    examples=[
        example((1.0, 1.0), ((4.0, False),), gives=4.0),
        example((1.0,), ((2.0, True), (3.0, False)), 0.5, gives=5.5),
        example((3.0,), ((1.0, False), (2.0, True)), gives=5.0),
    ],
)
def effective(apps: Sequence[float], entries: Sequence[tuple[float, bool]], overhead: float = 0.0) -> float:
    """A Pod needs what its app containers and sidecars need together, or more if its init phase needs more.

    Each init container counts with the sidecars listed before it; the Pod's overhead is added. `entries` are amounts of
    one resource in spec order, with True for sidecars.
    """
    sidecars = highest = 0.0
    for amount, sidecar in entries:
        highest = max(highest, sidecars + amount)
        sidecars += amount if sidecar else 0.0
    return max(sum(apps) + sidecars, highest) + overhead


@derivation(
    "init-kubectl-status",
    area="init",
    cites=[docs(f"{_PAGE}#init-containers-in-use"), source("pkg/printers/internalversion/printers.go", "printPod")],
    since="1.3",
    seed=8,
    observable="column STATUS of kubectl get pods",
    examples=[
        example((ContainerStatus(state=_DONE), ContainerStatus(state=_RUNNING)), 2, gives="Init:1/2"),
        example((ContainerStatus(state=_ERROR),), 1, gives="Init:Error"),
        example(
            (ContainerStatus(state=ContainerState(waiting=ContainerStateWaiting(reason="CrashLoopBackOff"))),),
            1,
            gives="Init:CrashLoopBackOff",
        ),
        example((ContainerStatus(state=_DONE),), 1, gives=""),
        example((ContainerStatus(name="s", state=_RUNNING, started=True),), 1, ("s",), gives=""),
    ],
)
def kubectl_status(statuses: Sequence[ContainerStatus], total: int, sidecars: Sequence[str] = ()) -> str:
    """While a Pod initialises kubectl shows Init:done/all, or Init: and why the first unfinished entry does not get on.

    "" once every entry is done. `total` is the number of init entries in the spec, `sidecars` names those that count
    as soon as they have started. kubectl computes this; it is no field of the Pod.
    """
    for index, status in enumerate(statuses):
        ended, waiting = status.state.terminated, status.state.waiting
        if init_entry_passed(status, sidecars):
            continue
        if ended is not None:
            code = f"Signal:{ended.signal}" if ended.signal else f"ExitCode:{ended.exitCode}"
            return f"Init:{ended.reason or code}"
        if waiting is not None and waiting.reason not in ("", "PodInitializing"):
            return f"Init:{waiting.reason}"
        return f"Init:{index}/{total}"
    return ""


def init_entry_passed(status: ContainerStatus, sidecars: Sequence[str]) -> bool:
    """Whether an init entry no longer holds the others up: it has exited 0, or is a sidecar that has started."""
    ended = status.state.terminated
    return (ended is not None and ended.exitCode == 0) or (bool(status.started) and status.name in sidecars)
