"""Which nodes a Pod fits on: the scheduler's filters.

What depends on nodes alone (selector, affinity to nodes, taints, cordons) is remembered until a node changes; room,
ports, affinity to Pods and topology spread are looked at each time. Source: pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from podfsm.kube.cluster import Node, Taint
from podfsm.kube.objects import Pod, PodSpec
from podfsm.rules.node_affinity import wanted
from podfsm.rules.node_loss import UNSCHEDULABLE
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.spread_nodes import Fit, filter_nodes
from podfsm.rules.taints import NO_SCHEDULE, untolerated
from podfsm.world.cluster.affinity import affinity_allows
from podfsm.world.cluster.indexes import host_ports
from podfsm.world.cluster.state import NO_KEYS, NodeState, Open, Use
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_CORDON = Taint(UNSCHEDULABLE, "", NO_SCHEDULE)
_NOTHING = Use()
_NO_REQUESTS: Mapping[str, int] = {}

NOBODY: frozenset[str] = frozenset()
"""Pods that are taken to be gone already: none, or the victims of a preemption."""
ALL_LOOKED_AT = 100
"""Up to so many nodes are all looked at; of more only a share. Source: schedule_one.go (numFeasibleNodesToFind)."""


def fitting(desk: Desk, pod: PodWorld) -> tuple[list[NodeState], str]:
    """The nodes that take the Pod now, and if there are none, why, in the scheduler's words."""
    refused: dict[str, int] = {}
    found = _with_room(desk, pod, candidates(desk, pod.api, refused), refused)
    found = among_pods(desk, pod, found, NOBODY, refused)
    return found, "" if found else _why(len(desk.c.nodes), refused)


def _with_room(desk: Desk, pod: PodWorld, nodes: Sequence[NodeState], refused: dict[str, int]) -> list[NodeState]:
    """Those with room; in a large cluster the search starts where the last one ended and stops when it has enough."""
    many = len(nodes)
    if many <= ALL_LOOKED_AT:
        return roomy(desk, pod, nodes, refused)
    enough = max(ALL_LOOKED_AT, many * max(5, 50 - many // 125) // 100)
    start, looked = desk.c.turn % many, 0
    order, found = (*nodes[start:], *nodes[:start]), list[NodeState]()
    while looked < many and len(found) < enough:
        batch = order[looked : looked + enough - len(found)]
        looked += len(batch)
        found += roomy(desk, pod, batch, refused)
    desk.c.turn = (start + looked) % many
    return _sorted(found)


def roomy(desk: Desk, pod: PodWorld, nodes: Sequence[NodeState], refused: dict[str, int]) -> list[NodeState]:
    """The nodes that have room for the Pod: amounts, number of Pods, host ports."""
    whys = answers(desk, *_room_for(desk.c.requests.get(pod.key, _NO_REQUESTS)), nodes)
    if pod.key in desk.c.ports:
        whys = [why or _in_the_way(desk, pod, node, NOBODY) for node, why in zip(nodes, whys, strict=True)]
    if any(whys):
        for why in filter(None, whys):
            _count(refused, why, 1)
        return [node for node, why in zip(nodes, whys, strict=True) if not why]
    return list(nodes)


def candidates(desk: Desk, pod: Pod, refused: dict[str, int] | None = None) -> Sequence[NodeState]:
    """The nodes that selector, affinity to nodes, taints and cordons leave, by name."""
    spec = pod.spec
    key = repr((spec.nodeSelector, (spec.affinity or {}).get("nodeAffinity"), spec.tolerations))
    found = desk.c.fits.get(key)
    if found is None:
        why: dict[str, int] = {}
        found = desk.c.fits[key] = Open(
            tuple(n for n in _sorted(desk.c.nodes.values()) if _open_to(spec, n.node, why)), why
        )
    if refused is not None:
        refused.update(found.refused)
    return found.nodes


def _sorted(nodes: Iterable[NodeState]) -> list[NodeState]:
    return sorted(nodes, key=lambda node: node.name)


def _open_to(spec: PodSpec, node: Node, refused: dict[str, int]) -> bool:
    why = ""
    if node.spec.unschedulable and untolerated((_CORDON,), spec.tolerations) is not None:
        why = "node(s) were unschedulable"
    elif (taint := untolerated(node.spec.taints, spec.tolerations)) is not None:
        why = f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}"
    elif not wanted(spec, node):
        why = "node(s) didn't match Pod's node affinity/selector"
    if why:
        refused[why] = refused.get(why, 0) + 1
    return not why


def fits_now(desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str]) -> bool:
    """Whether a node has room for the Pod once some others have gone."""
    return not (lacking(desk, pod, node, gone) or (pod.key in desk.c.ports and _in_the_way(desk, pod, node, gone)))


