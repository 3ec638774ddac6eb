"""The condition DisruptionTarget: who announces that a Pod is about to go, when, and for how long it counts."""

from __future__ import annotations

from enum import Enum

from podfsm.engine.rule import derivation, docs, example, source, timing
from podfsm.rules.condition_list import BY_GC, BY_KUBELET

STALE_SECONDS = 120.0
"""How long DisruptionTarget may announce a deletion that does not come."""

_PAGE = docs("concepts/workloads/pods/pod-condition.md#disruption-target")
_EVICT = "pkg/kubelet/eviction/eviction_manager.go"


class Cause(str, Enum):
    """Why a Pod is killed or deleted."""

    SCHEDULER_PREEMPTION = "scheduler preemption"
    TAINT = "NoExecute taint"
    EVICTION_API = "eviction API"
    POD_GC = "Pod garbage collection"
    NODE_PRESSURE = "node pressure"
    NODE_SHUTDOWN = "node shutdown"
    KUBELET_PREEMPTION = "critical Pod admitted by the kubelet"
    OWN_STORAGE_LIMIT = "its own storage limit"
    ACTIVE_DEADLINE = "active deadline"
    DELETION = "plain deletion"


_REASONS = {
    Cause.SCHEDULER_PREEMPTION: "PreemptionByScheduler",
    Cause.TAINT: "DeletionByTaintManager",
    Cause.EVICTION_API: "EvictionByEvictionAPI",
    Cause.POD_GC: BY_GC,
    Cause.NODE_PRESSURE: BY_KUBELET,
    Cause.NODE_SHUTDOWN: BY_KUBELET,
    Cause.KUBELET_PREEMPTION: BY_KUBELET,
}


@derivation(
    "cond-disruptiontarget-not-for-self-inflicted",
    area="conditions",
    machine="pod",
    cites=[_PAGE, source(_EVICT, "localStorageEviction"), source(_EVICT, "evictPod")],
    gate="PodDisruptionConditions",
    seed=14,
    observable="status.reason Evicted without DisruptionTarget",
    examples=[
        example(Cause.OWN_STORAGE_LIMIT, gives=False),
        example(Cause.ACTIVE_DEADLINE, gives=False),
        example(Cause.DELETION, gives=False),
        example(Cause.NODE_PRESSURE, gives=True),
    ],
)
def announced(cause: Cause) -> bool:
    """A death that the Pod likely brought on itself, or that a user asked for, carries no DisruptionTarget.

    That is: over its own storage limit, past its active deadline, or plainly deleted.
    """
    return cause in _REASONS


@derivation(
    "cond-disruptiontarget-reasons",
    area="conditions",
    machine="pod",
    cites=[
        _PAGE,
        source("pkg/controller/podgc/gc_controller.go", "gcOrphaned"),
        source("pkg/controller/tainteviction/taint_eviction.go", "addConditionAndDeletePod"),
        source("pkg/registry/core/pod/storage/eviction.go", "addConditionAndDeletePod"),
        source(_EVICT, "synchronize"),
    ],
    gate="PodDisruptionConditions",
    seed=14,
    observable="conditions[DisruptionTarget]",
    examples=[
        example(Cause.SCHEDULER_PREEMPTION, gives="PreemptionByScheduler"),
        example(Cause.TAINT, gives="DeletionByTaintManager"),
        example(Cause.EVICTION_API, gives="EvictionByEvictionAPI"),
        example(Cause.POD_GC, gives=BY_GC),
        example(Cause.NODE_SHUTDOWN, gives="TerminationByKubelet"),
        example(Cause.DELETION, gives=""),
    ],
)
def disruption_reason(cause: Cause) -> str:
    """DisruptionTarget True announces a disruption; its reason says by whom: scheduler, taint, eviction, GC, kubelet.

    Empty if the cause is not announced.
    """
    return _REASONS.get(cause, "")


@derivation(
    "cond-disruptiontarget-kubelet-late",
    area="conditions",
    machine="pod",
    cites=[_PAGE, source("pkg/kubelet/status/status_manager.go", "mergePodStatus")],
    gate="PodDisruptionConditions",
    seed=14,
    observable="reason TerminationByKubelet appears in the same snapshot as phase Failed",
    examples=[
        example(True, False, gives=True),
        example(True, True, gives=False),
        example(False, False, gives=False),
    ],
)
def sends_disruption(entering_terminal: bool, could_run: bool) -> bool:
    """The kubelet sends its DisruptionTarget only in the write that makes the phase terminal, all containers down."""
    return entering_terminal and not could_run


@timing(
    "cond-disruptiontarget-stale-2m",
    area="conditions",
    machine="pod",
    cites=[_PAGE, source("pkg/controller/disruption/disruption.go", "nonTerminatingPodHasStaleDisruptionCondition")],
    since="1.25",
    seed=14,
    observable="DisruptionTarget True without deletionTimestamp for at most about 2 min",
    examples=[
        example(10.0, "EvictionByEvictionAPI", False, False, gives=130.0),
        example(10.0, "TerminationByKubelet", False, False, gives=None),
        example(10.0, "EvictionByEvictionAPI", True, False, gives=None),
        example(10.0, "EvictionByEvictionAPI", False, True, gives=None),
    ],
)
def stale_at(since: float, reason: str, deleting: bool, terminal: bool) -> float | None:
    """DisruptionTarget True that is not followed by a deletion within 2 minutes is set back to False.

    Gives the instant in seconds, counted from the condition's lastTransitionTime; None if it never goes stale: the
    kubelet set it, the Pod is being deleted, or its phase is terminal.
    """
    if deleting or terminal or reason == "TerminationByKubelet":
        return None
    return since + STALE_SECONDS
