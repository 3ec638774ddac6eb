"""PodDisruptionBudgets: how many Pods must stay healthy, and how many evictions that leaves.

The disruption controller writes the figures into the budget's status; the eviction API (`podfsm.rules.eviction`) only
reads them there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from math import ceil

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source, timing, validation
from podfsm.kube.cluster import PodDisruptionBudget, PodDisruptionBudgetSpec
from podfsm.kube.objects import ObjectMeta, OwnerReference, Pod, PodCondition, PodStatus
from podfsm.kube.selector import matches
from podfsm.kube.times import seconds_of
from podfsm.rules.disruption_target import Cause
from podfsm.rules.timings import timing_constant

POLICIES = ("IfHealthyBudget", "AlwaysAllow")
SUFFICIENT, INSUFFICIENT, SYNC_FAILED = "SufficientPods", "InsufficientPods", "SyncFailed"
"""Reasons of the budget's condition DisruptionAllowed."""

_PAGE = docs("concepts/workloads/pods/disruptions.md#pod-disruption-budgets")
_CONTROLLER = "pkg/controller/disruption/disruption.go"
_PERCENT = re.compile(r"([+-]?[0-9]+)%", re.ASCII)
_READY = (PodCondition(type="Ready", status="True"),)


def _pod(*, ready: bool = True, deleting: bool = False) -> Pod:
    deleted = datetime(2026, 1, 1, tzinfo=UTC) if deleting else None
    return Pod(metadata=ObjectMeta(deletionTimestamp=deleted), status=PodStatus(conditions=_READY if ready else ()))


@derivation(
    "pdb-limits-voluntary",
    cites=[_PAGE, source("pkg/registry/core/pod/storage/eviction.go", "Create")],
    since="1.18",
    seed=14,
    observable="an eviction is answered with 429 while a plain delete succeeds",
    examples=[
        example(Cause.EVICTION_API, gives=True),
        example(Cause.DELETION, gives=False),
        example(Cause.TAINT, gives=False),
        example(Cause.NODE_PRESSURE, gives=False),
    ],
)
def limited(cause: Cause) -> bool:
    """A PodDisruptionBudget stops evictions through the eviction API only, no other way to lose a Pod.

    Deletes, rolling updates, taints, node pressure and lost nodes pass it by; the Pods lost so count as missing. The
    scheduler's preemption spares budgets where it can.
    """
    return cause is Cause.EVICTION_API


@validation(
    "pdb-fields",
    machine=(),
    cites=[_PAGE, source("pkg/apis/policy/validation/validation.go", "ValidatePodDisruptionBudgetSpec")],
    seed=14,
    observable="spec",
    allows=[
        PodDisruptionBudgetSpec(minAvailable=2),
        PodDisruptionBudgetSpec(maxUnavailable="30%"),
        PodDisruptionBudgetSpec(),
    ],
    refuses=[
        PodDisruptionBudgetSpec(minAvailable=1, maxUnavailable=1),
        PodDisruptionBudgetSpec(minAvailable=-1),
        PodDisruptionBudgetSpec(maxUnavailable="130%"),
        PodDisruptionBudgetSpec(maxUnavailable="3"),
        PodDisruptionBudgetSpec(unhealthyPodEvictionPolicy="Never"),
    ],
)
def well_formed(spec: PodDisruptionBudgetSpec) -> bool:
    """A budget sets minAvailable or maxUnavailable, not both; each is a number from 0 on or a percentage up to 100%."""
    limits = [limit for limit in (spec.minAvailable, spec.maxUnavailable) if limit is not None]
    policy = spec.unhealthyPodEvictionPolicy
    return len(limits) < 2 and all(map(_limit, limits)) and (policy is None or policy in POLICIES)


def _limit(value: int | str) -> bool:
    if isinstance(value, int):
        return value >= 0
    found = _PERCENT.fullmatch(value)
    return found is not None and 0 <= int(found[1]) <= 100


def scaled(value: int | str, total: int) -> int | None:
    """A number as it is, or the percentage of `total`, rounded up; None for text that is no percentage."""
    if isinstance(value, int):
        return value
    found = _PERCENT.fullmatch(value)
    return None if found is None else ceil(int(found[1]) * total / 100)


