"""Pressure on a node's memory: what its Pods use, as scripted, and which of them the kubelet evicts.

Only nodes of scenarios in which some container's `memory` is scripted are watched. Source:
pkg/kubelet/eviction/eviction_manager.go (synchronize, waitForPodsCleanup).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from attrs import evolve

from podfsm.kube.cluster import NodeCondition
from podfsm.kube.quantity import Quantity, parse_quantity
from podfsm.rules.disruption_target import Cause
from podfsm.rules.facts import RuntimeState
from podfsm.rules.node_trouble import Usage, eviction_order, killed, pressure_grace
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.timings import timing_constant
from podfsm.world.cluster.nodes import report_condition
from podfsm.world.cluster.state import NO_KEYS, NodeState
from podfsm.world.cluster.watch import PRESSURE
from podfsm.world.outside import Kill
from podfsm.world.pod import PodWorld
from podfsm.world.timing import next_on_grid

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

CLEANUP_POLL = 1.0
"""How often the kubelet asks whether an evicted Pod is gone. Source: eviction_manager.go (podCleanupPollFreq)."""
_HIGH = NodeCondition("MemoryPressure", "True", "KubeletHasInsufficientMemory", "kubelet has insufficient memory")
_LOW = NodeCondition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available")


def watch_over(desk: Desk, name: str) -> None:
    """Look at a node's memory from now on, if a script says what containers use."""
    if desk.c.nodes[name].kubelet and any(script.memory for script in desk.c.environment.containers):
        _look_later(desk, name)


def _look_later(desk: Desk, name: str) -> None:
    desk.later(
        PRESSURE, name, next_on_grid(desk.now, timing_constant("eviction-monitor"), desk.m.profile.heartbeat_phase)
    )


def look(desk: Desk, name: str) -> None:
    """The kubelet compares what is left with the threshold; below it, it evicts one Pod and waits for its end."""
    node = desk.c.nodes.get(name)
    if node is None:
        return
    pods = [p for p in desk.pods(desk.c.on_node.get(name, NO_KEYS)) if p.api.status.phase not in TERMINAL]
    if not node.runs or node.capacity is None:
        _look_later(desk, name)
        return
    if desk.now < node.cleanup_until and any(p.kill is not None for p in pods):
        desk.later(PRESSURE, name, desk.now + CLEANUP_POLL)
        return
    left = _memory_of(node) - sum(usage(p, desk.now) for p in pods)
    node = _note(desk, node, low=left < timing_constant("eviction-memory-available"))
    if node.pressure == desk.now and (victim := _victim(desk, pods)) is not None:
        desk.c.nodes = desk.c.nodes.set(
            name, evolve(node, cleanup_until=desk.now + timing_constant("eviction-cleanup"))
        )
        desk.later(PRESSURE, name, desk.now + CLEANUP_POLL)
        _evict(desk, victim, left)
    else:
        _look_later(desk, name)


def _memory_of(node: NodeState) -> int:
    """All the memory of the node in bytes."""
    status = node.node.status
    given = status.capacity.get("memory") or status.allocatable.get("memory") or 0
    return int(parse_quantity(given, path="status.capacity.memory"))


def usage(pod: PodWorld, now: float) -> int:
    """What the Pod's processes use, in bytes."""
    total = 0
    for c in pod.live:
        if c.state is RuntimeState.RUNNING and c.started_at is not None:
            total += pod.scripts.container(c.name).uses(pod.instances[c.id].number, now - c.started_at)
    return total


def _note(desk: Desk, node: NodeState, *, low: bool) -> NodeState:
    """The condition MemoryPressure, which outlives the pressure by some minutes."""
    since = desk.now if low else node.pressure
    if since is not None and desk.now - since >= timing_constant("pressure-transition"):
        since = None
    shown = any(each.type == _HIGH.type and each.status == "True" for each in node.node.status.conditions)
    node = evolve(node, pressure=since)
    if shown != (since is not None):
        return report_condition(desk, node, _LOW if since is None else _HIGH)
    desk.c.nodes = desk.c.nodes.set(node.name, node)
    return node


def _victim(desk: Desk, pods: list[PodWorld]) -> PodWorld | None:
    """The Pod that goes first (rule node-pressure-eviction)."""
    by_key = {pod.key: pod for pod in pods if pod.kill is None}
    used = [
        Usage(key, usage(p, desk.now), desk.c.requests[key].get("memory", 0), p.api.spec.priority or 0)
        for key, p in by_key.items()
    ]
    order: tuple[str, ...] = eviction_order(used)
    return by_key[order[0]] if order else None


def _evict(desk: Desk, pod: PodWorld, left: int) -> None:
    threshold = int(timing_constant("eviction-memory-available"))
    message = (
        "The node was low on resource: memory. "
        f"Threshold quantity: {_written(threshold)}, available: {_written(max(left, 0))}. "
    )
    own = float(pod.api.spec.terminationGracePeriodSeconds or 0)
    desk.event(pod.key, "Warning", "Evicted", message)
    status = killed("Evicted", message, Cause.NODE_PRESSURE)
    desk.pod(Kill(pod.key, status, int(pressure_grace(False, 0.0, own))))


def _written(amount: int) -> str:
    """Bytes as the kubelet prints them."""
    return str(Quantity(Fraction(amount), "binary"))
