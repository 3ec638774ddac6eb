"""History level: conditions over time, and what becomes of a Pod in the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from podfsm.check.finding import Breach
from podfsm.kube.objects import Pod, PodCondition
from podfsm.kube.times import seconds_of
from podfsm.rules.condition_list import by_type
from podfsm.rules.deadline import REASON, deadline_at
from podfsm.rules.facts import PodFacts
from podfsm.rules.instance_invariants import pairs
from podfsm.rules.phase import TERMINAL, is_static, terminal_before_gone

_REAL = datetime(1971, 1, 1, tzinfo=UTC)
"""Earlier times stand for none."""

_TIMED = ("Ready", "ContainersReady", "Initialized", "PodScheduled")
_LATE = timedelta(seconds=60)
"""How long a change of a condition may take to reach a watcher."""


def condition_breaches(before: Pod, after: Pod, seen_before: datetime | None, at: datetime | None) -> Iterator[Breach]:
    """Conditions that went back on what cannot be taken back, or whose transition time does not fit their change.

    `seen_before` and `at` are when the snapshots were seen, if the recording says so.
    """
    old = {condition.type: condition for condition in before.status.conditions}
    for now in after.status.conditions:
        was = old.get(now.type)
        if was is None or was.status == now.status:
            continue
        if now.type == "Ready" and now.status == "True" and _over(was):
            seen = f"Ready False {was.reason} -> True"
            yield Breach("term-worker-one-way", seen, "a Pod whose end has begun does not become ready again")
        if now.type in _TIMED and not _of_lost_node(was):
            yield from _time_breach(was, now, seen_before, at)


def _over(ready: PodCondition) -> bool:
    return ready.status == "False" and ready.reason in ("PodFailed", "PodCompleted")


def _of_lost_node(was: PodCondition) -> bool:
    """Ready False without a reason is the node controller's word (rule node-pods-unready), which the kubelet never saw.

    When it is back, it writes its own condition again, with the time it always had.
    """
    return was.type == "Ready" and was.status == "False" and not was.reason


def _time_breach(
    was: PodCondition, now: PodCondition, seen_before: datetime | None, at: datetime | None
) -> Iterator[Breach]:
    """A status that changed with the old transition time, although it was seen unchanged later than that."""
    if now.lastTransitionTime is None or seen_before is None or at is None:
        return
    if now.lastTransitionTime + _LATE < seen_before:
        seen = f"{now.type} {was.status} -> {now.status}, lastTransitionTime {now.lastTransitionTime:%H:%M:%S}"
        allowed = f"a time not before {seen_before:%H:%M:%S}, when it was still {was.status}"
        yield Breach("cond-lasttransition-only-on-status-change", seen, allowed)


def gate_breaches(before: Pod | None, after: Pod) -> Iterator[Breach]:
    """A readiness gate that became True in the very write in which containers were started: nobody writes both.

    The kubelet passes on the conditions of others as they are, and others do not start containers.
    """
    names = {gate.conditionType for gate in after.spec.readinessGates}
    old = by_type(before.status.conditions) if before is not None else {}
    was = {s.name: s.containerID for s in before.status.containerStatuses if s.state.running} if before else {}
    starts = {
        status.state.running.startedAt
        for status in after.status.containerStatuses
        if status.state.running is not None and was.get(status.name, "none") != status.containerID
    }
    ready = next((c for c in after.status.conditions if c.type == "Ready" and c.status == "True"), None)
    for condition in after.status.conditions:
        if condition.type not in names or condition.status != "True" or condition.lastTransitionTime not in starts:
            continue
        if ready is None or ready.lastTransitionTime != condition.lastTransitionTime:
            continue  # several writes seen as one
        if condition.type not in old or old[condition.type].status != "True":
            yield Breach("cond-kubelet-owned-set", f"{condition.type} True in the write that starts containers")


def deadline_breaches(pod: Pod, at: datetime | None) -> Iterator[Breach]:
    """A Pod failed by its deadline that has none, or before it."""
    due = deadline_at(pod)
    if pod.status.reason != REASON:
        if due is not None and pod.status.phase not in TERMINAL:
            yield from _ignored(pod, due)
    elif due is None:
        yield Breach("deadline-enforced", "reason DeadlineExceeded", "only with activeDeadlineSeconds and a startTime")
    elif at is not None and seconds_of(at) < due - 1.0:
        yield Breach("deadline-enforced", f"reason DeadlineExceeded {due - seconds_of(at):.0f} s before the deadline")


def _ignored(pod: Pod, due: float) -> Iterator[Breach]:
    """Life long after the deadline, although the kubelet goes on writing and nothing shows that it stops the Pod."""
    ready = next((c for c in pod.status.conditions if c.type == "Ready"), None)
    if ready is None or _over(ready) or pod.metadata.deletionTimestamp is not None:
        return
    grace = pod.spec.terminationGracePeriodSeconds
    limit = due + (30.0 if grace is None else grace) + _LATE.total_seconds()
    starts = [s.state.running.startedAt for s in pod.status.containerStatuses if s.state.running is not None]
    if any(began is not None and seconds_of(began) > limit for began in starts):
        yield Breach("deadline-enforced", "containers are started long after the deadline")


def end_breaches(before: Pod, after: Pod, seen_before: datetime | None) -> Iterator[Breach]:
    """An instance that had ended long before it was last seen running."""
    if seen_before is None:
        return
    for was, now in pairs(before, after):
        end = now.state.terminated
        if was.state.running is None or end is None or now.containerID != was.containerID or end.finishedAt is None:
            continue
        if _REAL < end.finishedAt < seen_before - 2 * _LATE:
            seen = f"finishedAt {end.finishedAt:%H:%M:%S}, seen running at {seen_before:%H:%M:%S}"
            yield Breach("cstate-terminated-fields", seen, container=now.name)


def gone_breaches(pod: Pod) -> Iterator[Breach]:
    """A Pod that disappeared before its end."""
    metadata, phase = pod.metadata, pod.status.phase
    facts = PodFacts(
        phase=phase,
        bound=bool(pod.spec.nodeName),
        deleting=metadata.deletionTimestamp is not None,
        grace=metadata.deletionGracePeriodSeconds or 0,
        static="kubernetes.io/config.mirror" in metadata.annotations or is_static(metadata),
    )
    if not terminal_before_gone(facts):
        seen = f"DELETED in phase {phase} with a grace of {facts.grace} s"
        yield Breach("phase-deleted-terminal-first", seen, f"phase {' or '.join(sorted(TERMINAL))}, or a grace of 0")
