"""What the statuses of one container say about its instances: the one shown, the one before, and their number.

An instance is one start of a container; `containerID` names it. Watches may leave out instances between two snapshots.
"""

from __future__ import annotations

from datetime import datetime

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    NO_STATE,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.condition_list import NETWORK, of_type
from podfsm.rules.phase_invariants import same_pod
from podfsm.rules.restart_checks import RESTARTING_ALL

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_STATES = docs(f"{_PAGE}#container-states")
_CONVERT = source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses")
_MACHINES = ("container", "init_container", "sidecar_container", "ephemeral_container")


def _pod(*apps: ContainerStatus, sandbox_since: float | None = None) -> Pod:
    """A small Pod for the examples."""
    network = PodCondition(
        NETWORK, "True", lastTransitionTime=None if sandbox_since is None else instant(sandbox_since)
    )
    conditions = () if sandbox_since is None else (network,)
    return Pod(metadata=ObjectMeta(uid="u"), status=PodStatus(containerStatuses=apps, conditions=conditions))


def _runs(instance_id: str, since: float = 20.0, count: int = 0, last: ContainerState = NO_STATE) -> ContainerStatus:
    state = ContainerState(running=ContainerStateRunning(startedAt=instant(since)))
    return ContainerStatus("app", state, last, containerID=instance_id, restartCount=count)


def _end(instance_id: str = "1", since: float = 2.0, until: float = 9.0, code: int = 1) -> ContainerState:
    end = ContainerStateTerminated(
        code, reason="Error", startedAt=instant(since), finishedAt=instant(until), containerID=instance_id
    )
    return ContainerState(terminated=end)


def _ended(instance_id: str = "1", count: int = 0, code: int = 1) -> ContainerStatus:
    return ContainerStatus("app", _end(instance_id, code=code), containerID=instance_id, restartCount=count)


def statuses_of(pod: Pod) -> tuple[ContainerStatus, ...]:
    """The statuses of all containers: init, app and ephemeral ones."""
    status = pod.status
    return status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses


Changed = tuple[ContainerStatus, ContainerStatus]

_last: tuple[PodStatus, PodStatus, tuple[Changed, ...]] = (PodStatus(), PodStatus(), ())


def pairs(before: Pod, after: Pod) -> tuple[Changed, ...]:
    """Every container that both snapshots show and that has changed between them.

    A dozen of rules ask for those of the same two snapshots in a row, so the last answer is kept.
    """
    global _last  # noqa: PLW0603 - replaced as a whole, and its own key
    old, new, changed = _last
    if old is not before.status or new is not after.status:
        changed = _pairs(before.status, after.status)
        _last = (before.status, after.status, changed)
    return changed


def _pairs(old: PodStatus, new: PodStatus) -> tuple[Changed, ...]:
    changed: list[Changed] = []
    for was, now in (
        (old.initContainerStatuses, new.initContainerStatuses),
        (old.containerStatuses, new.containerStatuses),
        (old.ephemeralContainerStatuses, new.ephemeralContainerStatuses),
    ):
        if not was or was is now:
            continue
        if [one.name for one in was] == [one.name for one in now]:  # as they nearly always are
            changed += [both for both in zip(was, now, strict=True) if both[0] != both[1]]
            continue
        by_name = {status.name: status for status in was}
        changed += [(by_name[one.name], one) for one in now if one.name in by_name and by_name[one.name] != one]
    return tuple(changed)


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
    if ended is not None and _later(began, ended.finishedAt):
        return False
    last = status.lastState.terminated
    if last is None or last == ended:  # a wait that a delete has ended shows the same end twice
        return True
    return not _later(last.startedAt, last.finishedAt) and not _later(last.finishedAt, began)


def began_at(state: ContainerState) -> datetime | None:
    """When the instance that a state is about started; None if the state does not say."""
    if state.running is not None:
        return state.running.startedAt
    return None if state.terminated is None else state.terminated.startedAt


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other


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
    if end is not None and end.containerID != status.containerID and (end.containerID or not _assumed(end)):
        return False
    running = status.state.running is not None
    return not (running and last is not None and last.containerID and last.containerID == status.containerID)


