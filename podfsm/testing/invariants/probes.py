"""Probes: who is probed, when, how often before it counts, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.kube.objects import ContainerStatus, Probe
from podfsm.testing.history import Happened, History, Seen, statuses
from podfsm.testing.invariants.base import always, unless
from podfsm.testing.invariants.phases import slowness
from podfsm.testing.invariants.restarts import killed_by_probe

KINDS = ("Startup", "Readiness", "Liveness")


def _failures(history: History) -> Iterator[tuple[Happened, str, str]]:
    """(Event, kind, container) of every failed check."""
    for event in history.happened:
        for kind in KINDS:
            if event.reason == "Unhealthy" and event.message.startswith(f"{kind} probe") and event.container:
                yield event, kind, event.container


def _probe(history: History, name: str, kind: str) -> Probe | None:
    container = history.containers.get(name)
    if container is None:
        return None
    found: Probe | None = getattr(container, f"{kind.lower()}Probe")
    return found


@always("startup-first", checks=["probe-startup-gates-others", "cstate-started"], needs=["probes"])
def startup_first(history: History) -> Iterator[bool | str]:
    """Until the startup probe has succeeded a container does not turn ready."""
    was: dict[str, bool] = {}
    for seen in history.seen:
        for status in statuses(seen.pod):
            turned, was[status.name] = status.ready and not was.get(status.name), status.ready
            container = history.containers.get(status.name)
            if container is None or container.startupProbe is None or status.state.running is None:
                continue
            yield unless(
                turned and not status.started, f"at {seen.at:g} s {status.name} is ready before its startup probe"
            )


@always("startup-takes-its-time", checks=["probe-initial-delay-from-start", "probe-tick-quantised"], needs=["probes"])
def startup_delay(history: History) -> Iterator[bool | str]:
    """A container with a startup probe has not started before startedAt plus the initial delay."""
    for name, runs in history.instances.items():
        probe = _probe(history, name, "Startup")
        for run in runs[:1] if probe is not None else ():
            if run.said_started is not None and run.started is not None and probe is not None:
                early = run.said_started < run.started + probe.initialDelaySeconds - 1e-6
                yield unless(early, f"{name} has started at {run.said_started:g} s, before its initial delay")


@always(
    "checks-in-turn",
    checks=["probe-startup-gates-others", "probe-initial-delay-from-start", "probe-targets"],
    needs=["probes", "events", "watch"],
)
def checks_in_turn(history: History) -> Iterator[bool | str]:
    """No liveness or readiness check fails before the container has started, and no startup check afterwards."""
    inits = set(history.inits)
    for event, kind, name in _failures(history):
        yield unless(name in inits, f"at {event.at:g} s init container {name} was probed")
        probe = _probe(history, name, kind)
        status = _shown(history, name, event.at)
        if probe is None or status is None:
            yield unless(probe is None, f"at {event.at:g} s {name} was probed without a {kind.lower()} probe")
            continue
        running = status.state.running
        if running is None:
            continue
        began = history.clock(running.startedAt) or 0.0
        yield unless(
            event.at < began + probe.initialDelaySeconds - 1e-6, f"at {event.at:g} s {name} was probed within its delay"
        )
        started = bool(status.started)
        wrong = started if kind == "Startup" else not started
        yield unless(wrong, f"at {event.at:g} s the {kind.lower()} probe of {name} ran, started: {started}")


def _shown(history: History, name: str, at: float) -> ContainerStatus | None:
    """The status of a container just before an instant, unless it changed at that very instant."""
    last: Seen | None = None
    for seen in history.seen:
        if seen.at > at + 1e-6:
            break
        if abs(seen.at - at) <= 1e-6:
            return None
        last = seen
    return None if last is None else next((s for s in statuses(last.pod) if s.name == name), None)


@always(
    "kills-after-threshold",
    checks=["probe-threshold-consecutive", "probe-liveness-failure-kills"],
    needs=["probes", "events"],
)
def kills(history: History) -> Iterator[bool | str]:
    """A probe kills only after failureThreshold failures, and readiness probes never do."""
    counts: dict[tuple[str, str], int] = {}
    for event in history.happened:
        if (kind := _failed_kind(event)) is not None:
            name = event.container
            counts[name, kind] = counts.get((name, kind), 0) + 1
        if event.reason != "Killing" or "failed" not in event.message:
            continue
        yield unless("readiness" in event.message, f"at {event.at:g} s a readiness probe killed {event.container}")
        for kind in ("Startup", "Liveness"):
            probe = _probe(history, event.container, kind)
            if f"failed {kind.lower()} probe" in event.message and probe is not None:
                seen = counts.pop((event.container, kind), 0)
                few = seen < probe.failureThreshold
                yield unless(few, f"at {event.at:g} s {event.container} was killed after {seen} failures")


def _failed_kind(event: Happened) -> str | None:
    """Which kind of check an Event tells the failure of."""
    told = (kind for kind in KINDS if event.message.startswith(f"{kind} probe failed"))
    return next(told, None) if event.reason == "Unhealthy" else None


@always("killed-in-time", checks=["probe-min-time-to-kill", "probe-startup-failure-kills"], needs=["probes", "watch"])
def killed_in_time(history: History) -> Iterator[bool | str]:
    """A first run that only probes can end is not ended before its initial delay and failureThreshold - 1 periods."""
    if history.case is None or history.disturbed or history.case.spec.get("pods") or history.case.steps:
        return
    for name, runs in history.instances.items():
        container = history.containers.get(name)
        if container is None or history.case.script_of(history.name, name).get("attempts") or container.lifecycle:
            continue
        run = runs[0] if len(runs) > 1 and killed_by_probe(container, history.last.spec.restartPolicy) else None
        if run is None or run.finished is None or run.started is None or history.restarts_all:
            continue
        least = min(_soonest(p) for p in (container.livenessProbe, container.startupProbe) if p is not None)
        early = run.finished - run.started < least - 1
        yield unless(early, f"{name} was killed {run.finished - run.started:g} s after its start, not {least:g}")


def _soonest(probe: Probe) -> float:
    return probe.initialDelaySeconds + (probe.failureThreshold - 1) * probe.periodSeconds


@always(
    "probes-are-heeded",
    checks=["probe-liveness-failure-kills", "probe-startup-failure-kills", "probe-onhold-after-failure"],
    needs=["probes"],
)
def heeded(history: History) -> Iterator[bool | str]:
    """A container whose liveness or startup probe fails from beginning to end does not go on running."""
    if history.case is None:
        return
    for name, container in history.containers.items():
        script = history.case.script_of(history.name, name)
        for kind in ("liveness", "startup"):
            probe = getattr(container, f"{kind}Probe")
            windows = script.get(f"{kind}Probe", ())
            if probe is None or not windows or not _always_fails(windows[0]) or name in history.inits:
                continue
            if kind == "liveness" and container.startupProbe is not None:
                continue
            for run in history.instances.get(name, ()):
                if run.started is None:
                    continue
                due = run.started + probe.initialDelaySeconds + (probe.failureThreshold + 2) * probe.periodSeconds
                due += _stopping(history) + 30
                late = (
                    history.until > due and (run.finished is None or run.finished > due) and history.terminal_at is None
                )
                yield unless(late, f"{name} goes on at {due:g} s though its {kind} probe fails")


def _always_fails(window: dict[str, object]) -> bool:
    return window.get("result") == "failure" and not any(key in window for key in ("attempt", "from", "to"))


def _stopping(history: History) -> float:
    grace = history.last.spec.terminationGracePeriodSeconds
    return float(30 if grace is None else grace) + slowness(history)
