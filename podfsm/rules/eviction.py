"""The eviction API: a delete that asks the PodDisruptionBudgets first.

`evict` decides one request from the Pod and the budgets of its namespace as they are stored; it does not work out
budgets itself, so a status that lags behind decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.cluster import (
    Condition,
    PodDisruptionBudget,
    PodDisruptionBudgetSpec,
    PodDisruptionBudgetStatus,
)
from podfsm.kube.objects import ObjectMeta, Pod, PodCondition, PodStatus
from podfsm.kube.selector import matches
from podfsm.kube.times import instant
from podfsm.rules.disruption_budget import SYNC_FAILED, ready
from podfsm.rules.disruption_target import Cause, disruption_reason
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/scheduling-eviction/api-eviction.md"
_CREATE = source("pkg/registry/core/pod/storage/eviction.go", "Create")
_AREA = "disruption-budget"

USED_UP = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."

_READY = Pod(status=PodStatus(phase="Running", conditions=(PodCondition(type="Ready", status="True"),)))
_UNREADY = Pod(status=PodStatus(phase="Running"))


def _budget(
    allowed: int, current: int = 2, desired: int = 2, *, seen: int = 0, policy: str = ""
) -> PodDisruptionBudget:
    return PodDisruptionBudget(
        metadata=ObjectMeta(name="web", generation=0),
        spec=PodDisruptionBudgetSpec(unhealthyPodEvictionPolicy=policy or None),
        status=PodDisruptionBudgetStatus(seen, {}, allowed, current, desired),
    )


@frozen
class Answer:
    """What the API answers: an HTTP status, and on failure why. `spends`: the budget loses one disruption."""

    code: int
    reason: str = ""
    message: str = ""
    cause: str = ""
    spends: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the Pod is deleted."""
        return self.code < 300


GRANTED, GRANTED_FROM_BUDGET = Answer(201), Answer(201, spends=True)


@derivation(
    "pdb-ignored-states",
    area=_AREA,
    machine="pod",
    cites=[docs(_PAGE), source("pkg/registry/core/pod/storage/eviction.go", "canIgnorePDB")],
    since="1.18",
    seed=14,
    observable="an eviction of a Pending Pod is never answered with 429",
    examples=[
        example(Pod(status=PodStatus(phase="Pending")), gives=True),
        example(Pod(status=PodStatus(phase="Failed")), gives=True),
        example(Pod(metadata=ObjectMeta(deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC))), gives=True),
        example(_READY, gives=False),
    ],
)
def ignores_budgets(pod: Pod) -> bool:
    """Pods that are Pending, finished or already being deleted are evicted without a look at any budget."""
    return pod.status.phase == "Pending" or pod.status.phase in TERMINAL or pod.metadata.deletionTimestamp is not None


@derivation(
    "pdb-unready-policy",
    area=_AREA,
    machine="pod",
    cites=[docs("concepts/workloads/pods/disruptions.md"), _CREATE],
    since="1.18",
    seed=14,
    observable="an unready Pod is evicted and status.disruptionsAllowed stays",
    examples=[
        example(_READY, _budget(0), True, gives=False),
        example(_UNREADY, _budget(0, current=2, desired=2), True, gives=True),
        example(_UNREADY, _budget(0, current=1, desired=2), True, gives=False),
        example(_UNREADY, _budget(0, current=0, desired=0), True, gives=False),
        example(_UNREADY, _budget(0, current=1, desired=2, policy="AlwaysAllow"), True, gives=True),
        example(_UNREADY, _budget(0, current=1, desired=2, policy="AlwaysAllow"), False, gives=False),
    ],
)
def free_of_charge(pod: Pod, budget: PodDisruptionBudget, policies: bool) -> bool:
    """An unready Pod is evicted at no cost if the budget has the healthy Pods it desires, and desires any.

    With unhealthyPodEvictionPolicy AlwaysAllow always, where the field exists (`policies`: beta in 1.27). An unready
    Pod that is not free of charge uses the budget like a ready one.
    """
    if ready(pod):
        return False
    if policies and budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow":
        return True
    return budget.status.currentHealthy >= budget.status.desiredHealthy > 0


