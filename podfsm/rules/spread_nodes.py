"""Topology spread constraints over nodes: which ones they let a Pod onto, and how much they like each.

Source: `pkg/scheduler/framework/plugins/podtopologyspread` (filtering.go, scoring.go).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.cluster import Node
from podfsm.kube.objects import Pod, TopologySpreadConstraint
from podfsm.rules.node_affinity import wanted
from podfsm.rules.taints import untolerated
from podfsm.rules.topology_spread import HARD, HONOR, HOSTNAME, SOFT, Spread, counted, spreads

MOST = 100
"""The score of the node that is liked best."""

_PAGE = "concepts/scheduling-eviction/topology-spread-constraints.md"
_DEFINITION = docs(f"{_PAGE}#spread-constraint-definition")
_PLUGIN = "pkg/scheduler/framework/plugins/podtopologyspread"
_FILTER = source(f"{_PLUGIN}/filtering.go", "Filter")

PodsOn = Mapping[str, Sequence[Pod]]
"""The Pods on each node, by the node's name."""


class Fit(str, Enum):
    """What the constraints say of one node."""

    OK = "ok"
    UNSCHEDULABLE = "unschedulable"
    """Not now; taking Pods away could help."""
    UNRESOLVABLE = "unresolvable"
    """Not as long as the node's labels are what they are."""


@derivation(
    "spread-filter",
    area="topology-spread",
    cites=[_DEFINITION, _FILTER],
    gate="EvenPodsSpread",
    seed=11,
    observable="PodScheduled False, Unschedulable: didn't match pod topology spread constraints",
    examples=[
        example(2, 1, 2, 1, gives=True),
        example(2, 1, 1, 1, gives=False),
        example(2, 0, 1, 1, gives=True),
        example(3, 1, 0, 4, gives=True),
    ],
)
def within_skew(matching: int, itself: int, minimum: int, max_skew: int) -> bool:
    """DoNotSchedule lets a node pass if its domain would stay within maxSkew of the emptiest domain.

    That is: the matching Pods there, plus 1 if the incoming Pod matches its own selector, less the global minimum.
    """
    return matching + itself - minimum <= max_skew


@derivation(
    "spread-min-domains",
    area="topology-spread",
    cites=[
        _DEFINITION,
        source(f"{_PLUGIN}/filtering.go", "minMatchNum"),
        source("pkg/apis/core/validation/validation.go", "validateMinDomains"),
    ],
    gate="MinDomainsInPodTopologySpread",
    seed=11,
    examples=[
        example((3, 2), 2, gives=2),
        example((3, 2), 3, gives=0),
        example((), 1, gives=0),
    ],
)
def global_minimum(counts: Iterable[int], min_domains: int) -> int:
    """The emptiest domain's count; 0 as long as there are fewer eligible domains than minDomains (1 unless given)."""
    listed = tuple(counts)
    return 0 if len(listed) < min_domains or not listed else min(listed)


@derivation(
    "spread-node-needs-keys",
    area="topology-spread",
    cites=[
        docs(f"{_PAGE}#implicit-conventions"),
        source(f"{_PLUGIN}/filtering.go", "calPreFilterState"),
        source(f"{_PLUGIN}/common.go", "nodeLabelsMatchSpreadConstraints"),
    ],
    gate="EvenPodsSpread",
    seed=11,
    examples=[
        example({"zone": "a", "host": "1"}, ("zone", "host"), gives=True),
        example({"zone": "a"}, ("zone", "host"), gives=False),
    ],
)
def has_keys(labels: Mapping[str, str], keys: Iterable[str]) -> bool:
    """A node counts only if it has the topologyKey labels of all constraints of the kind at hand.

    One that lacks any is left out of the counting for every constraint; for DoNotSchedule it cannot take the Pod.
    """
    return all(key in labels for key in keys)


@derivation(
    "spread-and",
    area="topology-spread",
    cites=[_DEFINITION, _FILTER],
    gate="EvenPodsSpread",
    seed=11,
    examples=[
        example((), gives=Fit.OK),
        example((Fit.OK, Fit.OK), gives=Fit.OK),
        example((Fit.OK, Fit.UNSCHEDULABLE, Fit.UNRESOLVABLE), gives=Fit.UNSCHEDULABLE),
    ],
)
def all_of(answers: Iterable[Fit]) -> Fit:
    """A node must satisfy all constraints; the first one, in spec order, that it fails says why."""
    return next((answer for answer in answers if answer is not Fit.OK), Fit.OK)


