"""A resize that its node has to have room for: what counts, whose turn it is, and what the kubelet answers."""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.engine.rule import derivation, docs, example, guard, source
from podfsm.rules.cluster_facts import ResizeFacts
from podfsm.rules.node_trouble import too_little
from podfsm.rules.resize_conditions import DEFERRED, GATE, INFEASIBLE, pending_reason

Amounts = Mapping[str, int]
"""Amounts of resources as the scheduler counts them: CPU in thousandths, all else in whole units."""

_AREA = "resize"
_MANAGER = "pkg/kubelet/allocation/allocation_manager.go"
_HANDLERS = "pkg/kubelet/allocation/handlers.go"
_HELPERS = "staging/src/k8s.io/component-helpers/resource/helpers.go"
_PAGE = docs("concepts/workloads/pods/pod-condition.md#pod-resize-conditions")
_TASK = docs("tasks/configure-pod-container/resize-container-resources.md#pod-resize-status")
_STATIC = "In-place resize of static-pods is not supported"


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
