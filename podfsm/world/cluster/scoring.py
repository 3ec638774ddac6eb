"""Which of the nodes that fit is taken: the one with the highest score, the first by name among equals.

The real scheduler draws among equals. Scores are sums of weighed scores from 0 to 100. Left out: balance between
resources, images already present, preferred affinity between Pods. Source:
pkg/scheduler/apis/config/v1/default_plugins.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod
from podfsm.rules.node_affinity import term_fits
from podfsm.rules.spread_nodes import score_nodes
from podfsm.rules.taints import PREFER_NO_SCHEDULE, tolerates
from podfsm.world.cluster.fitting import present
from podfsm.world.cluster.state import NodeState, Use
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

WEIGHTS = {"taints": 3, "affinity": 2, "spread": 2, "owner": 2, "room": 1}
MOST = 100
_ASSUMED = {"cpu": 100, "memory": 200 * 1024 * 1024}
"""What a Pod without requests is taken to need when room is compared. Source: util/pod_resources.go."""
_NOTHING = Use()
_SPREAD = ("ReplicaSet", "ReplicationController")
"""Owners whose Pods have default spread constraints. Source: plugins/helper/spread.go (DefaultSelector)."""


def best(desk: Desk, pod: PodWorld, nodes: Sequence[NodeState]) -> NodeState:
    """The node with the highest score; `nodes` are sorted by name and not empty."""
    if len(nodes) == 1:
        return nodes[0]
    scores = dict.fromkeys((node.name for node in nodes), 0.0)
    _add(scores, "room", {node.name: _room(desk, node) for node in nodes})
    _add(scores, "owner", _normal(_of_same_owner(desk, pod.api, nodes), reverse=True))
    if any(t.effect == PREFER_NO_SCHEDULE for n in nodes for t in n.node.spec.taints):
        _add(scores, "taints", _normal({n.name: _disliked(pod.api, n) for n in nodes}, reverse=True))
    if ((pod.api.spec.affinity or {}).get("nodeAffinity") or {}).get(_PREFERRED):
        _add(scores, "affinity", _normal({n.name: _preferred(pod.api, n) for n in nodes}))
    if any(each.whenUnsatisfiable == "ScheduleAnyway" for each in pod.api.spec.topologySpreadConstraints):
        _add(scores, "spread", _spread(desk, pod.api, nodes))
    return max(nodes, key=lambda node: scores[node.name])


_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _add(scores: dict[str, float], kind: str, found: Mapping[str, float]) -> None:
    for name, score in found.items():
        scores[name] += WEIGHTS[kind] * int(score)


def _normal(raw: Mapping[str, int], *, reverse: bool = False) -> dict[str, float]:
    """Counts brought to 0 to 100; reversed, the least has the most."""
    top = max(raw.values())
    if not top:
        return dict.fromkeys(raw, float(MOST if reverse else 0))
    return {name: MOST * (top - count if reverse else count) / top for name, count in raw.items()}


def _room(desk: Desk, node: NodeState) -> float:
    """The mean share of CPU and memory that is free, with an assumed need for each Pod that states none."""
    if node.capacity is None:
        return float(MOST)
    used, free = desk.c.used.get(node.name, _NOTHING), 0.0
    for name, assumed in _ASSUMED.items():
        total = node.capacity.get(name, 0)
        if total:
            free += max(0.0, 1.0 - max(used.amounts.get(name, 0), assumed * used.pods) / total)
    return MOST * free / len(_ASSUMED)


def _of_same_owner(desk: Desk, pod: Pod, nodes: Sequence[NodeState]) -> dict[str, int]:
    """How many Pods of the same owner each node has: those of replica sets are spread over hosts by default."""
    counts: Counter[str] = Counter()
    owner = next((o.uid for o in pod.metadata.ownerReferences if o.controller and o.kind in _SPREAD), "")
    if owner and not pod.spec.topologySpreadConstraints:
        for key in desk.c.owned.get(owner, ()):
            other = desk.world.pods[key].api
            if other.spec.nodeName and other.metadata.deletionTimestamp is None:
                counts[other.spec.nodeName] += 1
    return {node.name: counts[node.name] for node in nodes}


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
