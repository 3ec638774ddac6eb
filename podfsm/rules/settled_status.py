"""What the status manager makes of a status before it compares, keeps and sends it.

Transition times, the start time, whole seconds, the order of lists, the length of messages (updateStatusInternal and
normalizeStatus). A status that would bring a finished container back against its restart policy is not taken at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStatus,
    PodCondition,
    PodSpec,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.condition_list import DISRUPTION, NETWORK, RESTARTING, by_type
from podfsm.rules.container_invariants import leaves_terminated
from podfsm.rules.container_status import message_limit

_TIMED = frozenset({"ContainersReady", "Ready", "Initialized", NETWORK, RESTARTING, "PodScheduled", DISRUPTION})


def settle(
    new: PodStatus,
    old: PodStatus | None,
    now: float,
    *,
    spec: PodSpec | None = None,
    gates: Gates | None = None,
) -> PodStatus:
    """The status that the status manager keeps when it is given `new` after `old`; `now` in seconds.

    With `spec` and `gates` a status in which a container leaves terminated against the restart rules is refused, and
    `old` stays. Settling twice changes nothing.
    """
    if old is not None and spec is not None and gates is not None and leaves_terminated(spec, old, new, gates):
        return old
    was = by_type(old.conditions) if old is not None else {}
    conditions = tuple([_timed(condition, was, now) for condition in new.conditions])
    start = old.startTime if old is not None and old.startTime is not None else new.startTime or instant(now)
    shown = len(new.initContainerStatuses) + len(new.containerStatuses)
    limit: int = message_limit(shown if spec is None else len(spec.initContainers) + len(spec.containers))
    changes = {
        "conditions": conditions,
        "startTime": _cut(start),
        "initContainerStatuses": tuple([_normal(status, limit) for status in new.initContainerStatuses]),
        "containerStatuses": _sorted(tuple([_normal(status, limit) for status in new.containerStatuses])),
        "ephemeralContainerStatuses": _sorted(
            tuple([_normal(status, limit) for status in new.ephemeralContainerStatuses])
        ),
    }
    return msgspec.structs.replace(new, **changes)


def _sorted(statuses: tuple[ContainerStatus, ...]) -> tuple[ContainerStatus, ...]:
    return statuses if len(statuses) < 2 else tuple(sorted(statuses, key=lambda status: status.name))


def _timed(new: PodCondition, was: Mapping[str, PodCondition], now: float) -> PodCondition:
    """A condition with its lastTransitionTime; those of others keep theirs."""
    since = new.lastTransitionTime
    if new.type in _TIMED:
        old = was.get(new.type)
        if old is new:
            return new
        since = old.lastTransitionTime if old is not None and old.status == new.status else instant(now)
    since = _cut(since)
    return new if since == new.lastTransitionTime else msgspec.structs.replace(new, lastTransitionTime=since)


def _cut(when: datetime | None) -> datetime | None:
    return when.replace(microsecond=0) if when is not None and when.microsecond else when


def _normal(status: ContainerStatus, limit: int) -> ContainerStatus:
    state, last = _normal_state(status.state, limit), _normal_state(status.lastState, limit)
    if state is status.state and last is status.lastState:
        return status
    return msgspec.structs.replace(status, state=state, lastState=last)


def _normal_state(state: ContainerState, limit: int) -> ContainerState:
    """The state with whole seconds, and a termination message of at most `limit` bytes."""
    running, ended = state.running, state.terminated
    if running is not None and running.startedAt is not None and running.startedAt.microsecond:
        return ContainerState(running=ContainerStateRunning(startedAt=_cut(running.startedAt)))
    if ended is None:
        return state
    message = ended.message
    if len(message) * 4 > limit and len(message.encode()) > limit:
        message = message.encode()[:limit].decode(errors="replace")
    times = (ended.startedAt, ended.finishedAt)
    cut = (_cut(ended.startedAt), _cut(ended.finishedAt))
    if message is ended.message and cut == times:
        return state
    whole: ContainerStateTerminated = msgspec.structs.replace(
        ended, message=message, startedAt=cut[0], finishedAt=cut[1]
    )
    return ContainerState(terminated=whole)