def _assumed(end: ContainerStateTerminated) -> bool:
    """Whether this end is none that the runtime reported: the kubelet only infers it, and names no instance."""
    return end.reason == "ContainerStatusUnknown" or end.finishedAt is None or end.startedAt is None


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

    It never runs again. A new start is a new instance with another containerID.
    """
    if not same_pod(before, after):
        return True
    for was, now in pairs(before, after):
        if now.containerID == was.containerID:
            if not _keeps(was, now):
                return False
        elif not now.containerID and now.state.running is not None:
            return False
    return True


def _keeps(was: ContainerStatus, now: ContainerStatus) -> bool:
    if not was.containerID:
        return True
    if was.imageID and now.imageID and was.imageID != now.imageID:
        return False
    if was.state.running is not None and now.state.running is not None:
        return was.state.running.startedAt == now.state.running.startedAt
    if was.state.terminated is None:
        return True
    if now.state.terminated is None:
        return now.state.running is None
    return was.state.terminated == now.state.terminated


@invariant(
    "instance-counted",
    area="container-state",
    machine=_MACHINES,
    cites=[
        docs(f"{_PAGE}#restart-policy"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "startContainer"),
    ],
    seed=5,
    observable="containerStatuses[].restartCount against containerID",
    allows=[
        (_pod(_runs("1")), _pod(_runs("2", count=1, last=_end("1")))),
        (_pod(_runs("1")), _pod(_runs("4", count=3, last=_end("3")))),
        (_pod(_ended("1")), _pod(_ended("1"))),
    ],
    refuses=[
        (_pod(_runs("2", count=1)), _pod(_runs("3", count=0))),
        (_pod(_runs("1")), _pod(_runs("1", count=1))),
        (_pod(_runs("1")), _pod(_runs("2", count=2, last=_end("1")))),
        (_pod(_ended("1"), sandbox_since=1), _pod(_runs("2", count=0, last=_end("1")), sandbox_since=1)),
    ],
)
def counted(before: Pod, after: Pod) -> bool:
    """RestartCount never falls, and grows by one with each new instance of a container.

    It may stand still only where the sandbox was made anew, and grow by more than one only if instances in between
    were not seen, so that lastState is not the one seen before.
    """
    if not same_pod(before, after):
        return True
    return all(
        counts_up(was, now) or (now.restartCount >= was.restartCount and _records_lost(was, now, before, after))
        for was, now in pairs(before, after)
    )


def counts_up(was: ContainerStatus, now: ContainerStatus) -> bool:
    """Whether the restarts between two statuses are counted, for a container whose sandbox stays the same."""
    grown = now.restartCount - was.restartCount
    if grown < 0:
        return False
    if not was.containerID or not now.containerID:
        return True
    if (_all_restart(now) and not _all_restart(was)) or _counted_ahead(was):
        return True
    if now.containerID == was.containerID:
        return grown == 0
    last = now.lastState.terminated
    known = last is not None and last.containerID == was.containerID
    return RESTARTING_ALL in _reasons(now) or (grown == 1 if known else grown >= 1)


def _all_restart(status: ContainerStatus) -> bool:
    """Whether it is shown that an instance was removed because all containers of the Pod start again."""
    return status.state.waiting is not None and status.state.waiting.reason == RESTARTING_ALL


def _counted_ahead(status: ContainerStatus) -> bool:
    """Whether the count already holds the instance that is yet to come: all containers start again."""
    return status.state.waiting is not None and RESTARTING_ALL in _reasons(status)


def _records_lost(was: ContainerStatus, now: ContainerStatus, before: Pod, after: Pod) -> bool:
    """Whether a new instance need not be counted, since the records of an older sandbox may have gone with it.

    Each sandbox counts from 0, and the higher count is shown: until it is reached again the number stands still.
    """
    if not was.containerID or now.containerID == was.containerID:
        return False
    if sandbox_anew(before, after):
        return True
    since = sandbox_since(after)
    return since is not None and (now.restartCount > 0 or _in_newer_sandbox(was, now, since))


def _in_newer_sandbox(was: ContainerStatus, now: ContainerStatus, since: datetime) -> bool:
    """Whether the sandbox may be newer than the instance before.

    The status between the two may never have been shown: the kubelet keeps back what leaves terminated against the
    restart policy, and an instance may not live long enough.
    """
    state, last, end = was.state, was.lastState.terminated, now.lastState.terminated
    if end is not None and end.containerID == was.containerID and _later(end.finishedAt, since):
        return False
    if state.running is not None:
        return state.running.startedAt is not None and since >= state.running.startedAt
    ends = [ended.finishedAt for ended in (state.terminated, last) if ended is not None]
    return bool(ends) and ends[0] is not None and since >= ends[0]


def _reasons(status: ContainerStatus) -> tuple[str, ...]:
    waiting, last = status.state.waiting, status.lastState.terminated
    return (waiting.reason if waiting is not None else "", last.reason if last is not None else "")


def sandbox_anew(before: Pod, after: Pod) -> bool:
    """Whether the Pod's sandbox may have been made anew between two snapshots.

    Its condition PodReadyToStartContainers is or was False, or has turned since, or the Pod has another address.
    """
    if before.status.podIP and before.status.podIP != after.status.podIP:
        return True
    was, now = _network(before), _network(after)
    if was is None or now is None:
        return was is not now
    changed = was.lastTransitionTime != now.lastTransitionTime
    return changed or now.status != "True" or was.status != "True"


def sandbox_since(pod: Pod) -> datetime | None:
    """When the Pod's sandbox became ready, or ceased to be; None if no condition says so."""
    network = _network(pod)
    return None if network is None else network.lastTransitionTime


def _network(pod: Pod) -> PodCondition | None:
    return of_type(pod.status.conditions, NETWORK)


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
    end = was.state.terminated
    if end is not None and end.containerID and end.containerID == last.containerID:
        return end == last
    return old is None or not old.containerID or old.containerID != last.containerID


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
