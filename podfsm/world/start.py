"""Starting one container: back-off check, image, configuration, creation, start, postStart.

A failed start leaves its reason for the next status; a failed regular init container ends the sync, others do not.
Source: pkg/kubelet/kuberuntime startContainer, doBackOff.
"""

from __future__ import annotations

from attrs import evolve

from podfsm.kube.objects import Container, PodSpec
from podfsm.rules import backoff, crash_backoff
from podfsm.rules.container_state import StartError
from podfsm.rules.container_status import next_restart_count
from podfsm.rules.facts import Role, RuntimeState
from podfsm.rules.sidecar import is_sidecar
from podfsm.world import images
from podfsm.world.firing import MACHINE_OF, container_facts, container_state, fire, fire_container, may_fire
from podfsm.world.kill import HOOK_FAILED, begin_stop, find_container, lifecycle_of
from podfsm.world.model import Model
from podfsm.world.plan import Progress, advance, resume_at
from podfsm.world.pod import Draft, Op
from podfsm.world.runtime import end, is_running, launch, make_instance

START_ERROR_EXIT = 128
_NOT_STARTED = ("Waiting", "Blocked", "ImageBackOff")
"""States of a container's machine in which it has no instance to restart."""


def run_start(m: Model, d: Draft, op: Op) -> Progress:
    """One stage after another, until one fails, takes time, or the container runs."""
    assert d.work is not None
    container = find_container(d.work.pod.spec, op.name)
    while True:
        done = _STAGES[op.stage](m, d, op, container)
        if done is not None:
            return done
        op = d.plan[0]


def _back_off(m: Model, d: Draft, op: Op, container: Container) -> Progress | None:
    """Rules backoff-*: judged by the newest instance that had exited when this sync began."""
    d.results += 1
    exited = next((c for c in d.view if c.name == op.name and c.state is RuntimeState.EXITED), None)
    if exited is not None and exited.finished_at is not None:
        key = backoff_key(container)
        entry = d.backoffs.get(key)
        if entry is not None:
            entry = crash_backoff.collect(entry, now=d.now, expiry=m.backoff_expiry)
        entry, retry_at = crash_backoff.check(
            entry,
            finished_at=exited.finished_at,
            now=d.now,
            initial=m.backoff_initial,
            maximum=m.backoff_max,
            expiry=m.backoff_expiry,
        )
        if entry is not None:
            d.backoffs[key] = entry
        if retry_at is not None and entry is not None:
            reason, message = backoff.waiting(entry.delay, op.name, _full_name(d))
            d.event("Warning", "BackOff", f"Back-off restarting failed container {op.name} in pod {d.key}", op.name)
            if container_state(m, d, op.name) == "Done":
                _renew(m, d, op.name)
            fire_container(m, d, op.name, "back_off", retry_at=retry_at)
            return failed(m, d, op, container, reason, message, retry_at=retry_at)
    _fire_pull(m, d, op.name)
    advance(d, evolve(op, stage="pull"))
    return None


def _fire_pull(m: Model, d: Draft, name: str) -> None:
    """A first start in this sandbox, another try of one that failed, or a restart."""
    if container_state(m, d, name) not in _NOT_STARTED:
        _renew(m, d, name)
    if container_state(m, d, name) in _NOT_STARTED:
        fire_container(m, d, name, "pull")
    elif name in d.killed and d.roles[name][0] is Role.APP:
        fire_container(m, d, name, "start_over")
    else:
        # A sync that starts a sidecar has found the apps not done; when all of them have exited it may not even count
        # the Pod as initialised any more, and begins anew.
        fire_container(m, d, name, "restart", **({"apps_done": False} if d.roles[name][0] is Role.SIDECAR else {}))


def _renew(m: Model, d: Draft, name: str) -> None:
    """Begin anew in a new sandbox. What was done stays so there, unless a rule of its own restarts it."""
    newest = d.newest(name)
    if newest is not None and newest.in_active_sandbox:
        return
    known = next((c for c in d.view if c.name == name), newest)  # as it was when this sync decided
    decided = {} if known is None else {"instance": known.state, "exit_code": known.exit_code}
    facts = container_facts(m, d, name, new_sandbox=True, **decided)
    machine = MACHINE_OF[d.roles[name][0]]
    if may_fire(m, d, machine, name, "renew", facts):
        fire(m, d, machine, name, "renew", facts)


def _pull(m: Model, d: Draft, op: Op, container: Container) -> Progress | None:
    """The image must be there; see `images`."""
    answer = images.ensure(m, d, container, waited=op.attempt > 0)
    if answer.pulling_for:
        advance(d, evolve(op, attempt=1))
        return resume_at(d, d.now + answer.pulling_for)
    if answer.error is not None:
        fire_container(m, d, op.name, "pull_failed")
        return failed(m, d, op, container, answer.error.reason, answer.error.message, retry_at=answer.retry_at)
    advance(d, evolve(op, stage="create"))
    return None


