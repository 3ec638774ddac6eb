"""Readiness: what Ready and ContainersReady follow from, readiness gates, Initialized, and ready of containers."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.testing.history import TERMINAL, History, Seen, condition, ending, statuses
from podfsm.testing.invariants.base import always, unless

KUBELETS = frozenset(
    {
        "AllContainersRestarting",
        "ContainersReady",
        "DisruptionTarget",
        "Initialized",
        "PodReadyToStartContainers",
        "PodResizeInProgress",
        "PodResizePending",
        "PodScheduled",
        "Ready",
    }
)
"""Conditions that the system writes; all others are somebody's promises."""
_FLICKERING = frozenset(
    {
        "AllContainersRestarting",
        "ContainersReady",
        "PodReadyToStartContainers",
        "PodResizeInProgress",
        "PodResizePending",
        "Ready",
    }
)
PATIENCE = 10.0
"""How long the kubelet may take to act on a condition, in seconds: it is asked at once, but it may be at work."""


@always("ready-needs-gates", checks=["gate-ready-requires-all", "gate-missing-is-false", "gate-reason"])
def ready_needs_gates(history: History) -> Iterator[bool | str]:
    """Ready turns True only while every readiness gate has a condition that is True, and does not outlast it.

    A probe's answer makes a Pod ready by the conditions that the kubelet saw at its last sync, so a gate that was True
    may have been withdrawn since; the kubelet finds that out with its own write.
    """
    since: float | None = None
    was = ""
    once: set[str] = set()
    for seen in history.seen:
        gates = [gate.conditionType for gate in seen.pod.spec.readinessGates]
        missing = [gate for gate in gates if condition(seen.pod, gate) != "True"]
        once.update(set(gates) - set(missing))
        now = condition(seen.pod, "Ready")
        if not seen.pod.spec.readinessGates or not history.gates.on("PodReadinessGates"):
            return
        turned = now == "True" and was != "True"
        never = set(missing) - once
        yield unless(bool(turned and never), f"at {seen.at:g} s Ready turned True without {', '.join(missing)}")
        since = None if not (missing and now == "True") else seen.at if since is None else since
        late = since is not None and seen.at - since > PATIENCE
        yield unless(late, f"at {seen.at:g} s Ready is still True without {', '.join(missing)}")
        was = now


@always("ready-needs-containers", checks=["cond-ready-copies-containersready", "cond-containersready-terminal"])
def ready_needs_containers(history: History) -> Iterator[bool | str]:
    """Ready is True only while ContainersReady is, and neither is True in a terminal phase."""
    for seen in history.seen:
        ready, containers = condition(seen.pod, "Ready"), condition(seen.pod, "ContainersReady")
        yield unless(
            ready == "True" and containers != "True",
            f"at {seen.at:g} s Ready is True and ContainersReady {containers or 'missing'}",
        )
        over = seen.pod.status.phase in TERMINAL and seen.type != "DELETED"
        yield unless(
            over and "True" in (ready, containers),
            f"at {seen.at:g} s Ready or ContainersReady is True though it is over",
        )


@always("containers-ready-needs-each", checks=["cond-containersready", "sidecar-readiness-counts"])
def containers_ready(history: History) -> Iterator[bool | str]:
    """ContainersReady is True only while every app container and every sidecar is ready, and is so when they are."""
    for seen in history.seen:
        told = condition(seen.pod, "ContainersReady")
        if not told:
            continue
        ready = {status.name: status.ready for status in statuses(seen.pod)}
        wanted = [*(c.name for c in seen.pod.spec.containers), *sorted(history.sidecars)]
        lacking = [name for name in wanted if not ready.get(name)]
        yield unless(
            told == "True" and bool(lacking),
            f"at {seen.at:g} s ContainersReady is True, not ready: {', '.join(lacking)}",
        )
        withheld = told == "False" and not lacking and not ending(seen.pod)
        yield unless(withheld, f"at {seen.at:g} s ContainersReady is False though every container is ready")


@always("ready-comes", checks=["gate-ready-requires-all", "cond-ready-copies-containersready", "gate-status-write"])
def ready_comes(history: History) -> Iterator[bool | str]:
    """With ready containers and satisfied gates Ready turns True, soon."""
    since: float | None = None
    for seen in history.seen:
        pod = seen.pod
        gates = all(condition(pod, gate.conditionType) == "True" for gate in pod.spec.readinessGates)
        due = condition(pod, "ContainersReady") == "True" and gates and condition(pod, "Ready") == "False"
        lost = any(c.type == "Ready" and c.status == "False" and not c.reason for c in pod.status.conditions)
        since = None if not due or lost else seen.at if since is None else since
        if condition(pod, "ContainersReady") == "True":
            yield unless(since is not None and seen.at - since > PATIENCE, f"at {seen.at:g} s Ready is withheld")
    if since is not None:
        yield unless(history.until - since > PATIENCE, f"from {since:g} s on Ready is withheld")


