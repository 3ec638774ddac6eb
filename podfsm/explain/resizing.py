"""A Pod whose containers have not got the resources that it asks for."""

from __future__ import annotations

from datetime import timedelta

from podfsm.explain.look import Look
from podfsm.explain.model import Next, Part, Reason
from podfsm.rules.resize_conditions import ERROR, IN_PROGRESS, INFEASIBLE, PENDING, is_pending, retry_delay

_ALLOCATED = "its containers go on with what was allocated to them before"


def resize_pending(look: Look) -> Part | None:
    """A resize that its node has no room for now, or never will."""
    said = look.conditions.get(PENDING)
    if said is None or said.status != "True":
        return None
    why = f": {said.message}" if said.message else ""
    node = look.pod.spec.nodeName
    if is_pending(said, INFEASIBLE):
        holds = (Reason("resize-pending", f"its resize cannot be on {node}{why}"), Reason("resize-room", _ALLOCATED))
        what = "the resize is taken back or asked for otherwise, or the Pod is replaced by one that fits elsewhere"
        return Part("running, its resize infeasible", holds, (Next(what, "user", "resize-pending"),))
    holds = (
        Reason("resize-pending", f"its resize waits for room on {node}{why}"),
        Reason("resize-accounting", f"{_ALLOCATED}; the scheduler keeps free what it asks for"),
    )
    looked = said.lastProbeTime
    again = looked + timedelta(seconds=retry_delay(1)) if looked is not None else None
    follows = (
        Next(f"a Pod on {node} ends or becomes smaller, and no other resize comes first", "kubelet", "resize-order"),
        Next("the kubelet looks for room again", "kubelet", "resize-retry", latest=again),
    )
    return Part("running, its resize deferred", holds, follows)


def resize_in_progress(look: Look) -> Part | None:
    """A resize that is allocated, and that some container does not run with yet."""
    said = look.conditions.get(IN_PROGRESS)
    if said is None or said.status != "True":
        return None
    if said.reason == ERROR:
        text = (
            f"its resize is allocated and fails: {said.message}"
            if said.message
            else "its resize is allocated and fails"
        )
        return Part(
            "running, its resize failing",
            (Reason("resize-in-progress", text),),
            (Next("the kubelet tries again at its next sync of the Pod", "kubelet", "resize-in-progress"),),
        )
    hold = Reason("resize-in-progress", "its resize is allocated, and some container does not run with it yet")
    follows = Next("the runtime gives containers their resources, or they are restarted", "kubelet", hold.rule)
    return Part("running, being resized", (hold,), (follows,))
