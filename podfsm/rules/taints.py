"""Taints and tolerations: which taint keeps a Pod off a node, and which one drives it away."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.cluster import Taint
from podfsm.kube.objects import Toleration

NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE = "NoSchedule", "NoExecute", "PreferNoSchedule"

_PAGE = docs("concepts/scheduling-eviction/taint-and-toleration.md#concepts")
_GPU = Taint("dedicated", "gpu", NO_SCHEDULE)
_LOST = Taint("node.kubernetes.io/unreachable", "", NO_EXECUTE)


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether a toleration covers a taint: an empty effect or key covers all of them, Exists every value.

    Source: `k8s.io/api/core/v1/toleration.go` (ToleratesTaint). The operators Gt and Lt, alpha and off, cover nothing.
    """
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    if toleration.operator == "Exists":
        return True
    return toleration.operator in ("", "Equal") and toleration.value == taint.value


def untolerated(
    taints: Iterable[Taint], tolerations: Sequence[Toleration], effects: Sequence[str] = (NO_SCHEDULE, NO_EXECUTE)
) -> Taint | None:
    """The first taint of these effects that no toleration covers; None if the Pod tolerates them all."""
    for taint in taints:
        if taint.effect in effects and not any(tolerates(toleration, taint) for toleration in tolerations):
            return taint
    return None


@derivation(
    "sched-noschedule-no-evict",
    area="scheduling",
    machine="pod",
    cites=[_PAGE, source("pkg/controller/tainteviction/taint_eviction.go", "getNoExecuteTaints")],
    seed=7,
    observable="a running Pod keeps running on a node that gets a NoSchedule taint",
    examples=[
        example((_GPU, _LOST), gives=(_LOST,)),
        example((_GPU, Taint("busy", "", PREFER_NO_SCHEDULE)), gives=()),
    ],
)
def evicting(taints: Iterable[Taint]) -> tuple[Taint, ...]:
    """Only taints with effect NoExecute drive running Pods away; NoSchedule and PreferNoSchedule concern new Pods only.

    Gives the taints that can.
    """
    return tuple(taint for taint in taints if taint.effect == NO_EXECUTE)