def _create(m: Model, d: Draft, op: Op, container: Container) -> Progress | None:
    number = d.starts.get(f"{d.sandboxes[0].id}/{op.name}" if d.sandboxes else op.name, 0)
    attempt = d.scripts.container(op.name).attempt(number)
    missing = missing_config(d, container)
    if missing or attempt.create_error:
        reason = "CreateContainerConfigError" if missing else "CreateContainerError"
        if not missing:
            d.starts[f"{d.sandboxes[0].id}/{op.name}"] = number + 1
        message = f"{missing[0]} not found" if missing else attempt.create_error
        d.event("Warning", "Failed", f"Error: {message}", op.name)
        fire_container(m, d, op.name, "create_failed")
        return failed(m, d, op, container, reason, message)
    previous = next((c for c in d.view if c.name == op.name), None)
    made = make_instance(d, container, next_restart_count(previous, d.logs.get(op.name)))
    d.event("Normal", "Created", f"Created container: {op.name}", op.name)
    fire_container(m, d, op.name, "create")
    advance(d, evolve(op, stage="start", id=made.id))
    return resume_at(d, d.now + m.profile.start + attempt.start_takes)


def _start(m: Model, d: Draft, op: Op, container: Container) -> Progress | None:
    made = d.instance(op.id)
    assert made is not None
    error = d.instances[op.id].attempt.start_error
    if error:
        d.replace(evolve(made, started_at=d.now))
        end(m, d, op.id, START_ERROR_EXIT, "StartError", error)
        d.event("Warning", "Failed", f"Error: {error}", op.name)
        return failed(m, d, op, container, "RunContainerError", error)
    launch(d, made)
    d.event("Normal", "Started", f"Started container {op.name}", op.name)
    hook = lifecycle_of(d, container).postStart
    if hook is None:
        return _running(m, d, op)
    window = d.scripts.container(op.name).window("postStart", d.instances[op.id].number, 0.0)
    takes = float(hook.sleep.seconds) if hook.sleep is not None else window.takes
    advance(d, evolve(op, stage="hook", reason=window.result))
    return resume_at(d, d.now + takes) if takes > 0 else None


def _hook(m: Model, d: Draft, op: Op, _container: Container) -> Progress | None:
    """The hook is over; if it failed, the container is stopped with grace and preStop, and starts anew."""
    if op.reason == "success":
        return _running(m, d, op)
    d.event("Warning", "FailedPostStartHook", "PostStartHook failed", op.name)
    advance(d, evolve(op, stage="hook-kill"))
    if is_running(d, op.id):
        d.event("Normal", "Killing", "FailedPostStartHook", op.name)
        begin_stop(m, d, op.id, op.name, HOOK_FAILED)
    return None


def _hook_kill(m: Model, d: Draft, op: Op, container: Container) -> Progress | None:
    if op.id in d.stops:
        return Progress.BLOCKED
    return failed(m, d, op, container, "PostStartHookError", "PostStartHook failed")


_STAGES = {
    "": _back_off,
    "pull": _pull,
    "create": _create,
    "start": _start,
    "hook": _hook,
    "hook-kill": _hook_kill,
}


def _running(m: Model, d: Draft, op: Op) -> Progress:
    d.reasons.pop(op.name, None)
    if is_running(d, op.id):
        fire_container(m, d, op.name, "start")
    return Progress.DONE


def failed(
    m: Model, d: Draft, op: Op, container: Container, reason: str, message: str, *, retry_at: float | None = None
) -> Progress:
    """The start failed: remember why, and when to try again if that is known."""
    d.reasons[op.name] = StartError(reason, message)
    d.failed = True
    if retry_at is not None and (d.retry_at is None or retry_at < d.retry_at):
        d.retry_at = retry_at
    regular_init = op.role == "init" and not is_sidecar(container, m.gates)
    return Progress.ABORT if regular_init else Progress.DONE


def backoff_key(container: Container) -> str:
    """Rule backoff-key: another image or other resources start a back-off of their own."""
    return f"{container.name}/{container.image}/{container.resources}"


def missing_volumes(d: Draft, spec: PodSpec) -> list[str]:
    """Secrets and ConfigMaps that volumes need and that do not exist, as 'Kind/name'."""
    if not d.absent:
        return []
    needed = []
    for volume in spec.volumes:
        needed.extend(_volume_sources(volume))
    return [name for name in needed if name in d.absent]


def _volume_sources(volume: dict[str, object]) -> list[str]:
    found = []
    projected = volume.get("projected")
    sources = projected.get("sources", []) if isinstance(projected, dict) else []
    for part in (volume, *sources):
        for key, kind, name in (("secret", "Secret", "secretName"), ("configMap", "ConfigMap", "name")):
            source = part.get(key)
            if isinstance(source, dict) and not source.get("optional"):
                found.append(f"{kind}/{source.get(name) or source.get('name')}")
    return found


def missing_config(d: Draft, container: Container) -> list[str]:
    """ConfigMaps and Secrets that the environment needs and that do not exist, as 'Kind/name'."""
    if not d.absent:
        return []
    needed = []
    for variable in container.env:
        for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            source = (variable.valueFrom or {}).get(key)
            if source and not source.get("optional"):
                needed.append(f"{kind}/{source.get('name')}")
    for group in container.envFrom:
        for reference, kind in ((group.configMapRef, "ConfigMap"), (group.secretRef, "Secret")):
            if reference is not None and not reference.optional:
                needed.append(f"{kind}/{reference.name}")
    return [name for name in needed if name in d.absent]


def _full_name(d: Draft) -> str:
    """A Pod as the kubelet names it in messages."""
    metadata = d.api.metadata
    return f"{metadata.name}_{metadata.namespace or 'default'}({metadata.uid})"
