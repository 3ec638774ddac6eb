"""History level: restarts. When a container may start again, and whether it may at all.

Exits are seen through `state` or `lastState`; what the kubelet remembers of them is in `podfsm.check.followed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from podfsm.check.finding import WARNING, Breach
from podfsm.check.followed import Restarts, container_of
from podfsm.check.words import state_words
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStateTerminated, ContainerStatus, Pod, PodSpec
from podfsm.kube.times import seconds_of
from podfsm.rules import backoff
from podfsm.rules.crash_backoff import BackOffEntry, expiry, limits
from podfsm.rules.deadline import deadline_at
from podfsm.rules.facts import ContainerFacts, Role, RuntimeState
from podfsm.rules.instance_counts import counted, counts_up, sandbox_anew, sandbox_since
from podfsm.rules.instances import pairs, statuses_of
from podfsm.rules.machine_guards import init_retry_by_pod_policy
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.restart import has_restart_all_rule, pod_policy, restarts_after_kill
from podfsm.rules.sidecar import is_sidecar
from podfsm.rules.status_transitions import may_leave

_SLACK = 10.0
"""Seconds that the kubelet may need to notice a deadline, a deletion or the end of the last app container."""
_OVERDUE = 60.0
"""Seconds after its deletionTimestamp in which a node may be silent without being taken for lost, and more."""


_SIGNALLED = (137, 143)
"""Exit codes of processes stopped by SIGKILL and SIGTERM."""


def uncounted_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """Restarts not counted or counted twice, in a Pod whose records were all kept so far."""
    wrong = [(was, now) for was, now in pairs(before, after) if not counts_up(was, now)]
    if not wrong or sandbox_anew(before, after) or not counted(before, after):
        return  # two snapshots alone tell
    for was, now in wrong:
        seen = f"a new instance, restartCount {was.restartCount} -> {now.restartCount}"
        yield Breach("instance-counted", seen, f"restartCount {was.restartCount + 1}", now.name)


def restart_breaches(
    kept: Restarts, before: Pod, after: Pod, gates: Gates, *, exactly: bool = False
) -> Iterator[Breach]:
    """New instances between two snapshots that came too early, too late or against the restart policy.

    With `exactly` every restart so far is known to be counted.
    """
    kept.notice(before, after)
    if kept.deleted is not None and before.status.initContainerStatuses != after.status.initContainerStatuses:
        yield from _stop_order_breaches(kept.base + timedelta(seconds=kept.deleted), before, after, gates)
    for was, now in pairs(before, after):
        if now.state.waiting is not None:
            yield from kept.waits(was, now, exactly, gates)
        if was.state.running is not None:
            yield from () if now.name in kept.again else _started_breach(was, now, gates)
            yield from _overdue_breach(kept, was, now, before)
        if now.containerID == was.containerID or _started(now) is None:
            continue
        container, init = container_of(after.spec, now.name)
        if container is None:
            continue
        end = now.lastState.terminated
        free = now.name in kept.renewed or RESTARTING_ALL in _reasons(now) or _ended_before_sandbox(end, after)
        kept.renewed.discard(now.name)
        ran_as = kept.specs.pop(now.name, None) or container_of(before.spec, now.name)[0]
        if not was.containerID:
            continue
        kept.again.add(now.name)
        changed = container != ran_as or was.image != now.image
        if end is None or free or changed:
            kept.entries.pop(now.name, None)
            continue
        yield from _policy_breach(container, after.spec, end, now, gates, init=init)
        yield from _backoff_breach(kept, was, now, end, gates)
        yield from _late_breach(kept, after, container, now, end)
        if init and is_sidecar(container, gates):
            yield from _after_apps_breach(after, now, gates)


def _ended_before_sandbox(end: ContainerStateTerminated | None, pod: Pod) -> bool:
    """Whether the instance before ended in an older sandbox: in a new one init containers and apps begin anew.

    Times are whole seconds: an end in the second in which the sandbox became ready is older if its start was.
    """
    since = sandbox_since(pod)
    if end is None or end.finishedAt is None or end.startedAt is None or since is None:
        return False
    return since >= end.finishedAt and since > end.startedAt


def _started_breach(was: ContainerStatus, now: ContainerStatus, gates: Gates) -> Iterator[Breach]:
    """A first instance that ran and had started, and then had not. A later one may look started until its first probe.

    Kubelets before 1.35 forgot it when they were restarted.
    """
    if now.state.running is None or was.containerID != now.containerID:
        return
    first = now.containerID and not now.restartCount and now.lastState.terminated is None
    if first and was.started and now.started is False and gates.at_least("1.35"):
        yield Breach("cstate-started", f"{state_words(now)}, started true -> false", container=now.name)


def _overdue_breach(kept: Restarts, was: ContainerStatus, now: ContainerStatus, before: Pod) -> Iterator[Breach]:
    """An end long after the grace, of an instance that ran when its Pod was deleted on a node that was there.

    What else is under way (a start, a hook, a pull) may hold up the kill; so everything else must have been quiet.
    """
    end, stamp = now.state.terminated, before.metadata.deletionTimestamp
    if end is None or stamp is None or end.finishedAt is None:
        return
    if any(one.state.waiting is not None for one in statuses_of(before)) or kept.marked or _was_marked(before):
        return
    late = (end.finishedAt - stamp).total_seconds()
    if was.containerID == now.containerID and late > _OVERDUE:
        seen = f"{state_words(now)}, {late:.0f} s after the end of the grace"
        yield Breach("term-flow-order", seen, container=now.name, severity=WARNING)  # a runtime may hang


def _was_marked(pod: Pod) -> bool:
    """Whether the node had been taken for lost and is back: Ready turned later than the containers became ready."""
    times = {c.type: c.lastTransitionTime for c in pod.status.conditions if c.status == "True"}
    return not pod.spec.readinessGates and times.get("Ready") != times.get("ContainersReady")


def _policy_breach(
    container: Container,
    spec: PodSpec,
    end: ContainerStateTerminated,
    now: ContainerStatus,
    gates: Gates,
    *,
    init: bool,
) -> Iterator[Breach]:
    """An exit that must be the last, although a newer instance has been started."""
    if may_leave(container, spec, end.exitCode, gates, init=init) or has_restart_all_rule(spec, gates):
        return
    if init and not gates.on("ContainerRestartRules") and _retried_by_pod_policy(spec, end):
        return
    probed = container.livenessProbe is not None or container.startupProbe is not None
    if probed and restarts_after_kill(container, spec, gates):
        return  # stopped by a probe: the exit code does not matter
    rule = "restart-onfailure-done" if end.exitCode == 0 else "restart-never"
    yield Breach(rule, f"{state_words(now)} after exit code {end.exitCode}", container=now.name)


def _retried_by_pod_policy(spec: PodSpec, end: ContainerStateTerminated) -> bool:
    """Whether a regular init container runs again by the Pod's policy alone."""
    facts = ContainerFacts(
        role=Role.INIT,
        pod_policy=pod_policy(spec),
        instance=RuntimeState.EXITED,
        exit_code=end.exitCode,
        oom_killed=end.reason == "OOMKilled",
    )
    return bool(init_retry_by_pod_policy.judge(facts))


