"""Affinity and anti-affinity between Pods, as far as they are required.

A term speaks of domains: nodes with equal values of its topologyKey. Anti-affinity holds both ways: a Pod that is there
keeps out those that its own terms name. Source: pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from podfsm.kube.objects import LabelSelector, Pod
from podfsm.kube.selector import matches
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.state import NodeState
from podfsm.world.cluster.survey import Nodes

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
Term = Mapping[str, Any]


def required(pod: Pod, kind: str) -> Sequence[Term]:
    """The required terms of podAffinity or podAntiAffinity."""
    found: Sequence[Term] = ((pod.spec.affinity or {}).get(kind) or {}).get(_REQUIRED) or ()
    return found


def concerns(term: Term, owner: Pod, other: Pod) -> bool:
    """Whether a term of one Pod speaks of another: by namespace and labels."""
    selector = term.get("labelSelector")
    namespaces = term.get("namespaces") or (owner.metadata.namespace,)
    if other.metadata.namespace not in namespaces or selector is None:
        return False
    return matches(msgspec.convert(selector, LabelSelector), other.metadata.labels)


def affinity_allows(desk: Desk, pod: Pod, nodes: Nodes, gone: Collection[str]) -> Nodes:
    """The nodes that required affinity and anti-affinity, the Pod's own and that of Pods already there, leave."""
    towards, away = required(pod, "podAffinity"), required(pod, "podAntiAffinity")
    if not nodes or not (towards or away or desk.c.picky):
        return nodes
    placed = _placed(desk, gone) if towards or away else []
    avoided = [(_key(term), _domains(desk, term, pod, placed)) for term in away]
    avoided += _kept_out_by(desk, pod, gone)
    wanted: list[tuple[str, set[str] | None]] = []
    for term in towards:
        domains = _domains(desk, term, pod, placed)
        anywhere = not domains and concerns(term, pod, pod)  # the first of a group that attracts itself
        wanted.append((_key(term), None if anywhere else domains))
    return nodes.only(lambda node: _accepted(node, wanted, avoided))


def _accepted(
    node: NodeState, wanted: Sequence[tuple[str, set[str] | None]], avoided: Sequence[tuple[str, set[str]]]
) -> bool:
    labels = node.node.metadata.labels
    if any(key not in labels or (domains is not None and labels[key] not in domains) for key, domains in wanted):
        return False
    return not any(labels.get(key) in domains for key, domains in avoided)


def _placed(desk: Desk, gone: Collection[str]) -> list[Pod]:
    keys = (key for on in desk.c.on_node.values() for key in on if key not in gone)
    pods = (desk.world.pods[key].api for key in keys)
    return [pod for pod in pods if pod.status.phase not in TERMINAL and pod.spec.nodeName in desk.c.nodes]


def _key(term: Term) -> str:
    return str(term.get("topologyKey") or "")


def _domains(desk: Desk, term: Term, pod: Pod, placed: Sequence[Pod]) -> set[str]:
    """The domains in which there is a Pod that the term speaks of."""
    key = _key(term)
    labels = (desk.c.nodes[p.spec.nodeName].node.metadata.labels for p in placed if concerns(term, pod, p))
    return {found[key] for found in labels if key in found}


def _kept_out_by(desk: Desk, pod: Pod, gone: Collection[str]) -> list[tuple[str, set[str]]]:
    """The domains that Pods already there want for themselves."""
    kept = []
    for other in (desk.world.pods[key].api for key in desk.c.picky if key not in gone):
        node = desk.c.nodes.get(other.spec.nodeName)
        if node is None or other.status.phase in TERMINAL:
            continue
        for term in required(other, "podAntiAffinity"):
            domain = node.node.metadata.labels.get(_key(term))
            if domain is not None and concerns(term, other, pod):
                kept.append((_key(term), {domain}))
    return kept
