"""Which of the nodes that fit is taken: the one with the highest score, the first by name among equals.

The real scheduler draws among equals. Scores are sums of weighed scores from 0 to 100. Left out: balance between
resources, images already present, preferred affinity between Pods. Source:
pkg/scheduler/apis/config/v1/default_plugins.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod
from podfsm.rules.node_affinity import term_fits
from podfsm.rules.spread_nodes import score_nodes
from podfsm.rules.taints import PREFER_NO_SCHEDULE, tolerates
from podfsm.world.cluster.fitting import present
from podfsm.world.cluster.state import NodeState, Use
from podfsm.world.cluster.survey import Bits, Nodes, asked, sets_of
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


def best(desk: Desk, pod: PodWorld, nodes: Nodes) -> NodeState:
    """The node with the highest score; there must be one."""
    if len(nodes) == 1:
        return nodes.first
    among = nodes.among
    scores = _plus({0: nodes.bits}, "room", nodes.split(asked(desk, among, "free", _room)))
    scores = _plus(scores, "owner", _normal(_of_same_owner(desk, pod.api, nodes), reverse=True))
    disliked = asked(desk, among, "disliked", lambda node, _: _disliked(pod.api, node))
    scores = _plus(scores, "taints", _normal(nodes.split(disliked), reverse=True))
    if ((pod.api.spec.affinity or {}).get("nodeAffinity") or {}).get(_PREFERRED):
        preferred = asked(desk, among, "preferred", lambda node, _: _preferred(pod.api, node))
        scores = _plus(scores, "affinity", _normal(nodes.split(preferred)))
    if any(each.whenUnsatisfiable == "ScheduleAnyway" for each in pod.api.spec.topologySpreadConstraints):
        spread = _spread(desk, pod.api, nodes)
        scores = _plus(scores, "spread", nodes.by((node, int(spread.get(node.name, 0))) for node in nodes))
    return Nodes(among, scores[max(scores)]).first


_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def _plus(scores: Mapping[int, Bits], kind: str, found: Mapping[int, Bits]) -> dict[int, Bits]:
    """The sets of nodes by score, once each node has got its points of one more kind."""
    weight, sums = WEIGHTS[kind], dict[int, Bits]()
    for score, those in scores.items():
        for points, others in found.items():
            if both := those & others:
                total = score + weight * points
                sums[total] = sums.get(total, 0) | both
    return sums


def _normal(raw: Mapping[int, Bits], *, reverse: bool = False) -> dict[int, Bits]:
    """Counts brought to 0 to 100; reversed, the least has the most."""
    top, found = max(raw), dict[int, Bits]()
    for count, those in raw.items():
        points = int(MOST * (top - count if reverse else count) / top) if top else MOST if reverse else 0
        found[points] = found.get(points, 0) | those
    return found


def _room(node: NodeState, used: Use) -> int:
    """The mean share of CPU and memory that is free, with an assumed need for each Pod that states none."""
    if node.capacity is None:
        return MOST
    free = 0.0
    for name, assumed in _ASSUMED.items():
        total = node.capacity.get(name, 0)
        if total:
            free += max(0.0, 1.0 - max(used.amounts.get(name, 0), assumed * used.pods) / total)
    return int(MOST * free / len(_ASSUMED))


def _of_same_owner(desk: Desk, pod: Pod, nodes: Nodes) -> dict[int, Bits]:
    """How many Pods of the same owner each node has: those of replica sets are spread over hosts by default."""
    owner = next((o.uid for o in pod.metadata.ownerReferences if o.controller and o.kind in _SPREAD), "")
    if not owner or pod.spec.topologySpreadConstraints:
        return {0: nodes.bits}
    places, on = nodes.among.places, desk.c.tallies.get(owner, NOTHING).placed
    found = nodes.split(sets_of((places[name], count) for name, count in on.items() if name in places))
    without = nodes.bits & ~sum(found.values())
    return {**found, 0: without} if without else found


def _disliked(pod: Pod, node: NodeState) -> int:
    """How many PreferNoSchedule taints the Pod does not tolerate."""
    soft = (taint for taint in node.node.spec.taints if taint.effect == PREFER_NO_SCHEDULE)
    return sum(not any(tolerates(toleration, taint) for toleration in pod.spec.tolerations) for taint in soft)


def _preferred(pod: Pod, node: NodeState) -> int:
    """The sum of the weights of the preferred terms of node affinity that the node fits."""
    terms = ((pod.spec.affinity or {}).get("nodeAffinity") or {}).get(_PREFERRED) or ()
    return sum(int(t.get("weight") or 0) for t in terms if term_fits(t.get("preference") or {}, node.node))


def _spread(desk: Desk, pod: Pod, nodes: Nodes) -> Mapping[str, int]:
    everywhere = [desk.c.nodes[name].node for name in sorted(desk.c.nodes)]
    on = {node.metadata.name: present(desk, node.metadata.name) for node in everywhere}
    feasible = [node.node for node in nodes]
    constraints = pod.spec.topologySpreadConstraints
    _, scores = score_nodes(pod, everywhere, on, constraints, desk.m.gates, feasible=feasible)
    return scores
