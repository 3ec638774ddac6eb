"""Preemption by the scheduler: what becomes of a Pod that has to make room for one of higher priority."""

from __future__ import annotations

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.objects import PodCondition
from podfsm.rules.disruption_target import Cause, disruption_reason


@derivation(
    "sched-preemption",
    area="scheduling",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#disruption-target"),
        source("pkg/scheduler/framework/preemption/executor.go", "PreemptPod"),
    ],
    gate="PodDisruptionConditions",
    seed=14,
    observable="conditions[DisruptionTarget], then deletionTimestamp",
    examples=[
        example(
            "default-scheduler",
            gives=PodCondition(
                type="DisruptionTarget",
                status="True",
                reason="PreemptionByScheduler",
                message="default-scheduler: preempting to accommodate a higher priority pod",
            ),
        )
    ],
)
def condition_before_preemption(scheduler: str) -> PodCondition:
    """A Pod that is preempted gets DisruptionTarget, reason PreemptionByScheduler, and is deleted with full grace.

    Nodes where no budget is violated are preferred, but budgets do not prevent it.
    """
    return PodCondition(
        type="DisruptionTarget",
        status="True",
        reason=disruption_reason(Cause.SCHEDULER_PREEMPTION),
        message=f"{scheduler}: preempting to accommodate a higher priority pod",
    )
