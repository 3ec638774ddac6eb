"""Probe workers: when each ticks, what its check answers, and what the kubelet does about a new result.

Source: pkg/kubelet/prober/worker.go run, prober_manager.go; the sync loop's handling of results in kubelet.go.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from podfsm.kube.objects import Container, ContainerStatus, PodStatus, Probe
from podfsm.rules.facts import ProbeKind, ProbeResult, Role
from podfsm.rules.kubelet_facts import ProbeFacts
from podfsm.rules.probe_worker import ProbeWorker, Tick, missing_workers, new_worker, probe_of, tick
from podfsm.world import status
from podfsm.world.firing import fire, may_fire, probe_facts
from podfsm.world.kill import find_container
from podfsm.world.model import Model
from podfsm.world.pod import Draft
from podfsm.world.scripts import FOREVER, Window
from podfsm.world.worker import update_pod

SCRIPT_KEYS = {
    ProbeKind.STARTUP: "startupProbe",
    ProbeKind.READINESS: "readinessProbe",
    ProbeKind.LIVENESS: "livenessProbe",
}
Key = tuple[ProbeKind, str]


def add_workers(m: Model, d: Draft) -> None:
    """Start the workers that are missing; each first sleeps a part of its period."""
    assert d.work is not None
    spec = d.work.pod.spec
    alive = {(name, kind) for kind, name in d.probes}
    for container, kind in missing_workers(spec, alive, m.gates):
        key = (kind, container.name)
        d.probes[key] = new_worker(kind, container.name)
        probe = probe_of(container, kind)
        assert probe is not None
        d.states.pop(f"probe/{kind.value}/{container.name}", None)
        d.asleep |= {key}
        schedule(d, key, d.now + m.profile.probe_offset(probe.periodSeconds, who=d.key, draw=d.draw()))


def schedule(d: Draft, key: Key, when: float) -> None:
    """The worker's next tick; an earlier plan for it is void."""
    d.parked.pop(key, None)
    d.probe_next[key] = when
    d.at(when, "probe", key)


def probe_due(m: Model, d: Draft, key: Key) -> None:
    """A worker ticks."""
    if key not in d.probes or d.probe_next.get(key, -1.0) > d.now:
        return
    d.asleep -= {key}
    run_worker(m, d, key)


def run_worker(m: Model, d: Draft, key: Key) -> None:
    """One run of a worker: its check may take time, and then its result comes later."""
    kind, name = key
    assert d.work is not None
    container = find_container(d.work.pod.spec, name)
    probe = probe_of(container, kind)
    if probe is None:
        _end_worker(d, key)
        return
    shown = _status_of(d, name)
    window = _window(d, key, shown)
    timeout = float(probe.timeoutSeconds)
    takes = min(window.takes, timeout)
    if takes > 0 and _would_probe(m, d, key, container, shown):
        d.probe_next[key] = d.now + probe.periodSeconds
        d.at(d.now + takes, "probe-answer", (key, shown.containerID if shown else "", window, d.now))
        return
    before = d.probes[key]
    _settle(m, d, key, container, shown, window)
    if key not in d.probes:
        return
    if name in d.triggered and kind is ProbeKind.READINESS:
        d.triggered -= {name}
        schedule(d, key, d.now)
    elif d.probes[key] is before and before.cached is not ProbeResult.FAILURE:
        _park(d, key, float(probe.periodSeconds), shown)
    else:
        schedule(d, key, d.now + probe.periodSeconds)


def _park(d: Draft, key: Key, period: float, shown: ContainerStatus | None) -> None:
    """A tick that changed nothing: leave out those that will change nothing either.

    The next one that matters is the first after the script's answer or the initial delay changes, or after the
    container's status does (`wake`). Failing checks are not left out, as each of them is an Event.
    """
    change = _next_change(d, key, shown)
    d.parked[key] = d.now
    d.probe_next[key] = FOREVER
    if change < FOREVER:
        schedule(d, key, d.now + period * max(1, ceil((change - d.now) / period - 1e-9)))


