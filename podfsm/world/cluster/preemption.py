"""Preemption: a Pod that fits nowhere may have Pods of lower priority deleted to make room.

On each node the Pods of lower priority are taken away and as many as possible put back, those whose eviction would
violate a budget first. The node whose victims matter least is taken. Source: pkg/scheduler/framework/preemption.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from podfsm.kube.objects import PodCondition
from podfsm.kube.selector import matches
from podfsm.rules.disruption_target import Cause, disruption_reason
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster import tracking
from podfsm.world.cluster.fitting import among_pods, candidates, fits_now
from podfsm.world.cluster.state import NO_KEYS, NodeState
from podfsm.world.cluster.survey import Open
from podfsm.world.outside import Report
from podfsm.world.pod import PodWorld
from podfsm.world.step import Delete

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_MESSAGE = "{}: preempting to accommodate a higher priority pod"


@frozen
class Choice:
    """A node and the Pods that would have to go there."""

    node: str
    victims: tuple[PodWorld, ...]
    violations: int

    @property
    def cost(self) -> tuple[object, ...]:
        """What speaks against it, the weightiest first; the least wins, then the first by name."""
        priorities = [priority(victim) for victim in self.victims]
        return (self.violations, max(priorities), sum(priorities), len(priorities), self.node)


def priority(pod: PodWorld) -> int:
    """A Pod's priority."""
    return pod.api.spec.priority or 0


def preempt(desk: Desk, pod: PodWorld) -> None:
    """Make room for a Pod that the scheduler found no node for, if that helps and may be done."""
    if pod.api.spec.preemptionPolicy == "Never" or _waits_already(desk, pod):
        return
    choices = [choice for node in candidates(desk, pod.api).nodes if (choice := _victims(desk, pod, node)) is not None]
    if not choices:
        return
    chosen = min(choices, key=lambda choice: choice.cost)
    desk.c.nominated = desk.c.nominated.set(pod.key, chosen.node)
    for victim in chosen.victims:
        condition = PodCondition(
            "DisruptionTarget",
            "True",
            disruption_reason(Cause.SCHEDULER_PREEMPTION),
            _MESSAGE.format(pod.api.spec.schedulerName or "default-scheduler"),
        )
        tracking.evicting(desk, victim.key, "preempt")
        if desk.m.gates.on("PodDisruptionConditions"):
            desk.pod(Report(victim.key, (condition,)))
        desk.event(victim.key, "Normal", "Preempted", f"Preempted by pod {pod.api.metadata.uid} on node {chosen.node}")
        desk.pod(Delete(victim.key))


def _waits_already(desk: Desk, pod: PodWorld) -> bool:
    """Whether victims of an earlier preemption for this Pod are still on their way out."""
    node = desk.c.nominated.get(pod.key)
    if node is None:
        return False
    here = desk.pods(desk.c.on_node.get(node, NO_KEYS))
    return any(o.api.metadata.deletionTimestamp is not None and priority(o) < priority(pod) for o in here)


def _victims(desk: Desk, pod: PodWorld, node: NodeState) -> Choice | None:
    """The fewest, least important Pods whose going makes room on this node; None if nothing does."""
    here = desk.pods(desk.c.on_node.get(node.name, NO_KEYS))
    lower = [o for o in here if priority(o) < priority(pod) and o.api.status.phase not in TERMINAL]
    gone = frozenset(other.key for other in lower)
    if not lower or not _fits(desk, pod, node, gone):
        return None
    violating = {other.key for other in lower if _protected(desk, other)}
    for other in sorted(lower, key=lambda o: (o.key not in violating, -priority(o), _started(o), o.key)):
        if _fits(desk, pod, node, gone - {other.key}):
            gone -= {other.key}
    victims = tuple(sorted((o for o in lower if o.key in gone), key=lambda o: (-priority(o), o.key)))
    return Choice(node.name, victims, len(violating & gone)) if victims else None


def _fits(desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str]) -> bool:
    return fits_now(desk, pod, node, gone) and bool(among_pods(desk, pod, Open((node,)).all, gone, {}))


def _protected(desk: Desk, pod: PodWorld) -> bool:
    """Whether some budget would be violated by the Pod's going now."""
    for thing in desk.of_kind("PodDisruptionBudget"):
        if thing.namespace == pod.api.metadata.namespace and thing.budget is not None:
            status = thing.budget.status
            known = pod.api.metadata.name in status.disruptedPods
            if not known and status.disruptionsAllowed <= 0 and matches(thing.selector, pod.api.metadata.labels):
                return True
    return False


def _started(pod: PodWorld) -> float:
    from podfsm.kube.times import seconds_of

    start = pod.api.status.startTime
    return seconds_of(start) if start is not None else float("inf")