def _backoff_breach(
    kept: Restarts, was: ContainerStatus, now: ContainerStatus, end: ContainerStateTerminated, gates: Gates
) -> Iterator[Breach]:
    seen = _was_seen(was, end)
    began = _started(now)
    if not seen or began is None or end.finishedAt is None:
        return
    finished, start = kept.since(end.finishedAt), kept.since(began)
    entry = kept.entries.get(now.name)
    initial, maximum = limits(gates)
    said = kept.said.get(now.name)
    told = backoff.doubled(said.delay, maximum) if said is not None and said.count == was.restartCount else initial
    if entry is None or backoff.starts_over(finished, entry.last_update, expiry()):
        kept.entries[now.name] = BackOffEntry(told, finished)
        return
    due = min(finished + entry.delay, entry.last_update + expiry())
    kept.entries[now.name] = BackOffEntry(max(told, backoff.doubled(entry.delay, maximum)), finished)
    if start < due:
        waited, wanted = start - finished, due - finished
        yield Breach(
            "backoff-sequence",
            f"started {waited:.0f} s after the last exit",
            f"at least {wanted:.0f} s after it, from {end.finishedAt + timedelta(seconds=wanted):%H:%M:%S} on",
            now.name,
            (
                "Exited",
                "back_off",
                "BackOff",
                f"restart after {wanted:.0f} s",
                "Pulling",
                "create",
                "Created",
                "start",
                "Running",
            ),
        )


