"""Advice about whole objects: budgets that stop everything, Jobs that stay for ever, controllers with better heirs."""

from __future__ import annotations

from podfsm.engine.rule import derivation, docs, example
from podfsm.kube.cluster import PodDisruptionBudgetSpec
from podfsm.kube.objects import PodSpec
from podfsm.kube.workloads import JobSpec, PodTemplateSpec
from podfsm.rules.advice import NOTE, WARNING, Advice
from podfsm.rules.disruption_budget import expected_and_desired

_AREA = "advice"
_JOBS = "concepts/workloads/controllers/job.md"
_DEPLOYMENTS = "a Deployment makes such sets itself and rolls out changes"
_NEVER = "never allows an eviction: a node with such a Pod cannot be drained"


@derivation(
    "advice-pdb-stuck",
    area=_AREA,
    cites=[docs("concepts/workloads/pods/disruptions.md#pod-disruption-budgets")],
    examples=[
        example(PodDisruptionBudgetSpec(maxUnavailable=0), None, gives=(Advice("maxUnavailable", WARNING, _NEVER),)),
        example(PodDisruptionBudgetSpec(minAvailable="100%"), None, gives=(Advice("minAvailable", WARNING, _NEVER),)),
        example(
            PodDisruptionBudgetSpec(minAvailable=3),
            3,
            gives=(Advice("minAvailable", WARNING, f"is 3 of 3 Pods, so the budget {_NEVER}"),),
        ),
        example(PodDisruptionBudgetSpec(minAvailable=2), 3, gives=()),
        example(PodDisruptionBudgetSpec(minAvailable=2), None, gives=()),
    ],
)
def stuck_budget(spec: PodDisruptionBudgetSpec, replicas: int | None) -> tuple[Advice, ...]:
    """A budget that demands all of its Pods never allows an eviction, even of one Pod, and stops every drain.

    `replicas`: how many Pods the selected objects ask for together; None if that is not known.
    """
    name = "minAvailable" if spec.maxUnavailable is None else "maxUnavailable"
    if spec.maxUnavailable in (0, "0%") or spec.minAvailable == "100%":
        return (Advice(name, WARNING, _NEVER),)
    figures = None if not replicas else expected_and_desired(spec, replicas, replicas)
    if figures is None or figures[1] < figures[0]:
        return ()
    return (Advice(name, WARNING, f"is {figures[1]} of {figures[0]} Pods, so the budget {_NEVER}"),)


@derivation(
    "advice-pdb-unmatched",
    area=_AREA,
    cites=[docs("concepts/workloads/pods/disruptions.md#pod-disruption-budgets")],
    examples=[
        example(0, gives=(Advice("selector", NOTE, "selects none of the Pods given here"),)),
        example(2, gives=()),
    ],
)
def idle_budget(matched: int) -> tuple[Advice, ...]:
    """A budget that selects no Pod protects nothing; one without a selector never selects any."""
    return () if matched else (Advice("selector", NOTE, "selects none of the Pods given here"),)


@derivation(
    "advice-service-unmatched",
    area=_AREA,
    cites=[docs("concepts/services-networking/service.md#services-without-selectors")],
    examples=[
        example(0, gives=(Advice("selector", NOTE, "selects none of the Pods given here"),)),
        example(2, gives=()),
    ],
)
def idle_service(matched: int) -> tuple[Advice, ...]:
    """A Service whose selector matches no Pod has no endpoints, and connections to it are refused."""
    return () if matched else (Advice("selector", NOTE, "selects none of the Pods given here"),)


def _job(policy: str, ttl: int | None = None) -> JobSpec:
    return JobSpec(template=PodTemplateSpec(spec=PodSpec(restartPolicy=policy)), ttlSecondsAfterFinished=ttl)


@derivation(
    "advice-job-ttl",
    area=_AREA,
    cites=[docs(f"{_JOBS}#clean-up-finished-jobs-automatically")],
    examples=[
        example(
            _job("Never"),
            False,
            gives=(Advice("", NOTE, "stays with its Pods when it has finished; ttlSecondsAfterFinished removes them"),),
        ),
        example(_job("Never", 60), False, gives=()),
        example(_job("Never"), True, gives=()),
    ],
)
def lasting_job(spec: JobSpec, owned: bool) -> tuple[Advice, ...]:
    """A finished Job and its Pods stay in the API until someone deletes them, unless ttlSecondsAfterFinished is set.

    Jobs that something else owns, a CronJob for example, are removed by it.
    """
    if owned or spec.ttlSecondsAfterFinished is not None:
        return ()
    return (Advice("", NOTE, "stays with its Pods when it has finished; ttlSecondsAfterFinished removes them"),)


@derivation(
    "advice-job-logs",
    area=_AREA,
    cites=[docs(f"{_JOBS}#pod-backoff-failure-policy")],
    examples=[
        example(
            _job("OnFailure"),
            gives=(
                Advice(
                    "template.spec.restartPolicy",
                    NOTE,
                    "OnFailure restarts in one Pod, which is deleted when the Job gives up; "
                    "Never keeps the failed Pods and their logs",
                ),
            ),
        ),
        example(_job("Never"), gives=()),
    ],
)
def lost_logs(spec: JobSpec) -> tuple[Advice, ...]:
    """Under OnFailure the Pod that failed is deleted when the Job reaches its limit, and its logs with it."""
    if spec.template.spec.restartPolicy != "OnFailure":
        return ()
    text = "OnFailure restarts in one Pod, which is deleted when the Job gives up; "
    return (Advice("template.spec.restartPolicy", NOTE, f"{text}Never keeps the failed Pods and their logs"),)


@derivation(
    "advice-use-deployment",
    area=_AREA,
    cites=[docs("concepts/workloads/controllers/replicaset.md#when-to-use-a-replicaset")],
    examples=[
        example(
            "ReplicaSet", False, gives=(Advice("", NOTE, "a Deployment makes such sets itself and rolls out changes"),)
        ),
        example("ReplicaSet", True, gives=()),
        example("Deployment", False, gives=()),
    ],
)
def outdated_owner(kind: str, owned: bool) -> tuple[Advice, ...]:
    """ReplicaSets and ReplicationControllers do not roll out changes of their template; Deployments do."""
    if owned or kind not in ("ReplicaSet", "ReplicationController"):
        return ()
    return (Advice("", NOTE, _DEPLOYMENTS),)
