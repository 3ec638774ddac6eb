"""Failures of Jobs: which Pods count as failed, what a failure leads to, and how long a replacement waits."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source, timing
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateTerminated,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
)
from podfsm.kube.workloads import (
    JobSpec,
    OnExitCodes,
    OnPodCondition,
    PodFailurePolicy,
    PodFailurePolicyRule,
)
from podfsm.rules.facts import Policy
from podfsm.rules.timings import timing_constant

_AREA = "controllers"
_PAGE = "concepts/workloads/controllers/job.md"
_BACKOFF = docs(f"{_PAGE}#pod-backoff-failure-policy")
_JOB = "pkg/controller/job/job_controller.go"

_LEAVING = ObjectMeta(deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC))


def _exited(code: int, *conditions: PodCondition) -> Pod:
    status = ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(code)))
    return Pod(status=PodStatus(phase="Failed", conditions=conditions, containerStatuses=(status,)))


@derivation(
    "ctl-job-failed-count",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#handling-pod-and-container-failures"),
        source(_JOB, "isPodFailed"),
        source(_JOB, "onlyReplaceFailedPods"),
    ],
    since="1.26",
    seed=7,
    observable="creationTimestamp of the replacement",
    examples=[
        example(_exited(1), False, gives=True),
        example(Pod(metadata=_LEAVING, status=PodStatus(phase="Running")), False, gives=True),
        example(Pod(metadata=_LEAVING, status=PodStatus(phase="Running")), True, gives=False),
        example(Pod(metadata=_LEAVING, status=PodStatus(phase="Succeeded")), False, gives=False),
        example(Pod(status=PodStatus(phase="Running")), False, gives=False),
    ],
)
def counts_as_failed(pod: Pod, only_failed: bool) -> bool:
    """A Job's Pod counts as failed when it is Failed or merely being deleted; or, if so asked, only when it is Failed.

    So asked (`only_failed`): podReplacementPolicy is Failed, or there is a podFailurePolicy.
    """
    if pod.status.phase == "Failed":
        return True
    return not only_failed and pod.metadata.deletionTimestamp is not None and pod.status.phase != "Succeeded"


def replaces_only_failed(spec: JobSpec, replacement_policies: bool = True) -> bool:
    """Whether a Job waits for phase Failed; `replacement_policies`: the gate JobPodReplacementPolicy."""
    return (replacement_policies and spec.podReplacementPolicy == "Failed") or spec.podFailurePolicy is not None


@derivation(
    "ctl-job-backoff-limit",
    area=_AREA,
    machine="pod",
    cites=[_BACKOFF, source(_JOB, "syncJob"), source(_JOB, "pastBackoffLimitOnFailure")],
    seed=7,
    observable="Job condition Failed, reason BackoffLimitExceeded",
    documented="a Job fails when retries reach the limit",
    examples=[
        example(6, 0, None, "Never", gives=False),
        example(7, 0, None, "Never", gives=True),
        example(0, 3, 3, "OnFailure", gives=True),
        example(0, 3, 3, "Never", gives=False),
        example(0, 0, 0, "OnFailure", gives=False),
        example(0, 1, 0, "OnFailure", gives=True),
    ],
)
def past_limit(failed: int, restarts: int, limit: int | None, policy: str) -> bool:
    """A Job fails when more of its Pods have failed than backoffLimit (6) allows.

    Under OnFailure also when the restarts of all init and app containers of its Pending and Running Pods, sidecars
    included, reach the limit, or with a limit of 0 when there is one.
    """
    most = int(timing_constant("job-backoff-limit-default")) if limit is None else limit
    return failed > most or (policy == Policy.ON_FAILURE and restarts >= max(1, most))


def restarts_of(pods: Iterable[Pod]) -> int:
    """The restarts that count against a backoffLimit."""
    return sum(
        status.restartCount
        for pod in pods
        if pod.status.phase in ("Pending", "Running")
        for status in (*pod.status.initContainerStatuses, *pod.status.containerStatuses)
    )


@timing(
    "ctl-job-pod-backoff",
    area=_AREA,
    machine="pod",
    cites=[
        _BACKOFF,
        source("pkg/controller/job/backoff_utils.go", "getRemainingTimeForFailuresCount"),
        source(_JOB, "MaxJobPodFailureBackOff"),
    ],
    seed=7,
    observable="gaps between the creations of a Job's Pods",
    documented="the longest delay is six minutes",
    examples=[
        example(0, gives=0.0),
        example(1, gives=10.0),
        example(3, gives=40.0),
        example(7, gives=600.0),
        example(99, gives=600.0),
    ],
)
def replacement_delay(failures: int) -> float:
    """A Job waits 10 s after a failed Pod's end before it makes another, twice as long for each further failure.

    Up to 10 min; a success starts over. Pods that failed since the last success count (`failures`). Seconds.
    """
    if failures <= 0:
        return 0.0
    longest, factor = timing_constant("job-backoff-max"), timing_constant("job-backoff-factor")
    steps = min(failures - 1, 32)
    return float(min(longest, timing_constant("job-backoff-initial") * factor**steps))


@frozen
class Match:
    """The rule of a podFailurePolicy that a Pod met: its place in the list, and its action."""

    index: int
    action: str


_DISRUPTED = PodCondition(type="DisruptionTarget", status="True")
_POLICY = PodFailurePolicy(
    (
        PodFailurePolicyRule("Ignore", onPodConditions=(OnPodCondition("DisruptionTarget", "True"),)),
        PodFailurePolicyRule("FailJob", OnExitCodes(operator="In", values=(42,))),
    )
)


@derivation(
    "ctl-job-failure-policy",
    area=_AREA,
    machine="pod",
    cites=[docs(_PAGE), source("pkg/controller/job/pod_failure_policy.go", "matchPodFailurePolicy")],
    gate="JobPodFailurePolicy",
    seed=7,
    observable="Job status",
    examples=[
        example(_POLICY, _exited(42), gives=Match(1, "FailJob")),
        example(_POLICY, _exited(42, _DISRUPTED), gives=Match(0, "Ignore")),
        example(_POLICY, _exited(1), gives=None),
        example(_POLICY, _exited(0), gives=None),
        example(None, _exited(42), gives=None),
    ],
)
def matching_rule(policy: PodFailurePolicy | None, pod: Pod) -> Match | None:
    """The first rule of a podFailurePolicy that a failed Pod meets decides: FailJob, FailIndex, Ignore or Count.

    By an exit code other than 0, of app containers first and then of init containers, or by a condition. None: the
    failure counts as usual.
    """
    for index, rule in enumerate(() if policy is None else policy.rules):
        if rule.onExitCodes is not None:
            met = _code_matches(rule.onExitCodes, pod.status)
        else:
            asked = {(each.type, each.status) for each in rule.onPodConditions}
            met = any((each.type, each.status) in asked for each in pod.status.conditions)
        if met:
            return Match(index, rule.action)
    return None


def _code_matches(codes: OnExitCodes, status: PodStatus) -> bool:
    for container in (*status.containerStatuses, *status.initContainerStatuses):
        ended = container.state.terminated
        if ended is None or ended.exitCode == 0 or codes.containerName not in (None, container.name):
            continue
        if (ended.exitCode in codes.values) == (codes.operator == "In"):
            return True
    return False