@derivation(
    "pdb-desired",
    cites=[_PAGE, source(_CONTROLLER, "getExpectedPodCount")],
    seed=14,
    observable="PDB status.desiredHealthy and status.expectedPods",
    examples=[
        example(PodDisruptionBudgetSpec(minAvailable=2), 3, 5, gives=(3, 2)),
        example(PodDisruptionBudgetSpec(minAvailable="50%"), 3, 5, gives=(5, 3)),
        example(PodDisruptionBudgetSpec(maxUnavailable=1), 3, 5, gives=(5, 4)),
        example(PodDisruptionBudgetSpec(maxUnavailable=9), 3, 5, gives=(5, 0)),
        example(PodDisruptionBudgetSpec(maxUnavailable="30%"), 3, 5, gives=(5, 3)),
        example(PodDisruptionBudgetSpec(maxUnavailable=1), 3, None, gives=None),
    ],
)
def expected_and_desired(spec: PodDisruptionBudgetSpec, matched: int, scale: int | None) -> tuple[int, int] | None:
    """Desired are minAvailable Pods, or the expected ones less maxUnavailable, and never less than none.

    Expected are the replicas that the owners of the matched Pods ask for (`scale`), without unmanaged Pods; but with a
    number as minAvailable just the matched Pods. Percentages are of the expected Pods, rounded up. Gives (expected,
    desired); None if that cannot be known: an owner is missing (`scale` is None) or the figure is none.
    """
    if spec.maxUnavailable is not None:
        may_miss = None if scale is None else scaled(spec.maxUnavailable, scale)
        return None if scale is None or may_miss is None else (scale, max(0, scale - may_miss))
    if isinstance(spec.minAvailable, str):
        least = None if scale is None else scaled(spec.minAvailable, scale)
        return None if scale is None or least is None else (scale, least)
    return (0, 0) if spec.minAvailable is None else (matched, spec.minAvailable)


@derivation(
    "pdb-healthy",
    cites=[_PAGE, source(_CONTROLLER, "countHealthyPods")],
    seed=14,
    observable="PDB status.currentHealthy",
    examples=[
        example(_pod(), None, 200.0, gives=True),
        example(_pod(ready=False), None, 200.0, gives=False),
        example(_pod(deleting=True), None, 200.0, gives=False),
        example(_pod(), 90.0, 200.0, gives=False),
        example(_pod(), 80.0, 200.0, gives=True),
    ],
)
def healthy(pod: Pod, approved_at: float | None, now: float) -> bool:
    """A Pod is healthy if it is Ready, is not being deleted, and was not granted an eviction within 2 minutes.

    `approved_at` is when its eviction was granted, in seconds; None if it was not. The phase does not matter.
    """
    if pod.metadata.deletionTimestamp is not None:
        return False
    if approved_at is not None and now < forgotten_at(approved_at):
        return False
    return ready(pod)


def ready(pod: Pod) -> bool:
    """Whether the Pod's Ready condition is True."""
    return any(each.type == "Ready" and each.status == "True" for each in pod.status.conditions)


@derivation(
    "pdb-allowed",
    cites=[_PAGE, source(_CONTROLLER, "updatePdbStatus")],
    seed=14,
    observable="PDB status.disruptionsAllowed",
    examples=[example(3, 2, 4, gives=1), example(2, 3, 4, gives=0), example(3, 0, 0, gives=0)],
)
def disruptions_allowed(current: int, desired: int, expected: int) -> int:
    """What may be evicted now: the healthy Pods beyond the desired ones; nothing while no Pod is expected."""
    return 0 if expected <= 0 else max(0, current - desired)


@derivation(
    "pdb-fail-safe",
    cites=[docs("concepts/workloads/pods/disruptions.md"), source(_CONTROLLER, "failSafe")],
    seed=14,
    observable="PDB status.conditions[DisruptionAllowed]",
    examples=[
        example(None, gives=("False", SYNC_FAILED)),
        example(0, gives=("False", INSUFFICIENT)),
        example(2, gives=("True", SUFFICIENT)),
    ],
)
def allowed_condition(allowed: int | None) -> tuple[str, str]:
    """A budget that cannot be worked out (None) allows nothing, and says so: DisruptionAllowed False, SyncFailed.

    One missing owner is enough. Otherwise the condition tells whether anything is allowed. Gives status and reason.
    """
    if allowed is None:
        return "False", SYNC_FAILED
    return ("True", SUFFICIENT) if allowed > 0 else ("False", INSUFFICIENT)


