"""Step level: whether the transition time of a condition fits what changed beside it.

All bounds are of one clock, that of the Pod's node: times that its kubelet and runtime wrote, and the time of the
recording put back by as much as it is ahead of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from podfsm.check.finding import Breach
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodCondition
from podfsm.kube.times import SKEW
from podfsm.rules.condition_list import NETWORK, ended_for_node, marked_lost, of_type
from podfsm.rules.grace import deleted_at
from podfsm.rules.instances import later, statuses_of

KUBELETS = frozenset({"ContainersReady", "Initialized", NETWORK})
"""The conditions whose times are always of the kubelet's clock. Ready is also written by the node controller."""

_READY = ("Ready", "ContainersReady")
_RULE = "cond-lasttransition-only-on-status-change"
WRITE = timedelta(seconds=3)
"""How long a status may be on its way from the kubelet to a watcher."""
_UNHEARD = timedelta(seconds=40)
"""How long a node is silent at least before its Pods are marked."""
AHEAD = timedelta(seconds=120)
"""How far a time may lie in the future of the recording."""

_TYPE = attrgetter("type")

Turn = tuple[PodCondition, PodCondition]
"""One condition as it was and as it is."""


def turned(before: Pod, after: Pod) -> list[Turn]:
    """The conditions that both snapshots have and that differ."""
    old, new = before.status.conditions, after.status.conditions
    if list(map(_TYPE, old)) == list(map(_TYPE, new)):  # as they nearly always are
        return [both for both in zip(old, new, strict=True) if both[0] != both[1]]
    by_type = {condition.type: condition for condition in old}
    return [(was, now) for now in new if (was := by_type.get(now.type)) is not None and was != now]


def transition_breaches(
    before: Pod, after: Pod, turns: Sequence[Turn], still: datetime | None, arrived: datetime | None
) -> Iterator[Breach]:
    """Transition times that do not fit.

    Both are times of the kubelet's clock, None if unknown: at `still` it had written `before` last, at `arrived` the
    recording got `after`.
    """
    bound: datetime | None = None
    for was, now in turns:
        if was.lastTransitionTime is None or now.lastTransitionTime is None:
            if was.lastTransitionTime is not None:
                seen = f"{now.type} {was.status} since {_clock(was)} -> {now.status} since {_clock(now)}"
                yield Breach(_RULE, seen)
            continue
        if was.status == now.status:
            if was.lastTransitionTime < now.lastTransitionTime and _moved(was, now, before, after):
                seen = f"{now.type} {now.status} since {_clock(was)} -> {_clock(now)}"
                yield Breach(_RULE, seen, "the time of before, for nothing changed that this condition depends on")
            continue
        if now.type not in KUBELETS and now.type != "Ready":
            continue
        if now.type == NETWORK and now.status == "True":
            yield from _network_breach(now, before, after, arrived)
        if bound is None:
            bound = _latest(before, still)
        yield from _early(was, now, before, after, bound)


def _clock(condition: PodCondition) -> str:
    since = condition.lastTransitionTime
    return "no time" if since is None else f"{since:%H:%M:%S}"


def _early(was: PodCondition, now: PodCondition, before: Pod, after: Pod, bound: datetime) -> Iterator[Breach]:
    """A status that changed, with a time at which it cannot have."""
    when = now.lastTransitionTime
    if when is None or was.lastTransitionTime is None:
        return
    if marked_lost(was) or marked_lost(now):
        least = was.lastTransitionTime - SKEW
    else:
        least = max(bound, was.lastTransitionTime)
        if now.type == "Initialized" and now.status == "True":
            least = max((least, *_completions(after)))
        elif now.type in _READY:
            caused = _risen(before, after) if now.status == "True" else _fallen(now, before, after)
            least = least if caused is None else max(least, caused)
    if when < least:
        seen = f"{now.type} {was.status} -> {now.status}, lastTransitionTime {when:%H:%M:%S}"
        yield Breach(_RULE, seen, f"a time not before {least:%H:%M:%S}, when it was still {was.status}")


def _completions(pod: Pod) -> list[datetime]:
    """When the regular init containers were done, without which a Pod is not initialized for the first time."""
    if any(container.restartPolicyRules for container in (*pod.spec.containers, *pod.spec.initContainers)):
        return []  # all of them may have run once more
    ends = [status.state.terminated for status in pod.status.initContainerStatuses if status.ready]
    return [end.finishedAt for end in ends if end is not None and end.finishedAt is not None]


