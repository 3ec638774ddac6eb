"""What holds of the phase in every snapshot of a Pod, or between two of them.

`before` and `after` are two snapshots of one Pod, not necessarily neighbours: watches may leave some out.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
)
from podfsm.rules.condition_list import BY_GC
from podfsm.rules.phase import (
    FAILED,
    PENDING,
    RUNNING,
    SUCCEEDED,
    TERMINAL,
    UNKNOWN,
    decisive_statuses,
)

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_PHASE = f"{_PAGE}#pod-phase"
_GENERATE = source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus")

_RUNS = ContainerStatus(name="app", state=ContainerState(running=ContainerStateRunning()))
_WAITS = ContainerStatus(name="app", state=ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating")))
_DONE = ContainerStatus(name="app", state=ContainerState(terminated=ContainerStateTerminated()))
_LOST_READY = PodCondition(type="Ready", status="False")
_GC = PodCondition(type="DisruptionTarget", status="True", reason=BY_GC)


def _pod(phase: str, *apps: ContainerStatus, reason: str = "", node: str = "n", uid: str = "u") -> Pod:
    status = PodStatus(phase=phase, reason=reason, containerStatuses=apps)
    return Pod(metadata=ObjectMeta(name="p", uid=uid), spec=PodSpec(nodeName=node), status=status)


def _with(pod: Pod, *conditions: PodCondition) -> Pod:
    status = PodStatus(phase=pod.status.phase, conditions=conditions, containerStatuses=pod.status.containerStatuses)
    return Pod(metadata=pod.metadata, spec=pod.spec, status=status)


def same_pod(before: Pod, after: Pod) -> bool:
    """Whether two snapshots are of one Pod: a replacement of the same name has another uid."""
    return before.metadata.uid == after.metadata.uid


def marked_by_gc(pod: Pod) -> bool:
    """Whether garbage collection may have written the phase, the node being gone or out of service.

    The kubelet never writes Ready False without a reason; the node lifecycle controller does, and leaves
    ContainersReady alone.
    """
    blank = set()
    for condition in pod.status.conditions:
        if condition.type == "DisruptionTarget" and condition.reason == BY_GC:
            return True
        if condition.status == "False" and not condition.reason:
            blank.add(condition.type)
    return "Ready" in blank and "ContainersReady" not in blank


@invariant(
    "phase-terminal-sticky",
    area="phase",
    machine="pod",
    cites=[docs(f"{_PAGE}#pod-lifetime"), _GENERATE],
    seed=1,
    observable="no later snapshot of the same uid leaves a terminal phase",
    allows=[(_pod(SUCCEEDED), _pod(SUCCEEDED)), (_pod(RUNNING), _pod(FAILED)), (_pod(FAILED), _pod(PENDING, uid="v"))],
    refuses=[(_pod(SUCCEEDED), _pod(RUNNING)), (_pod(FAILED), _pod(SUCCEEDED))],
)
def terminal_stays(before: Pod, after: Pod) -> bool:
    """Succeeded and Failed are final: once the API shows one of them the kubelet reports no other phase.

    The API server itself does not check phases.
    """
    if before.status.phase not in TERMINAL or not same_pod(before, after):
        return True
    return after.status.phase == before.status.phase


@invariant(
    "phase-forward-only",
    area="phase",
    machine="pod",
    cites=[docs(_PHASE), source("pkg/kubelet/kubelet_pods.go", "getPhase")],
    seed=1,
    observable="order of phases over snapshots",
    documented="the page names no way back; Running turns Pending again when init containers run anew",
    allows=[
        (_pod(PENDING), _pod(RUNNING)),
        (_pod(RUNNING, _RUNS), _pod(FAILED, _DONE)),
        (_pod(RUNNING, _RUNS), _pod(PENDING, _WAITS)),
    ],
    refuses=[(_pod(RUNNING, _RUNS), _pod(PENDING, _RUNS)), (_pod(SUCCEEDED, _DONE), _pod(PENDING, _WAITS))],
)
def forward_only(before: Pod, after: Pod) -> bool:
    """For one uid the phase moves forward only: Pending, Running, then Succeeded or Failed.

    The one way back, from Running to Pending, needs a container that has not run yet or an init container at work:
    the sandbox was made anew or all containers are being restarted in place.
    """
    if not same_pod(before, after) or before.status.phase == after.status.phase:
        return True
    if before.status.phase in TERMINAL:
        return False
    if before.status.phase != RUNNING or after.status.phase != PENDING:
        return True
    if any(status.state.terminated is None for status in after.status.initContainerStatuses):
        return True
    return any(
        status.state.running is None and status.state.terminated is None and status.lastState.terminated is None
        for status in after.status.containerStatuses
    )


@invariant(
    "phase-unknown-deprecated",
    area="phase",
    machine="pod",
    cites=[docs(_PHASE), source("staging/src/k8s.io/api/core/v1/types.go", "PodUnknown")],
    seed=1,
    observable='status.phase is never "Unknown" in a modern cluster',
    documented="the page still says that Unknown shows when a node cannot be reached",
    allows=[_pod(PENDING), _pod(RUNNING)],
    refuses=[_pod(UNKNOWN)],
)
def never_unknown(pod: Pod) -> bool:
    """The phase Unknown is declared but has not been written since 2015.

    A lost node shows as Ready False on its Pods and Ready Unknown on the Node.
    """
    return pod.status.phase != UNKNOWN


@invariant(
    "phase-terminating-not-a-phase",
    area="phase",
    cites=[docs(_PHASE), source("staging/src/k8s.io/api/core/v1/types.go", "PodPhase")],
    seed=1,
    observable="metadata.deletionTimestamp for Terminating; state.waiting.reason for CrashLoopBackOff",
    allows=[_pod(PENDING), _pod(UNKNOWN), _pod("")],
    refuses=[_pod("Terminating"), _pod("CrashLoopBackOff"), _pod("Completed")],
)
def declared_phase(pod: Pod) -> bool:
    """Terminating, CrashLoopBackOff, Init:N/M, Completed, Error and SchedulingGated are kubectl's words, not phases.

    Terminating means that metadata.deletionTimestamp is set. An object without a phase was never stored.
    """
    return pod.status.phase in ("", PENDING, RUNNING, SUCCEEDED, FAILED, UNKNOWN)


@invariant(
    "phase-terminal-after-containers-stop",
    area="phase",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"),
        source("pkg/kubelet/status/status_manager.go", "mergePodStatus"),
    ],
    since="1.22",
    seed=1,
    observable="a snapshot with a terminal phase has no state.running in kubelet-written statuses",
    allows=[_pod(SUCCEEDED, _DONE), _pod(RUNNING, _RUNS), _with(_pod(FAILED, _RUNS), _GC)],
    refuses=[_pod(SUCCEEDED, _RUNS), _pod(FAILED, _DONE, _RUNS)],
)
def terminal_when_stopped(pod: Pod) -> bool:
    """A terminal phase is reported only when no container can be running any more.

    Until then the API keeps the old phase, reason and message. Garbage collection of Pods on lost nodes is exempt: it
    writes Failed without knowing.
    """
    if pod.status.phase not in TERMINAL or marked_by_gc(pod):
        return True
    return all(status.state.running is None for status in decisive_statuses(pod.status))


@invariant(
    "phase-reason-preserved",
    area="phase",
    machine="pod",
    cites=[docs(_PHASE), _GENERATE],
    seed=1,
    observable="status.reason constant while phase constant",
    allows=[
        (_pod(FAILED, reason="Evicted"), _pod(FAILED, reason="Evicted")),
        (_pod(RUNNING), _pod(FAILED, reason="DeadlineExceeded")),
        (_pod(FAILED), _pod(FAILED, reason="DeadlineExceeded")),
    ],
    refuses=[
        (_pod(FAILED, reason="Evicted"), _pod(FAILED)),
        (_pod(FAILED, reason="Evicted"), _pod(FAILED, reason="Shutdown")),
    ],
)
def reason_stays(before: Pod, after: Pod) -> bool:
    """status.reason and status.message belong to the phase: once it is terminal they are kept as they are.

    A deadline that has passed meanwhile may give its reason to a Pod that has none.
    """
    old, new = before.status, after.status
    if not same_pod(before, after) or old.phase not in TERMINAL or old.phase != new.phase:
        return True
    return (old.reason == new.reason and old.message == new.message) or (not old.reason and bool(new.reason))


@invariant(
    "phase-node-loss-not-failed-directly",
    area="phase",
    machine="pod",
    cites=[
        docs(_PHASE),
        source("pkg/controller/nodelifecycle/node_lifecycle_controller.go", "monitorNodeHealth"),
        source("pkg/controller/podgc/gc_controller.go", "markFailedAndDeletePodWithCondition"),
    ],
    seed=7,
    observable="phase still Running, Ready False, deletionTimestamp set about 5 min later",
    documented="the page speaks of a policy that sets the phase of all Pods of a lost node to Failed",
    allows=[
        (_with(_pod(RUNNING), _LOST_READY), _with(_pod(RUNNING), _LOST_READY)),
        (_with(_pod(RUNNING), _LOST_READY), _with(_pod(FAILED), _LOST_READY, _GC)),
    ],
    refuses=[(_with(_pod(RUNNING), _LOST_READY), _with(_pod(FAILED), _LOST_READY))],
)
def node_loss_keeps_phase(before: Pod, after: Pod) -> bool:
    """Losing its node does not make a Pod Failed: the phase stays until the Pod is deleted or collected as garbage.

    While the node is lost, Ready is False without a reason; a kubelet that is back gives one.
    """
    if not same_pod(before, after) or after.status.phase != FAILED or before.status.phase in TERMINAL:
        return True
    lost = any(c.type == "Ready" and c.status == "False" and not c.reason for c in after.status.conditions)
    if not lost or after.metadata.deletionTimestamp is not None:
        return True
    return any(c.type == "DisruptionTarget" and c.reason == BY_GC for c in after.status.conditions)


@invariant(
    "phase-uid-identity",
    area="phase",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-fault-recovery"),
        source("pkg/registry/core/pod/storage/storage.go", "setPodNodeAndMetadata"),
    ],
    seed=7,
    observable="spec.nodeName goes from empty to one value per metadata.uid",
    allows=[
        (_pod(PENDING, node=""), _pod(PENDING, node="a")),
        (_pod(RUNNING, node="a"), _pod(PENDING, node="b", uid="v")),
    ],
    refuses=[(_pod(RUNNING, node="a"), _pod(RUNNING, node="b")), (_pod(PENDING, node="a"), _pod(PENDING, node=""))],
)
def bound_once(before: Pod, after: Pod) -> bool:
    """A Pod is bound to a node at most once and never moves; a replacement of the same name has another uid."""
    return not same_pod(before, after) or before.spec.nodeName in ("", after.spec.nodeName)
