"""Topology spread constraints: what they say, which Pods and nodes they count. Judging nodes is in `spread_nodes`.

A constraint compares the domains of one node label (`topologyKey`): no domain may hold more than `maxSkew` matching
Pods above the emptiest one. DoNotSchedule keeps the Pod off a node; ScheduleAnyway only makes it less liked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, invariant, source, validation
from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    LabelSelector,
    LabelSelectorRequirement,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
    TopologySpreadConstraint,
)
from podfsm.kube.selector import matches
from podfsm.rules.node_trouble import was_rejected

HARD, SOFT = "DoNotSchedule", "ScheduleAnyway"
HONOR, IGNORE = "Honor", "Ignore"
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"

_PAGE = "concepts/scheduling-eviction/topology-spread-constraints.md"
_DEFINITION = docs(f"{_PAGE}#spread-constraint-definition")
_CONVENTIONS = docs(f"{_PAGE}#implicit-conventions")
_PLUGIN = "pkg/scheduler/framework/plugins/podtopologyspread"
_CONSTRAINTS = source(f"{_PLUGIN}/common.go", "filterTopologySpreadConstraints")

_WEB = LabelSelector({"app": "web"})
_ZONES = TopologySpreadConstraint(1, ZONE, HARD, _WEB)
_HOSTS = TopologySpreadConstraint(1, HOSTNAME, SOFT, _WEB)


def _pod(*, namespace: str = "default", deleting: bool = False, scheduled: str = "") -> Pod:
    conditions = (PodCondition(type="PodScheduled", status=scheduled),) if scheduled else ()
    metadata = ObjectMeta(
        namespace=namespace,
        uid="u",
        labels={"app": "web"},
        deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC) if deleting else None,
    )
    return Pod(metadata=metadata, status=PodStatus(conditions=conditions))


@validation(
    "spread-fields",
    machine=(),
    cites=[_DEFINITION, source("pkg/apis/core/validation/validation.go", "validateTopologySpreadConstraints")],
    gate="EvenPodsSpread",
    seed=11,
    observable="spec.topologySpreadConstraints",
    allows=[(), ((_ZONES, _HOSTS),), ((_ZONES, TopologySpreadConstraint(2, ZONE, SOFT)),)],
    refuses=[
        ((TopologySpreadConstraint(0, ZONE, HARD),),),
        ((TopologySpreadConstraint(1, "", HARD),),),
        ((TopologySpreadConstraint(1, ZONE, "Maybe"),),),
        ((_ZONES, TopologySpreadConstraint(3, ZONE, HARD)),),
    ],
)
def well_formed(constraints: Sequence[TopologySpreadConstraint] = ()) -> bool:
    """A constraint has a maxSkew above 0, a topologyKey, and whenUnsatisfiable DoNotSchedule or ScheduleAnyway.

    No two of a Pod's constraints have the same topologyKey and the same whenUnsatisfiable.
    """
    pairs = [(each.topologyKey, each.whenUnsatisfiable) for each in constraints]
    return len(set(pairs)) == len(pairs) and all(
        each.maxSkew > 0 and each.topologyKey and each.whenUnsatisfiable in (HARD, SOFT) for each in constraints
    )


@derivation(
    "spread-schedule-anyway",
    cites=[_DEFINITION, source(f"{_PLUGIN}/scoring.go", "Score")],
    gate="EvenPodsSpread",
    seed=11,
    observable="a Pod with ScheduleAnyway only is never Unschedulable for its spread",
    examples=[example(_ZONES, gives=True), example(_HOSTS, gives=False)],
)
def keeps_off(constraint: TopologySpreadConstraint) -> bool:
    """Only DoNotSchedule keeps a Pod off a node; ScheduleAnyway just gives the node fewer points."""
    return constraint.whenUnsatisfiable == HARD


@default(
    "spread-node-policies",
    cites=[_DEFINITION, _CONSTRAINTS],
    gate="NodeInclusionPolicyInPodTopologySpread",
    seed=11,
    examples=[
        example(_ZONES, gives=(HONOR, IGNORE)),
        example(TopologySpreadConstraint(nodeAffinityPolicy=IGNORE, nodeTaintsPolicy=HONOR), gives=(IGNORE, HONOR)),
    ],
)
def node_policies(constraint: TopologySpreadConstraint) -> tuple[str, str]:
    """Nodes that the Pod's selector and affinity exclude are not counted (Honor); taints are not looked at (Ignore).

    Unless nodeAffinityPolicy and nodeTaintsPolicy say otherwise. Gives the two policies in this order.
    """
    return constraint.nodeAffinityPolicy or HONOR, constraint.nodeTaintsPolicy or IGNORE


@derivation(
    "spread-match-label-keys",
    cites=[_DEFINITION, _CONSTRAINTS, source("pkg/registry/core/pod/strategy.go", "mutateTopologySpreadConstraints")],
    gate="MatchLabelKeysInPodTopologySpread",
    seed=11,
    observable="spec.topologySpreadConstraints[].labelSelector",
    examples=[
        example(_WEB, (), {"hash": "a"}, gives=_WEB),
        example(
            _WEB,
            ("hash", "absent"),
            {"hash": "a"},
            gives=LabelSelector({"app": "web"}, (LabelSelectorRequirement("hash", "In", ("a",)),)),
        ),
        example(None, ("absent",), {}, gives=None),
    ],
)
def with_label_keys(
    selector: LabelSelector | None, keys: Sequence[str], labels: Mapping[str, str]
) -> LabelSelector | None:
    """A constraint counts only Pods whose labels named in matchLabelKeys have the incoming Pod's values.

    Keys that the Pod lacks are passed over. From 1.34 on the API server writes these terms into labelSelector itself
    when the Pod is created; before, the scheduler adds them when it looks.
    """
    added = tuple(LabelSelectorRequirement(key, "In", (labels[key],)) for key in keys if key in labels)
    if not added:
        return selector
    if selector is None:
        return LabelSelector(matchExpressions=added)
    return msgspec.structs.replace(selector, matchExpressions=(*selector.matchExpressions, *added))


@derivation(
    "spread-counted-pods",
    cites=[_CONVENTIONS, source(f"{_PLUGIN}/common.go", "countPodsMatchSelector")],
    gate="EvenPodsSpread",
    seed=11,
    examples=[
        example(_pod(), "default", _WEB, gives=True),
        example(_pod(), "other", _WEB, gives=False),
        example(_pod(deleting=True), "default", _WEB, gives=False),
        example(_pod(), "default", LabelSelector(), gives=False),
        example(_pod(), "default", None, gives=False),
    ],
)
def counted(pod: Pod, namespace: str, selector: LabelSelector | None) -> bool:
    """Counted are Pods of the incoming Pod's namespace that the selector matches and that are not being deleted.

    A selector without terms counts none of them, though it does match the incoming Pod itself.
    """
    if selector is None or not (selector.matchLabels or selector.matchExpressions):
        return False
    metadata = pod.metadata
    return metadata.namespace == namespace and metadata.deletionTimestamp is None and matches(selector, metadata.labels)


@default(
    "spread-defaults",
    cites=[docs(f"{_PAGE}#internal-default-constraints"), source(f"{_PLUGIN}/plugin.go", "systemDefaultConstraints")],
    gate="DefaultPodTopologySpread",
    seed=11,
    examples=[
        example((), None, gives=()),
        example((_ZONES,), _WEB, gives=(_ZONES,)),
        example(
            (),
            _WEB,
            gives=(
                TopologySpreadConstraint(3, HOSTNAME, SOFT, _WEB),
                TopologySpreadConstraint(5, ZONE, SOFT, _WEB),
            ),
        ),
    ],
)
def with_defaults(
    own: tuple[TopologySpreadConstraint, ...], owners: LabelSelector | None
) -> tuple[TopologySpreadConstraint, ...]:
    """A Pod without constraints gets two soft ones: maxSkew 3 over hosts and 5 over zones.

    Only if some Service, ReplicaSet, StatefulSet or ReplicationController selects it; `owners` are their selectors
    taken together, None if there is none.
    """
    if own or owners is None:
        return own
    return (TopologySpreadConstraint(3, HOSTNAME, SOFT, owners), TopologySpreadConstraint(5, ZONE, SOFT, owners))


@invariant(
    "spread-only-at-scheduling",
    machine="pod",
    cites=[docs(f"{_PAGE}#known-limitations"), source(f"{_PLUGIN}/filtering.go", "Filter")],
    gate="EvenPodsSpread",
    seed=11,
    observable="PodScheduled stays True however lopsided the domains become",
    allows=[
        (_pod(scheduled="False"), _pod(scheduled="True")),
        (_pod(scheduled="True"), _pod(scheduled="True")),
        (_pod(), _pod(scheduled="False")),
    ],
    refuses=[(_pod(scheduled="True"), _pod(scheduled="False")), (_pod(scheduled="True"), _pod())],
)
def stays_scheduled(before: Pod, after: Pod) -> bool:
    """Spreading is judged once, when the Pod is placed; nothing moves it when the balance is lost later.

    A kubelet that refuses the Pod may drop the condition that tells of it.
    """
    if before.metadata.uid != after.metadata.uid or not _scheduled(before):
        return True
    return _scheduled(after) or was_rejected(after.status)


def _scheduled(pod: Pod) -> bool:
    return any(each.type == "PodScheduled" and each.status == "True" for each in pod.status.conditions)


@frozen
class Spread:
    """One constraint as it is weighed for one incoming Pod."""

    key: str
    max_skew: int
    selector: LabelSelector | None
    itself: int
    """1 if the incoming Pod matches its own selector."""
    min_domains: int
    affinity: str
    """HONOR or IGNORE: whether nodes that the Pod's selector and affinity exclude are left out."""
    taints: str


def spreads(pod: Pod, constraints: Sequence[TopologySpreadConstraint], when: str, gates: Gates) -> tuple[Spread, ...]:
    """The constraints of one kind (HARD or SOFT) as they are weighed for the incoming Pod, in spec order."""
    return tuple(_spread(pod, each, gates) for each in constraints if each.whenUnsatisfiable == when)


def _spread(pod: Pod, constraint: TopologySpreadConstraint, gates: Gates) -> Spread:
    labels = pod.metadata.labels
    selector = constraint.labelSelector
    if gates.on("MatchLabelKeysInPodTopologySpread"):
        selector = with_label_keys(selector, constraint.matchLabelKeys, labels)
    affinity, taints = node_policies(constraint) if gates.on(_POLICIES) else (HONOR, IGNORE)
    domains = constraint.minDomains if gates.on("MinDomainsInPodTopologySpread") else None
    return Spread(
        key=constraint.topologyKey,
        max_skew=constraint.maxSkew,
        selector=selector,
        itself=int(matches(selector, labels)),
        min_domains=1 if domains is None else domains,
        affinity=affinity,
        taints=taints,
    )


_POLICIES = "NodeInclusionPolicyInPodTopologySpread"