@timing(
    "pdb-self-expiring",
    cites=[
        docs("concepts/workloads/pods/disruptions.md"),
        source(_CONTROLLER, "DeletionTimeout"),
        source("pkg/registry/core/pod/storage/eviction.go", "MaxDisruptedPodSize"),
    ],
    seed=14,
    observable="PDB status.disruptedPods",
    examples=[example(10.0, gives=130.0)],
)
def forgotten_at(approved_at: float) -> float:
    """An eviction that was granted but not followed by the Pod's deletion is forgotten after 2 minutes.

    From this instant on (seconds) the Pod counts again; its entry goes once the instant has passed. With more than 2000
    such entries further evictions are refused.
    """
    return approved_at + timing_constant("pdb-approval-lifetime")


@frozen
class Controller:
    """An object that may own Pods, and how many it asks for. `deployment`: the Deployment that owns this ReplicaSet."""

    kind: str
    name: str
    uid: str
    replicas: int
    deployment: str = ""


def scale_of(owner: OwnerReference, controllers: Sequence[Controller]) -> Controller | None:
    """The object whose replicas count for a Pod of this owner: a ReplicaSet's Deployment, or the owner itself.

    None if it does not exist (under this uid). Source: `disruption.go` (getPodDeployment, getPodReplicaSet and others).
    """
    found = next((c for c in controllers if (c.kind, c.name, c.uid) == (owner.kind, owner.name, owner.uid)), None)
    if found is None or found.kind != "ReplicaSet" or not found.deployment:
        return found
    return next((c for c in controllers if (c.kind, c.name) == ("Deployment", found.deployment)), None)


def expected_scale(pods: Iterable[Pod], controllers: Sequence[Controller]) -> int | None:
    """The replicas that the owners of these Pods ask for together; None if one of them is missing.

    Pods without an owner add nothing.
    """
    scales: dict[str, int] = {}
    seen: set[OwnerReference] = set()
    for pod in pods:
        owner = next((each for each in pod.metadata.ownerReferences if each.controller), None)
        if owner is not None and owner not in seen:
            seen.add(owner)
            controller = scale_of(owner, controllers)
            if controller is None:
                return None
            scales[controller.uid] = controller.replicas
    return sum(scales.values())


@frozen
class BudgetStatus:
    """What the controller writes. `expected` and the two figures after it are None when the sync failed."""

    allowed: int
    condition: str
    reason: str
    disrupted: Mapping[str, datetime]
    expected: int | None = None
    desired: int | None = None
    current: int | None = None


def budget_status(
    budget: PodDisruptionBudget, pods: Iterable[Pod], controllers: Sequence[Controller], now: float
) -> BudgetStatus:
    """The status of a budget at `now` (seconds), from the Pods of its namespace and the objects that may own them."""
    spec = budget.spec
    matched = [pod for pod in pods if matches(spec.selector, pod.metadata.labels)]
    counted = isinstance(spec.minAvailable, int) and spec.maxUnavailable is None
    scale = len(matched) if counted else expected_scale(matched, controllers)
    figures = expected_and_desired(spec, len(matched), scale)
    if figures is None:
        return _status(None, budget.status.disruptedPods)
    expected, desired = figures
    granted = _kept(budget.status.disruptedPods, matched, now)
    current = sum(healthy(pod, _seconds(granted.get(pod.metadata.name)), now) for pod in matched)
    allowed = disruptions_allowed(current, desired, expected)
    return _status(allowed, granted, expected, desired, current)


def _status(allowed: int | None, granted: Mapping[str, datetime], *figures: int) -> BudgetStatus:
    condition, reason = allowed_condition(allowed)
    return BudgetStatus(allowed or 0, condition, reason, granted, *figures)


def _kept(granted: Mapping[str, datetime], pods: Iterable[Pod], now: float) -> dict[str, datetime]:
    """The grants that still count: of Pods that are there, are not being deleted, and had their 2 minutes not yet."""
    names = {pod.metadata.name for pod in pods if pod.metadata.deletionTimestamp is None}
    return {name: at for name, at in granted.items() if name in names and now <= forgotten_at(seconds_of(at))}


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else seconds_of(at)
