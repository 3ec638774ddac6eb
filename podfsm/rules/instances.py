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
)


def statuses_of(pod: Pod) -> tuple[ContainerStatus, ...]:
    """The statuses of all containers: init, app and ephemeral ones."""
    status = pod.status
    return status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses


Changed = tuple[ContainerStatus, ContainerStatus]
Statuses = tuple[ContainerStatus, ...]


def pairs(before: Pod, after: Pod) -> list[Changed]:
    """Every container that both snapshots show and that has changed between them.

    A dozen of rules ask, of the same two snapshots: what is one and the same object is passed over without a look.
    """
    old, new = before.status, after.status
    changed: list[Changed] = []
    if old.initContainerStatuses is not new.initContainerStatuses:
        changed += _pairs(old.initContainerStatuses, new.initContainerStatuses)
    if old.containerStatuses is not new.containerStatuses:
        changed += _pairs(old.containerStatuses, new.containerStatuses)
    if old.ephemeralContainerStatuses is not new.ephemeralContainerStatuses:
        changed += _pairs(old.ephemeralContainerStatuses, new.ephemeralContainerStatuses)
    return changed


def _pairs(old: Statuses, new: Statuses) -> list[Changed]:
    changed: list[Changed] = []
    for both in zip(old, new):  # noqa: B905 - what one of the two lacks is no pair
        was, now = both
        if was is now:
            continue
        if was.name != now.name:  # hardly ever: they keep their order
            return _pairs_by_name(old, new)
        if was != now:
            changed.append(both)
    return changed


def _pairs_by_name(old: Statuses, new: Statuses) -> list[Changed]:
    by_name = {status.name: status for status in old}
    return [(by_name[one.name], one) for one in new if one.name in by_name and by_name[one.name] != one]


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


def well_formed(instance: str) -> bool:
    """Whether an id names its runtime, as every containerID does that a kubelet writes: RUNTIME://ID."""
    runtime, mark, rest = instance.partition("://")
    return bool(runtime and mark and rest)
