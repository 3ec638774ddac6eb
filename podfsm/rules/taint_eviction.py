"""Taint-based eviction: when a Pod on a node with NoExecute taints is deleted.

The controller keeps at most one planned deletion a Pod. `plan` says what it becomes when taints or tolerations change;
nothing else moves it.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source, timing
from podfsm.kube.cluster import Taint
from podfsm.kube.objects import PodCondition, Toleration
from podfsm.rules.disruption_target import Cause, disruption_reason
from podfsm.rules.taints import NO_EXECUTE, evicting, tolerates, untolerated

_PAGE = "concepts/scheduling-eviction/taint-and-toleration.md"
_EVICTIONS = docs(f"{_PAGE}#taint-based-evictions")
_SOURCE = "pkg/controller/tainteviction/taint_eviction.go"
_AREA = "node-loss"

_LOST = Taint("node.kubernetes.io/unreachable", "", "NoExecute")
_GPU = Taint("dedicated", "gpu", "NoExecute")
_FOR_300 = Toleration(_LOST.key, "Exists", "", "NoExecute", 300)
_FOR_EVER = Toleration(_LOST.key, "Exists", "", "NoExecute")


@timing(
    "node-eviction-time",
    area=_AREA,
    machine="pod",
    cites=[_EVICTIONS, source(_SOURCE, "processPodOnNode"), source(_SOURCE, "getMinTolerationTime")],
    seed=7,
    observable="deletionTimestamp about 300 s after the taint",
    examples=[
        example((_LOST,), (_FOR_300,), gives=300.0),
        example((_LOST,), (_FOR_EVER,), gives=None),
        example((_LOST,), (), gives=0.0),
        example((_LOST, _GPU), (_FOR_300,), gives=0.0),
        example((_LOST,), (_FOR_EVER, _FOR_300), gives=None),
        example((_LOST, _GPU), (_FOR_300, Toleration(operator="Exists", tolerationSeconds=20)), gives=20.0),
        example((_LOST,), (Toleration(operator="Exists", tolerationSeconds=-5),), gives=0.0),
        example((), (), gives=None),
    ],
)
def stays_for(taints: Sequence[Taint], tolerations: Sequence[Toleration]) -> float | None:
    """A NoExecute taint that is not tolerated evicts at once; else the least tolerationSeconds that apply do.

    Of each taint the first toleration that covers it applies. Seconds from now, 0 for at once, None for never: all
    taints are tolerated without a limit, or there are none.
    """
    limits: list[int] = []
    for taint in evicting(taints):
        used = next((toleration for toleration in tolerations if tolerates(toleration, taint)), None)
        if used is None:
            return 0.0
        if used.tolerationSeconds is not None:
            limits.append(used.tolerationSeconds)
    return float(max(0, min(limits))) if limits else None


@frozen
class Plan:
    """A planned deletion: when it was made, and when it is due, in seconds."""

    made_at: float
    due_at: float


@derivation(
    "node-eviction-cancel",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PAGE}#concepts"), source(_SOURCE, "cancelWorkWithEvent"), source(_SOURCE, "processPodOnNode")],
    seed=7,
    observable="event TaintManagerEviction: Cancelling deletion of Pod",
    examples=[
        example(Plan(0.0, 300.0), None, 10.0, gives=None),
        example(Plan(0.0, 300.0), 0.0, 10.0, tolerated=False, gives=Plan(10.0, 10.0)),
        example(Plan(0.0, 300.0), 0.0, 10.0, gives=Plan(0.0, 300.0)),
        example(Plan(0.0, 300.0), 60.0, 10.0, gives=Plan(0.0, 300.0)),
        example(Plan(10.0, 300.0), 60.0, 10.0, gives=Plan(10.0, 70.0)),
        example(None, 60.0, 10.0, gives=Plan(10.0, 70.0)),
    ],
)
def plan(planned: Plan | None, stays: float | None, now: float, tolerated: bool = True) -> Plan | None:
    """A planned deletion is called off when the taints go, or are all tolerated for good, before the time is up.

    One that is planned stays as it is, neither sooner nor later, whatever new taints and tolerations say; only a taint
    that is not tolerated at all moves it: to now. `stays` is what `stays_for` gives now; `tolerated` tells whether some
    toleration covers each taint, if only for no time.
    """
    if stays is None:
        return None
    if tolerated and planned is not None and planned.made_at < now:
        return planned
    return Plan(now, now + stays)


@derivation(
    "node-eviction-condition",
    area=_AREA,
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#disruption-target"),
        source(_SOURCE, "addConditionAndDeletePod"),
    ],
    gate="PodDisruptionConditions",
    seed=7,
    observable="DisruptionTarget, then deletionTimestamp",
    examples=[
        example(
            gives=PodCondition(
                type="DisruptionTarget",
                status="True",
                reason="DeletionByTaintManager",
                message="Taint manager: deleting due to NoExecute taint",
            )
        )
    ],
)
def condition_before_deletion() -> PodCondition:
    """Taint eviction first writes DisruptionTarget, reason DeletionByTaintManager, and then deletes with full grace."""
    return PodCondition(
        type="DisruptionTarget",
        status="True",
        reason=disruption_reason(Cause.TAINT),
        message="Taint manager: deleting due to NoExecute taint",
    )


def replan(planned: Plan | None, taints: Sequence[Taint], tolerations: Sequence[Toleration], now: float) -> Plan | None:
    """What becomes of a planned deletion when the node's taints or the Pod's tolerations are these from `now` on."""
    covered = untolerated(taints, tolerations, (NO_EXECUTE,)) is None
    changed: Plan | None = plan(planned, stays_for(taints, tolerations), now, covered)
    return changed
