"""History level: conditions over time, and what becomes of a Pod in the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from podfsm.check.finding import Breach
from podfsm.kube.objects import Pod, PodCondition
from podfsm.kube.times import seconds_of
from podfsm.rules.condition_list import by_type, of_type
from podfsm.rules.deadline import REASON, deadline_at
from podfsm.rules.facts import PodFacts
from podfsm.rules.instances import pairs
from podfsm.rules.phase import PENDING, TERMINAL, is_static, terminal_before_gone
from podfsm.rules.status_shape import NEVER, lacks_address

_LATE = timedelta(seconds=60)
"""How long the kubelet may need to notice something."""


def condition_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """Conditions that went back on what cannot be taken back."""
    if not after.spec.nodeName:
        yield from _gated_breach(before, after)
    was = of_type(before.status.conditions, "Ready")
    if was is None or not _over(was):
        return
    now = of_type(after.status.conditions, "Ready")
    if now is not None and now.status == "True":
        seen = f"Ready False {was.reason} -> True"
        yield Breach("term-worker-one-way", seen, "a Pod whose end has begun does not become ready again")


def _gated_breach(before: Pod, after: Pod) -> Iterator[Breach]:
    """A Pod without a node that the scheduler has looked at, said to be gated although it has no gates."""
    if after.spec.schedulingGates or before.spec.schedulingGates:
        return
    was = next((c.reason for c in before.status.conditions if c.type == "PodScheduled"), "")
    now = next((c.reason for c in after.status.conditions if c.type == "PodScheduled"), "")
    if now == "SchedulingGated" != was:
        yield Breach("sched-gates", f"PodScheduled reason {was or 'none'} -> {now}, without scheduling gates")


def _over(ready: PodCondition) -> bool:
    return ready.status == "False" and ready.reason in ("PodFailed", "PodCompleted")


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


def end_breaches(before: Pod, after: Pod, seen_before: datetime) -> Iterator[Breach]:
    """An instance that had ended long before it was last seen running."""
    for was, now in pairs(before, after):
        end = now.state.terminated
        if was.state.running is None or end is None or now.containerID != was.containerID or end.finishedAt is None:
            continue
        if NEVER < end.finishedAt < seen_before - 2 * _LATE:
            seen = f"finishedAt {end.finishedAt:%H:%M:%S}, seen running at {seen_before:%H:%M:%S}"
            yield Breach("cstate-terminated-fields", seen, container=now.name)


def address_breaches(pod: Pod) -> Iterator[Breach]:
    """A Pod whose containers run in its sandbox, and which has no address. Simulations may leave addresses out."""
    if lacks_address(pod):
        yield Breach("status-addresses", "no podIP, and containers run", "an address of the sandbox")


def first_breaches(pod: Pod) -> Iterator[Breach]:
    """What every stored Pod has from its creation on, or cannot have."""
    metadata, status = pod.metadata, pod.status
    if metadata.resourceVersion and not status.phase:
        yield Breach("phase-initial-pending", "no phase", f"phase {PENDING}")
    if metadata.resourceVersion and not status.qosClass:
        yield Breach("phase-initial-pending", "no qosClass", "a qosClass, set with the creation")
    if metadata.generation == 1 and pod.spec.ephemeralContainers:
        name = pod.spec.ephemeralContainers[0].name
        yield Breach("ephemeral-not-at-create", "an ephemeral container in generation 1", container=name)


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
