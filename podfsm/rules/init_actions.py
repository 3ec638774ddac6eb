"""What the kubelet does with the init entries of a Pod in one sync (computeInitContainerActions).

An app container that is created or running proves that initialisation is over; then only sidecars are looked after.
Otherwise the last entry with a record in the runtime decides alone: it is waited for, retried, fails the Pod, or lets
the entry after it start. Sidecars before it are kept running. Without any record the first entry starts.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, PodSpec
from podfsm.rules import init
from podfsm.rules.facts import ProbeResult, RuntimeContainer, RuntimeState
from podfsm.rules.restart_decision import pod_policy, restarts_after_kill, should_be_restarted
from podfsm.rules.sidecar import has_started, is_sidecar

Newest = Mapping[str, RuntimeContainer]
"""The newest instance in the runtime by container name."""

UNKNOWN_STATE = 'is in "unknown" state, try killing it before restart'


@frozen
class Kill:
    """One container to stop. `reason` is StartupProbe, LivenessProbe, Unknown, or "" when the spec changed."""

    id: str
    name: str
    reason: str
    message: str


@frozen
class InitActions:
    """What is to happen to the init entries; names in the order of the spec."""

    initialized: bool
    fails: bool = False
    """An init container failed for good: the Pod is to be killed."""
    start: tuple[str, ...] = ()
    kill: tuple[Kill, ...] = ()
    why: Mapping[str, str] = field(factory=dict)
    """Container name to the id of the rule that decided its start or stop."""


DONE = InitActions(True)


@frozen
class _Step:
    """What one entry's newest instance asks for: by which rule it starts again, if so; whether the next may start."""

    again: str = ""
    kill: Kill | None = None
    passed: bool = False
    fails: bool = False


_WAIT = _Step()
_PASSED = _Step(passed=True)
_SIDECAR_AGAIN = _Step("sidecar-always-restart")
_FAILS = _Step(fails=True)


def init_actions(spec: PodSpec, newest: Newest, gates: Gates, *, deleting: bool) -> InitActions:
    """Which init containers and sidecars to start and to stop, and whether initialisation is over."""
    entries = spec.initContainers
    if not entries:
        return DONE
    sidecars = [is_sidecar(entry, gates) for entry in entries]
    if not gates.at_least("1.33") and not any(sidecars):
        return _without_sidecars_before_1_33(spec, newest)
    if any(app.name in newest and init.app_proves_initialized(newest[app.name].state) for app in spec.containers):
        return _with_kept(entries, sidecars, newest, initialized=True)
    decider = init.deciding_entry([entry.name in newest for entry in entries])
    if decider is None:
        return _first(spec, newest)
    entry, instance = entries[decider], newest[entries[decider].name]
    step = _sidecar(entry, instance) if sidecars[decider] else _regular(entry, instance, spec, gates, deleting=deleting)
    if step.fails:
        return InitActions(False, fails=True, why={entry.name: "init-never-fails-pod"})
    following = entries[decider + 1].name if step.passed and decider + 1 < len(entries) else ""
    initialized = step.passed and not following
    return _with_kept(
        entries[:decider], sidecars, newest, initialized=initialized, then=(entry, step), following=following
    )


def _first(spec: PodSpec, newest: Newest) -> InitActions:
    name = spec.initContainers[0].name
    lost = any(app.name in newest for app in spec.containers)
    return InitActions(False, start=(name,), why={name: "init-rerun-on-lost-record" if lost else "init-sequential"})


def _with_kept(
    kept: tuple[Container, ...],
    sidecars: list[bool],
    newest: Newest,
    *,
    initialized: bool,
    then: tuple[Container, _Step] | None = None,
    following: str = "",
) -> InitActions:
    """Keep the sidecars among `kept` running; then do what the deciding entry's step says, and start its follower."""
    steps = []
    for entry, sidecar in zip(kept, sidecars, strict=False):
        if sidecar:
            instance = newest.get(entry.name)
            step = _SIDECAR_AGAIN if instance is None else _sidecar(entry, instance)
            if step.again:
                steps.append((entry, step))
    if then is not None and then[1].again:
        steps.append(then)
    if not steps and not following:
        return DONE if initialized else InitActions(False)
    why = {entry.name: step.again for entry, step in steps}
    start = tuple(why)
    if following:
        why[following] = "init-sequential"
        start = (*start, following)
    kill = tuple(step.kill for _, step in steps if step.kill is not None)
    return InitActions(initialized, start=start, kill=kill, why=why)


