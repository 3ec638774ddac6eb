"""Admission by the kubelet: what it refuses, and whom it kills to take a critical Pod.

Source: pkg/kubelet/lifecycle/predicate.go; pkg/kubelet/preemption/preemption.go (evictPodsToFreeRequests).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from podfsm.rules.kubelet_preemption import PODS, Lesser, victims
from podfsm.rules.node_affinity import wanted
from podfsm.rules.node_trouble import admitted_under_pressure, preempted, too_little
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.resizing import kubelet_use
from podfsm.world.cluster.state import NO_KEYS, NodeState
from podfsm.world.outside import Freeze, Kill, Reject, Thaw
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_OUT_OF = "OutOf"
_SHUTTING_DOWN = ("NodeShutdown", "Pod was rejected as the node is shutting down.")
_UNDER_PRESSURE = ("Evicted", "The node had condition: [MemoryPressure]. ")
_ELSEWHERE = ("NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector")


def admit(desk: Desk, key: str) -> None:
    """A kubelet looks at a Pod that is new on its node: it takes it, refuses it, or first makes room for it."""
    pod = desk.world.pods.get(key)
    node = desk.c.nodes.get(pod.api.spec.nodeName) if pod is not None and pod.exists else None
    if pod is None or node is None or not node.runs or pod.api.status.phase in TERMINAL:
        desk.c.held = desk.c.held.delete(key) if key in desk.c.held else desk.c.held
        return
    short = _short(desk, pod, node)
    refused = _refusal(desk, pod, node, short)
    if refused is not None and refused[0].startswith(_OUT_OF) and _critical(pod):
        if _makes_room(desk, pod, node, short):
            return
        refused = _no_room(short)
    if key in desk.c.held:
        desk.c.held = desk.c.held.delete(key)
        desk.pod(Thaw(key, anew=False))
    if refused is not None:
        desk.pod(Reject(key, *refused))


def _refusal(desk: Desk, pod: PodWorld, node: NodeState, short: Mapping[str, int]) -> tuple[str, str] | None:
    """Reason and message, in the kubelet's order: room, which can be made for critical Pods, then node affinity."""
    if node.shutdown is not None:
        return _SHUTTING_DOWN
    if node.pressure is not None and not admitted_under_pressure(_class(pod), _priority(pod), pod.api.spec.tolerations):
        return _UNDER_PRESSURE
    elsewhere = not wanted(pod.api.spec, node.node)
    if short and not (elsewhere and _critical(pod)):
        return _out_of(desk, pod, node, next(iter(short)))
    return _ELSEWHERE if elsewhere else None


def _short(desk: Desk, pod: PodWorld, node: NodeState) -> dict[str, int]:
    """How much the node has too little of for this Pod, which is counted among those on it.

    Extended resources that the node does not have at all are not looked at (removeMissingExtendedResources).
    """
    if node.capacity is None:
        return {}
    use = kubelet_use(desk, node.name)
    amounts = {PODS: (1, use.pods)}
    for name, asked in desk.c.requests[pod.key].items():
        amounts[name] = (asked, use.amounts.get(name, 0))
    known = {name: each for name, each in amounts.items() if name in node.capacity or "/" not in name}
    over = {name: used - node.capacity.get(name, 0) for name, (asked, used) in known.items() if asked}
    return {name: amount for name, amount in over.items() if amount > 0}


def _out_of(desk: Desk, pod: PodWorld, node: NodeState, name: str) -> tuple[str, str]:
    asked = 1 if name == PODS else desk.c.requests[pod.key].get(name, 0)
    use = kubelet_use(desk, node.name)
    used = (use.pods if name == PODS else use.amounts.get(name, 0)) - asked
    total = (node.capacity or {}).get(name, 0)
    return f"{_OUT_OF}{name}", too_little(name, asked, used, total)


def _no_room(short: Mapping[str, int]) -> tuple[str, str]:
    """What a critical Pod is refused with when no lesser ones would make room for it."""
    lacking = "".join(f"(res: {name}, q: {amount}), " for name, amount in short.items())
    why = f"error finding a set of pods to preempt: no set of running pods found to reclaim resources: [{lacking}]"
    said = f"Unexpected error while attempting to recover from admission failure: preemption: {why}"
    return "UnexpectedAdmissionError", said


def _makes_room(desk: Desk, pod: PodWorld, node: NodeState, short: Mapping[str, int]) -> bool:
    """Kill lesser Pods for a critical one, which waits until they have ended; whether it has to wait."""
    here = [p for p in desk.pods(desk.c.on_node.get(node.name, NO_KEYS)) if p.api.status.phase not in TERMINAL]
    if pod.key in desk.c.held and any(p.kill is not None for p in here):
        return True
    statuses = {p.key: preempted(_priority(pod), _priority(p)) for p in here if p.key != pod.key}
    lesser = [
        Lesser(p.key, _class(p), desk.c.requests[p.key])
        for p in here
        if statuses.get(p.key) is not None and p.kill is None
    ]
    chosen = victims(short, lesser)
    if not chosen:
        return False
    desk.c.held = desk.c.held.set(pod.key, None)
    desk.pod(Freeze(pod.key))
    for key in chosen:
        status = statuses[key]
        assert status is not None
        desk.event(key, "Warning", status.reason, status.message)
        desk.pod(Kill(key, status))
    return True


def _priority(pod: PodWorld) -> int:
    return pod.api.spec.priority or 0


def _class(pod: PodWorld) -> str:
    return pod.api.status.qosClass or "BestEffort"


def _critical(pod: PodWorld) -> bool:
    return preempted(_priority(pod), 0) is not None
