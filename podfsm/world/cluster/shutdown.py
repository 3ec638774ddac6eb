"""A node that is shut down: its kubelet first ends the Pods, those of lower priority first, and then the power is off.

Source: pkg/kubelet/nodeshutdown/nodeshutdown_manager.go (processShutdownEvent, groupByPriority).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from podfsm.rules.grace import default_grace
from podfsm.rules.node_trouble import SYSTEM_CRITICAL, shut_down
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.nodes import readiness_changed, stop_kubelet
from podfsm.world.cluster.state import NO_KEYS, NodeState, Shutdown
from podfsm.world.cluster.watch import SHUTDOWN
from podfsm.world.outside import Kill, PowerOff
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_LOWEST = -(2**31)


def begin(desk: Desk, name: str, grace: float, critical: float) -> None:
    """The machine is told to shut down. `critical` is the last part of `grace`, for critical Pods; 0 s: at once."""
    node = desk.c.nodes[name]
    if node.shutdown is not None or not node.alive:
        desk.note(f"at {desk.now:g} s: shutdown of node {name}, which is off or shutting down")
        return
    if not node.runs or grace <= 0 or not desk.m.gates.on("GracefulNodeShutdown"):
        _power_off(desk, name)
        return
    groups = ((_LOWEST, grace - critical), (SYSTEM_CRITICAL, critical))
    readiness_changed(desk, evolve(node, shutdown=Shutdown(groups)))
    _next_group(desk, name)


def turn(desk: Desk, name: str) -> None:
    """Pods of the node changed, or the time of a group is up: the next group's turn comes when this one has ended."""
    node = desk.c.nodes.get(name)
    if node is None or node.shutdown is None:
        return
    if desk.now < node.shutdown.ends and _group(desk, node, node.shutdown):
        desk.later(SHUTDOWN, name, node.shutdown.ends)
    else:
        _next_group(desk, name)


def _next_group(desk: Desk, name: str) -> None:
    """End the Pods of the next group that has any; after the last one nothing holds the machine back."""
    node = desk.c.nodes[name]
    assert node.shutdown is not None
    for number in range(node.shutdown.turn + 1, len(node.shutdown.groups)):
        seconds = node.shutdown.groups[number][1]
        state = evolve(node.shutdown, turn=number, ends=desk.now + seconds)
        pods = _group(desk, node, state)
        if pods and seconds > 0:
            desk.c.nodes = desk.c.nodes.set(name, evolve(node, shutdown=state))
            desk.later(SHUTDOWN, name, state.ends)
            for pod in pods:
                _end(desk, pod, seconds)
            return
    _power_off(desk, name)


def _group(desk: Desk, node: NodeState, state: Shutdown) -> list[PodWorld]:
    """The Pods of the group whose turn it is that have not ended."""
    least = state.groups[state.turn][0]
    above = [priority for priority, _ in state.groups[state.turn + 1 :]]
    pods = [p for p in desk.pods(desk.c.on_node.get(node.name, NO_KEYS)) if p.api.status.phase not in TERMINAL]
    return [p for p in pods if least <= _priority(p) and not any(_priority(p) >= priority for priority in above)]


def _priority(pod: PodWorld) -> int:
    return pod.api.spec.priority or 0


def _end(desk: Desk, pod: PodWorld, seconds: float) -> None:
    own = float(default_grace(pod.api.spec.terminationGracePeriodSeconds))
    found = shut_down(pod.api.status.phase, seconds, own)
    if found is not None:
        grace, status = found
        desk.pod(Kill(pod.key, status, int(grace)))


def _power_off(desk: Desk, name: str) -> None:
    """The machine is off: no kubelet, no process."""
    desk.c.nodes = desk.c.nodes.set(name, evolve(desk.c.nodes[name], shutdown=None))
    stop_kubelet(desk, name)
    for pod in desk.pods(desk.c.on_node.get(name, NO_KEYS)):
        desk.pod(PowerOff(pod.key))
