"""The phase, deadlines, and what the phase says about the containers."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.testing.case import seconds
from podfsm.testing.history import LOST, TERMINAL, History, Seen, condition, ending
from podfsm.testing.invariants.base import always, unless

PATIENCE = 10.0


@always("succeeded-means-zero", checks=["phase-succeeded", "phase-sidecar-exit-ignored"])
def succeeded(history: History) -> Iterator[bool | str]:
    """A Pod is Succeeded only when every app container has ended with exit code 0."""
    for seen in history.seen:
        if seen.pod.status.phase != "Succeeded":
            continue
        ended = {status.name: status.state.terminated for status in seen.pod.status.containerStatuses}
        for container in seen.pod.spec.containers:
            end = ended.get(container.name)
            lost = end is not None and end.reason == LOST
            wrong = not lost and (end is None or end.exitCode != 0)
            shown = "has not ended" if end is None else f"ended with {end.exitCode}"
            yield unless(wrong, f"at {seen.at:g} s the Pod is Succeeded, and {container.name} {shown}")


@always("failed-has-a-cause", checks=["phase-failed", "phase-deleted-while-pending-failed", "init-never-fails-pod"])
def failed(history: History) -> Iterator[bool | str]:
    """A Pod is Failed only with a cause: a reason, a container that failed, or its deletion."""
    for seen in history.seen:
        pod = seen.pod
        if pod.status.phase != "Failed":
            continue
        ends = [s.state.terminated for s in (*pod.status.containerStatuses, *pod.status.initContainerStatuses)]
        bad = any(end is not None and (end.exitCode != 0 or end.reason in (LOST, "OOMKilled")) for end in ends)
        cause = bad or bool(pod.status.reason) or pod.metadata.deletionTimestamp is not None
        yield unless(not cause, f"at {seen.at:g} s the Pod is Failed, and nothing has failed")


@always("running-means-started", checks=["phase-running", "phase-pending"])
def running(history: History) -> Iterator[bool | str]:
    """A Pod is Running only when every app container has been started once, and then it is."""
    for seen in history.seen:
        pod = seen.pod
        if seen.type == "DELETED" or pod.status.phase in TERMINAL or not pod.status.containerStatuses:
            continue
        never = [status.name for status in pod.status.containerStatuses if not _has_run(status)]
        short = len(pod.status.containerStatuses) < len(pod.spec.containers)
        if pod.status.phase == "Running":
            yield unless(
                bool(never) or short, f"at {seen.at:g} s the Pod is Running before {', '.join(never)} was started"
            )
        else:
            all_run = not short and all(s.state.running is not None for s in pod.status.containerStatuses)
            held = _init_at_work(pod) or ending(pod)
            yield unless(all_run and not held, f"at {seen.at:g} s every app container runs in a Pending Pod")


def _has_run(status: ContainerStatus) -> bool:
    state = status.state
    return state.running is not None or state.terminated is not None or status.lastState.terminated is not None


def _init_at_work(pod: Pod) -> bool:
    return any(
        s.state.terminated is None and not (s.state.running and s.started) for s in pod.status.initContainerStatuses
    )


@always("phase-ends-once", checks=["phase-terminal-sticky", "phase-forward-only", "cstate-no-leave-terminated"])
def ends_once(history: History) -> Iterator[bool | str]:
    """After a terminal phase nothing about the containers changes: none runs, and none starts."""
    over: Seen | None = None
    for seen in history.seen:
        if over is not None:
            yield unless(
                seen.pod.status.phase != over.pod.status.phase, f"at {seen.at:g} s the phase changed after its end"
            )
        if seen.pod.status.phase in TERMINAL:
            over = over or seen
            alive = [s.name for s in seen.pod.status.containerStatuses if s.state.running is not None]
            yield unless(
                bool(alive), f"at {seen.at:g} s the Pod is {seen.pod.status.phase}, and {', '.join(alive)} runs"
            )


@always("starts-pending", checks=["phase-initial-pending", "qos-immutable"])
def starts_pending(history: History) -> Iterator[bool | str]:
    """A new Pod is Pending, without conditions of containers and without statuses of them."""
    first = history.seen[0]
    if history.case is None or first.type != "ADDED" or not history.whole:
        return
    status = first.pod.status
    yield unless(status.phase != "Pending", f"the Pod begins as {status.phase}")
    yield unless(bool(status.containerStatuses), "the Pod begins with container statuses")


@always("bound-when-ungated", checks=["sched-gates", "sched-once", "cond-podscheduled-true-on-bind"])
def bound(history: History) -> Iterator[bool | str]:
    """A Pod is bound only without scheduling gates, and PodScheduled is True exactly when it is bound."""
    for before, after in (*((None, seen) for seen in history.seen[:1]), *history.pairs):
        pod = after.pod
        if history.gates.on("PodSchedulingReadiness") and pod.spec.schedulingGates:
            yield unless(bool(pod.spec.nodeName), f"at {after.at:g} s the Pod is bound with a scheduling gate")
        told = condition(pod, "PodScheduled")
        if told == "True":
            yield unless(not pod.spec.nodeName, f"at {after.at:g} s PodScheduled is True without a node")
        if before is not None and before.pod.spec.nodeName:
            moved = pod.spec.nodeName != before.pod.spec.nodeName
            yield unless(moved, f"at {after.at:g} s the Pod moved to {pod.spec.nodeName or 'no node'}")


@always(
    "deadline-is-kept",
    checks=["deadline-enforced", "deadline-clock-start", "init-deadline-applies"],
    needs=["deadlines"],
)
def deadline(history: History) -> Iterator[bool | str]:
    """DeadlineExceeded comes when activeDeadlineSeconds have passed since startTime, not before, and it does come."""
    for seen in history.seen:
        pod = seen.pod
        if pod.status.reason != "DeadlineExceeded":
            continue
        started, limit = history.clock(pod.status.startTime), pod.spec.activeDeadlineSeconds
        if started is None or limit is None:
            yield f"at {seen.at:g} s DeadlineExceeded without a deadline"
        else:
            yield unless(seen.at < started + limit - 1e-6, f"at {seen.at:g} s DeadlineExceeded, {limit} s are not over")
    yield from _deadline_comes(history)


def _deadline_comes(history: History) -> Iterator[bool | str]:
    pod = history.last
    started, limit = history.clock(pod.status.startTime), pod.spec.activeDeadlineSeconds
    if history.case is None or started is None or limit is None or history.deletion is not None:
        return
    over = history.terminal_at
    late = started + limit + (pod.spec.terminationGracePeriodSeconds or 0) + slowness(history) + 3 * PATIENCE
    if history.ends > late:
        yield unless(over is None or over > late, f"the Pod goes on after its deadline of {limit} s")


def slowness(history: History) -> float:
    """How long the Pod's environment may keep its kubelet waiting, in seconds: pulls, starts, hooks and stops together.

    Stops are bounded by their grace. Infinity where a start may hang for ever.
    """
    return starting(history) + stopping(history)


def starting(history: History) -> float:
    """The part of `slowness` that starts have in it."""
    spec = history.case.spec if history.case is not None else {}
    found = sum(seconds(image.get("pullTakes", 0)) for image in spec.get("images", {}).values())
    found += sum(seconds(pod.get("sandbox", {}).get("takes", 0)) for pod in spec.get("pods", ()))
    for script in spec.get("containers", ()):
        found += sum(seconds(attempt.get("startTakes", 0)) for attempt in script.get("attempts", ()))
        found += sum(seconds(window.get("takes", 0)) for window in script.get("postStart", ()))
    hooks = (c.lifecycle.postStart for c in history.containers.values() if c.lifecycle is not None)
    return found + sum(hook.sleep.seconds for hook in hooks if hook is not None and hook.sleep is not None)


def stopping(history: History) -> float:
    """The part that stops have: what processes and preStop hooks take, but no more than their grace each."""
    own = history.last.spec.terminationGracePeriodSeconds
    grace = float(30 if own is None else own)
    found = 0.0
    for script in history.case.spec.get("containers", ()) if history.case is not None else ():
        takes = [seconds(attempt.get("stop", {}).get("takes", 0)) for attempt in script.get("attempts", ())]
        takes += [seconds(window.get("takes", 0)) for window in script.get("preStop", ())]
        found += sum(min(grace + 2, taken) for taken in takes)
    hooks = (c.lifecycle.preStop for c in history.containers.values() if c.lifecycle is not None)
    return found + sum(min(grace, hook.sleep.seconds) for hook in hooks if hook is not None and hook.sleep is not None)
