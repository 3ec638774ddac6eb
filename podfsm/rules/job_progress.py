"""How far a Job has come: when its Pods ended, which indexes are done, and when that is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.objects import ContainerState, ContainerStateTerminated, ContainerStatus, ObjectMeta, Pod, PodStatus
from podfsm.kube.times import seconds_of
from podfsm.kube.workloads import SuccessPolicy, SuccessPolicyRule

INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"

_AREA = "controllers"
_PAGE = "concepts/workloads/controllers/job.md"
_END = datetime(2026, 1, 1, 0, 0, 7, tzinfo=UTC)


@frozen
class Failures:
    """A Job's failures since its last success, and when the last of them ended (seconds)."""

    count: int = 0
    last: float = 0.0


def _ended(*ends: datetime) -> Pod:
    statuses = tuple(
        ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(1, finishedAt=end))) for end in ends
    )
    return Pod(status=PodStatus(phase="Failed", containerStatuses=statuses))


@derivation(
    "ctl-job-pod-end",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-backoff-failure-policy"),
        source("pkg/controller/job/backoff_utils.go", "getFinishedTime"),
    ],
    seed=7,
    observable="creationTimestamp of the replacement",
    examples=[
        example(_ended(_END), 100.0, gives=seconds_of(_END)),
        example(Pod(), 100.0, gives=100.0),
        example(
            Pod(metadata=ObjectMeta(deletionTimestamp=_END, deletionGracePeriodSeconds=5)),
            0.0,
            gives=seconds_of(_END) - 5,
        ),
    ],
)
def ended_at(pod: Pod, now: float) -> float:
    """A Job takes the end of a Pod's last container as the Pod's end; without any, when it stopped being Ready.

    Failing that when its deletion was asked for, or `now` (seconds).
    """
    statuses = (*pod.status.containerStatuses, *pod.status.initContainerStatuses)
    ends = [each.state.terminated.finishedAt for each in statuses if each.state.terminated is not None]
    known = [seconds_of(end) for end in ends if end is not None]
    if known and len(ends) == len(statuses):
        return max(known)
    ready = next((c for c in pod.status.conditions if c.type == "Ready" and c.status == "False"), None)
    if ready is not None and ready.lastTransitionTime is not None:
        return seconds_of(ready.lastTransitionTime)
    if pod.metadata.deletionTimestamp is not None:
        return seconds_of(pod.metadata.deletionTimestamp) - (pod.metadata.deletionGracePeriodSeconds or 0)
    return now


@derivation(
    "ctl-job-failures-in-a-row",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-backoff-failure-policy"),
        source("pkg/controller/job/backoff_utils.go", "newBackoffRecord"),
    ],
    seed=7,
    observable="gaps between the creations of a Job's Pods",
    examples=[
        example(Failures(2, 5.0), [], [8.0], gives=Failures(3, 8.0)),
        example(Failures(2, 5.0), [9.0], [8.0], gives=Failures()),
        example(Failures(2, 5.0), [6.0], [4.0, 8.0], gives=Failures(1, 8.0)),
        example(Failures(2, 5.0), [], [], gives=Failures(2, 5.0)),
    ],
)
def failures_in_a_row(known: Failures, successes: Sequence[float], failures: Sequence[float]) -> Failures:
    """The back-off of a Job counts the failures since its last success, by the instants at which the Pods ended.

    `known` is the count so far; the instants are those of Pods that have ended since.
    """
    if successes:
        failures = [end for end in failures if end > max(successes)]
        known = Failures()
    return Failures(known.count + len(failures), max([known.last, *failures]))


def index_of(pod: Pod) -> int:
    """A Pod's completion index; -1 if it has none."""
    return _number(pod, INDEX, -1)


def index_failures(pod: Pod) -> int:
    """How many failures of its index came before this Pod."""
    return _number(pod, INDEX_FAILURES, 0)


def _number(pod: Pod, annotation: str, default: int) -> int:
    text = pod.metadata.annotations.get(annotation, "")
    return int(text) if text.isdigit() else default


@derivation(
    "ctl-job-indexes-text",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#completion-mode"),
        source("pkg/controller/job/indexed_job_utils.go", "orderedIntervals.String"),
    ],
    since="1.21",
    seed=7,
    observable="Job status.completedIndexes and status.failedIndexes",
    examples=[
        example([], gives=""),
        example([3, 1, 2], gives="1-3"),
        example([0, 1, 4], gives="0,1,4"),
        example([0, 2, 3, 4, 7], gives="0,2-4,7"),
    ],
)
def indexes_text(indexes: Iterable[int]) -> str:
    """A Job writes its indexes in order, three or more that follow on each other as first-last."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ",".join(_run(first, last) for first, last in runs)


def _run(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first}-{last}" if last > first + 1 else f"{first},{last}"


def indexes_of(text: str) -> frozenset[int]:
    """The indexes that such a text names."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


_INDEXES = re.compile(r"\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*", re.ASCII)


def readable_indexes(text: str, completions: int) -> bool:
    """Whether a text names indexes of a Job with so many completions, each later than the one before."""
    if not _INDEXES.fullmatch(text):
        return False
    numbers = [int(number) for part in text.split(",") for number in part.split("-")]
    return numbers == sorted(set(numbers)) and numbers[-1] < completions


_LEADER = SuccessPolicy((SuccessPolicyRule(succeededIndexes="0,2-3", succeededCount=2),))


@derivation(
    "ctl-job-success-policy",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PAGE}#success-policy"), source("pkg/controller/job/success_policy.go", "matchSuccessPolicy")],
    gate="JobSuccessPolicy",
    seed=7,
    observable="Job condition SuccessCriteriaMet, reason SuccessPolicy",
    examples=[
        example(_LEADER, frozenset({0, 1}), gives=False),
        example(_LEADER, frozenset({0, 3}), gives=True),
        example(SuccessPolicy((SuccessPolicyRule(succeededIndexes="0-1"),)), frozenset({0, 1, 5}), gives=True),
        example(SuccessPolicy((SuccessPolicyRule(succeededCount=2),)), frozenset({5}), gives=False),
        example(None, frozenset({0}), gives=False),
    ],
)
def success_met(policy: SuccessPolicy | None, succeeded: frozenset[int]) -> bool:
    """A successPolicy is met as soon as one of its rules is: enough indexes have succeeded, of those that it names.

    Without succeededCount all that it names; without succeededIndexes any count.
    """
    for rule in () if policy is None else policy.rules:
        named = indexes_of(rule.succeededIndexes) if rule.succeededIndexes else None
        mine = succeeded if named is None else succeeded & named
        if rule.succeededCount is not None:
            if len(mine) >= rule.succeededCount:
                return True
        elif named is not None and named <= succeeded:
            return True
    return False
