"""Restarts: which exits are followed by another run, and how they are counted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from podfsm.kube.objects import Container, ContainerStatus
from podfsm.testing.history import TERMINAL, History, Instance, statuses
from podfsm.testing.invariants.base import always, unless
from podfsm.testing.invariants.phases import slowness

KILLED = 137


def allowed(history: History, name: str, run: Instance) -> bool:
    """Whether policy and rules let a container run again after this run. Written from the documentation alone."""
    container = history.containers[name]
    code = run.exit_code or 0
    own_rules = history.gates.on("ContainerRestartRules")
    if name in history.sidecars:
        return True
    if own_rules and container.restartPolicy is not None:
        for rule in container.restartPolicyRules:
            codes = rule.exitCodes
            if codes is not None and (code in codes.values) is (codes.operator == "In"):
                return True
    policy = container.restartPolicy if own_rules and container.restartPolicy else history.last.spec.restartPolicy
    if name in history.inits:
        # For a regular init container Always means OnFailure; running out of memory is a failure whatever the code.
        return policy != "Never" and (code != 0 or run.reason == "OOMKilled")
    return policy in ("", "Always") or (policy == "OnFailure" and code != 0)


def killed_by_probe(container: Container, policy: str) -> bool:
    """Whether a probe may have stopped the container and had it started again, whatever its exit code."""
    probed = container.livenessProbe is not None or container.startupProbe is not None
    return probed and (container.restartPolicy or policy) != "Never"


def disturbed_between(history: History, one: Instance, two: Instance) -> bool:
    """Whether the Pod lost its sandbox, or had everything restarted, between the two runs or shortly before."""
    init = one.name in history.inits or one.name in history.sidecars
    if init and not history.steady:
        return True  # it may have happened between two snapshots, and their records go
    since = one.first_seen if one.finished is None else min(one.first_seen, one.finished)
    return any(since - 2 <= at <= two.first_seen for at in history.disturbed)


@always(
    "restart-as-policy-says",
    checks=[
        "restart-always",
        "restart-onfailure",
        "restart-never",
        "restart-onfailure-done",
        "restart-rules-first-match",
        "restart-container-level-policy",
        "restart-init-policy-mapping",
        "restart-never-exceptions",
    ],
)
def policy_kept(history: History) -> Iterator[bool | str]:
    """A container runs again only if its policy and exit code say so, or it was stopped to be replaced."""
    policy = history.last.spec.restartPolicy
    for name, runs in history.instances.items():
        if name not in history.containers or any(c.name == name for c in history.last.spec.ephemeralContainers):
            continue
        container = history.containers[name]
        for one, two in pairwise(runs):
            if one.exit_code is None:
                continue
            excused = (
                name in history.replaced or killed_by_probe(container, policy) or disturbed_between(history, one, two)
            )
            wrong = not excused and not allowed(history, name, one)
            yield unless(
                wrong, f"{name} ran again at {two.first_seen:g} s after exit code {one.exit_code} under {policy}"
            )


@always("restarts-are-counted", checks=["cstate-restartcount-best-effort"])
def counted(history: History) -> Iterator[bool | str]:
    """The restart count never falls, stays while a run lasts, and is at least the number of runs before."""
    # Before the status before counted as a source, the count fell with the loss of a container's records.
    keeps = history.steady or history.gates.on("RestartAllContainersOnContainerExits")
    last: dict[str, tuple[int, str]] = {}
    for seen in history.seen:
        for status in statuses(seen.pod):
            count, run = last.get(status.name, (0, ""))
            yield unless(
                keeps and status.restartCount < count, f"at {seen.at:g} s the restart count of {status.name} fell"
            )
            same = run == status.containerID and run and status.state.running is not None
            grew = bool(same) and status.restartCount > count
            yield unless(grew, f"at {seen.at:g} s the restart count of {status.name} grew, and it is the same run")
            last[status.name] = (status.restartCount, status.containerID)
    for name, runs in history.instances.items():
        init = name in history.inits or name in history.sidecars
        if history.disturbed or not (history.steady or (history.whole and not init)):
            continue
        for earlier, one in enumerate(runs):
            if one.restart_count is not None:
                short = one.restart_count < earlier
                yield unless(short, f"{name} has restart count {one.restart_count} after {earlier} earlier runs")


@always("restarts-one-by-one", checks=["cstate-restartcount-best-effort"], needs=["watch"])
def one_by_one(history: History) -> Iterator[bool | str]:
    """Nothing missed, the restart count grows by one at a time.

    While a container is shown ended with exit code 0 the kubelet may have to keep back what came next.
    """
    if not history.whole or history.disturbed:
        return
    for before, after in history.pairs:
        was = {status.name: status.restartCount for status in statuses(before.pod) if not _ended_well(status)}
        for status in statuses(after.pod):
            if status.name in was:
                jump = status.restartCount - was[status.name]
                yield unless(jump > 1, f"at {after.at:g} s the restart count of {status.name} grew by {jump}")


def _ended_well(status: ContainerStatus) -> bool:
    return status.state.terminated is not None and status.state.terminated.exitCode == 0


@always("restarts-have-a-cause", checks=["restart-independent", "probe-readiness-failure-unready"])
def have_a_cause(history: History) -> Iterator[bool | str]:
    """A container that runs for ever, is not probed to death and keeps its Pod is not restarted."""
    if history.case is None or history.disturbed:
        return
    if not history.steady:
        return
    for name, container in history.containers.items():
        script = history.case.script_of(history.name, name)
        probed = container.livenessProbe is not None or container.startupProbe is not None
        if script.get("attempts") or probed or "postStart" in script or name in {*history.inits, *history.replaced}:
            continue
        runs = history.instances.get(name, ())
        yield unless(len(runs) > 1, f"{name} runs for ever, and was started {len(runs)} times")


@always("restarts-come", checks=["restart-always", "restart-onfailure", "backoff-sequence", "sidecar-always-restart"])
def come(history: History) -> Iterator[bool | str]:
    """A container that is to run again does so when its back-off is over, if nothing else keeps the kubelet busy."""
    if history.case is None or history.terminal_at is not None or history.deletion is not None or history.disturbed:
        return
    spec = history.case.spec
    if spec.get("images") or spec.get("pods") or slowness(history) > 0 or history.case.steps:
        return
    for container in history.last.spec.containers:
        runs = history.instances.get(container.name, ())
        if not runs or runs[-1].finished is None or not allowed(history, container.name, runs[-1]):
            continue
        if any(_hinders(script) for script in spec.get("containers", ())):
            continue
        waited = history.until - (runs[-1].finished or 0.0)
        yield unless(waited > 300 + 100, f"{container.name} ended at {runs[-1].finished:g} s and was not started again")


def _hinders(script: dict[str, object]) -> bool:
    attempts = script.get("attempts", ())
    assert isinstance(attempts, (list, tuple))
    return any(attempt.get("createError") or attempt.get("startError") for attempt in attempts)


@always(
    "finished-pods-end",
    checks=["phase-succeeded", "phase-failed", "restart-all-done-kills-sandbox", "sidecar-job-completion"],
)
def pods_end(history: History) -> Iterator[bool | str]:
    """When every app container has ended for good the Pod comes to an end, its sidecars notwithstanding."""
    if history.case is None or history.disturbed or history.case.spec.get("pods") or history.seen[-1].type == "DELETED":
        return
    done: list[float] = []
    for container in history.last.spec.containers:
        runs = history.instances.get(container.name, ())
        if not runs or runs[-1].finished is None or allowed(history, container.name, runs[-1]):
            return
        if killed_by_probe(container, history.last.spec.restartPolicy):
            return
        done.append(runs[-1].finished)
    grace = history.last.spec.terminationGracePeriodSeconds
    limit = max(done) + (30 if grace is None else grace) + slowness(history) + 30
    if history.until > limit:
        over = history.terminal_at
        yield unless(
            history.last.status.phase not in TERMINAL or over is None or over > limit,
            f"every app container had ended for good by {max(done):g} s, and the Pod goes on",
        )