def _latest(pod: Pod, still: datetime | None) -> datetime:
    """The latest time at which the kubelet is known to have had this status."""
    status = pod.status
    found = [c.lastTransitionTime for c in status.conditions if c.type in KUBELETS]
    for one in status.containerStatuses + status.initContainerStatuses:
        running, end = one.state.running, one.state.terminated
        found.append(running.startedAt if running is not None else end.finishedAt if end is not None else None)
    if still is not None:
        found.append(still - WRITE)
    return max(moment for moment in (*found, pod.metadata.creationTimestamp or _LONG_AGO) if moment is not None)


_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00Z")


def _risen(before: Pod, after: Pod) -> datetime | None:
    """The latest start among the app containers, without which the Pod was not ready.

    None if an instance may have been replaced without the Pod becoming unready: by a probe or a change of the spec.
    """
    spec = after.spec
    if before.spec != spec or any(c.livenessProbe is not None or c.startupProbe is not None for c in spec.containers):
        return None
    starts = [app.state.running.startedAt for app in after.status.containerStatuses if app.state.running is not None]
    return max((start for start in starts if start is not None), default=None)


def _fallen(now: PodCondition, before: Pod, after: Pod) -> datetime | None:
    """The earliest end of a container that ran before, without which the Pod was still ready.

    None if something else may have made it unready: a readiness probe or gate, or its kubelet ending it.
    """
    spec, status = after.spec, after.status
    if spec.readinessGates or _probed(spec.containers) or _probed(spec.initContainers):
        return None
    ended = spec.activeDeadlineSeconds is not None or status.reason or after.metadata.deletionTimestamp is not None
    if now.reason == "PodFailed" and ended:
        return None
    ran = {one.name: one.containerID for one in before.status.containerStatuses if one.state.running is not None}
    ends = []
    for one in status.containerStatuses:
        if one.name not in ran or (one.containerID == ran[one.name] and one.state.running is not None):
            continue
        end = one.state.terminated or one.lastState.terminated
        if end is None or end.finishedAt is None:
            return None
        ends.append(end.finishedAt)
    if before.status.initContainerStatuses != status.initContainerStatuses:
        return None  # a sidecar's doing
    return min(ends, default=None)


def _probed(containers: Sequence[Container]) -> bool:
    return any(c.readinessProbe is not None or c.startupProbe is not None for c in containers)


def _moved(was: PodCondition, now: PodCondition, before: Pod, after: Pod) -> bool:
    """Whether a later time under the same status stands for a change there and back that cannot have been."""
    if now.type == "Initialized" and now.status == "False":
        return _same(before.status.initContainerStatuses, after.status.initContainerStatuses)
    if now.type == "ContainersReady":  # Ready goes with it, if it depends on nothing else
        alone = not after.spec.readinessGates and _since(before, "Ready") == _since(after, "Ready") is not None
        return alone or _nothing_happened(before, after)
    if now.type != "Ready" or after.spec.readinessGates or was.lastTransitionTime is None:
        return False
    unheard = now.lastTransitionTime is None or now.lastTransitionTime - was.lastTransitionTime >= _UNHEARD
    if unheard or marked_lost(was) or marked_lost(now):
        return False  # the node controller may have been there
    return _since(before, "ContainersReady") == _since(after, "ContainersReady") is not None


def _since(pod: Pod, kind: str) -> tuple[str, datetime | None] | None:
    condition = of_type(pod.status.conditions, kind)
    return None if condition is None else (condition.status, condition.lastTransitionTime)


def _nothing_happened(before: Pod, after: Pod) -> bool:
    """Whether every container that counts for readiness is the same instance as before, in the same state."""
    spec, old, new = after.spec, before.status, after.status
    if _probed(spec.containers) or _probed(spec.initContainers):
        return False
    same = _same(old.containerStatuses, new.containerStatuses)
    return same and _same(old.initContainerStatuses, new.initContainerStatuses)


def _same(old: Sequence[ContainerStatus], new: Sequence[ContainerStatus]) -> bool:
    return len(old) == len(new) and all(
        was.containerID == now.containerID
        and was.restartCount == now.restartCount
        and was.lastState == now.lastState
        and (was.state.running is None) == (now.state.running is None)
        and (was.state.terminated is None) == (now.state.terminated is None)
        for was, now in zip(old, new, strict=True)
    )


def _network_breach(now: PodCondition, before: Pod, after: Pod, arrived: datetime | None) -> Iterator[Breach]:
    """A sandbox that is up again, and in it an instance that ran while it was not: a new one starts empty.

    The write that tells of a new sandbox at once changes nothing else: it may still hold what ran, started earlier, in
    the one before.
    """
    since = now.lastTransitionTime
    pushed = since is not None and pushed_at_once(since, arrived)
    pushed = pushed and _same(before.status.containerStatuses, after.status.containerStatuses)
    ran = {one.containerID for one in statuses_of(before) if one.state.running is not None and one.containerID}
    for one in statuses_of(after):
        running = one.state.running
        if running is None or one.containerID not in ran:
            continue
        if not pushed or later(running.startedAt, since):
            seen = f"{NETWORK} False -> True, and the same instance running before and after"
            yield Breach("cond-podreadytostart-true", seen, container=one.name)
            return