def _sidecar(entry: Container, instance: RuntimeContainer) -> _Step:
    """A sidecar that is not running starts again; a running one is stopped for a failed probe or a changed image.

    Neither its liveness nor a changed image keeps the next entry waiting.
    """
    state = instance.state
    if state is RuntimeState.EXITED or state is RuntimeState.CREATED:
        return _SIDECAR_AGAIN
    if state is RuntimeState.UNKNOWN:
        return _Step("sidecar-always-restart", _unknown(entry, instance))
    if not has_started(entry, instance):
        if instance.startup is ProbeResult.FAILURE:
            return _stopped(entry, instance, "StartupProbe", "failed startup probe", "probe-startup-failure-kills")
        return _WAIT
    if instance.spec_changed:
        return _stopped(entry, instance, "", "definition changed", "sidecar-image-change")
    if entry.livenessProbe is not None and instance.liveness is ProbeResult.FAILURE:
        return _stopped(entry, instance, "LivenessProbe", "failed liveness probe", "probe-liveness-failure-kills")
    return _PASSED


def _stopped(entry: Container, instance: RuntimeContainer, reason: str, what: str, rule: str) -> _Step:
    kill = Kill(instance.id, entry.name, reason, f"Init container {entry.name} {what}")
    return _Step(rule, kill, passed=reason != "StartupProbe")


def _unknown(entry: Container, instance: RuntimeContainer) -> Kill:
    return Kill(instance.id, entry.name, "Unknown", f"Init container {UNKNOWN_STATE}")


def _regular(entry: Container, instance: RuntimeContainer, spec: PodSpec, gates: Gates, *, deleting: bool) -> _Step:
    state = instance.state
    if state is RuntimeState.RUNNING:
        return _WAIT
    if state is RuntimeState.CREATED:
        return _Step("restart-never-exceptions")
    if state is RuntimeState.UNKNOWN:
        if not restarts_after_kill(entry, spec, gates):
            return _FAILS
        return _Step("restart-never-exceptions", _unknown(entry, instance))
    if not init.failed(state, instance.exit_code, instance.reason):
        return _PASSED
    if gates.on("ContainerRestartRules"):
        retry = should_be_restarted(entry, spec, instance, gates, deleting=deleting, sidecar=False)
    else:
        retry = init.policy_retries(pod_policy(spec))
    return _Step("init-retry") if retry else _FAILS


def _without_sidecars_before_1_33(spec: PodSpec, newest: Newest) -> InitActions:
    """What versions before 1.33 do with a Pod without sidecars (findNextInitContainerToRun).

    Only a running app container proves initialisation; the last failed entry is retried even if a later one completed;
    an entry that is only created is skipped.
    """
    entry, done = next_before_1_33(spec, newest)
    if entry is None:
        return InitActions(done)
    instance = newest.get(entry.name)
    if instance is None or not init.failed(instance.state, instance.exit_code, instance.reason):
        return InitActions(False, start=(entry.name,), why={entry.name: "init-sequential"})
    if not init.policy_retries(pod_policy(spec)):
        return InitActions(False, fails=True, why={entry.name: "init-never-fails-pod"})
    kill = (_unknown(entry, instance),) if instance.state is RuntimeState.UNKNOWN else ()
    return InitActions(False, start=(entry.name,), kill=kill, why={entry.name: "init-retry"})


def next_before_1_33(spec: PodSpec, newest: Newest) -> tuple[Container | None, bool]:
    """The init container to run next, and whether initialisation is over (versions before 1.33, no sidecars)."""
    entries = spec.initContainers
    running = RuntimeState.RUNNING
    if not entries or any(app.name in newest and newest[app.name].state is running for app in spec.containers):
        return None, True
    recorded = [(index, newest[entry.name]) for index, entry in enumerate(entries) if entry.name in newest]
    for index, instance in reversed(recorded):
        if init.failed(instance.state, instance.exit_code, instance.reason):
            return entries[index], False
    for index, instance in reversed(recorded):
        if instance.state is running:
            return None, False
        if instance.state is RuntimeState.EXITED:
            return (None, True) if index == len(entries) - 1 else (entries[index + 1], False)
    return entries[0], False