def filter_nodes(
    pod: Pod, nodes: Sequence[Node], on: PodsOn, constraints: Sequence[TopologySpreadConstraint], gates: Gates
) -> dict[str, Fit]:
    """What the DoNotSchedule constraints say of each node, by its name."""
    hard = spreads(pod, constraints, HARD, gates)
    counts = _domains(pod, hard, nodes, on)
    if not gates.at_least("1.33"):
        counts = _shared(hard, counts)
    least = [global_minimum(found.values(), each.min_domains) for each, found in zip(hard, counts, strict=True)]
    weighed = tuple(zip(hard, counts, least, strict=True))
    return {node.metadata.name: all_of(_judged(node, *each) for each in weighed) for node in nodes}


def _judged(node: Node, spread: Spread, counts: Mapping[str, int], minimum: int) -> Fit:
    domain = node.metadata.labels.get(spread.key)
    if domain is None:
        return Fit.UNRESOLVABLE
    fine = within_skew(counts.get(domain, 0), spread.itself, minimum, spread.max_skew)
    return Fit.OK if fine else Fit.UNSCHEDULABLE


def _domains(pod: Pod, chosen: Sequence[Spread], nodes: Iterable[Node], on: PodsOn) -> list[dict[str, int]]:
    """For each constraint the matching Pods of each eligible domain."""
    counts: list[dict[str, int]] = [{} for _ in chosen]
    keys = tuple(each.key for each in chosen)
    for node in nodes:
        labels = node.metadata.labels
        if has_keys(labels, keys):
            for spread, found in zip(chosen, counts, strict=True):
                if _included(spread, pod, node):
                    domain = labels[spread.key]
                    found[domain] = found.get(domain, 0) + _matching(spread, pod, node, on)
    return counts


def _shared(chosen: Sequence[Spread], counts: Sequence[dict[str, int]]) -> list[dict[str, int]]:
    """Before 1.33 constraints with one topologyKey had one count together; the API refuses such a pair anyway."""
    together: dict[str, dict[str, int]] = {}
    for spread, found in zip(chosen, counts, strict=True):
        sums = together.setdefault(spread.key, {})
        for domain, count in found.items():
            sums[domain] = sums.get(domain, 0) + count
    return [together[spread.key] for spread in chosen]


def _included(spread: Spread, pod: Pod, node: Node) -> bool:
    if spread.affinity == HONOR and not wanted(pod.spec, node):
        return False
    return spread.taints != HONOR or untolerated(node.spec.taints, pod.spec.tolerations) is None


def _matching(spread: Spread, pod: Pod, node: Node, on: PodsOn) -> int:
    namespace = pod.metadata.namespace
    return sum(counted(each, namespace, spread.selector) for each in on.get(node.metadata.name, ()))


def score_nodes(
    pod: Pod,
    nodes: Sequence[Node],
    on: PodsOn,
    constraints: Sequence[TopologySpreadConstraint],
    gates: Gates,
    *,
    feasible: Sequence[Node] | None = None,
) -> tuple[dict[str, int], dict[str, int]]:
    """What the ScheduleAnyway constraints say of each feasible node: raw scores (low is good) and 0 to 100 (high is).

    `feasible` are the nodes that passed every filter, all of `nodes` unless given. A node that lacks one of the
    topologyKeys has 0 and 0.
    """
    candidates = nodes if feasible is None else feasible
    soft = spreads(pod, constraints, SOFT, gates)
    keys = tuple(each.key for each in soft)
    named = [node for node in candidates if has_keys(node.metadata.labels, keys)]
    counts = _domains(pod, soft, nodes, on)
    weights = [
        _weight(len(named) if key == HOSTNAME else len({node.metadata.labels[key] for node in named})) for key in keys
    ]
    raw = {node.metadata.name: 0 for node in candidates}
    for node in named:
        total = 0.0
        for spread, found, weight in zip(soft, counts, weights, strict=True):
            # counted on the node itself for hosts: policies do not exclude it then
            host = spread.key == HOSTNAME
            count = _matching(spread, pod, node, on) if host else found.get(node.metadata.labels[spread.key], 0)
            total += count * weight + (spread.max_skew - 1)
        raw[node.metadata.name] = math.floor(total + 0.5)
    return raw, _normalized(raw, {node.metadata.name for node in named})


def _weight(domains: int) -> float:
    """More domains weigh more: otherwise a key with few of them would drown the others."""
    return math.log(domains + 2)


def _normalized(raw: Mapping[str, int], named: set[str]) -> dict[str, int]:
    """Raw scores turned over and stretched to 0..100; nodes that were not weighed have 0."""
    weighed = [raw[name] for name in named]
    least, most = min(weighed, default=0), max(weighed, default=0)
    return {
        name: 0 if name not in named else MOST if not most else MOST * (most + least - score) // most
        for name, score in raw.items()
    }
