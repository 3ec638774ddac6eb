"""Jobs: Pods until enough of them have succeeded, or until that is hopeless.

A finished Pod is kept by a finalizer until it is counted. Syncs after changes of Pods wait a second, so that changes
come together. Source: pkg/controller/job/job_controller.go (syncJob, manageJob, trackJobStatusAndRemoveFinalizers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, field

from podfsm.kube.objects import Pod
from podfsm.kube.workloads import JobSpec
from podfsm.rules.controllers import managed_elsewhere
from podfsm.rules.disruption_budget import ready
from podfsm.rules.job_failures import counts_as_failed, matching_rule, past_limit, replaces_only_failed, restarts_of
from podfsm.rules.job_progress import (
    Failures,
    ended_at,
    failures_in_a_row,
    index_of,
    indexes_of,
    indexes_text,
    success_met,
)
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster import job_pods
from podfsm.world.cluster.claims import claim
from podfsm.world.cluster.desk import stamp
from podfsm.world.cluster.job_pods import FINALIZER
from podfsm.world.cluster.pods import active, condition, delete_all, seconds
from podfsm.world.cluster.state import Thing
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

TTL = "job-ttl"
FAILURE, SUCCESS = "FailureTarget", "SuccessCriteriaMet"
"""Conditions that say how the Job will end, while Pods are still on their way out."""


@define
class Sync:
    """One sync of a Job: what it found and what it has decided so far."""

    thing: Thing
    pods: list[PodWorld]
    running: list[PodWorld]
    failures: Failures
    status: dict[str, Any]
    succeeded: int = 0
    failed: int = 0
    done: frozenset[int] = frozenset()
    """Indexes that have succeeded."""
    lost: frozenset[int] = frozenset()
    """Indexes that have failed for good."""
    delayed: dict[int, PodWorld] = field(factory=dict)
    """The last failed Pod of each index that is to be tried again; it is kept until its successor exists."""
    verdict: tuple[str, str] | None = None
    """FAILURE or SUCCESS, and the reason."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """The Job's spec."""
        return self.thing.spec

    @property
    def job(self) -> JobSpec:
        """The same in typed form."""
        assert self.thing.job is not None
        return self.thing.job

    def has_failed(self, pod: Pod) -> bool:
        """Whether a Pod counts as failed."""
        return bool(counts_as_failed(pod, replaces_only_failed(self.job)))

    def action(self, pod: Pod) -> str:
        """What podFailurePolicy says of a failed Pod: FailJob, FailIndex, Ignore or Count; Count if it says nothing."""
        met = matching_rule(self.job.podFailurePolicy, pod)
        return met.action if met is not None else "Count"

    @property
    def indexed(self) -> bool:
        """Whether each Pod has an index of its own."""
        return bool(self.spec.get("completionMode") == "Indexed")

    @property
    def per_index(self) -> bool:
        """Whether failures are counted for each index."""
        return self.spec.get("backoffLimitPerIndex") is not None


