"""What holds between two snapshots of one Pod that is being stopped; watches may leave out some in between."""

from __future__ import annotations

from datetime import UTC, datetime

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

_FLOW = docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow")
_TERMINAL = frozenset({"Succeeded", "Failed"})
_THEN = datetime(2026, 1, 1, tzinfo=UTC)


def _pod(phase: str = "Running", *, deleting: bool = False, ready: str = "True", running: str = "c0") -> Pod:
    """A small Pod for the examples; `running` is the id of its one container."""
    condition = PodCondition(type="Ready", status=ready, reason="" if ready == "True" else "ContainersNotReady")
    app = ContainerStatus("app", ContainerState(running=ContainerStateRunning()), containerID=running)
    return Pod(
        metadata=ObjectMeta(uid="u", deletionTimestamp=_THEN if deleting else None),
        status=PodStatus(phase=phase, conditions=(condition,), containerStatuses=(app,)),
    )


def is_ending(pod: Pod) -> bool:
    """Whether the API says that the Pod ends or has ended: deletionTimestamp, or a terminal phase."""
    return pod.metadata.deletionTimestamp is not None or pod.status.phase in _TERMINAL


def _same(before: Pod, after: Pod) -> bool:
    return before.metadata.uid == after.metadata.uid


@invariant(
    "term-worker-one-way",
    area="termination",
    machine="pod_worker",
    cites=[_FLOW, source("pkg/kubelet/pod_workers.go", "UpdatePod")],
    since="1.22",
    seed=6,
    allows=[(_pod(), _pod(deleting=True)), (_pod(deleting=True), _pod("Failed", deleting=True))],
    refuses=[(_pod(deleting=True), _pod()), (_pod("Failed"), _pod())],
)
def never_back(before: Pod, after: Pod) -> bool:
    """A Pod worker goes from syncing to terminating, terminated and finished, and never back for one uid.

    A Pod that is ending stays so. A new Pod of the same name is remembered and served once the old one is finished.
    """
    return not (_same(before, after) and is_ending(before)) or is_ending(after)


@invariant(
    "term-no-start-after",
    area="termination",
    machine="pod_worker",
    cites=[_FLOW, source("pkg/kubelet/pod_workers.go", "acknowledgeTerminating")],
    since="1.22",
    seed=6,
    observable="containerIDs constant",
    allows=[
        (_pod(deleting=True), _pod(deleting=True, running="c1")),
        (_pod("Failed"), _pod("Failed")),
        (_pod("Running"), _pod("Failed", running="c1")),
    ],
    refuses=[(_pod("Failed"), _pod("Failed", running="c1"))],
)
def starts_nothing(before: Pod, after: Pod) -> bool:
    """Once the Pod worker has acknowledged termination it starts no container of the Pod.

    A terminal phase shows that it has. deletionTimestamp does not: a sync that is under way may still start something.
    """
    if before.status.phase not in _TERMINAL or not _same(before, after):
        return True
    known = {status.containerID for status in _statuses(before)}
    return all(status.state.running is None or status.containerID in known for status in _statuses(after))


@invariant(
    "term-ready-may-stay-true",
    area="termination",
    machine="pod",
    cites=[_FLOW, source("pkg/kubelet/status/generate.go", "GeneratePodReadyCondition")],
    seed=6,
    observable="Ready True with deletionTimestamp",
    allows=[
        (_pod(), _pod(deleting=True)),
        (_pod(), _pod("Failed", deleting=True, ready="False")),
        (_pod(), _pod(ready="False")),
    ],
    refuses=[(_pod(), _pod(deleting=True, ready="False")), (_pod(ready="False"), _pod(deleting=True))],
)
def deletion_leaves_ready(before: Pod, after: Pod) -> bool:
    """A deletionTimestamp alone does not change the Ready condition.

    It stays as the containers and readiness gates have it until those change or the phase becomes terminal. Ready False
    without a reason is the node controller's doing, not the delete's.
    """
    if not _same(before, after) or before.metadata.deletionTimestamp or not after.metadata.deletionTimestamp:
        return True
    if before.status.phase != after.status.phase or _statuses(before) != _statuses(after):
        return True
    was, now = _ready(before), _ready(after)
    if was is None or now is None or was.status == now.status or _others(before) != _others(after):
        return True
    return now.status == "False" and not now.reason


def _statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    status = pod.status
    return (*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses)


def _ready(pod: Pod) -> PodCondition | None:
    return next((condition for condition in pod.status.conditions if condition.type == "Ready"), None)


def _others(pod: Pod) -> dict[str, str]:
    """The conditions that may decide a readiness gate: everything but Ready."""
    return {condition.type: condition.status for condition in pod.status.conditions if condition.type != "Ready"}
