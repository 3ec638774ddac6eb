"""Instances of containers as statuses show them: which statuses there are, which have changed, what they tell.

An instance is one start of a container; `containerID` names it.
"""

from __future__ import annotations

from datetime import datetime

from podfsm.kube.objects import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStatus,
    Pod,
    PodStatus,
)


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


def began_at(state: ContainerState) -> datetime | None:
    """When the instance that a state is about started; None if the state does not say."""
    if state.running is not None:
        return state.running.startedAt
    return None if state.terminated is None else state.terminated.startedAt


def later(one: datetime | None, other: datetime | None) -> bool:
    """Whether one instant is after the other; not if one of them is not known."""
    return one is not None and other is not None and one > other


def inferred(end: ContainerStateTerminated) -> bool:
    """Whether the kubelet only infers this end: the runtime told nothing of it, and it names no instance."""
    return end.reason == "ContainerStatusUnknown" or not (end.containerID or end.startedAt or end.finishedAt)