def _next_change(d: Draft, key: Key, shown: ContainerStatus | None) -> float:
    """When the answer of a check, or whether it is run, next changes by time alone."""
    instance = d.instance(shown.containerID) if shown is not None else None
    if instance is None or instance.started_at is None:
        return FOREVER
    script = d.scripts.container(key[1])
    number = d.instances[instance.id].number
    assert d.work is not None
    probe = probe_of(find_container(d.work.pod.spec, key[1]), key[0])
    edges = [instance.started_at + probe.initialDelaySeconds] if probe is not None else []
    for window in script.windows.get(SCRIPT_KEYS[key[0]], ()):
        if window.attempt in (None, number):
            edges += [instance.started_at + window.start, instance.started_at + window.end]
    return min((edge for edge in edges if edge > d.now), default=FOREVER)


def wake(d: Draft, before: PodStatus | None, after: PodStatus) -> None:
    """Parked workers go on at their next tick if what they look at has changed."""
    for key, last in list(d.parked.items()):
        if key not in d.probes or d.probe_next.get(key) == d.now:
            continue
        old, new = find_status(before, key[1]), find_status(after, key[1])
        if old == new and before is not None and before.phase == after.phase:
            continue
        assert d.work is not None
        probe = probe_of(find_container(d.work.pod.spec, key[1]), key[0])
        period = float(probe.periodSeconds) if probe is not None else 1.0
        schedule(d, key, last + period * max(1, ceil((d.now - last) / period - 1e-9)))


def answer(m: Model, d: Draft, key: Key, container_id: str, window: Window, began: float) -> None:
    """A check that took time answers."""
    kind, name = key
    if key not in d.probes:
        return
    assert d.work is not None
    container = find_container(d.work.pod.spec, name)
    probe = probe_of(container, kind)
    assert probe is not None
    shown = _status_of(d, name)
    if shown is not None and shown.containerID == container_id:
        _settle(m, d, key, container, shown, window)
    if key in d.probes:
        schedule(d, key, max(d.now, began + probe.periodSeconds))


def trigger_readiness(d: Draft, name: str) -> None:
    """Rule probe-readiness-manual-trigger: a started container that is not ready is probed at once."""
    key = (ProbeKind.READINESS, name)
    if key not in d.probes:
        return
    if key in d.asleep:
        d.triggered |= {name}  # the extra run follows its first
    elif d.probe_next.get(key, 0.0) > d.now:
        schedule(d, key, d.now)


def _would_probe(m: Model, d: Draft, key: Key, container: Container, shown: ContainerStatus | None) -> bool:
    called = []

    def outcome() -> ProbeResult | None:
        called.append(True)
        return None

    _tick(m, d, key, container, shown, outcome)
    return bool(called)


def _tick(
    m: Model,
    d: Draft,
    key: Key,
    container: Container,
    shown: ContainerStatus | None,
    outcome: Callable[[], ProbeResult | None],
) -> Tick:
    assert d.work is not None
    return tick(
        d.probes[key],
        now=d.now,
        phase=d.status.phase if d.status is not None else None,
        status=shown,
        container=container,
        spec=d.work.pod.spec,
        gates=m.gates,
        outcome=outcome,
        sidecar=d.roles[key[1]][0] is Role.SIDECAR,
        kubelet_started_at=d.kubelet_since,
    )


def _settle(m: Model, d: Draft, key: Key, container: Container, shown: ContainerStatus | None, window: Window) -> None:
    """Run one tick with a known answer, and act on what it publishes."""
    kind, before = key[0], d.probes[key]
    probe = probe_of(container, kind)
    assert probe is not None
    result = seen_result(probe, window)
    done = _tick(m, d, key, container, shown, lambda: result)
    d.probes[key] = done.worker
    if done.probed and result is ProbeResult.FAILURE:
        d.event("Warning", "Unhealthy", f"{kind.value.capitalize()} probe failed", container.name)
    elif done.probed and result is None:
        d.event("Warning", "Unhealthy", f"{kind.value.capitalize()} probe errored", container.name)
    _fire(m, d, key, before, done, result, shown)
    changed = False
    said = done.probed or done.worker is not before  # a worker on hold says nothing
    if said and done.worker.cached is not None and done.worker.container_id:
        known = (kind, done.worker.container_id)
        changed = d.results_of.get(known) is not done.worker.cached
        d.results_of[known] = done.worker.cached
    if not done.keep_going:
        _end_worker(d, key)
    # Each sync starts a worker anew for a container that is over, whose end asks for a sync: relists slow that down.
    endless = not done.keep_going and m.profile.relist <= 0
    if changed and not endless:  # the sync loop hears of it last, when a worker that ends is gone
        _published(m, d, kind, done.worker)