def _was_seen(was: ContainerStatus, end: ContainerStateTerminated) -> bool:
    """Whether the exit was shown before the restart: then the kubelet's sync found the container exited."""
    shown = was.state.terminated
    if shown is None and was.state.running is None:
        shown = was.lastState.terminated
    return shown is not None and shown.containerID == end.containerID and bool(end.containerID)


def _late_breach(
    kept: Restarts, pod: Pod, container: Container, now: ContainerStatus, end: ContainerStateTerminated
) -> Iterator[Breach]:
    """A run that ended when the Pod had long been due to stop, and yet another start.

    A kubelet that stops a container for its probes or its hook starts it again in the same sync, however long that
    takes: then the run has to have begun late as well.
    """
    hooked = container.lifecycle is not None and container.lifecycle.postStart is not None
    stopped = hooked or container.livenessProbe is not None or container.startupProbe is not None
    late = end.startedAt if stopped else end.finishedAt
    if late is None:
        return
    if kept.deleted is not None and kept.since(late) - kept.deleted > _SLACK:
        deleted = kept.base + timedelta(seconds=kept.deleted)
        seen = f"{state_words(now)}, started after the delete of {deleted:%H:%M:%S}"
        yield Breach("restart-not-when-deleting", seen, container=now.name)
    deadline = deadline_at(pod)
    if deadline is not None and seconds_of(late) > deadline + _SLACK:
        yield Breach("deadline-enforced", f"{state_words(now)}, started after the deadline", container=now.name)


def _after_apps_breach(pod: Pod, now: ContainerStatus, gates: Gates) -> Iterator[Breach]:
    began, last = _started(now), None
    for container, status in zip(pod.spec.containers, pod.status.containerStatuses, strict=False):
        end = status.state.terminated
        if end is None or end.finishedAt is None or may_leave(container, pod.spec, end.exitCode, gates):
            return
        last = end.finishedAt if last is None else max(last, end.finishedAt)
    if began is not None and last is not None and (began - last).total_seconds() > _SLACK:
        seen = f"{state_words(now)}, started after the last app container had ended"
        yield Breach("sidecar-not-restarted-when-apps-done", seen, container=now.name)


def _stop_order_breaches(began: datetime, before: Pod, after: Pod, gates: Gates) -> Iterator[Breach]:
    """A sidecar that was stopped by a signal, the Pod being deleted, while app containers were still running.

    When the grace is over nobody waits for anybody.
    """
    over = began + timedelta(seconds=after.metadata.deletionGracePeriodSeconds or 0)
    ends = [end.finishedAt for s in after.status.containerStatuses if (end := s.state.terminated) and end.finishedAt]
    for was, now in pairs(before, after):
        container, init = container_of(after.spec, now.name)
        end = now.state.terminated
        if container is None or not init or not is_sidecar(container, gates) or was.state.running is None:
            continue
        if end is None or end.finishedAt is None or end.exitCode not in _SIGNALLED or end.reason != "Error":
            continue
        if was.lastState.terminated is not None and was.lastState.terminated.exitCode in _SIGNALLED:
            continue  # that is how this process ends by itself
        if began < end.finishedAt < over and any(end.finishedAt < other for other in ends):
            seen = f"sidecar ended by a signal at {end.finishedAt:%H:%M:%S}, an app container later"
            yield Breach("sidecar-termination-order", seen, container=now.name)


def _started(status: ContainerStatus) -> datetime | None:
    if status.state.running is not None:
        return status.state.running.startedAt
    return status.state.terminated.startedAt if status.state.terminated is not None else None


def _reasons(status: ContainerStatus) -> tuple[str, ...]:
    waiting, last = status.state.waiting, status.lastState.terminated
    return (waiting.reason if waiting is not None else "", last.reason if last is not None else "")
