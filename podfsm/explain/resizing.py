"""A resize of a Pod that lives, which holds nothing else up: what it waits for."""

from __future__ import annotations

from podfsm.explain.look import Look
from podfsm.explain.model import Next, Part, Reason
from podfsm.rules.resize import IN_PROGRESS, PENDING

_PENDING = {
    "Deferred": ("its node has no room for now", "room is made on its node; the kubelet tries again", "kubelet"),
    "Infeasible": ("its node can never give it what is asked", "the resources asked for are changed", "user"),
}


def resizing(look: Look) -> Part:
    """What the conditions of a resize say; an empty part if there are none."""
    holds: list[Reason] = []
    follows: list[Next] = []
    unknown: list[str] = []
    pending, running = look.conditions.get(PENDING), look.conditions.get(IN_PROGRESS)
    if pending is not None and pending.status == "True":
        why, what, who = _PENDING.get(pending.reason, ("", "", ""))
        text = ": ".join(one for one in (f"a resize is pending ({pending.reason})", why, pending.message) if one)
        holds.append(Reason("resize-pending", text))
        if what:
            follows.append(Next(what, who, "resize-pending"))
        else:
            unknown.append(f"the reason {pending.reason!r} of {PENDING} is not one that Kubernetes 1.36 gives")
    if running is not None and running.status == "True":
        text = "a resize failed, and is tried again" if running.reason == "Error" else "a resize is in progress"
        holds.append(Reason("resize-in-progress", f"{text}: {running.message}" if running.message else text))
        follows.append(Next("its containers run with the resources asked for", "runtime", "resize-in-progress"))
    return Part("", tuple(holds), tuple(follows), tuple(unknown))
