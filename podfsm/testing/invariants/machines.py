"""Accepted transitions of an implementation that tells of them: they form paths, and the statuses agree with them."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.testing.history import History, statuses
from podfsm.testing.invariants.base import always, unless

LIVES = ("container", "init_container", "sidecar_container", "ephemeral_container")


@always("transitions-form-paths", checks=["term-worker-one-way", "cstate-exactly-one"], needs=["transitions"])
def paths(history: History) -> Iterator[bool | str]:
    """Each machine goes on from where it was, in order of time."""
    at: dict[tuple[str, str], str] = {}
    now = 0.0
    for one in history.accepted:
        who = one.machine, one.instance
        before = at.get(who)
        again = one.machine == "probe" and before == "Ended"
        broken = before is not None and before != one.source and not again
        yield unless(
            broken, f"at {one.at:g} s {one.machine} {one.instance} goes on from {one.source}, it was in {before}"
        )
        yield unless(one.at < now - 1e-6, f"at {one.at:g} s {one.machine} {one.instance} goes back in time")
        at[who], now = one.dest, one.at


@always("runs-were-started", checks=["cstate-running", "cstate-created-is-waiting"], needs=["transitions"])
def started(history: History) -> Iterator[bool | str]:
    """A container that a status shows running was created by its machine before."""
    made: dict[str, float] = {}
    for one in history.accepted:
        if one.machine in LIVES and one.trigger == "create":
            made.setdefault(one.instance, one.at)
    for seen in history.seen:
        for status in statuses(seen.pod):
            if status.state.running is not None:
                never = made.get(status.name, float("inf")) > seen.at
                yield unless(never, f"at {seen.at:g} s {status.name} runs, and its machine did not create it")


@always("pulls-wait", checks=["image-pull-allowed", "image-backoff-applies"], needs=["transitions"])
def pulls(history: History) -> Iterator[bool | str]:
    """After a failed pull of an image 10 seconds pass at least, whatever the machine was asked."""
    failed: dict[str, float] = {}
    for one in history.accepted:
        if one.machine != "image":
            continue
        if one.trigger == "fail":
            failed[one.instance] = one.at
        elif one.trigger == "pull" and one.instance in failed:
            early = one.at - failed[one.instance] < 10 - 1e-6
            yield unless(
                early, f"at {one.at:g} s {one.instance} is pulled {one.at - failed[one.instance]:g} s after a failure"
            )


@always("nothing-after-the-end", checks=["probe-stop-on-terminal", "restart-not-when-deleting"], needs=["transitions"])
def after_the_end(history: History) -> Iterator[bool | str]:
    """Once the Pod's worker terminates no container is pulled for, started or restarted."""
    ended: float | None = None
    for one in history.accepted:
        if one.machine == "pod_worker" and one.trigger == "terminate":
            ended = one.at
        starts = one.machine in LIVES and one.trigger in ("pull", "restart", "start_over")
        if ended is not None and starts:
            # A sync that was under way goes on to its end: a slow pull is waited for.
            yield unless(
                one.at > ended + 120, f"at {one.at:g} s {one.instance} is started, the worker ended at {ended:g} s"
            )
