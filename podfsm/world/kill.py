"""Stopping containers: preStop, a sidecar's turn, the stop signal, the KILL.

The grace period begins with the preStop hook; what hook and waiting used is subtracted in whole seconds, and at least
two seconds are always left between signal and KILL. Containers of a Pod are stopped at the same time, sidecars last.
Source: pkg/kubelet/kuberuntime/kuberuntime_container.go killContainer.
"""

from __future__ import annotations

from attrs import evolve

from podfsm.kube.objects import Container, Lifecycle, PodSpec
from podfsm.rules.facts import Role, RuntimeContainer, RuntimeState
from podfsm.rules.grace import container_grace, stop_timeout
from podfsm.rules.stop_order import waits_for, waves
from podfsm.world.firing import container_state, fire, fire_container, sandbox_facts
from podfsm.world.model import Model
from podfsm.world.plan import Progress, advance, run_plan
from podfsm.world.pod import Draft, Op, Stop
from podfsm.world.runtime import end, end_by_itself, is_running, remove_container
from podfsm.world.scripts import FOREVER

SIGKILL_EXIT = 137
NO_HOOKS = Lifecycle()
HOOK_FAILED = "FailedPostStartHook"
RESTART_ALL = "RestartAllContainers"
REPLACE = "SpecChanged"
RESIZE = "Resize"
_TRIGGERS = {
    "LivenessProbe": "probe_kill",
    "StartupProbe": "probe_kill",
    HOOK_FAILED: "hook_failed",
    RESTART_ALL: "restart_all",
    REPLACE: "replace",
    RESIZE: "resize_restart",
}
"""The machine's trigger for each reason to stop a container; anything else ends the container with its Pod."""


def run_kill_pod(m: Model, d: Draft, op: Op) -> Progress:
    """Stop every container, then the sandbox."""
    if not op.stage:
        op = advance(d, evolve(op, stage="stopping"))
        running = _those_waited_for_first(m, d, [c for c in d.live if c.state is RuntimeState.RUNNING])
        d.results += len(running)
        for c in running:
            d.event("Normal", "Killing", f"Stopping container {c.name}", c.name)
            begin_stop(m, d, c.id, c.name, "", grace=op.grace, ordered=True)
    if d.stops:
        return Progress.BLOCKED
    if d.sandboxes and d.sandboxes[0].ready:
        d.results += 1
        fire(m, d, "sandbox", "", "stop", sandbox_facts(d))
        d.sandboxes = (evolve(d.sandboxes[0], ready=False), *d.sandboxes[1:])
    return Progress.DONE


def _those_waited_for_first(m: Model, d: Draft, running: list[RuntimeContainer]) -> list[RuntimeContainer]:
    """All are stopped at once; who looks whether to wait must find the others under way."""
    assert d.work is not None
    in_waves = waves(d.work.pod.spec, {c.name for c in running}, m.gates)
    number = {name: at for at, wave in enumerate(in_waves) for name in wave}
    return sorted(running, key=lambda c: number[c.name])


def run_kill(m: Model, d: Draft, op: Op) -> Progress:
    """Stop one container and wait for it."""
    if not op.stage:
        op = advance(d, evolve(op, stage="stopping"))
        d.results += 1
        # decided when the sync began, even if the container has ended by itself since
        d.killed[op.name] = "probe" if op.reason in ("LivenessProbe", "StartupProbe") else "spec"
        if is_running(d, op.id):
            d.event("Normal", "Killing", op.message or f"Stopping container {op.name}", op.name)
            begin_stop(m, d, op.id, op.name, op.reason or REPLACE)
        elif (found := d.instance(op.id)) is not None and found.state is not RuntimeState.EXITED:
            end(m, d, op.id, SIGKILL_EXIT)
    return Progress.BLOCKED if op.id in d.stops else Progress.DONE