@derivation(
    "pdb-evict-codes",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#how-api-initiated-eviction-works"),
        _CREATE,
        source("pkg/registry/core/pod/storage/eviction.go", "checkAndDecrement"),
    ],
    since="1.18",
    seed=14,
    observable="HTTP status of the eviction",
    documented="the answer to an eviction that succeeds is 201, not 200",
    examples=[
        example((), gives=201),
        example((_budget(1),), gives=201),
        example((_budget(0),), gives=429),
        example((_budget(1, seen=-1),), gives=429),
        example((_budget(-1),), gives=403),
        example((_budget(1), _budget(1)), gives=500),
    ],
)
def code_for(budgets: Sequence[PodDisruptionBudget]) -> int:
    """An eviction succeeds without a budget or with one that allows it; 429 says try again, 500 that two budgets match.

    429: nothing is allowed now, or the budget's status is older than its spec. 403: the status makes no sense (allowed
    below 0, more than 2000 granted evictions waiting). The message is in `answer`.
    """
    return answer(budgets).code


def answer(budgets: Sequence[PodDisruptionBudget]) -> Answer:
    """What the budgets that match the Pod say of its eviction."""
    if len(budgets) > 1:
        return Answer(500, message=SEVERAL)
    return _spend(budgets[0]) if budgets else GRANTED


def _spend(budget: PodDisruptionBudget) -> Answer:
    status, name = budget.status, budget.metadata.name
    if status.observedGeneration < budget.metadata.generation:
        return _too_many(f"The disruption budget {name} is still being processed by the server.")
    if status.disruptionsAllowed < 0:
        return _forbidden(name, "pdb disruptions allowed is negative")
    if len(status.disruptedPods) > timing_constant("pdb-approvals-max"):
        return _forbidden(name, "DisruptedPods map too big - too many evictions not confirmed by PDB controller")
    return GRANTED_FROM_BUDGET if status.disruptionsAllowed else _too_many(_why_not(budget))


def _too_many(cause: str) -> Answer:
    return Answer(429, "TooManyRequests", USED_UP, cause)


def _forbidden(name: str, why: str) -> Answer:
    return Answer(403, "Forbidden", f'poddisruptionbudget.policy "{name}" is forbidden: {why}')


def _why_not(budget: PodDisruptionBudget) -> str:
    status, subject = budget.status, f"The disruption budget {budget.metadata.name}"
    failed = next((each for each in status.conditions if _sync_failed(each)), None)
    if failed is not None:
        return f"{subject} does not allow evicting pods currently because it failed sync: {failed.message}"
    if status.currentHealthy <= status.desiredHealthy:
        return f"{subject} needs {status.desiredHealthy} healthy pods and has {status.currentHealthy} currently"
    return f"{subject} does not allow evicting pods currently"


def _sync_failed(condition: Condition) -> bool:
    return (condition.type, condition.status, condition.reason) == ("DisruptionAllowed", "False", SYNC_FAILED)


@derivation(
    "pdb-evict-condition",
    area=_AREA,
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#disruption-target"),
        source("pkg/registry/core/pod/storage/eviction.go", "addConditionAndDeletePod"),
    ],
    gate="PodDisruptionConditions",
    seed=14,
    observable="conditions[DisruptionTarget]",
    examples=[
        example(
            GRANTED,
            gives=PodCondition(
                type="DisruptionTarget",
                status="True",
                reason="EvictionByEvictionAPI",
                message="Eviction API: evicting",
            ),
        ),
        example(Answer(429), gives=None),
    ],
)
def condition_before_deletion(given: Answer) -> PodCondition | None:
    """An eviction that is granted first writes DisruptionTarget, reason EvictionByEvictionAPI, then deletes the Pod."""
    if not given.allowed:
        return None
    reason = disruption_reason(Cause.EVICTION_API)
    return PodCondition(type="DisruptionTarget", status="True", reason=reason, message="Eviction API: evicting")


def evict(pod: Pod, budgets: Sequence[PodDisruptionBudget], gates: Gates) -> Answer:
    """The answer to an eviction of `pod`; `budgets` are those of its namespace.

    A budget without a selector matches no Pod; one whose selector has no terms matches every Pod.
    """
    if ignores_budgets(pod):
        return GRANTED
    matching = [each for each in budgets if matches(each.spec.selector, pod.metadata.labels)]
    if len(matching) == 1 and free_of_charge(pod, matching[0], gates.on("PDBUnhealthyPodEvictionPolicy")):
        return GRANTED
    return answer(matching)


def after_grant(status: PodDisruptionBudgetStatus, pod: str, now: float) -> PodDisruptionBudgetStatus:
    """The budget's status once it has paid for the eviction of the Pod of this name, at `now` (seconds)."""
    return msgspec.structs.replace(
        status,
        disruptionsAllowed=status.disruptionsAllowed - 1,
        disruptedPods={**status.disruptedPods, pod: instant(now)},
    )
