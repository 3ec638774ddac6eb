"""Nodes: heartbeats and their absence, taints that say so, and kubelets that stop and start.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve

from podfsm.kube.cluster import Node, NodeCondition, Taint
from podfsm.kube.decode import convert
from podfsm.kube.quantity import parse_quantity
from podfsm.kube.times import instant
from podfsm.rules.node_loss import (
    NOT_READY,
    UNREACHABLE,
    UNSCHEDULABLE,
    grace_period,
    marked_unready,
    taint_rate,
    taints_of,
    unknown_from,
)
from podfsm.rules.taints import NO_EXECUTE
from podfsm.rules.timings import timing_constant
from podfsm.world.cluster import resizing
from podfsm.world.cluster.indexes import in_units
from podfsm.world.cluster.state import NO_KEYS, NodeState
from podfsm.world.outside import Freeze, Network, Report, Thaw
from podfsm.world.scripts import FOREVER
from podfsm.world.timing import next_on_grid

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

KUBELET_ANNOTATION = "podfsm.dev/kubelet"
ZONE = "topology.kubernetes.io/zone"
MOST_PODS = 110
"""Pods on a node that does not say otherwise. Source: pkg/kubelet/apis/config/v1beta1/defaults.go (MaxPods)."""
RUNTIME_CHECK = 5.0
"""How often a kubelet asks its runtime whether it and the network are ready. Source: kubelet.go (updateRuntimeUp)."""
MONITOR, NETWORK, HEARTBEAT, TAINT = "node-monitor", "node-network", "node-heartbeat", "node-taint"

_OWN_KEYS = frozenset(
    {NOT_READY, UNREACHABLE, UNSCHEDULABLE}
    | {f"node.kubernetes.io/{name}-pressure" for name in ("memory", "disk", "pid")}
    | {"node.kubernetes.io/network-unavailable"}
)
"""Taints that the node controller sets and takes away itself."""
_UNKNOWN = NodeCondition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
_READY = NodeCondition("Ready", "True", "KubeletReady", "kubelet is posting ready status")
_SHUTTING_DOWN = NodeCondition("Ready", "False", "KubeletNotReady", "node is shutting down")
_NO_NETWORK = NodeCondition("Ready", "False", "KubeletNotReady", "container runtime network not ready")


def node_state(raw: Mapping[str, Any], now: float) -> NodeState:
    """A node as its object describes it. One that does not say otherwise is Ready; raises InputError."""
    node = convert(dict(raw), Node)
    if not any(each.type == "Ready" for each in node.status.conditions):
        node = _with_condition(node, _READY)
    has_kubelet = node.metadata.annotations.get(KUBELET_ANNOTATION) != "none"
    state = NodeState(_tainted(node, now, lost=False), raw, now, has_kubelet, heartbeat=now, capacity=_capacity(node))
    ready = next(each.status for each in node.status.conditions if each.type == "Ready")
    return state if ready == "True" else evolve(state, alive=ready != "Unknown", network=ready != "False")


def _capacity(node: Node) -> Mapping[str, int] | None:
    given = node.status.allocatable or node.status.capacity
    if not given:
        return None
    amounts = {n: in_units(n, parse_quantity(value, path=f"status.allocatable.{n}")) for n, value in given.items()}
    return {"pods": MOST_PODS, **amounts}


def changed_node(before: NodeState, raw: Mapping[str, Any], now: float) -> NodeState:
    """A node whose object somebody changed. What its kubelet and the node controller write stays theirs."""
    node = convert(dict(raw), Node)
    given = {each.type for each in node.status.conditions}
    for known in before.node.status.conditions:
        node = node if known.type in given else _with_condition(node, known)
    lost = before.tainted_from <= now
    return evolve(before, node=_tainted(node, now, lost=lost), raw=raw, capacity=_capacity(node))


def shown(node: NodeState) -> dict[str, Any]:
    """The node's object as the API shows it, with the taints of the node controller."""
    spec = {k: v for k, v in (node.raw.get("spec") or {}).items() if k != "taints"}
    taints = [msgspec.to_builtins(taint) for taint in node.node.spec.taints]
    return {**node.raw, "spec": {**spec, **({"taints": taints} if taints else {})}}