def pushed_at_once(since: datetime, arrived: datetime | None) -> bool:
    """Whether a status may have been written just because a sandbox was ready from `since` on."""
    return arrived is None or arrived - since < WRITE


def newest(pod: Pod) -> datetime | None:
    """The latest time that the kubelet has written into a Pod's conditions."""
    latest: datetime | None = None
    for condition in pod.status.conditions:
        since = condition.lastTransitionTime
        if since is not None and condition.type in KUBELETS and (latest is None or since > latest):
            latest = since
    return latest


def others(pod: Pod) -> list[PodCondition]:
    """The conditions that somebody else than the kubelet may have written last."""
    return [c for c in pod.status.conditions if c.type not in KUBELETS and (c.type != "Ready" or marked_lost(c))]


def future_breaches(pod: Pod, at: datetime) -> Iterator[Breach]:
    """Times of a Pod that lie after the recording of it."""
    deleted = deleted_at(pod.metadata)
    if deleted is not None and deleted - at > AHEAD:
        yield Breach("term-deletion-timestamp", f"deletion from {deleted:%H:%M:%S} on, seen at {at:%H:%M:%S}")
    for condition in pod.status.conditions:
        if condition.lastTransitionTime is not None and condition.lastTransitionTime - at > AHEAD:
            yield Breach(_RULE, f"{condition.type} since {_clock(condition)}, seen at {at:%H:%M:%S}")
    for one in pod.status.initContainerStatuses + pod.status.containerStatuses:
        running, end = one.state.running, one.state.terminated
        if running is not None and running.startedAt is not None and running.startedAt - at > AHEAD:
            seen = f"startedAt {running.startedAt:%H:%M:%S}, seen at {at:%H:%M:%S}"
            yield Breach("cstate-running", seen, container=one.name)
        if end is not None and end.finishedAt is not None and end.finishedAt - at > AHEAD:
            seen = f"finishedAt {end.finishedAt:%H:%M:%S}, seen at {at:%H:%M:%S}"
            yield Breach("cstate-terminated-fields", seen, container=one.name)


def left_breaches(turns: Sequence[Turn], after: Pod) -> Iterator[Breach]:
    """Conditions of a Pod that is over which were not left as they were, and yet name another end.

    The last step of a termination may leave them; what it writes anew names the phase. When a kubelet ends a Pod for
    its node's sake it writes Failed over a status already derived, in which all containers may have exited 0.
    """
    reason = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(after.status.phase)
    if reason is None or ended_for_node(after.status.conditions):
        return
    for was, now in turns:
        if (was.status, was.reason) == (now.status, now.reason):
            continue
        if now.type in _READY and now.reason in ("PodCompleted", "PodFailed") and now.reason != reason:
            seen = f"{now.type} {now.status} {now.reason} in phase {after.status.phase}"
            yield Breach("cond-containersready-terminal", seen, f"{now.type} False {reason}")
        elif now.type == "Initialized" and was.reason == "PodCompleted" and was.status == "True":
            seen = f"Initialized {was.status} {was.reason} -> {now.status} {now.reason}".rstrip()
            yield Breach("cond-initialized-podcompleted", seen, "Initialized True PodCompleted")


def unwritten_breaches(before: Pod, after: Pod, now: PodCondition) -> Iterator[Breach]:
    """Ready False without a reason (`now`), as the node controller leaves it, where that cannot have been.

    It only takes away a Ready that was True, later than the Pod became ready; and the kubelet, once it writes again,
    writes Ready as well.
    """
    beside = of_type(after.status.conditions, "ContainersReady")
    if beside is not None and beside.status == "True" and beside.lastTransitionTime == now.lastTransitionTime:
        seen = f"Ready False without a reason since {_clock(now)}, when ContainersReady turned True"
        yield Breach("cond-ready-copies-containersready", seen)
        return
    if of_type(before.status.conditions, "Ready") != now:
        return
    if of_type(before.status.conditions, "ContainersReady") != of_type(
        after.status.conditions, "ContainersReady"
    ) or not (
        _same(before.status.containerStatuses, after.status.containerStatuses)
        and _same(before.status.initContainerStatuses, after.status.initContainerStatuses)
    ):
        yield Breach("cond-ready-copies-containersready", "Ready False without a reason, in a newer status")
