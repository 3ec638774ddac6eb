"""Which nodes a Pod fits on: the scheduler's filters.

What depends on nodes alone (selector, affinity to nodes, taints, cordons) is remembered until a node changes; room,
ports, affinity to Pods and topology spread are looked at each time. Source: pkg/scheduler/framework/plugins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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


def _with_room(desk: Desk, pod: PodWorld, nodes: list[NodeState], refused: dict[str, int]) -> list[NodeState]:
    """Those with room; in a large cluster the search starts where the last one ended and stops when it has enough."""
    many = len(nodes)
    if many <= ALL_LOOKED_AT:
        return [node for node in nodes if fits_now(desk, pod, node, NOBODY, refused)]
    enough = max(ALL_LOOKED_AT, many * max(5, 50 - many // 125) // 100)
    start, found, looked = desk.c.turn % many, [], 0
    for looked in range(1, many + 1):
        node = nodes[(start + looked - 1) % many]
        if fits_now(desk, pod, node, NOBODY, refused):
            found.append(node)
            if len(found) == enough:
                break
    desk.c.turn = (start + looked) % many
    return _sorted(found)


def candidates(desk: Desk, pod: Pod, refused: dict[str, int] | None = None) -> list[NodeState]:
    """The nodes that selector, affinity to nodes, taints and cordons leave, by name."""
    spec = pod.spec
    key = repr((spec.nodeSelector, (spec.affinity or {}).get("nodeAffinity"), spec.tolerations))
    names = desk.c.fits.get(key)
    counted: dict[str, int] = {}
    if names is None:
        names = tuple(n.name for n in _sorted(desk.c.nodes.values()) if _open_to(spec, n.node, counted))
        desk.c.fits[key] = names
        desk.c.fits[f"why {key}"] = tuple(f"{count} {why}" for why, count in counted.items())
    if refused is not None:
        for each in desk.c.fits[f"why {key}"]:
            count, why = each.split(" ", 1)
            refused[why] = int(count)
    return [desk.c.nodes[name] for name in names]


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


def fits_now(
    desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str], refused: dict[str, int] | None = None
) -> bool:
    """Whether a node has room for the Pod: amounts, number of Pods, host ports."""
    why = lacking(desk, pod, node, gone)
    if not why and pod.key in desk.c.ports and host_ports(pod.api.spec) & _taken(desk, node, gone):
        why = "node(s) didn't have free ports for the requested pod ports"
    if why and refused is not None:
        refused[why] = refused.get(why, 0) + 1
    return not why


def lacking(desk: Desk, pod: PodWorld, node: NodeState, gone: frozenset[str]) -> str:
    """What the node has too little of; empty if it has room."""
    if node.capacity is None:
        return ""
    used, capacity = desk.c.used.get(node.name, _NOTHING), node.capacity
    if used.pods - len(gone) >= capacity["pods"]:
        return "Too many pods"
    taken = used.amounts
    for name, asked in desk.c.requests.get(pod.key, _NO_REQUESTS).items():
        left = taken.get(name, 0) + asked - capacity.get(name, 0)
        if asked and left > 0 and left > sum(desk.c.requests[key].get(name, 0) for key in gone):
            return f"Insufficient {name}"
    return ""


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
