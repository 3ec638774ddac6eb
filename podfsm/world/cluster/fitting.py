"""Which nodes a Pod fits on: the scheduler's filters.

What depends on nodes alone (selector, affinity to nodes, taints, cordons) is remembered until a node changes, room and
ports until its use does; affinity to Pods and topology spread are looked at each time. Source:
pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from podfsm.kube.cluster import Node, Taint
from podfsm.kube.objects import Pod, PodSpec
from podfsm.rules.node_affinity import wanted
from podfsm.rules.node_loss import UNSCHEDULABLE
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.spread_nodes import Fit, filter_nodes
from podfsm.rules.taints import NO_SCHEDULE, untolerated
from podfsm.world.cluster.affinity import affinity_allows
from podfsm.world.cluster.indexes import host_ports
from podfsm.world.cluster.state import NO_KEYS, NodeState, Use
from podfsm.world.cluster.survey import NO_USE, Bits, Nodes, Open, asked
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_CORDON = Taint(UNSCHEDULABLE, "", NO_SCHEDULE)
_NO_REQUESTS: Mapping[str, int] = {}
Ports = frozenset[tuple[int, str]]

NOBODY: frozenset[str] = frozenset()
"""Pods that are taken to be gone already: none, or the victims of a preemption."""
ALL_LOOKED_AT = 100
"""Up to so many nodes are all looked at; of more only a share. Source: schedule_one.go (numFeasibleNodesToFind)."""


def fitting(desk: Desk, pod: PodWorld) -> tuple[Nodes, str]:
    """The nodes that take the Pod now, and if there are none, why, in the scheduler's words."""
    among = candidates(desk, pod.api)
    refused = dict(among.refused)
    found = among_pods(desk, pod, _with_room(desk, pod, among, refused), NOBODY, refused)
    return found, "" if found else _why(len(desk.c.nodes), refused)


def _with_room(desk: Desk, pod: PodWorld, among: Open, refused: dict[str, int]) -> Nodes:
    """Those with room: amounts, number of Pods, host ports. In a large cluster not all are looked at."""
    asked_for = desk.c.requests.get(pod.key, _NO_REQUESTS)
    ports = _ports(desk, pod)

    def why_not(node: NodeState, use: Use) -> str:
        return _lacking(asked_for, node, use, ()) or _in_the_way(desk, ports, node, NOBODY)

    whys = asked(desk, among, ("room", *asked_for.items(), ports), why_not)
    seen = _looked_at(desk, among, whys.get("", 0))
    for why, those in seen.split(whys).items():
        if why:
            _count(refused, why, those.bit_count())
    return Nodes(among, seen.bits & whys.get("", 0))


def _looked_at(desk: Desk, among: Open, fits: Bits) -> Nodes:
    """Which nodes the search comes by: it starts where the last one ended and stops when it has found enough."""
    many = len(among.nodes)
    if many <= ALL_LOOKED_AT:
        return among.all
    enough = max(ALL_LOOKED_AT, many * max(5, 50 - many // 125) // 100)
    start = desk.c.turn % many
    ahead = fits >> start | (fits & (1 << start) - 1) << many - start  # bit 0 is the node where it starts
    found_after = partial(_among_first, ahead)
    looked = min(bisect_left(range(many), enough, key=found_after), many)
    desk.c.turn = (start + looked) % many
    seen = (1 << looked) - 1 << start
    return Nodes(among, (seen | seen >> many) & among.all.bits)


def _among_first(bits: Bits, number: int) -> int:
    """How many of the lowest so many bits are set."""
    return (bits & (1 << number) - 1).bit_count()


def candidates(desk: Desk, pod: Pod) -> Open:
    """The nodes that selector, affinity to nodes, taints and cordons leave, by name."""
    spec = pod.spec
    key = repr((spec.nodeSelector, (spec.affinity or {}).get("nodeAffinity"), spec.tolerations))
    found = desk.c.fits.get(key)
    if found is None:
        why: dict[str, int] = {}
        found = desk.c.fits[key] = Open(
            tuple(n for n in _sorted(desk.c.nodes.values()) if _open_to(spec, n.node, why)), why
        )
    return found


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
    return not (lacking(desk, pod, node, gone) or _in_the_way(desk, _ports(desk, pod), node, gone))


def _ports(desk: Desk, pod: PodWorld) -> Ports:
    return host_ports(pod.api.spec) if pod.key in desk.c.ports else frozenset()


def _in_the_way(desk: Desk, ports: Ports, node: NodeState, gone: frozenset[str]) -> str:
    """What is said of a node on which one of these ports is taken; empty if none is."""
    clash = ports and ports & _taken(desk, node, gone)
    return "node(s) didn't have free ports for the requested pod ports" if clash else ""


def lacking(desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str]) -> str:
    """What the node has too little of; empty if it has room."""
    asked_for = desk.c.requests.get(pod.key, _NO_REQUESTS)
    return _lacking(asked_for, node, desk.c.used.get(node.name, NO_USE), [desk.c.requests[key] for key in gone])


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


def _taken(desk: Desk, node: NodeState, gone: frozenset[str]) -> set[tuple[int, str]]:
    return {port for pod in present(desk, node.name, gone) for port in host_ports(pod.spec)}


def present(desk: Desk, node: str, gone: frozenset[str] = NOBODY) -> list[Pod]:
    """The Pods on a node that have not finished."""
    keys = desk.c.on_node.get(node, NO_KEYS)
    pods = (desk.world.pods[key].api for key in sorted(keys) if key not in gone)
    return [pod for pod in pods if pod.status.phase not in TERMINAL]


def among_pods(desk: Desk, pod: PodWorld, nodes: Nodes, gone: frozenset[str], refused: dict[str, int]) -> Nodes:
    """The nodes that topology spread and affinity to Pods leave of these."""
    found = nodes
    constraints = pod.api.spec.topologySpreadConstraints
    if any(each.whenUnsatisfiable == "DoNotSchedule" for each in constraints):
        everywhere = [each.node for each in _sorted(desk.c.nodes.values())]
        on = {node.metadata.name: present(desk, node.metadata.name, gone) for node in everywhere}
        says = filter_nodes(pod.api, everywhere, on, constraints, desk.m.gates)
        found = nodes.only(lambda node: says[node.name] is Fit.OK)
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