def _fire(
    m: Model,
    d: Draft,
    key: Key,
    before: ProbeWorker,
    done: Tick,
    result: ProbeResult | None,
    shown: ContainerStatus | None,
) -> None:
    """Move the worker's machine: the first of its triggers that may fire now, until none does."""
    assert d.work is not None
    kind, name = key
    facts = probe_facts(d, kind, before, done, result, find_container(d.work.pod.spec, name))
    instance = f"{kind.value}/{name}"
    running = shown is not None and shown.state.running is not None
    for trigger in _triggers(before, done, running=running):
        if may_fire(m, d, "probe", instance, trigger, facts):
            fire(m, d, "probe", instance, trigger, facts)


def _triggers(before: ProbeWorker, done: Tick, *, running: bool) -> tuple[str, ...]:
    """What happened to the worker at a tick, in order."""
    happened: list[str] = []
    if done.worker.container_id != before.container_id:
        happened.append("adopt")
    if done.probed:
        happened += ["delay_over", "gate_open"]
        if done.worker.cached is not before.cached:
            happened.append("publish")
        if done.worker.on_hold and not before.on_hold:
            happened.append("hold")
    elif done.keep_going and done.worker.container_id and not done.worker.on_hold:
        happened.append("delay_over" if running else "lose")
    if not done.keep_going:
        happened.append("leave")
    return tuple(happened)


def seen_result(probe: Probe, window: Window) -> ProbeResult | None:
    """What the worker sees of a scripted answer: too late is a failure, an error nothing at all."""
    if window.takes > probe.timeoutSeconds:
        return ProbeResult.FAILURE
    if window.result == "error":
        return None
    return ProbeResult.FAILURE if window.result == "failure" else ProbeResult.SUCCESS


def _published(m: Model, d: Draft, kind: ProbeKind, worker: ProbeWorker) -> None:
    """The sync loop hears of a new result."""
    if kind is ProbeKind.LIVENESS:
        if worker.cached is not ProbeResult.FAILURE:
            return
    elif kind is ProbeKind.READINESS:
        status.set_readiness(m, d, worker.container_id, ready=worker.cached is ProbeResult.SUCCESS)
    else:
        status.set_startup(m, d, worker.container_id, started=worker.cached is ProbeResult.SUCCESS)
    update_pod(m, d)


def _status_of(d: Draft, name: str) -> ContainerStatus | None:
    return find_status(d.status, name)


def find_status(status: PodStatus | None, name: str) -> ContainerStatus | None:
    """The status of an app or init container by name."""
    if status is None:
        return None
    for group in (status.containerStatuses, status.initContainerStatuses):
        for one in group:
            if one.name == name:
                return one
    return None


def _window(d: Draft, key: Key, shown: ContainerStatus | None) -> Window:
    kind, name = key
    script = d.scripts.container(name)
    instance = d.instance(shown.containerID) if shown is not None else None
    if instance is None or instance.started_at is None:
        return Window()
    return script.window(SCRIPT_KEYS[kind], d.instances[instance.id].number, d.now - instance.started_at)


def _end_worker(d: Draft, key: Key) -> None:
    worker = d.probes.pop(key, None)
    d.probe_next.pop(key, None)
    d.parked.pop(key, None)
    if worker is not None:
        # The result goes with its worker; a worker that a later sync starts in its place begins from nothing.
        d.results_of.pop((key[0], worker.container_id), None)


def stop_liveness_and_startup(m: Model, d: Draft) -> None:
    """Rule probe-stop-liveness-on-terminate: app containers' liveness and startup workers end, others go on."""
    assert d.work is not None
    apps = {c.name for c in d.work.pod.spec.containers}
    for key in [key for key in d.probes if key[0] is not ProbeKind.READINESS and key[1] in apps]:
        facts = ProbeFacts(kind=key[0], terminating=True)
        fire(m, d, "probe", f"{key[0].value}/{key[1]}", "stop", facts)
        _end_worker(d, key)


def remove_all(m: Model, d: Draft) -> None:
    """The Pod's containers are gone, and its workers with them."""
    for key in list(d.probes):
        fire(m, d, "probe", f"{key[0].value}/{key[1]}", "remove", None)
        _end_worker(d, key)
