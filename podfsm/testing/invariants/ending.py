"""Deletion and the end of Pods: grace periods and their floors, what starts no more, when the object goes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from podfsm.testing.history import TERMINAL, History
from podfsm.testing.invariants.base import always, unless
from podfsm.testing.invariants.phases import slowness, starting

FLOOR = 2.0
"""What is always left between stop signal and KILL, in seconds."""
CUT = 1.0
KILLED = 137
PATIENCE = 15.0


@always("deletion-is-marked", checks=["term-deletion-timestamp", "term-default-grace"], needs=["termination"])
def marked(history: History) -> Iterator[bool | str]:
    """A deleted Pod's deletionTimestamp is the request plus its grace period; it comes once and only moves earlier."""
    for before, after in history.pairs:
        old, new = before.pod.metadata, after.pod.metadata
        if old.deletionTimestamp is not None:
            gone = new.deletionTimestamp is None
            yield unless(gone, f"at {after.at:g} s the deletionTimestamp is gone")
            asked = new.deletionGracePeriodSeconds  # 0: the kubelet's own request, with a timestamp of its own
            later = bool(asked) and new.deletionTimestamp is not None and new.deletionTimestamp > old.deletionTimestamp
            yield unless(later, f"at {after.at:g} s the deletionTimestamp moved to later")
        elif new.deletionTimestamp is not None and history.whole and history.case is not None:
            due, grace = history.clock(new.deletionTimestamp), new.deletionGracePeriodSeconds
            off = due is None or grace is None or abs(due - grace - after.at) > CUT
            yield unless(off, f"at {after.at:g} s the deletionTimestamp is {due} with a grace period of {grace}")


@always(
    "grace-is-given",
    checks=["term-min-2s", "term-prestop-consumes-grace", "term-worker-min-1s", "term-grace-precedence"],
    needs=["termination"],
)
def grace_given(history: History) -> Iterator[bool | str]:
    """A container of a deleted Pod that does not stop is killed when its grace is over, and never within 2 seconds."""
    if history.case is None or history.deletion is None or history.disturbed or history.case.spec.get("pods"):
        return
    asked = [s.pod.metadata for s in history.seen if s.pod.metadata.deletionTimestamp is not None]
    least = min(float(meta.deletionGracePeriodSeconds or 0) for meta in asked)
    for name, container in history.containers.items():
        script = history.case.script_of(history.name, name)
        if container.livenessProbe is not None or container.startupProbe is not None or history.restarts_all:
            continue
        if any(answer.get("result") != "success" for answer in script.get("postStart", ())):
            continue  # it may be stopping already for its hook
        if any(a.get("exit") == KILLED or a.get("stop", {}).get("exit") == KILLED for a in script.get("attempts", ())):
            continue
        for run in history.instances.get(name, ())[-1:]:
            deadline = history.last.spec.activeDeadlineSeconds
            if (
                run.exit_code != KILLED
                or run.finished is None
                or deadline is not None
                or run.finished < history.deletion - CUT
            ):
                continue
            if history.terminal_at is not None and history.terminal_at < history.deletion:
                continue
            began = history.deletion
            early = run.finished < began + max(least, FLOOR) - CUT - 1e-6 and not _ending_before(history)
            yield unless(
                early, f"{name} was killed at {run.finished:g} s, deleted at {began:g} s with {least:g} s of grace"
            )


def _ending_before(history: History) -> bool:
    """Whether the Pod was about to end anyway, so that stops may have begun before the request."""
    assert history.deletion is not None
    finished = [
        run.finished
        for container in history.last.spec.containers
        for run in history.instances.get(container.name, ())[-1:]
    ]
    init_failed = any(run.exit_code not in (None, 0) for n in history.inits for run in history.instances.get(n, ()))
    return init_failed or all(at is not None and at <= history.deletion + CUT for at in finished)