def finished(status: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The condition with which a Job has ended."""
    for kind in ("Complete", "Failed"):
        found = condition(status, kind)
        if found is not None and found["status"] == "True":
            return found
    return None


def sync(desk: Desk, key: str) -> None:
    """Count, decide, act, write the status."""
    thing = desk.thing(key)
    if thing is None or finished(thing.status) is not None:
        if thing is not None:
            _expire_later(desk, thing)
        return
    assert thing.job is not None
    if managed_elsewhere.in_force(desk.m.gates) and managed_elsewhere(thing.job):
        return
    pods = claim(desk, thing)
    s = Sync(thing, pods, active(pods), desk.c.failures.get(key, Failures()), dict(thing.status))
    if not s.status.get("startTime") and not thing.spec.get("suspend"):
        s.status["startTime"] = stamp(desk.now)
    _count(desk, s)
    _judge(desk, s)
    if s.verdict is not None:
        delete_all(desk, s.running)
        s.running = []
    else:
        if not thing.deleting:
            job_pods.manage(desk, s)
        _maybe_complete(s)
        _note_suspension(desk, s)
    _track(desk, s)


def _uncounted(s: Sync) -> list[Pod]:
    mine = [pod.api for pod in s.pods if FINALIZER in pod.api.metadata.finalizers]
    if not s.indexed:
        return mine
    return [pod for pod in mine if 0 <= index_of(pod) < int(s.spec.get("completions") or 0)]


def _count(desk: Desk, s: Sync) -> None:
    """Successes and failures, those of this sync included."""
    fresh = _uncounted(s)
    succeeded = [pod for pod in fresh if pod.status.phase == "Succeeded"]
    failed = [pod for pod in fresh if s.has_failed(pod)]
    ends = ([ended_at(pod, desk.now) for pod in pods] for pods in (succeeded, failed))
    s.failures = failures_in_a_row(s.failures, *ends)
    s.succeeded = int(s.status.get("succeeded", 0)) + len(succeeded)
    s.failed = int(s.status.get("failed", 0)) + sum(s.action(p) != "Ignore" for p in failed)
    if s.indexed:
        before = indexes_of(s.status.get("completedIndexes", ""))
        s.done = before | {index_of(pod) for pod in succeeded}
        s.succeeded = len(s.done)
        if s.per_index:
            job_pods.count_indexes(s, failed)


def _judge(desk: Desk, s: Sync) -> None:
    """Whether the Job is to end, and how."""
    for kind in (SUCCESS, FAILURE):
        known = condition(s.status, kind)
        if known is not None and known["status"] == "True":
            s.verdict = (kind, str(known.get("reason", "")))
            return
    reason = _failure(desk, s)
    if reason:
        s.verdict = (FAILURE, reason)
    elif s.indexed and success_met(s.job.successPolicy, s.done):
        s.verdict = (SUCCESS, "SuccessPolicy")


def _failure(desk: Desk, s: Sync) -> str:
    """Why the Job fails; empty if it does not."""
    spec, pods = s.spec, [pod.api for pod in s.pods]
    if any(s.has_failed(p) and s.action(p) == "FailJob" for p in pods):
        return "PodFailurePolicy"
    if past_limit(s.failed, restarts_of(pods), s.job.backoffLimit, s.job.template.spec.restartPolicy):
        return "BackoffLimitExceeded"
    deadline, start = spec.get("activeDeadlineSeconds"), s.status.get("startTime")
    if deadline is not None and start and not spec.get("suspend"):
        due = seconds(start) + float(deadline)
        if desk.now >= due:
            return "DeadlineExceeded"
        desk.later(s.thing.kind, s.thing.key, due)
    if s.per_index and s.lost:
        most = spec.get("maxFailedIndexes")
        if most is not None and len(s.lost) > int(most):
            return "MaxFailedIndexesExceeded"
        if len(s.lost) + len(s.done) >= int(spec["completions"]):
            return "FailedIndexes"
    return ""


def _maybe_complete(s: Sync) -> None:
    completions = s.spec.get("completions")
    enough = s.succeeded > 0 if completions is None else s.succeeded >= int(completions)
    if enough and not s.running:
        s.verdict = (SUCCESS, "CompletionsReached")


def _note_suspension(desk: Desk, s: Sync) -> None:
    """The condition Suspended; a Job that goes on starts its clock anew."""
    if s.verdict is not None:
        return
    suspended = bool(s.spec.get("suspend"))
    known = condition(s.status, "Suspended")
    if suspended and (known is None or known["status"] != "True"):
        _set(desk, s, "Suspended", "True", "JobSuspended")
    elif not suspended and known is not None and known["status"] == "True":
        _set(desk, s, "Suspended", "False", "JobResumed")
        s.status["startTime"] = stamp(desk.now)


def _track(desk: Desk, s: Sync) -> None:
    """Take the finalizers off what has been counted, write the status, and end the Job once no Pod is left."""
    failed = int(s.status.get("failed", 0))
    for pod in s.pods:
        if FINALIZER in pod.api.metadata.finalizers and _may_go(s, pod):
            job_pods.release(desk, pod)
            failed += _counts_as_failed(s, pod.api)
    desk.c.failures = desk.c.failures.set(s.thing.key, s.failures)
    now = [desk.world.pods[pod.key] for pod in s.pods if desk.world.pods[pod.key].exists]
    mine = [pod.api for pod in active(desk.owned(s.thing.uid))]
    terminating = sum(_terminating(pod) for pod in now)
    s.status |= {"active": len(mine), "ready": sum(ready(pod) for pod in mine), "terminating": terminating}
    s.status |= {"succeeded": s.succeeded, "failed": failed}
    if s.indexed:
        s.status["completedIndexes"] = indexes_text(s.done)
        if s.per_index:
            s.status["failedIndexes"] = indexes_text(s.lost)
    if s.verdict is not None:
        _conclude(desk, s, terminating)
    thing = desk.thing(s.thing.key)
    if thing is not None:
        _expire_later(desk, desk.set_status(thing, s.status))


def _counts_as_failed(s: Sync, pod: Pod) -> bool:
    """Whether a Pod that is let go is a failure; when the Job fails, so is everything that still ran."""
    if s.has_failed(pod):
        return s.action(pod) != "Ignore"
    return s.verdict is not None and s.verdict[0] == FAILURE and pod.status.phase != "Succeeded"


def _terminating(pod: PodWorld) -> bool:
    return pod.api.metadata.deletionTimestamp is not None and pod.api.status.phase not in TERMINAL


def _may_go(s: Sync, pod: PodWorld) -> bool:
    """Whether a Pod needs no more counting."""
    if s.thing.deleting or s.verdict is not None or pod.api.status.phase == "Succeeded":
        return True
    kept = s.delayed.get(index_of(pod.api))
    return s.has_failed(pod.api) and (kept is None or kept.key != pod.key)


def _conclude(desk: Desk, s: Sync, terminating: int) -> None:
    """The interim condition at once, the final one when nothing terminates any more."""
    assert s.verdict is not None
    kind, reason = s.verdict
    _set(desk, s, kind, "True", reason)
    if terminating == 0:
        _set(desk, s, "Complete" if kind == SUCCESS else "Failed", "True", reason)
        if kind == SUCCESS:
            s.status["completionTime"] = stamp(desk.now)


def _set(desk: Desk, s: Sync, kind: str, status: str, reason: str) -> None:
    old = condition(s.status, kind)
    if old is not None and (old["status"], old.get("reason")) == (status, reason):
        return
    others = [each for each in s.status.get("conditions") or () if each.get("type") != kind]
    new = {"type": kind, "status": status, "reason": reason, "lastTransitionTime": stamp(desk.now)}
    s.status["conditions"] = [*others, new]


def _expire_later(desk: Desk, thing: Thing) -> None:
    """A finished Job with a time to live is deleted when that is over."""
    end, ttl = finished(thing.status), thing.spec.get("ttlSecondsAfterFinished")
    if end is not None and ttl is not None and not thing.deleting:
        desk.later(TTL, thing.key, seconds(str(end["lastTransitionTime"])) + float(ttl))


def orphan(desk: Desk, key: str) -> None:
    """A Pod of a Job that is gone need not be counted any more."""
    pod = desk.world.pods.get(key)
    if pod is not None and pod.exists and FINALIZER in pod.api.metadata.finalizers:
        job_pods.release(desk, pod)


def expire(desk: Desk, key: str) -> None:
    """Delete a Job whose time to live is over, its Pods first."""
    from podfsm.world.cluster.objects import delete

    thing = desk.thing(key)
    if thing is not None and finished(thing.status) is not None and not thing.deleting:
        delete(desk, key, "Foreground")
