"""What holds of the conditions in every snapshot of a Pod, or between two of them."""

from __future__ import annotations

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateRunning,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.condition_list import by_type, marked_lost, of_type
from podfsm.rules.phase_invariants import same_pod

_PAGE = "concepts/workloads/pods/pod-condition.md"
_INITIALIZED = source("pkg/kubelet/status/generate.go", "GeneratePodInitializedCondition")
_LIFECYCLE = frozenset(
    {"PodScheduled", "PodReadyToStartContainers", "Initialized", "ContainersReady", "Ready", "AllContainersRestarting"}
)
_RUNS = ContainerStatus("app", ContainerState(running=ContainerStateRunning()))


def _pod(*conditions: PodCondition, apps: tuple[ContainerStatus, ...] = ()) -> Pod:
    return Pod(metadata=ObjectMeta(uid="u"), status=PodStatus(conditions=conditions, containerStatuses=apps))


def _is(condition_type: str, status: str = "True", reason: str = "", at: float = 0.0) -> PodCondition:
    return PodCondition(condition_type, status, reason, lastTransitionTime=instant(at))


def _status(pod: Pod, condition_type: str) -> str:
    condition = of_type(pod.status.conditions, condition_type)
    return "" if condition is None else condition.status


@invariant(
    "cond-fields",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#structure-of-a-pod-condition"),
        source("staging/src/k8s.io/api/core/v1/types.go", "PodCondition"),
    ],
    seed=2,
    observable="status.conditions[]",
    allows=[_pod(_is("Ready"), _is("example.com/lb", "Unknown"))],
    refuses=[_pod(_is("Ready", "yes")), _pod(_is("Ready"), _is("Ready", "False")), _pod(_is(""))],
)
def well_formed(pod: Pod) -> bool:
    """A condition has a type of its own and the status True, False or Unknown, beside times, reason and message.

    From 1.33 on it can carry observedGeneration.
    """
    types = [condition.type for condition in pod.status.conditions]
    if len(set(types)) != len(types):
        return False
    return all(c.type and c.status in ("True", "False", "Unknown") for c in pod.status.conditions)


@invariant(
    "cond-order",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#lifecycle-pod-conditions"),
        source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus"),
    ],
    seed=2,
    observable="lastTransitionTime order across condition types",
    allows=[
        _pod(_is("Initialized"), _is("Ready"), _is("ContainersReady"), _is("PodScheduled")),
        _pod(_is("Initialized", "False"), _is("Ready", "False"), _is("ContainersReady", "False")),
    ],
    refuses=[
        _pod(_is("Initialized"), _is("Ready"), _is("ContainersReady", "False"), _is("PodScheduled")),
        _pod(_is("Initialized", "False"), _is("Ready"), _is("ContainersReady"), _is("PodScheduled")),
    ],
)
def ready_is_last(pod: Pod) -> bool:
    """On the way up Ready is the last: while it is True, ContainersReady, Initialized and PodScheduled are not False.

    They turn True roughly in the order PodScheduled, PodReadyToStartContainers, Initialized, ContainersReady, Ready;
    without init containers Initialized is True before the sandbox exists.
    """
    if _status(pod, "Ready") != "True":
        return True
    return all(_status(pod, earlier) != "False" for earlier in ("ContainersReady", "Initialized", "PodScheduled"))


@invariant(
    "cond-initialized-sticky-after-app-start",
    area="conditions",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/sidecar-containers.md#sidecar-containers-and-pod-lifecycle"),
        _INITIALIZED,
    ],
    gate="SidecarContainers",
    seed=2,
    observable="Initialized True with a sidecar not started",
    allows=[_pod(_is("Initialized"), apps=(_RUNS,)), _pod(_is("Initialized", "False"))],
    refuses=[_pod(_is("Initialized", "False"), apps=(_RUNS,))],
)
def initialized_with_apps(pod: Pod) -> bool:
    """Once some app container runs or has run, Initialized is True, even while a sidecar is restarting.

    An end that the kubelet only assumes, of a container that never started, is no such sign.
    """
    if _status(pod, "Initialized") != "False":
        return True
    return not any(_has_run(s) for s in pod.status.containerStatuses)