def _in_the_way(desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str]) -> str:
    """What is said of a node on which a port that the Pod wants is taken; empty if none is."""
    clash = host_ports(pod.api.spec) & _taken(desk, node, gone)
    return "node(s) didn't have free ports for the requested pod ports" if clash else ""


def lacking(desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str]) -> str:
    """What the node has too little of; empty if it has room."""
    asked = desk.c.requests.get(pod.key, _NO_REQUESTS)
    if not gone:
        return answers(desk, *_room_for(asked), (node,))[0]
    return _lacking(asked, node, desk.c.used.get(node.name, _NOTHING), [desk.c.requests[key] for key in gone])


def _room_for(asked: Mapping[str, int]) -> tuple[object, Callable[[NodeState, Use], str]]:
    """The question whether a node has room for these amounts, for `answers`."""
    return ("room", *asked.items()), lambda node, use: _lacking(asked, node, use, ())


def _lacking(asked: Mapping[str, int], node: NodeState, used: Use, freed: Sequence[Mapping[str, int]]) -> str:
    if node.capacity is None:
        return ""
    if used.pods - len(freed) >= node.capacity["pods"]:
        return "Too many pods"
    for name, amount in asked.items():
        left = used.amounts.get(name, 0) + amount - node.capacity.get(name, 0)
        if amount and left > 0 and left > sum(each.get(name, 0) for each in freed):
            return f"Insufficient {name}"
    return ""


T = TypeVar("T")


def answers(
    desk: Desk, question: object, work_out: Callable[[NodeState, Use], T], nodes: Iterable[NodeState]
) -> list[T]:
    """The answers to a question that a node and its use decide; worked out again for nodes that have changed.

    Most of a scheduler's time goes by here.
    """
    known = desk.c.rooms.setdefault(question, {})
    used, found = desk.c.used, []
    for node in nodes:
        name = node.node.metadata.name
        use, last = used.get(name, _NOTHING), known.get(name)
        if last is None or last[0] is not use or last[1] is not node:
            last = known[name] = (use, node, work_out(node, use))
        found.append(last[2])
    return found


def _taken(desk: Desk, node: NodeState, gone: frozenset[str]) -> set[tuple[int, str]]:
    return {port for pod in present(desk, node.name, gone) for port in host_ports(pod.spec)}


def present(desk: Desk, node: str, gone: frozenset[str] = NOBODY) -> list[Pod]:
    """The Pods on a node that have not finished."""
    keys = desk.c.on_node.get(node, NO_KEYS)
    pods = (desk.world.pods[key].api for key in sorted(keys) if key not in gone)
    return [pod for pod in pods if pod.status.phase not in TERMINAL]


def among_pods(
    desk: Desk, pod: PodWorld, nodes: Sequence[NodeState], gone: frozenset[str], refused: dict[str, int]
) -> list[NodeState]:
    """The nodes that topology spread and affinity to Pods leave of these."""
    found = list(nodes)
    constraints = pod.api.spec.topologySpreadConstraints
    if any(each.whenUnsatisfiable == "DoNotSchedule" for each in constraints):
        everywhere = [each.node for each in _sorted(desk.c.nodes.values())]
        on = {node.metadata.name: present(desk, node.metadata.name, gone) for node in everywhere}
        says = filter_nodes(pod.api, everywhere, on, constraints, desk.m.gates)
        found = [node for node in found if says[node.name] is Fit.OK]
        _count(refused, "node(s) didn't match pod topology spread constraints", len(nodes) - len(found))
    left = affinity_allows(desk, pod.api, found, gone)
    _count(refused, "node(s) didn't satisfy pod (anti-)affinity rules", len(found) - len(left))
    return left


def _count(refused: dict[str, int], why: str, many: int) -> None:
    if many:
        refused[why] = refused.get(why, 0) + many


def _why(nodes: int, refused: Mapping[str, Any]) -> str:
    reasons = sorted(f"{count} {why}" for why, count in refused.items())
    return f"0/{nodes} nodes are available" + (": " + ", ".join(reasons) if reasons else "") + "."
