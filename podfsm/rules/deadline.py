"""activeDeadlineSeconds: a Pod that has been on its node for that long is failed, whatever its containers do."""

from __future__ import annotations

import math

from podfsm.engine.rule import derivation, docs, example, guard, source, timing, validation
from podfsm.engine.verdict import Verdict, refuse, wait_until
from podfsm.kube.objects import Pod, PodSpec
from podfsm.kube.times import seconds_of
from podfsm.rules.facts import PodFacts
from podfsm.rules.timings import timing_constant

_PAGE = docs("concepts/workloads/pods/init-containers.md#detailed-behavior")
_PAST = source("pkg/kubelet/active_deadline.go", "pastActiveDeadline")
_STATUS = source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus")

REASON = "DeadlineExceeded"
MESSAGE = "Pod was active on the node longer than the specified deadline"
LONGEST = 2**31 - 1


@validation(
    "deadline-field",
    machine="pod",
    cites=[
        _PAGE,
        source("pkg/apis/core/validation/validation.go", "ValidatePodSpec"),
        source("pkg/apis/core/validation/validation.go", "ValidatePodUpdate"),
    ],
    seed=8,
    observable="spec.activeDeadlineSeconds",
    allows=[
        (None, PodSpec()),
        (None, PodSpec(activeDeadlineSeconds=1)),
        (PodSpec(), PodSpec(activeDeadlineSeconds=5)),
        (PodSpec(activeDeadlineSeconds=5), PodSpec(activeDeadlineSeconds=0)),
    ],
    refuses=[
        (None, PodSpec(activeDeadlineSeconds=0)),
        (None, PodSpec(activeDeadlineSeconds=2**31)),
        (PodSpec(activeDeadlineSeconds=5), PodSpec(activeDeadlineSeconds=6)),
        (PodSpec(activeDeadlineSeconds=5), PodSpec()),
    ],
)
def field_accepted(before: PodSpec | None, after: PodSpec) -> bool:
    """A deadline is 1 to 2147483647 s at creation; later it may be set or lowered, but not raised or removed.

    `before` is None at creation. An update may lower it to 0.
    """
    value = after.activeDeadlineSeconds
    if before is None:
        return value is None or 1 <= value <= LONGEST
    old = before.activeDeadlineSeconds
    if value is None:
        return old is None
    return 0 <= value <= (LONGEST if old is None else old)


@timing(
    "deadline-clock-start",
    machine="pod",
    cites=[_PAGE, _PAST, source("pkg/kubelet/status/status_manager.go", "updateStatusInternal")],
    seed=8,
    observable="status.startTime",
    examples=[example(100.0, 30, gives=130.0), example(None, 30, gives=None), example(100.0, None, gives=None)],
)
def clock_ends(start_time: float | None, seconds: int | None) -> float | None:
    """The clock starts with status.startTime, when the kubelet first acknowledges the Pod.

    Time spent unscheduled is free; image pulls and init containers count. No startTime or no deadline: None.
    """
    return None if start_time is None or seconds is None else start_time + seconds


def deadline_at(pod: Pod) -> float | None:
    """The instant (seconds) at which the Pod's deadline passes; None if it has none or has not been acknowledged."""
    if pod.spec.activeDeadlineSeconds is None or pod.status.startTime is None:
        return None
    instant: float | None = clock_ends(seconds_of(pod.status.startTime), pod.spec.activeDeadlineSeconds)
    return instant


def exceeded(pod: Pod, now: float) -> bool:
    """Whether the Pod's deadline has passed at `now` (rule deadline-enforced)."""
    ends = deadline_at(pod)
    return ends is not None and now >= ends


@guard(
    "deadline-enforced",
    machine="pod",
    cites=[_PAGE, _PAST, _STATUS],
    seed=8,
    observable="status.reason DeadlineExceeded",
    allows=[PodFacts(deadline_at=30.0, now=30.0), PodFacts(phase="Running", deadline_at=30.0, now=31.0)],
    refuses=[PodFacts(deadline_at=30.0, now=29.0), PodFacts(deadline_at=None, now=1e9)],
)
def enforced(facts: PodFacts) -> bool | Verdict:
    """Once activeDeadlineSeconds have gone by since status.startTime the kubelet fails the Pod.

    Its containers are terminated; phase Failed, reason DeadlineExceeded, and an event of the same reason.
    """
    if facts.deadline_at is None:
        return refuse("no deadline")
    if facts.now < facts.deadline_at:
        return wait_until(facts.deadline_at, "activeDeadlineSeconds after startTime")
    return True


@timing(
    "deadline-check-period",
    machine="pod",
    cites=[_PAGE, source("pkg/kubelet/kubelet.go", "getPodsToSync")],
    seed=8,
    examples=[example(10.2, 0.0, gives=11.0), example(10.0, 0.0, gives=10.0), example(10.2, 0.5, gives=10.5)],
)
def noticed_at(ends: float, ticked_at: float) -> float:
    """The kubelet looks at deadlines about once a second: one that passes is noticed at the next look.

    `ticked_at` is any instant at which it looked (seconds).
    """
    period = timing_constant("sync-loop-tick")
    return ticked_at + math.ceil((ends - ticked_at) / period) * period


@derivation(
    "deadline-no-disruption",
    machine="pod",
    cites=[_PAGE, _STATUS],
    seed=8,
    examples=[
        example("Succeeded", True, gives=("Failed", REASON, MESSAGE)),
        example("Running", True, gives=("Failed", REASON, MESSAGE)),
        example("Running", False, gives=("Running", "", "")),
    ],
)
def after_deadline(phase: str, past: bool) -> tuple[str, str, str]:
    """A passed deadline overrides the phase the containers give, even Succeeded, and adds no DisruptionTarget.

    Answers phase, reason and message of the status; `phase` is what the containers give.
    """
    return ("Failed", REASON, MESSAGE) if past else (phase, "", "")


@validation(
    "deadline-not-in-controllers",
    machine=(),
    cites=[
        docs("concepts/workloads/controllers/job.md#job-termination-and-cleanup"),
        source("pkg/apis/core/validation/validation.go", "ValidatePodTemplateSpecForRC"),
        source("pkg/apis/apps/validation/validation.go", "ValidatePodTemplateSpecForReplicaSet"),
    ],
    seed=8,
    observable="API rejection",
    allows=[PodSpec()],
    refuses=[PodSpec(activeDeadlineSeconds=60)],
)
def template_accepted(template: PodSpec) -> bool:
    """Pod templates of ReplicationController, ReplicaSet, Deployment, StatefulSet and DaemonSet may not set a deadline.

    A Job has a field of the same name of its own, and may set it in its template too.
    """
    return template.activeDeadlineSeconds is None
