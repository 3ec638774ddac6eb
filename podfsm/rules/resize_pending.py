"""A resize that its node has to have room for: what counts, what the kubelet answers, and when it looks again."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from podfsm.engine.rule import derivation, docs, example, guard, invariant, source, timing
from podfsm.kube.objects import ObjectMeta, Pod, PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.cluster_facts import ResizeFacts
from podfsm.rules.node_trouble import too_little
from podfsm.rules.resize import GATE, IN_PROGRESS, PENDING
from podfsm.rules.timings import timing_constant

DEFERRED, INFEASIBLE, ERROR = "Deferred", "Infeasible", "Error"

Amounts = Mapping[str, int]
"""Amounts of resources as the scheduler counts them: CPU in thousandths, all else in whole units."""

_AREA = "resize"
_MANAGER = "pkg/kubelet/allocation/allocation_manager.go"
_HANDLERS = "pkg/kubelet/allocation/handlers.go"
_STATUS = "pkg/kubelet/status/status_manager.go"
_HELPERS = "staging/src/k8s.io/component-helpers/resource/helpers.go"
_PAGE = docs("concepts/workloads/pods/pod-condition.md#pod-resize-conditions")
_TASK = docs("tasks/configure-pod-container/resize-container-resources.md#pod-resize-status")
_STATIC = "In-place resize of static-pods is not supported"


@derivation(
    "resize-pending",
    area=_AREA,
    machine="pod",
    cites=[_PAGE, source(_STATUS, "SetPodResizePendingCondition"), source(_HANDLERS)],
    gate=GATE,
    observable="condition PodResizePending with reason Deferred or Infeasible",
    examples=[
        example(True, True, gives=""),
        example(False, True, gives=DEFERRED),
        example(False, False, gives=INFEASIBLE),
    ],
)
def pending_reason(fits_now: bool, fits_ever: bool) -> str:
    """A resize that is not accepted makes PodResizePending True: Deferred if it may fit later, else Infeasible.

    Containers go on with what is allocated to them. A deferred resize is tried again; one that is infeasible is not,
    unless the Pod or its kubelet changes.
    """
    if fits_now:
        return ""
    return DEFERRED if fits_ever else INFEASIBLE


@derivation(
    "resize-room",
    area=_AREA,
    machine="pod",
    cites=[
        _TASK,
        source(_MANAGER, "canAdmitPod"),
        source(_HANDLERS, "podResizesAdmitHandler.Admit"),
        source("pkg/kubelet/lifecycle/predicate.go", "InsufficientResourceError"),
    ],
    gate=GATE,
    observable="reason and message of PodResizePending",
    examples=[
        example({"cpu": 500}, {"cpu": 1500}, {"cpu": 2000}, gives=("", "")),
        example(
            {"cpu": 600},
            {"cpu": 1500},
            {"cpu": 2000},
            gives=(DEFERRED, "Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000"),
        ),
        example(
            {"cpu": 2500},
            {},
            {"cpu": 2000},
            gives=(INFEASIBLE, "Node didn't have enough capacity: cpu, requested: 2500, capacity: 2000"),
        ),
        example({"cpu": 100}, {}, {"cpu": 2000}, static=True, gives=(INFEASIBLE, _STATIC)),
    ],
)
def room_for(asked: Amounts, used: Amounts, capacity: Amounts, *, static: bool = False) -> tuple[str, str]:
    """A resize is judged like a new Pod: all that the Pod asks for has to fit beside what the others have.

    `asked` is what the Pod wants from now on, `used` what the other Pods of the node have, `capacity` what the node can
    allocate. Gives reason and message of PodResizePending, both empty if the resize is accepted. More cpu or memory
    than the node has at all is infeasible, and so is any resize of a static Pod.
    """
    if static:
        return INFEASIBLE, _STATIC
    beyond = next((name for name in ("memory", "cpu") if asked.get(name, 0) > capacity.get(name, 0)), "")
    names = sorted(asked, key=lambda name: (name not in ("cpu", "memory"), name))
    short = next((n for n in names if asked[n] and asked[n] > capacity.get(n, 0) - used.get(n, 0)), "")
    reason = pending_reason(not short and not beyond, not beyond)
    if beyond:
        said = f"requested: {asked[beyond]}, capacity: {capacity.get(beyond, 0)}"
        return reason, f"Node didn't have enough capacity: {beyond}, {said}"
    if short:
        return reason, too_little(short, asked[short], used.get(short, 0), capacity.get(short, 0))
    return reason, ""


@derivation(
    "resize-accounting",
    area=_AREA,
    machine="pod",
    cites=[_TASK, source(_HELPERS, "AggregateContainerRequests"), source(_HELPERS, "IsPodResizeInfeasible")],
    gate=GATE,
    observable="which Pods the scheduler finds room for beside a resize",
    examples=[
        example({"cpu": 900}, {"cpu": 100}, {"cpu": 100}, False, gives={"cpu": 900}),
        example({"cpu": 900}, {"cpu": 100}, {"cpu": 100}, True, gives={"cpu": 100}),
        example({"cpu": 100}, {"cpu": 100}, {"cpu": 900, "memory": 64}, False, gives={"cpu": 900, "memory": 64}),
    ],
)
def counted(wanted: Amounts, allocated: Amounts, actual: Amounts, infeasible: bool) -> dict[str, int]:
    """The scheduler counts a Pod with the most of what it asks for, what is allocated to it, and what it has.

    So the room for a deferred resize is kept free, and that of a smaller one is not given away before it is done. What
    an infeasible resize asks for does not count. A kubelet looks at what is allocated and what Pods have only, so that
    of two resizes that wait one can go ahead.
    """
    amounts = (allocated, actual) if infeasible else (wanted, allocated, actual)
    names = dict.fromkeys(name for each in amounts for name in each)
    return {name: max(each.get(name, 0) for each in amounts) for name in names}


@derivation(
    "resize-order",
    area=_AREA,
    machine="pod",
    cites=[_TASK, source(_MANAGER, "sortPendingResizes"), source(_MANAGER, "isResizeIncreasingRequests")],
    since="1.34",
    gate=GATE,
    observable="which of several deferred resizes goes ahead when room comes",
    examples=[
        example(False, 0, "Burstable", 30.0, gives=(False, 0, True, 30.0)),
        example(True, 1000, "Guaranteed", 20.0, gives=(True, -1000, False, 20.0)),
        example(True, 0, "Burstable", None, gives=(True, 0, True, float("inf"))),
    ],
)
def turn(increases: bool, priority: int, qos: str, since: float | None) -> tuple[bool, int, bool, float]:
    """Resizes of one node are looked at in this order: those that ask for no more than they have; by priority; by QoS.

    Guaranteed Pods come before others, and what has waited longer before what has not. Gives a key to sort by; `since`
    is the instant from which the resize is pending, None for a new one.
    """
    return increases, -priority, qos != "Guaranteed", float("inf") if since is None else since


@derivation(
    "resize-condition-times",
    area=_AREA,
    machine="pod",
    cites=[_PAGE, source(_STATUS, "updatedPodResizeCondition")],
    gate=GATE,
    observable="lastProbeTime, lastTransitionTime and observedGeneration of the resize conditions",
    examples=[
        example(
            None,
            PodCondition(PENDING, "True", DEFERRED, "no room"),
            9.0,
            2,
            gives=PodCondition(PENDING, "True", DEFERRED, "no room", instant(9), instant(9), 2),
        ),
        example(
            PodCondition(PENDING, "True", DEFERRED, "no room", instant(9), instant(9), 2),
            PodCondition(PENDING, "True", DEFERRED, "less room"),
            99.0,
            3,
            gives=PodCondition(PENDING, "True", DEFERRED, "less room", instant(99), instant(9), 3),
        ),
        example(
            PodCondition(PENDING, "True", DEFERRED, "no room", instant(9), instant(9), 2),
            PodCondition(PENDING, "True", INFEASIBLE),
            99.0,
            2,
            gives=PodCondition(PENDING, "True", INFEASIBLE, "", instant(99), instant(99), 2),
        ),
    ],
)
def timed(old: PodCondition | None, new: PodCondition, now: float, generation: int) -> PodCondition:
    """The lastProbeTime of a resize condition is when the kubelet looked last, lastTransitionTime when its reason came.

    observedGeneration is the generation of the Pod that the kubelet looked at.
    """
    stays = old is not None and old.reason == new.reason
    since = old.lastTransitionTime if old is not None and stays else instant(now)
    looked = {"lastProbeTime": instant(now), "lastTransitionTime": since, "observedGeneration": generation}
    stamped: PodCondition = msgspec.structs.replace(new, **looked)
    return stamped


@timing(
    "resize-retry",
    area=_AREA,
    machine="pod",
    cites=[
        _PAGE,
        source(_MANAGER, "retryPendingResizes"),
        source(_MANAGER, "retryDelay"),
        source("pkg/kubelet/kubelet.go", "HandlePodRemoves"),
        source("pkg/kubelet/kubelet.go", "HandlePodReconcile"),
    ],
    gate=GATE,
    observable="lastProbeTime of PodResizePending",
    examples=[example(0, gives=30.0), example(1, gives=180.0), example(5, gives=180.0)],
)
def retry_delay(rounds: int) -> float:
    """A kubelet looks at pending resizes 30 s after it has started, and again 3 minutes after it looked last.

    It looks at all of them, too, when one of its Pods is changed and not yet what it asks for, when one ends or is
    removed, and when one has become smaller. `rounds` is how often it has looked. (1.33 tried at each sync of the Pod.)
    """
    return timing_constant("resize-retry-initial" if rounds == 0 else "resize-retry")


@guard(
    "resize-allocated",
    area=_AREA,
    machine="resize",
    cites=[_PAGE, source(_MANAGER, "handlePodResourcesResize")],
    gate=GATE,
    allows=[ResizeFacts(), ResizeFacts(differs=True)],
    refuses=[ResizeFacts(asked=True), ResizeFacts(asked=True, room="never")],
)
def allocated(facts: ResizeFacts) -> bool:
    """A resize no longer waits once what the spec asks for is allocated: accepted, or taken back by whoever asked."""
    return not facts.asked


@guard(
    "resize-deferred",
    area=_AREA,
    machine="resize",
    cites=[_PAGE, source(_MANAGER, "handlePodResourcesResize")],
    gate=GATE,
    allows=[ResizeFacts(asked=True, room="later"), ResizeFacts(asked=True, differs=True, room="later")],
    refuses=[ResizeFacts(asked=True), ResizeFacts(asked=True, room="never"), ResizeFacts(room="later")],
)
def deferred(facts: ResizeFacts) -> bool:
    """A resize is deferred if the node has no room for it now, and may have some later."""
    return facts.asked and facts.room == "later"


@guard(
    "resize-infeasible",
    area=_AREA,
    machine="resize",
    cites=[_PAGE, source(_HANDLERS, "podResizesAdmitHandler.Admit")],
    gate=GATE,
    allows=[ResizeFacts(asked=True, room="never")],
    refuses=[ResizeFacts(asked=True, room="later"), ResizeFacts(asked=True), ResizeFacts(room="never")],
)
def infeasible(facts: ResizeFacts) -> bool:
    """A resize is infeasible if the node could not give it room though no other Pod were there."""
    return facts.asked and facts.room == "never"


def _with(*conditions: PodCondition) -> Pod:
    return Pod(metadata=ObjectMeta(uid="u"), status=PodStatus(conditions=conditions))


_REASONS = {PENDING: (DEFERRED, INFEASIBLE), IN_PROGRESS: ("", ERROR)}


@invariant(
    "resize-conditions",
    area=_AREA,
    machine="pod",
    cites=[
        _PAGE,
        source(_STATUS, "updatedPodResizeCondition"),
        source("staging/src/k8s.io/api/core/v1/types.go", "PodReasonDeferred"),
    ],
    gate=GATE,
    observable="status, reason and times of the resize conditions",
    allows=[
        _with(PodCondition(PENDING, "True", DEFERRED, "", instant(9), instant(3))),
        _with(PodCondition(IN_PROGRESS, "True"), PodCondition(PENDING, "True", INFEASIBLE)),
        _with(PodCondition("Ready", "False", "Because")),
    ],
    refuses=[
        _with(PodCondition(PENDING, "True")),
        _with(PodCondition(PENDING, "False", DEFERRED)),
        _with(PodCondition(IN_PROGRESS, "True", DEFERRED)),
        _with(PodCondition(PENDING, "True", DEFERRED, "", instant(3), instant(9))),
    ],
)
def well_told(pod: Pod) -> bool:
    """The resize conditions are True while they are there, with reason Deferred or Infeasible, or Error or none.

    PodResizePending has one of the first two, PodResizeInProgress one of the others. The kubelet looked last not before
    the reason came to be.
    """
    for condition in pod.status.conditions:
        if condition.type in _REASONS:
            if condition.status != "True" or condition.reason not in _REASONS[condition.type]:
                return False
            looked, since = condition.lastProbeTime, condition.lastTransitionTime
            if looked is not None and since is not None and looked < since:
                return False
    return True


def is_pending(condition: PodCondition, reason: str) -> bool:
    """Whether the condition says that a resize is not accepted, for this reason."""
    return (condition.type, condition.status, condition.reason) == (PENDING, "True", reason)
