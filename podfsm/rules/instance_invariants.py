"""What the statuses of one container say about its instances: the one shown and the one before.

An instance is one start of a container; `containerID` names it. Watches may leave out instances between two snapshots.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
)
from podfsm.rules.container_status import message_share
from podfsm.rules.instance_samples import end as _end
from podfsm.rules.instance_samples import ended as _ended
from podfsm.rules.instance_samples import pod as _pod
from podfsm.rules.instance_samples import runs as _runs
from podfsm.rules.instances import began_at, inferred, later, pairs, statuses_of
from podfsm.rules.phase_invariants import same_pod

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_STATES = docs(f"{_PAGE}#container-states")
_CONVERT = source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses")
_MACHINES = ("container", "init_container", "sidecar_container", "ephemeral_container")


@invariant(
    "instance-times",
    area="container-state",
    machine=_MACHINES,
    cites=[_STATES, _CONVERT],
    seed=4,
    observable="startedAt and finishedAt of state and lastState",
    allows=[_pod(_runs("2", 20, 1, _end("1", 2, 9))), _pod(_ended())],
    refuses=[
        _pod(_runs("2", 5, 1, _end("1", 2, 9))),
        _pod(ContainerStatus("app", _end("1", 9, 2), containerID="1")),
    ],
)
def times_in_order(pod: Pod) -> bool:
    """An instance ends no earlier than it starts, and starts no earlier than the one before it ended."""
    return all(map(_in_order, statuses_of(pod)))


def _in_order(status: ContainerStatus) -> bool:
    began, ended = began_at(status.state), status.state.terminated
    if ended is not None and later(began, ended.finishedAt):
        return False
    last = status.lastState.terminated
    if last is None or last == ended:  # a wait that a delete has ended shows the same end twice
        return True
    return not later(last.startedAt, last.finishedAt) and not later(last.finishedAt, began)


@invariant(
    "instance-ids",
    area="container-state",
    machine=_MACHINES,
    cites=[_STATES, _CONVERT],
    seed=4,
    observable="containerID of status, state.terminated and lastState.terminated",
    allows=[_pod(_runs("2", 20, 1, _end("1"))), _pod(_ended())],
    refuses=[
        _pod(_runs("1", 20, 1, _end("1"))),
        _pod(ContainerStatus("app", _end("1"), containerID="2")),
        _pod(ContainerStatus("app", _end(""), containerID="2")),
        _pod(_runs("1"), ContainerStatus("b", _runs("1").state, containerID="1")),
    ],
)
def ids_are_of_one(pod: Pod) -> bool:
    """A containerID names one instance: the one shown, no other container's, and not lastState's if it runs."""
    statuses = statuses_of(pod)
    ids = [status.containerID for status in statuses if status.containerID]
    return len(set(ids)) == len(ids) and all(map(_own_id, statuses))


def _own_id(status: ContainerStatus) -> bool:
    end, last = status.state.terminated, status.lastState.terminated
    if end is not None and end.containerID != status.containerID and (end.containerID or not inferred(end)):
        return False
    running = status.state.running is not None
    return not (running and last is not None and last.containerID and last.containerID == status.containerID)


@invariant(
    "instance-keeps",
    area="container-state",
    machine=_MACHINES,
    cites=[_STATES, _CONVERT],
    seed=4,
    observable="state, image and restartCount of one containerID",
    allows=[(_pod(_runs("1", 2)), _pod(_ended("1"))), (_pod(_ended("1")), _pod(_runs("2", count=1)))],
    refuses=[
        (_pod(_runs("1", 2)), _pod(_runs("1", 3))),
        (_pod(_ended("1")), _pod(_ended("1", code=0))),
        (_pod(_ended("1")), _pod(_runs("1", 2))),
        (_pod(_runs("1", 2)), _pod(_runs("", 2))),
    ],
)
def instance_keeps(before: Pod, after: Pod) -> bool:
    """One instance starts once and ends once: its startedAt, its image, and once it has ended its exit, stay.

    It never runs again. A new start is a new instance with another containerID. The image is named throughout.
    """
    if not same_pod(before, after):
        return True
    for was, now in pairs(before, after):
        if was.image and not now.image:
            return False
        if now.containerID == was.containerID:
            if not _keeps(was, now):
                return False
        elif not now.containerID and now.state.running is not None:
            return False
    return True


def _keeps(was: ContainerStatus, now: ContainerStatus) -> bool:
    if not was.containerID:
        return True
    if was.imageID != now.imageID:
        return False
    if was.state.running is not None and now.state.running is not None:
        return was.state.running.startedAt == now.state.running.startedAt
    if was.state.terminated is None:
        return True
    if now.state.terminated is None:
        return now.state.running is None
    return was.state.terminated == now.state.terminated


@invariant(
    "instance-remembered",
    area="container-state",
    machine=_MACHINES,
    cites=[_STATES, _CONVERT],
    gate="RestartAllContainersOnContainerExits",
    seed=4,
    observable="lastState.terminated against the state seen before",
    allows=[
        (_pod(_ended("1")), _pod(_runs("2", count=1, last=_end("1")))),
        (_pod(_ended("1")), _pod(_runs("3", count=2, last=_end("2", 12, 15)))),
        (_pod(_runs("1")), _pod(_ended("1"))),
    ],
    refuses=[
        (_pod(_ended("1")), _pod(_runs("2", count=1))),
        (_pod(_ended("1")), _pod(_runs("2", count=1, last=_end("1", code=3)))),
        (_pod(_runs("2", count=1, last=_end("1"))), _pod(_runs("2", count=1))),
        (_pod(_runs("1")), _pod(ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting())))),
        (_pod(_runs("2")), _pod(_runs("2", last=_end("1")))),
    ],
)
def remembered(before: Pod, after: Pod) -> bool:
    """The end of the instance before is kept in lastState, as it was seen, until a newer instance has ended.

    Before 1.35 it lasted as long as the runtime kept the dead container.
    """
    if not same_pod(before, after):
        return True
    return all(_remembers(was, now) for was, now in pairs(before, after))


def _remembers(was: ContainerStatus, now: ContainerStatus) -> bool:
    old, last = was.lastState.terminated, now.lastState.terminated
    if last is None:
        ran = was.state.running is not None or was.state.terminated is not None
        return old is None and now.restartCount <= was.restartCount and not (ran and now.state.waiting is not None)
    if last == old:
        return True
    if was.containerID and was.containerID == now.containerID and was.state.running and now.state.running:
        return False
    end = was.state.terminated
    if end is not None and end.containerID and end.containerID == last.containerID:
        return end == last
    return old is None or not old.containerID or old.containerID != last.containerID


@invariant(
    "instance-message",
    area="container-state",
    machine=_MACHINES,
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#container-state-terminated"),
        source("pkg/kubelet/status/status_manager.go", "normalizeStatus"),
    ],
    seed=4,
    observable="length of state.terminated.message",
    allows=[_pod(ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(message="x" * 12288))))],
    refuses=[_pod(ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(message="x" * 12289))))],
)
def messages_fit(pod: Pod) -> bool:
    """The message of an end is cut to its share of the 12 KiB that all init and app containers have together."""
    share = message_share(len(pod.spec.containers) + len(pod.spec.initContainers))
    for one in statuses_of(pod):
        for end in (one.state.terminated, one.lastState.terminated):
            if end is not None and len(end.message) > share // 4 and len(end.message.encode()) > share:
                return False
    return True


@invariant(
    "instance-crash-loop",
    area="container-state",
    machine=("container", "init_container", "sidecar_container"),
    cites=[
        docs(f"{_PAGE}#container-state-waiting"),
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "doBackOff"),
    ],
    seed=4,
    observable="waiting.reason CrashLoopBackOff with lastState.terminated",
    allows=[
        _pod(ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting("CrashLoopBackOff")), _end())),
        _pod(ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting("ContainerCreating")))),
    ],
    refuses=[_pod(ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting("CrashLoopBackOff"))))],
)
def crash_loop_had_run(pod: Pod) -> bool:
    """A container waits in CrashLoopBackOff only after a run that has ended; lastState tells how."""
    return all(
        status.lastState.terminated is not None
        for status in statuses_of(pod)
        if status.state.waiting is not None and status.state.waiting.reason == "CrashLoopBackOff"
    )


@invariant(
    "instance-exit-reason",
    area="container-state",
    machine=_MACHINES,
    cites=[_STATES, source("pkg/kubelet/kubelet_pods.go", "toKubeContainerStatus")],
    seed=4,
    observable="state.terminated.reason against exitCode",
    allows=[_pod(_ended(code=1)), _pod(ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated())))],
    refuses=[
        _pod(_ended(code=0)),
        _pod(ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(1, reason="Completed")))),
        _pod(ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(-1)))),
    ],
)
def reason_fits_exit(pod: Pod) -> bool:
    """The reason Completed goes with exit code 0, Error with any other; exit codes are 0 to 255."""
    return all(
        end is None or (0 <= end.exitCode <= 255 and end.reason != ("Error" if end.exitCode == 0 else "Completed"))
        for status in statuses_of(pod)
        for end in (status.state.terminated, status.lastState.terminated)
    )