def _has_run(status: ContainerStatus) -> bool:
    ended = status.state.terminated
    return status.state.running is not None or (ended is not None and ended.startedAt is not None)


@invariant(
    "cond-initialized-sticky-inplace-restart",
    area="conditions",
    machine="pod",
    cites=[docs("concepts/workloads/pods/container-restarts.md#restart-all-containers"), _INITIALIZED],
    gate="RestartAllContainersOnContainerExits",
    observable="Initialized stays True through a RestartAllContainers cycle",
    allows=[
        (_pod(_is("Initialized", "False")), _pod(_is("Initialized"))),
        (_pod(_is("Initialized")), _pod(_is("Initialized"))),
    ],
    refuses=[(_pod(_is("Initialized")), _pod(_is("Initialized", "False")))],
)
def initialized_stays(before: Pod, after: Pod) -> bool:
    """Once True, Initialized stays True while init containers run again."""
    if not same_pod(before, after) or _status(before, "Initialized") != "True":
        return True
    return _status(after, "Initialized") != "False"


@invariant(
    "cond-lasttransition-only-on-status-change",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#structure-of-a-pod-condition"),
        source("pkg/kubelet/status/status_manager.go", "updateLastTransitionTime"),
    ],
    seed=2,
    observable="equal lastTransitionTime across snapshots with equal status",
    allows=[
        (_pod(_is("Ready", "False", "a", at=1)), _pod(_is("Ready", "False", "b", at=1))),
        (_pod(_is("Ready", "False", at=1)), _pod(_is("Ready", at=9))),
        (_pod(_is("Ready", at=1)), _pod(_is("Ready", at=9))),
    ],
    refuses=[
        (_pod(_is("Ready", at=9)), _pod(_is("Ready", at=1))),
        (_pod(_is("Initialized", at=1)), _pod(_is("Initialized", "True", "PodCompleted", at=9))),
    ],
)
def transitions_on_change(before: Pod, after: Pod) -> bool:
    """The lastTransitionTime of a lifecycle condition changes with its status, not with its reason or message.

    The API may not see every change of Ready, ContainersReady and the restarting and network conditions: two within
    one write leave the status as it was with a later time. It never goes back, but where the node controller wrote
    Ready: a kubelet that was cut off tells of its own changes before.
    """
    if not same_pod(before, after):
        return True
    was = by_type(before.status.conditions)
    for condition in after.status.conditions:
        old = was.get(condition.type)
        if old is None or old.lastTransitionTime == condition.lastTransitionTime or old.status != condition.status:
            continue
        if old.lastTransitionTime is None or condition.lastTransitionTime is None or condition.type not in _LIFECYCLE:
            continue
        if condition.lastTransitionTime < old.lastTransitionTime and not marked_lost(old):
            return False
        one_way = condition.status == "True" and condition.type in ("Initialized", "PodScheduled")
        if one_way and condition.lastTransitionTime != old.lastTransitionTime:
            return False
    return True


@invariant(
    "cond-lastprobetime-mostly-null",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#structure-of-a-pod-condition"),
        source("pkg/kubelet/status/status_manager.go", "updatedPodResizeCondition"),
    ],
    seed=2,
    observable="lastProbeTime null",
    allows=[_pod(_is("Ready")), _pod(PodCondition("PodResizePending", "True", lastProbeTime=instant(3)))],
    refuses=[_pod(PodCondition("Ready", "True", lastProbeTime=instant(3)))],
)
def probed_only_for_resize(pod: Pod) -> bool:
    """The lifecycle conditions have no lastProbeTime; the kubelet fills it only in the resize conditions."""
    return not [c for c in pod.status.conditions if c.lastProbeTime is not None and c.type in _LIFECYCLE]