def run_reset(m: Model, d: Draft, op: Op) -> Progress:
    """RestartAllContainers: kill with grace 0 and without preStop, then remove the record."""
    if op.stage == "kill":
        op = advance(d, evolve(op, stage="stopping"))
        found = d.instance(op.id)
        if found is not None and is_running(d, op.id):
            begin_stop(m, d, op.id, found.name, RESTART_ALL, grace=0)
    if op.id in d.stops:
        return Progress.BLOCKED
    d.results += 1
    d.reset_done = True
    found = d.instance(op.id)
    if found is not None:
        if container_state(m, d, found.name) != "Waiting":  # older records stand for no state
            fire_container(m, d, found.name, "reset", restart_all=True)
        d.logs[found.name] = max(found.restart_count, d.logs.get(found.name, 0))
    remove_container(d, op.id)
    return Progress.DONE


def begin_stop(
    m: Model, d: Draft, container_id: str, name: str, reason: str, *, grace: int | None = None, ordered: bool = False
) -> None:
    """Begin to stop a running container. `grace` overrides what spec and probe say, in seconds."""
    assert d.work is not None
    pod = d.work.pod
    container = find_container(pod.spec, name)
    if grace is None:
        grace = container_grace(
            pod.spec, container, deletion_grace=pod.metadata.deletionGracePeriodSeconds, kill_reason=reason
        )
    trigger = _TRIGGERS.get(reason, "terminate")
    fire_container(m, d, name, trigger, poststart_failed=reason == HOOK_FAILED, restart_all=reason == RESTART_ALL)
    _stop(m, d, container_id, Stop("preStop", float(grace), d.now, ordered))


def stop_again(m: Model, d: Draft) -> None:
    """A new kubelet stops the containers of a terminating Pod from the beginning (rule term-restart-during)."""
    assert d.work is not None
    deletion_grace = d.work.pod.metadata.deletionGracePeriodSeconds
    for container_id, stop in list(d.stops.items()):
        if not is_running(d, container_id):
            if container_id in d.stops:
                _stopped(m, d, container_id)
            continue
        container = find_container(d.work.pod.spec, _name(d, container_id))
        grace = d.work.grace or container_grace(d.work.pod.spec, container, deletion_grace=deletion_grace)
        _stop(m, d, container_id, evolve(stop, stage="preStop", grace=float(grace), since=d.now))


def _stop(m: Model, d: Draft, container_id: str, stop: Stop) -> None:
    """The preStop hook, if there is one, and then the container's turn to get the signal."""
    assert d.work is not None
    name = _name(d, container_id)
    hook = lifecycle_of(d, find_container(d.work.pod.spec, name)).preStop
    if hook is None or stop.grace <= 0:
        d.stops[container_id] = evolve(stop, stage="turn")
        _take_turn(m, d, container_id)
        return
    found = d.instance(container_id)
    age = d.now - (found.started_at if found and found.started_at is not None else d.now)
    window = d.scripts.container(name).window("preStop", d.instances[container_id].number, age)
    takes = float(hook.sleep.seconds) if hook.sleep is not None else window.takes
    if window.result != "success":
        d.event("Warning", "FailedPreStopHook", "PreStopHook failed", name)
    d.stops[container_id] = evolve(stop, outlives=hook.sleep is not None)
    d.at(d.now + min(takes, stop.grace), "stop", container_id)


def stop_due(m: Model, d: Draft, container_id: str) -> None:
    """A stage of a stop is over: the hook, the waiting for a turn, or the grace period."""
    stop = d.stops.get(container_id)
    if stop is None:
        return
    spent = d.now - stop.since
    if stop.stage == "preStop":
        d.stops[container_id] = evolve(
            stop, stage="turn", outlives=False, grace=stop.grace - int(spent + 1e-9), since=d.now
        )
        _take_turn(m, d, container_id)
    elif stop.stage == "turn" and spent >= stop.grace - 1e-9:
        _signal(m, d, container_id)
    elif stop.stage == "signal" and spent >= stop.grace - 1e-9:
        ended(m, d, container_id, SIGKILL_EXIT)