@always(
    "grace-ends",
    checks=["term-flow-order", "term-min-2s", "hook-prestop-when", "sidecar-termination-shares-grace"],
    needs=["termination"],
)
def grace_ends(history: History) -> Iterator[bool | str]:
    """No container of a deleted Pod outlives its grace period by more than the 2 seconds that are always given."""
    if history.case is None or history.deletion is None or starting(history) == float("inf"):
        return
    ends = [history.clock(s.pod.metadata.deletionTimestamp) for s in history.seen if s.pod.metadata.deletionTimestamp]
    last = max(at for at in ends if at is not None)
    own = history.last.spec.terminationGracePeriodSeconds
    # A stop that was under way when the deletion came keeps the time that it was given.
    limit = max(last, history.deletion + (30 if own is None else own)) + FLOOR + starting(history) + PATIENCE
    for name, runs in history.instances.items():
        for run in runs:
            late = (run.finished is None and history.ends > limit and history.seen[-1].type != "DELETED") or (
                run.finished is not None and run.finished > limit
            )
            yield unless(late and run.ran, f"{name} still runs after {limit:g} s")


@always(
    "nothing-starts-when-deleted",
    checks=["restart-not-when-deleting", "term-no-start-after", "term-triggers"],
    needs=["termination"],
)
def nothing_starts(history: History) -> Iterator[bool | str]:
    """Once the kubelet has taken note of a deletion it starts nothing any more."""
    if history.deletion is None or history.case is None:
        return
    limit = history.deletion + 2 + slowness(history)
    for name, runs in history.instances.items():
        for run in runs:
            late = run.started is not None and run.started > limit
            yield unless(late, f"{name} was started at {run.started} s, the Pod was deleted at {history.deletion:g} s")


@always(
    "gone-when-over",
    checks=["phase-deleted-terminal-first", "term-api-removal", "term-force", "term-immediate-cases"],
    needs=["termination", "watch"],
)
def gone(history: History) -> Iterator[bool | str]:
    """The object goes when it was deleted and is over; at once only if it was never bound, is over, or by force."""
    for before, after in history.pairs if history.whole else ():
        if after.type != "DELETED":
            continue
        meta, spec = after.pod.metadata, after.pod.spec
        forced = meta.deletionGracePeriodSeconds == 0
        over = after.pod.status.phase in TERMINAL
        wrong = not (forced or over or not spec.nodeName)
        yield unless(wrong, f"at {after.at:g} s the object is gone while the Pod is {after.pod.status.phase}")
        asked = meta.deletionTimestamp is not None or before.pod.metadata.deletionTimestamp is not None
        yield unless(not asked, f"at {after.at:g} s the object is gone and nobody asked for it")


@always("finalizers-hold", checks=["term-finalizers-hold"], needs=["finalizers", "termination"])
def finalizers_hold(history: History) -> Iterator[bool | str]:
    """An object with finalizers does not go before they are removed, whatever else."""
    if history.case is None:
        return
    writes = [
        float(s["at"]) for s in history.case.steps_of("patch", history.name) if "finalizers" in json.dumps(s["body"])
    ]
    for seen in history.seen:
        if seen.type == "DELETED" and history.first.metadata.finalizers:
            held = ", ".join(history.first.metadata.finalizers)
            removed = any(at <= seen.at + 1e-6 for at in writes)
            yield unless(not removed, f"at {seen.at:g} s the object is gone with its finalizers {held}")


@always(
    "deleted-pods-go", checks=["term-api-removal", "term-worker-one-way", "worker-nothing-runs"], needs=["termination"]
)
def go(history: History) -> Iterator[bool | str]:
    """A deleted Pod does go, once its containers have stopped and nothing holds it."""
    if history.deletion is None or history.case is None:
        return
    last = history.seen[-1]
    if last.pod.metadata.finalizers:
        return
    grace = max(last.pod.metadata.deletionGracePeriodSeconds or 0, last.pod.spec.terminationGracePeriodSeconds or 0, 30)
    limit = history.deletion + grace + FLOOR + slowness(history) + 2 * PATIENCE
    if history.ends > limit:
        yield unless(last.type != "DELETED", f"the Pod was deleted at {history.deletion:g} s and is still there")


@always("statuses-are-not-ahead", checks=["cstate-running", "cstate-terminated-fields"])
def not_ahead(history: History) -> Iterator[bool | str]:
    """No timestamp lies in the future, and no container ends before it began."""
    for name, runs in history.instances.items():
        for run in runs:
            ahead = run.started is not None and run.started > run.first_seen + 1e-6 and history.case is not None
            yield unless(ahead, f"{name} is said at {run.first_seen:g} s to have started at {run.started} s")
            back = run.started is not None and run.finished is not None and run.finished < run.started
            yield unless(back, f"{name} ended at {run.finished} s, before its start at {run.started} s")