@always("gates-are-patched", checks=["gate-status-write", "cond-kubelet-owned-set"], needs=["readiness-gates"])
def gates_are_patched(history: History) -> Iterator[bool | str]:
    """The condition of a readiness gate changes only when somebody writes it: no gate satisfies itself."""
    if history.case is None:
        return
    writes = [float(step["at"]) for step in history.case.steps_of("patch", history.name, "status")]
    before: Seen | None = None
    for seen in history.seen:
        for kind in sorted({gate.conditionType for gate in seen.pod.spec.readinessGates} - KUBELETS):
            was = condition(before.pod, kind) if before is not None else ""
            now = condition(seen.pod, kind)
            if was != now:
                start = before.at if before is not None else 0.0
                written = any(start - 1e-6 <= at <= seen.at + 1e-6 for at in writes)
                yield unless(not written, f"at {seen.at:g} s {kind} turned {now or 'absent'}, and nobody wrote it")
        before = seen


@always("ready-container", checks=["cstate-ready", "cstate-init-ready", "cstate-started"])
def ready_container(history: History) -> Iterator[bool | str]:
    """A container turns ready only when it runs and has started; a regular init container when it has exited 0."""
    inits = set(history.inits)
    was: dict[str, bool] = {}
    for seen in history.seen:
        for status in statuses(seen.pod):
            before, was[status.name] = was.get(status.name, False), status.ready
            if before or not status.ready:
                continue
            what = f"at {seen.at:g} s {status.name} is ready"
            if status.name in inits:
                ended = status.state.terminated
                yield unless(ended is None or ended.exitCode != 0, f"{what} without having exited 0")
            else:
                yield unless(status.state.running is None, f"{what} and does not run")
                yield unless(status.started is False, f"{what} and has not started")


@always("ready-after-restart", checks=["probe-default-results", "cstate-ready"], needs=["probes"])
def ready_by_probe(history: History) -> Iterator[bool | str]:
    """A container with a readiness probe is not ready before startedAt plus its initial delay.

    One whose probes ended with its run is ready unprobed: a sidecar under the Pod's policy Never before 1.33, or
    whoever had ended for good and is started by another container's RestartAllContainers.
    """
    if history.restarts_all:
        return
    unprobed = history.last.spec.restartPolicy == "Never" and not history.gates.at_least("1.33")
    for name, runs in history.instances.items():
        if unprobed and name in history.sidecars:
            continue
        probe = history.containers[name].readinessProbe if name in history.containers else None
        for run in runs if probe is not None else ():
            if run.said_ready is not None and run.started is not None:
                assert probe is not None
                early = run.said_ready < run.started + probe.initialDelaySeconds - 1e-6
                yield unless(early, f"at {run.said_ready:g} s {name} is ready, before its initial delay was over")


@always("initialized", checks=["cond-initialized-true", "cond-initialized-no-init", "sidecar-start-order"])
def initialized(history: History) -> Iterator[bool | str]:
    """Initialized turns True only when every regular init container has exited 0 and every sidecar has started.

    It may also be True because an app container of this Pod has been started before.
    """
    for before, after in (*((None, seen) for seen in history.seen[:1]), *history.pairs):
        if condition(after.pod, "Initialized") != "True":
            continue
        if before is not None and condition(before.pod, "Initialized") == "True":
            continue
        wrong = sorted(_unfinished(history, after.pod))
        apps = after.pod.status.containerStatuses
        ran = any(s.state.waiting is None and s.state != type(s.state)() for s in apps)
        yield unless(bool(wrong) and not ran, f"at {after.at:g} s Initialized is True, not done: {', '.join(wrong)}")


def _unfinished(history: History, pod: Pod) -> Iterator[str]:
    shown: dict[str, ContainerStatus] = {status.name: status for status in pod.status.initContainerStatuses}
    for entry in pod.spec.initContainers:
        status = shown.get(entry.name)
        if entry.name in history.sidecars:
            if status is None or not status.started:
                yield entry.name
        elif status is None or status.state.terminated is None or status.state.terminated.exitCode != 0:
            yield entry.name


@always("transition-times", checks=["cond-lasttransition-only-on-status-change"])
def transition_times(history: History) -> Iterator[bool | str]:
    """The transition time of a condition changes when its status does, and only then."""
    for before, after in history.pairs:
        was = {c.type: c for c in before.pod.status.conditions if c.type in KUBELETS}
        for now in after.pod.status.conditions:
            old = was.get(now.type)
            if old is None or old.lastTransitionTime is None or now.lastTransitionTime is None:
                continue
            moved = now.lastTransitionTime != old.lastTransitionTime
            if old.status == now.status:
                # Two changes within one write leave the status as it was; a whole second apart they are two writes.
                slow = history.case is not None and not _flickers(history, now.type)
                yield unless(
                    moved and slow, f"at {after.at:g} s {now.type} is {now.status} as before, with another time"
                )
            else:
                stale = not moved and after.at - before.at > 2
                yield unless(stale, f"at {after.at:g} s {now.type} turned {now.status} with its old time")


def _flickers(history: History, kind: str) -> bool:
    """Conditions that can go to and fro within one write of the kubelet."""
    return kind in _FLICKERING or bool(history.disturbed)
