"""History level: what one write cannot do to a Pod, beside what its conditions and containers tell."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.check.finding import Breach
from podfsm.kube.objects import Pod
from podfsm.rules.condition_list import of_type
from podfsm.rules.phase import TERMINAL


def write_breaches(before: Pod, after: Pod) -> Iterator[Breach]:
    """Deletions that wait where they take effect at once, and a condition that lost its reason."""
    old, new = before.metadata, after.metadata
    if old.deletionTimestamp is None and new.deletionTimestamp is not None and new.deletionGracePeriodSeconds:
        bound = before.spec.nodeName or after.spec.nodeName
        if not bound or before.status.phase in TERMINAL:
            state = f"in phase {before.status.phase}" if bound else "without a node"
            seen = f"a grace of {new.deletionGracePeriodSeconds} s of a Pod {state}"
            yield Breach("term-immediate-cases", seen, "a grace of 0")
    was, now = of_type(before.status.conditions, "Ready"), of_type(after.status.conditions, "Ready")
    if was is None or now is None or was is now or not was.reason or now.reason:
        return
    if was.status == now.status == "False" and was.lastTransitionTime == now.lastTransitionTime:
        seen = f"Ready False {was.reason} -> Ready False without a reason"
        yield Breach("cond-ready-copies-containersready", seen, "the node controller only takes away a Ready")