def _take_turn(m: Model, d: Draft, container_id: str) -> None:
    """Wait for those that must stop first, as long as the grace lasts; else send the signal.

    Who ended during its hook waits as well, and has no signal to get.
    """
    stop = d.stops[container_id]
    if stop.ordered and stop.grace > 0 and _others(m, d, container_id):
        if is_running(d, container_id) and container_state(m, d, _name(d, container_id)) != "WaitingTurn":
            fire_container(m, d, _name(d, container_id), "wait_turn", others_running=True)
        d.at(d.now + stop.grace, "stop", container_id)
    else:
        _signal(m, d, container_id)


def _others(m: Model, d: Draft, container_id: str) -> frozenset[str]:
    assert d.work is not None
    running = {c.name for c in d.live if c.id in d.stops and c.state is RuntimeState.RUNNING}
    found = d.instance(container_id)
    return waits_for(d.work.pod.spec, found.name, running, m.gates) if found else frozenset()


def _signal(m: Model, d: Draft, container_id: str) -> None:
    """Send the stop signal; the process answers as scripted, or is killed when its time is up."""
    stop = d.stops[container_id]
    waited = int(d.now - stop.since + 1e-9) if stop.ordered else 0
    timeout = stop_timeout(stop.grace, waited)
    if not is_running(d, container_id):
        _stopped(m, d, container_id)
        return
    instance = d.instances[container_id]
    attempt = instance.attempt
    if stop.ordered and container_state(m, d, _name(d, container_id)) == "WaitingTurn":
        waiting = bool(_others(m, d, container_id))
        fire_container(m, d, _name(d, container_id), "give_up_waiting" if waiting else "signal", others_running=waiting)
    signalled = d.now if stop.signalled is None else stop.signalled  # a second signal changes no process's answer
    d.stops[container_id] = Stop("signal", timeout, d.now, signalled=signalled)
    takes = max(signalled + attempt.stop_takes - d.now, 0.0)
    if takes <= timeout and takes < FOREVER:
        d.at(d.now + takes, "stopped", container_id)
    else:
        d.at(d.now + timeout, "stop", container_id)


def ended(m: Model, d: Draft, container_id: str, exit_code: int | None = None) -> None:
    """A process is gone: by itself (None), on the signal, or killed."""
    if exit_code is None:
        end_by_itself(m, d, container_id)
    else:
        end(m, d, container_id, exit_code)
    if container_id in d.stops:
        if d.stops[container_id].stage == "preStop" and not d.stops[container_id].outlives:
            stop_due(m, d, container_id)  # a hook that runs in the container ends with it
            return
        _stopped(m, d, container_id)
    elif d.stops:
        _recheck_turns(m, d)


def answered(m: Model, d: Draft, container_id: str) -> None:
    """The process answers the stop signal."""
    if container_id in d.stops and d.stops[container_id].signalled is not None:
        ended(m, d, container_id, d.instances[container_id].attempt.stop_exit)


def _stopped(m: Model, d: Draft, container_id: str) -> None:
    del d.stops[container_id]
    _recheck_turns(m, d)
    if d.plan and (d.plan[0].id == container_id or (d.plan[0].kind == "kill-pod" and not d.stops)):
        run_plan(m, d)


def _recheck_turns(m: Model, d: Draft) -> None:
    for other in list(d.stops):
        if other in d.stops and d.stops[other].stage == "turn" and not _others(m, d, other):
            _signal(m, d, other)


def _name(d: Draft, container_id: str) -> str:
    found = d.instance(container_id)
    assert found is not None
    return found.name


def lifecycle_of(d: Draft, container: Container) -> Lifecycle:
    """The container's hooks. A regular init container has none, though an older version may take a sidecar for one."""
    if container.lifecycle is None or d.roles[container.name][0] is Role.INIT:
        return NO_HOOKS
    return container.lifecycle


def find_container(spec: PodSpec, name: str) -> Container:
    """The container of that name in any of the Pod's lists."""
    for group in (spec.containers, spec.initContainers, spec.ephemeralContainers):
        for container in group:
            if container.name == name:
                return container
    return Container(name=name)