def _with_condition(node: Node, new: NodeCondition) -> Node:
    others = tuple(each for each in node.status.conditions if each.type != new.type)
    return msgspec.structs.replace(node, status=msgspec.structs.replace(node.status, conditions=(*others, new)))


def _tainted(node: Node, now: float, *, lost: bool) -> Node:
    """The node with the taints that follow from its conditions; NoExecute only once its turn has come (`lost`)."""
    own = {(taint.key, taint.effect): taint for taint in node.spec.taints}
    others = tuple(taint for taint in node.spec.taints if taint.key not in _OWN_KEYS)
    due = (t for t in taints_of(node.status.conditions, node.spec.unschedulable) if lost or t.effect != NO_EXECUTE)
    taints = (*others, *(own.get((t.key, t.effect)) or _since(t, now) for t in due))
    if taints == node.spec.taints:
        return node
    return msgspec.structs.replace(node, spec=msgspec.structs.replace(node.spec, taints=taints))


def _since(taint: Taint, now: float) -> Taint:
    return msgspec.structs.replace(taint, timeAdded=instant(now))


# Kubelets


def stop_kubelet(desk: Desk, name: str) -> None:
    """The kubelet, or whoever sends the node's heartbeats, stops; containers go on."""
    node = desk.c.nodes[name]
    if not node.alive:
        return
    period = timing_constant("node-status-update")
    last = next_on_grid(desk.now - period, period, desk.m.profile.heartbeat_phase)
    node = evolve(node, alive=False, heartbeat=max(last, node.created))
    desk.put_node(node)
    desk.later(MONITOR, name, _next_look(desk, _silent_from(desk, node)))
    for pod in desk.pods(desk.c.on_node.get(name, NO_KEYS)):
        desk.pod(Freeze(pod.key))


def start_kubelet(desk: Desk, name: str) -> None:
    """The kubelet is back: it reports the node ready at once and takes up its Pods."""
    node = desk.c.nodes[name]
    if node.alive:
        return
    node = evolve(node, alive=True, pressure=None, node=_with_condition(node.node, _readiness(node)))
    desk.forget(MONITOR, name)
    desk.put_node(node)
    desk.later(MONITOR, name, _next_look(desk, desk.now))
    if node.kubelet:
        for pod in desk.pods(desk.c.on_node.get(name, NO_KEYS)):
            desk.pod(Thaw(pod.key))
        resizing.kubelet_started(desk, name)


def set_network(desk: Desk, name: str, *, ready: bool) -> None:
    """The runtime's network breaks or is back; the kubelet notices when it asks next."""
    node = desk.c.nodes[name]
    if node.network == ready:
        return
    desk.c.nodes = desk.c.nodes.set(name, evolve(node, network=ready))
    desk.later(NETWORK, name, next_on_grid(desk.now, RUNTIME_CHECK, desk.m.profile.heartbeat_phase))


def network_noticed(desk: Desk, name: str) -> None:
    """The kubelet knows of the network: its Pods are told, the API with the next heartbeat."""
    node = desk.c.nodes.get(name)
    if node is None or not node.runs:
        return
    for pod in desk.pods(desk.c.on_node.get(name, NO_KEYS)):
        desk.pod(Network(pod.key, ready=node.network))
    period = timing_constant("node-status-update")
    desk.later(HEARTBEAT, name, next_on_grid(desk.now, period, desk.m.profile.heartbeat_phase))


def heartbeat(desk: Desk, name: str) -> None:
    """The kubelet's turn to report."""
    node = desk.c.nodes.get(name)
    if node is not None and node.runs:
        readiness_changed(desk, node)


def readiness_changed(desk: Desk, node: NodeState) -> None:
    """The kubelet reports whether its node is ready."""
    report_condition(desk, node, _readiness(node))


