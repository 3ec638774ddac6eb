"""Running the plan of a sync: instructions one after another, some of which take time.

An instruction that takes time leaves the plan as it is (`Progress.BLOCKED`) and puts its continuation on the agenda;
one that fails the whole sync drops the rest (`Progress.ABORT`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from podfsm.world.model import Model
from podfsm.world.pod import Draft, Op
from podfsm.world.worker import complete, update_pod


class Progress(Enum):
    """What came of running one instruction."""

    DONE = auto()
    BLOCKED = auto()
    ABORT = auto()


Handler = Callable[[Model, Draft, Op], Progress]
HANDLERS: dict[str, Handler] = {}
"""What runs each kind of instruction; filled by `sync` and `terminating`."""


def run_plan(m: Model, d: Draft) -> None:
    """Run instructions until one takes time or the plan is done; then the sync is complete."""
    if d.frozen:
        d.shelf = (*d.shelf, ("plan", d.plan[0] if d.plan else None))
        return
    while d.plan:
        progress = HANDLERS[d.plan[0].kind](m, d, d.plan[0])
        if progress is Progress.BLOCKED:
            return
        if progress is Progress.ABORT:
            break
        d.plan = d.plan[1:]
    reset = d.reset_done and not d.failed
    complete(m, d)
    if reset:
        # All containers were removed: the Pod is synced again at once, not only when a relist says so.
        update_pod(m, d)


def advance(d: Draft, op: Op) -> Op:
    """Note how far the first instruction of the plan has come."""
    d.plan = (op, *d.plan[1:])
    return op


def resume_at(d: Draft, when: float) -> Progress:
    """Come back to the plan at an instant."""
    d.at(when, "plan", d.plan[0] if d.plan else None)
    return Progress.BLOCKED


def resume(m: Model, d: Draft, op: Op | None) -> None:
    """The instant came; ignored if the plan has moved on meanwhile."""
    if d.plan and d.plan[0] == op:
        run_plan(m, d)
