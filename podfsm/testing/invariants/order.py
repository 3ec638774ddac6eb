"""The order in which containers start and stop: init containers, sidecars, apps; and ephemeral ones beside them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from podfsm.kube.objects import ContainerStatus
from podfsm.testing.case import seconds
from podfsm.testing.history import History, Seen, condition, ending
from podfsm.testing.invariants.base import always, unless
from podfsm.testing.invariants.restarts import disturbed_between


def _ends_well(status: ContainerStatus | None) -> bool:
    ended = status.state.terminated if status is not None else None
    return ended is not None and ended.exitCode == 0


@always("init-in-order", checks=["init-sequential", "init-before-app", "init-success-completes"], needs=["init"])
def init_order(history: History) -> Iterator[bool | str]:
    """While a container runs, every regular init container before it has exited 0; before an app container: all."""
    inits = set(history.inits)
    if not inits:
        return
    for seen in history.seen:
        status = seen.pod.status
        shown = {one.name: one for one in status.initContainerStatuses}
        pending: list[str] = []
        for entry in seen.pod.spec.initContainers:
            one = shown.get(entry.name)
            if one is not None and one.state.running is not None:
                yield unless(bool(pending), f"at {seen.at:g} s {entry.name} runs before {', '.join(pending)} is done")
            if entry.name in inits and not _ends_well(one):
                pending.append(entry.name)
        for app in status.containerStatuses:
            if app.state.running is not None:
                yield unless(bool(pending), f"at {seen.at:g} s {app.name} runs before {', '.join(pending)} is done")


@always("init-times-in-order", checks=["init-sequential", "init-before-app", "init-retry"], needs=["init"])
def init_times(history: History) -> Iterator[bool | str]:
    """Each container starts at the earliest when the regular init container before it has ended well.

    Judged by timestamps, so that runs between two snapshots count too; only while the Pod keeps its first sandbox.
    """
    if history.disturbed or (
        condition(history.last, "PodReadyToStartContainers") == "False" and history.terminal_at is None
    ):
        return
    spec = history.last.spec
    done: list[tuple[str, float]] = []
    for entry in (*spec.initContainers, *spec.containers):
        runs = [run for run in history.instances.get(entry.name, ()) if run.started is not None]
        for run in runs:
            late = [name for name, ended in done if run.started is not None and run.started < ended]
            yield unless(bool(late), f"{entry.name} started at {run.started:g} s, before {', '.join(late)} ended")
        if entry.name in history.inits:
            ends = [run.finished for run in runs if run.exit_code == 0 and run.finished is not None]
            if ends:
                done.append((entry.name, min(ends)))


@always("init-runs-again-only-after-failure", checks=["init-retry", "restart-init-policy-mapping"], needs=["init"])
def init_once(history: History) -> Iterator[bool | str]:
    """A regular init container that exited 0 is not run again in the same sandbox."""
    for name in history.inits:
        runs = history.instances.get(name, ())
        for one, two in pairwise(runs):
            good = one.exit_code == 0 and one.reason != "OOMKilled"
            excused = disturbed_between(history, one, two)
            yield unless(good and not excused, f"{name} ran again at {two.first_seen:g} s though it had exited 0")


@always("sidecar-opens-the-way", checks=["sidecar-start-order", "sidecar-definition"], needs=["sidecars"])
def sidecar_gate(history: History) -> Iterator[bool | str]:
    """What comes after a sidecar starts only when the sidecar has started, its startup probe included."""
    if not history.sidecars:
        return
    started: dict[str, bool] = {}
    for seen in history.seen:
        shown = {one.name: one for one in seen.pod.status.initContainerStatuses}
        for name in sorted(history.sidecars):
            one = shown.get(name)
            if one is not None and (
                one.started or one.restartCount or one.lastState.terminated or one.state.terminated
            ):
                started[name] = True
        behind: list[str] = []
        for entry in seen.pod.spec.initContainers:
            one = shown.get(entry.name)
            if one is not None and one.state.running is not None:
                yield unless(
                    bool(behind), f"at {seen.at:g} s {entry.name} runs before sidecar {', '.join(behind)} started"
                )
            if entry.name in history.sidecars and entry.name not in started:
                behind.append(entry.name)
        for app in seen.pod.status.containerStatuses:
            if app.state.running is not None:
                yield unless(
                    bool(behind), f"at {seen.at:g} s {app.name} runs before sidecar {', '.join(behind)} started"
                )


@always(
    "sidecars-stop-last",
    checks=["sidecar-termination-order", "sidecar-not-restarted-when-apps-done"],
    needs=["sidecars", "termination"],
)
def sidecars_last(history: History) -> Iterator[bool | str]:
    """When a Pod ends, app containers stop first, then sidecars from the last to the first, as long as the grace lasts.

    Judged where nothing but the end of the Pod stops a sidecar and nobody outlasts the grace period.
    """
    if history.case is None or not history.sidecars or history.terminal_at is None or history.disturbed:
        return
    if any(not _obedient(history, name) for name in history.containers) or _short(history):
        return
    apps = [run.finished for c in history.last.spec.containers for run in history.instances.get(c.name, ())[-1:]]
    last = max((at for at in apps if at is not None), default=None)
    following: tuple[str, float] | None = None
    for entry in reversed(history.last.spec.initContainers):
        runs = history.instances.get(entry.name, ())
        if entry.name not in history.sidecars or entry.name in history.replaced or not runs or not runs[-1].ran:
            continue
        ended = runs[-1].finished
        if ended is None:
            continue
        if last is not None:
            yield unless(
                ended < last, f"sidecar {entry.name} stopped at {ended:g} s, before the app containers at {last:g} s"
            )
        if following is not None:
            yield unless(ended < following[1], f"sidecar {entry.name} stopped at {ended:g} s, before {following[0]}")
        following = (entry.name, ended)


def _obedient(history: History, name: str) -> bool:
    """Whether a container stops only when told to, or is no sidecar; and answers the signal at once."""
    assert history.case is not None
    script = history.case.script_of(history.name, name)
    container = history.containers[name]
    attempts = script.get("attempts", ())
    if any(seconds(attempt.get("stop", {}).get("takes", 0)) > 1 for attempt in attempts):
        return False
    if container.lifecycle is not None and container.lifecycle.preStop is not None:
        return False
    if name not in history.sidecars:
        return True
    probed = container.livenessProbe is not None or container.startupProbe is not None
    lives = all(attempt.get("run", "forever") == "forever" and not _fails(attempt) for attempt in attempts)
    return lives and not probed and "postStart" not in script


def _fails(attempt: dict[str, object]) -> bool:
    return bool(attempt.get("startError") or attempt.get("createError"))


def _short(history: History) -> bool:
    graces = [seen.pod.metadata.deletionGracePeriodSeconds for seen in history.seen]
    graces.append(history.last.spec.terminationGracePeriodSeconds)
    return any(grace is not None and grace < 5 for grace in graces)


@always("ephemeral-runs-once", checks=["ephemeral-never-restart", "ephemeral-append-only"], needs=["ephemeral"])
def ephemeral_once(history: History) -> Iterator[bool | str]:
    """An ephemeral container is started once, and never again however it ended."""
    for seen in history.seen:
        for status in seen.pod.status.ephemeralContainerStatuses:
            yield unless(status.restartCount > 0, f"at {seen.at:g} s {status.name} has been restarted")
    for container in history.last.spec.ephemeralContainers:
        ids = [run.id for run in history.instances.get(container.name, ())]
        yield unless(len(ids) > 1, f"{container.name} ran {len(ids)} times")


@always("ephemeral-does-not-count", checks=["phase-ephemeral-ignored"], needs=["ephemeral"])
def ephemeral_apart(history: History) -> Iterator[bool | str]:
    """The end of an ephemeral container changes neither the phase nor Ready."""
    for before, after in history.pairs:
        ended = _ended_ephemerals(after) - _ended_ephemerals(before)
        if not ended or before.pod.status.containerStatuses != after.pod.status.containerStatuses:
            continue
        if before.pod.status.initContainerStatuses != after.pod.status.initContainerStatuses:
            continue
        if after.pod.metadata.deletionTimestamp is not None or ending(before.pod):
            continue
        same = before.pod.status.phase == after.pod.status.phase
        yield unless(not same, f"at {after.at:g} s the phase changed with the end of {', '.join(sorted(ended))}")


def _ended_ephemerals(seen: Seen) -> set[str]:
    return {s.name for s in seen.pod.status.ephemeralContainerStatuses if s.state.terminated is not None}
