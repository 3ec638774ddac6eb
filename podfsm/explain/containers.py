"""One container: what it does, by which rule, and what comes next."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.explain.model import Next, Part, Reason
from podfsm.kube.objects import Container, ContainerStateTerminated, ContainerStatus, PodSpec
from podfsm.rules.backoff import doubled
from podfsm.rules.crash_backoff import limits, stated_delay
from podfsm.rules.probe_defaults import defaulted
from podfsm.rules.reasons import WAITING
from podfsm.rules.restart_decision import decide, matched_action, own_policy, pod_policy
from podfsm.rules.sidecar import is_sidecar


@frozen
class Setting:
    """What a container is explained with."""

    spec: PodSpec
    gates: Gates
    init: bool = False
    deleting: bool = False


def explain_container(container: Container, status: ContainerStatus | None, setting: Setting) -> Part:
    """What holds a container back; an empty part if it does what it is there for."""
    if status is None:
        text = "has no status: its kubelet has not said anything of it"
        rule = "phase-missing-status-is-unknown-count"
        follows = Next("its kubelet says how it is", "kubelet", rule, container=container.name)
        unknown = (f"how container {container.name} is: nothing is said of it",)
        return Part("waiting", (Reason(rule, text, container.name),), (follows,), unknown)
    state = status.state
    if state.running is not None:
        return _running(container, status, setting)
    if state.terminated is not None:
        return _ended(container, status, state.terminated, setting)
    return _waiting(container, status, setting)


def _waiting(container: Container, status: ContainerStatus, setting: Setting) -> Part:
    waiting = status.state.waiting
    reason = waiting.reason if waiting is not None else ""
    its_turn = setting.init and reason == "PodInitializing"  # the first entry that is not done is asked
    name, meaning = container.name, WAITING.get("ContainerCreating" if its_turn else reason)
    if meaning is None:
        text = f"waits: {reason}" + (f" ({waiting.message})" if waiting is not None and waiting.message else "")
        unknown = f"the reason {reason!r} of container {name} is not one that Kubernetes 1.36 gives"
        return Part(f"waiting: {reason}", (Reason("cstate-waiting-reasons", text, name),), (), (unknown,))
    message = (
        f" ({waiting.message})" if waiting is not None and waiting.message and reason != "CrashLoopBackOff" else ""
    )
    hold = Reason(meaning.rule, meaning.text + message, name)
    if reason == "CrashLoopBackOff":
        return _backing_off(container, status, hold, setting)
    follows = Next(meaning.next, meaning.who, meaning.rule, container=name)
    when = (f"when the image of {name} is pulled again: the object does not say when it was tried last",)
    missing = when if meaning.rule == "backoff-image-pull" else ()
    return Part(f"waiting: {reason or 'created'}", (hold,), (follows,), missing)


def _backing_off(container: Container, status: ContainerStatus, hold: Reason, setting: Setting) -> Part:
    end, waiting = status.lastState.terminated, status.state.waiting
    delay = stated_delay(waiting.message) if waiting is not None else None
    ends = f"exit code {end.exitCode}" + (f", {end.reason}" if end.reason else "") if end is not None else "unknown end"
    hold = Reason(hold.rule, f"{hold.text} (last: {ends}; restarts so far: {status.restartCount})", hold.container)
    finished = end.finishedAt if end is not None else None
    if finished is None:
        missing = f"when {container.name} is started again: lastState does not say when it ended"
        return Part(
            "crash-looping", (hold,), (Next(WAITING["CrashLoopBackOff"].next, "kubelet", hold.rule),), (missing,)
        )
    if delay is None:
        initial, maximum = limits(setting.gates)
        delay = min(initial * 2 ** max(status.restartCount - 1, 0), maximum)
        unknown = (f"the exact delay of {container.name}: its message does not give it",)
        begin, until = finished + timedelta(seconds=initial), finished + timedelta(seconds=1.5 * maximum)
        return Part("crash-looping", (hold,), (_restart(container.name, begin, until),), unknown)
    begin = finished + timedelta(seconds=delay)
    return Part("crash-looping", (hold,), (_restart(container.name, begin, begin + timedelta(seconds=delay / 2)),))


def _restart(name: str, earliest: datetime, latest: datetime | None = None) -> Next:
    return Next("the delay is over and it is started again", "kubelet", "backoff-sequence", earliest, latest, name)


def _running(container: Container, status: ContainerStatus, setting: Setting) -> Part:
    name, began = container.name, status.state.running.startedAt if status.state.running is not None else None
    if setting.init and not is_sidecar(container, setting.gates):
        hold = Reason("init-sequential", "is the init container at work", name)
        return Part("initializing", (hold,), (Next("it exits 0", "process", "init-success-completes", container=name),))
    if status.started is False and container.startupProbe is not None:
        hold = Reason("probe-startup-gates-others", "runs, and its startup probe has not succeeded yet", name)
        probe = defaulted(container.startupProbe)
        period = timedelta(seconds=probe.periodSeconds * probe.failureThreshold + probe.initialDelaySeconds)
        latest = began + period if began is not None else None
        what = "its startup probe succeeds, or it is killed after too many failures"
        return Part("starting", (hold,), (Next(what, "process", hold.rule, latest=latest, container=name),))
    if not status.ready:
        hold = Reason("cstate-ready", "runs and is not ready: its readiness probe has not succeeded", name)
        follows = Next("its readiness probe succeeds", "process", "cstate-ready", container=name)
        return Part("running, not ready", (hold,), (follows,))
    return Part()


def _ended(container: Container, status: ContainerStatus, end: ContainerStateTerminated, setting: Setting) -> Part:
    name, said = container.name, f"ended with exit code {end.exitCode}" + (f" ({end.reason})" if end.reason else "")
    if setting.init and end.exitCode == 0 and not is_sidecar(container, setting.gates):
        return Part()
    again, rule = restarts(container, end.exitCode, setting)
    if setting.deleting or not again:
        why = "the Pod is being deleted, so it stays so" if setting.deleting else "it is not started again"
        rule = "restart-not-when-deleting" if setting.deleting else rule
        return Part("ended", (Reason(rule, f"{said}; {why}", name),))
    hold = Reason(rule, f"{said} and is to be started again", name)
    initial, maximum = limits(setting.gates)
    longest = initial
    for _ in range(max(status.restartCount - 1, 0)):
        longest = doubled(longest, maximum)
    if end.finishedAt is None:
        return Part("restarting", (hold,), (Next("it is started again", "kubelet", rule, container=name),))
    latest = end.finishedAt + timedelta(seconds=1.5 * longest)
    unknown = () if not status.restartCount else (f"how long {name} still has to wait: it shows no back-off yet",)
    follows = Next("it is started again", "kubelet", rule, end.finishedAt, latest, name)
    return Part("restarting", (hold,), (follows,), unknown)


def restarts(container: Container, exit_code: int, setting: Setting) -> tuple[bool, str]:
    """Whether an exit with this code restarts a container, and the rule that says so."""
    if setting.init and is_sidecar(container, setting.gates):
        return True, "sidecar-always-restart"
    matched = matched_action(container, exit_code, setting.gates) if container.restartPolicyRules else None
    again, rule = decide(pod_policy(setting.spec), own_policy(container, setting.gates), matched, exit_code)
    if setting.init and exit_code != 0:
        return again, "init-retry" if again else "init-never-fails-pod"
    return again, rule
