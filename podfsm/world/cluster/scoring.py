"""Which of the nodes that fit is taken: the one with the highest score, the first by name among equals.

The real scheduler draws among equals. Scores are sums of weighed scores from 0 to 100. Left out: balance between
resources, images already present, preferred affinity between Pods. Source:
pkg/scheduler/apis/config/v1/default_plugins.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod
from podfsm.rules.node_affinity import term_fits
from podfsm.rules.spread_nodes import score_nodes
from podfsm.rules.taints import PREFER_NO_SCHEDULE, tolerates
from podfsm.world.cluster.fitting import answers, present
from podfsm.world.cluster.state import NodeState, Use
from podfsm.world.cluster.tallies import NOTHING
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

WEIGHTS = {"taints": 3, "affinity": 2, "spread": 2, "owner": 2, "room": 1}
MOST = 100
_ASSUMED = {"cpu": 100, "memory": 200 * 1024 * 1024}
"""What a Pod without requests is taken to need when room is compared. Source: util/pod_resources.go."""
_SPREAD = ("ReplicaSet", "ReplicationController")
"""Owners whose Pods have default spread constraints. Source: plugins/helper/spread.go (DefaultSelector)."""


def best(desk: Desk, pod: PodWorld, nodes: Sequence[NodeState]) -> NodeState:
    """The node with the highest score; `nodes` are sorted by name and not empty."""
    if len(nodes) == 1:
        return nodes[0]
    scores = [WEIGHTS["room"] * int(room) for room in answers(desk, "free", _room, nodes)]
    scores = _plus(scores, "owner", _normal(_of_same_owner(desk, pod.api, nodes), reverse=True))
    if any(t.effect == PREFER_NO_SCHEDULE for n in nodes for t in n.node.spec.taints):
        scores = _plus(scores, "taints", _normal([_disliked(pod.api, n) for n in nodes], reverse=True))
    if ((pod.api.spec.affinity or {}).get("nodeAffinity") or {}).get(_PREFERRED):
        scores = _plus(scores, "affinity", _normal([_preferred(pod.api, n) for n in nodes]))
    if any(each.whenUnsatisfiable == "ScheduleAnyway" for each in pod.api.spec.topologySpreadConstraints):
        spread = _spread(desk, pod.api, nodes)
        scores = _plus(scores, "spread", [spread.get(node.name, 0.0) for node in nodes])
    return nodes[scores.index(max(scores))]


_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _plus(scores: Sequence[int], kind: str, found: Sequence[float]) -> list[int]:
    weight = WEIGHTS[kind]
    return [score + weight * int(more) for score, more in zip(scores, found, strict=True)]


def _normal(raw: Sequence[int], *, reverse: bool = False) -> list[float]:
    """Counts brought to 0 to 100; reversed, the least has the most."""
    top = max(raw)
    if not top:
        return [float(MOST if reverse else 0)] * len(raw)
    return [MOST * (top - count if reverse else count) / top for count in raw]


def _room(node: NodeState, used: Use) -> float:
    """The mean share of CPU and memory that is free, with an assumed need for each Pod that states none."""
    if node.capacity is None:
        return float(MOST)
    free = 0.0
    for name, assumed in _ASSUMED.items():
        total = node.capacity.get(name, 0)
        if total:
            free += max(0.0, 1.0 - max(used.amounts.get(name, 0), assumed * used.pods) / total)
    return MOST * free / len(_ASSUMED)


def _of_same_owner(desk: Desk, pod: Pod, nodes: Sequence[NodeState]) -> list[int]:
    """How many Pods of the same owner each node has: those of replica sets are spread over hosts by default."""
    owner = next((o.uid for o in pod.metadata.ownerReferences if o.controller and o.kind in _SPREAD), "")
    if not owner or pod.spec.topologySpreadConstraints:
        return [0] * len(nodes)
    on = desk.c.tallies.get(owner, NOTHING).placed
    return [on.get(node.node.metadata.name, 0) for node in nodes]


def _disliked(pod: Pod, node: NodeState) -> int:
    """How many PreferNoSchedule taints the Pod does not tolerate."""
    soft = (taint for taint in node.node.spec.taints if taint.effect == PREFER_NO_SCHEDULE)
    return sum(not any(tolerates(toleration, taint) for toleration in pod.spec.tolerations) for taint in soft)


def _preferred(pod: Pod, node: NodeState) -> int:
    """The sum of the weights of the preferred terms of node affinity that the node fits."""
    terms = ((pod.spec.affinity or {}).get("nodeAffinity") or {}).get(_PREFERRED) or ()
    return sum(int(t.get("weight") or 0) for t in terms if term_fits(t.get("preference") or {}, node.node))


def _spread(desk: Desk, pod: Pod, nodes: Sequence[NodeState]) -> Mapping[str, float]:
    everywhere = [desk.c.nodes[name].node for name in sorted(desk.c.nodes)]
    on = {node.metadata.name: present(desk, node.metadata.name) for node in everywhere}
    feasible = [node.node for node in nodes]
    constraints = pod.spec.topologySpreadConstraints
    _, scores = score_nodes(pod, everywhere, on, constraints, desk.m.gates, feasible=feasible)
    return scores