def report_condition(desk: Desk, node: NodeState, condition: NodeCondition) -> NodeState:
    """The kubelet writes a condition; the node controller sees to the taints at its next look. Gives the node."""
    node = evolve(node, node=_with_condition(node.node, condition))
    desk.put_node(node)
    desk.later(MONITOR, node.name, _next_look(desk, desk.now))
    return node


def _readiness(node: NodeState) -> NodeCondition:
    """What the kubelet says of its node."""
    if node.shutdown is not None:
        return _SHUTTING_DOWN
    return _READY if node.network else _NO_NETWORK


# The node controller


def _silent_from(desk: Desk, node: NodeState) -> float:
    """From when on a node whose heartbeats have stopped counts as lost."""
    return float(unknown_from(node.heartbeat, node.created, grace_period(desk.m.gates)))


def _next_look(desk: Desk, when: float) -> float:
    period = timing_constant("node-monitor-period")
    return next_on_grid(when, period, desk.m.profile.monitor_phase)


def look(desk: Desk, name: str) -> None:
    """The node controller's look at one node: is it silent, and do its taints say what its conditions say?"""
    node = desk.c.nodes.get(name)
    if node is None:
        return
    if not node.alive and _ready(node) != "Unknown" and desk.now < (silent := _silent_from(desk, node)):
        desk.later(MONITOR, name, _next_look(desk, silent))
    elif not node.alive and _ready(node) != "Unknown":
        was_ready = _ready(node) == "True"
        node = evolve(node, node=_with_condition(node.node, _UNKNOWN))
        desk.put_node(node)
        if was_ready:
            _mark_pods(desk, name)
    if _ready(node) == "True":
        desk.forget(TAINT, name)
        desk.put_node(evolve(node, node=_tainted(node.node, desk.now, lost=False), tainted_from=FOREVER))
        return
    desk.put_node(evolve(node, node=_tainted(node.node, desk.now, lost=node.tainted_from <= desk.now)))
    if node.tainted_from == FOREVER:
        _ask_for_taint(desk, node)


def _ready(node: NodeState) -> str:
    return next((each.status for each in node.node.status.conditions if each.type == "Ready"), "Unknown")


def _mark_pods(desk: Desk, name: str) -> None:
    """Ready of the node's Pods becomes False (rule node-pods-unready)."""
    for pod in desk.pods(desk.c.on_node.get(name, NO_KEYS)):
        changed = marked_unready(pod.api.status.conditions, instant(desk.now))
        if changed is not None:
            ready = next(each for each in changed if each.type == "Ready")
            desk.pod(Report(pod.key, (ready,), generation=False, event=("NodeNotReady", "Node is not ready")))


def _ask_for_taint(desk: Desk, node: NodeState) -> None:
    """Lost nodes get their NoExecute taint one after another, as fast as their zone's state allows."""
    zone = node.node.metadata.labels.get(ZONE, "")
    states = {name: _ready(each) == "True" for name, each in desk.c.nodes.items()}
    mine = [states[name] for name, each in desk.c.nodes.items() if each.node.metadata.labels.get(ZONE, "") == zone]
    rate = taint_rate(len(mine), mine.count(False), not any(states.values()))
    if rate <= 0:
        desk.later(MONITOR, node.name, _next_look(desk, desk.now))
        return
    turn = max(desk.now, desk.c.taint_turn.get(zone, 0.0))
    desk.c.taint_turn = desk.c.taint_turn.set(zone, turn + 1.0 / rate)
    desk.later(TAINT, node.name, turn + desk.m.profile.watch)


def taint(desk: Desk, name: str) -> None:
    """A lost node's turn: it gets the NoExecute taint that drives Pods away."""
    node = desk.c.nodes.get(name)
    if node is not None and _ready(node) != "True":
        desk.put_node(evolve(node, node=_tainted(node.node, desk.now, lost=True), tainted_from=desk.now))
