"""What a Job makes of its Pods: what counts as failed, what a failure policy says, and when the next try may start.

Functions from values to values. Source: pkg/controller/job (job_controller.go, pod_failure_policy.go,
backoff_utils.go, success_policy.go, indexed_job_utils.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from podfsm.kube.objects import Pod
from podfsm.kube.times import seconds_of
from podfsm.rules.timings import timing_constant
from podfsm.world.cluster.state import Failures

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"


def replaces_failed_only(spec: Mapping[str, Any]) -> bool:
    """Whether a Pod that is being deleted is not failed before its phase says so (rule ctl-job-failed-count)."""
    return spec.get("podReplacementPolicy") == "Failed" or bool(spec.get("podFailurePolicy"))


def failed(pod: Pod, spec: Mapping[str, Any]) -> bool:
    """Whether a Pod counts as failed."""
    if pod.status.phase == "Failed":
        return True
    if replaces_failed_only(spec):
        return False
    return pod.metadata.deletionTimestamp is not None and pod.status.phase != "Succeeded"


def finished_at(pod: Pod, now: float) -> float:
    """When the last container ended, in whole seconds; without any, when the Pod stopped being Ready, or now."""
    statuses = (*pod.status.containerStatuses, *pod.status.initContainerStatuses)
    ends = [s.state.terminated.finishedAt for s in statuses if s.state.terminated is not None]
    known = [seconds_of(end) for end in ends if end is not None]
    if known and len(ends) == len(statuses):
        return max(known)
    ready = next((c for c in pod.status.conditions if c.type == "Ready" and c.status == "False"), None)
    if ready is not None and ready.lastTransitionTime is not None:
        return seconds_of(ready.lastTransitionTime)
    if pod.metadata.deletionTimestamp is not None:
        return seconds_of(pod.metadata.deletionTimestamp) - (pod.metadata.deletionGracePeriodSeconds or 0)
    return now


def count_failures(known: Failures, succeeded: Sequence[Pod], newly_failed: Sequence[Pod], now: float) -> Failures:
    """The back-off record after these Pods have finished: failures since the last success."""
    if not succeeded and not newly_failed:
        return known
    ends = sorted(finished_at(pod, now) for pod in newly_failed)
    if succeeded:
        last_success = max(finished_at(pod, now) for pod in succeeded)
        ends = [end for end in ends if end > last_success]
        known = Failures()
    return Failures(known.count + len(ends), max([known.last, *ends]))


def backoff(failures: int) -> float:
    """How long the next Pod waits after this many failures in a row (rule ctl-job-pod-backoff)."""
    if failures <= 0:
        return 0.0
    first, factor = timing_constant("job-backoff-initial"), timing_constant("job-backoff-factor")
    return float(min(first * factor ** min(failures - 1, 30), timing_constant("job-backoff-max")))


def policy_action(spec: Mapping[str, Any], pod: Pod) -> str:
    """What podFailurePolicy says of a failed Pod: FailJob, FailIndex, Ignore or Count; Count if no rule matches."""
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        if _matches_exit(rule.get("onExitCodes"), pod) or _matches_condition(rule.get("onPodConditions"), pod):
            return str(rule.get("action"))
    return "Count"


def _matches_exit(wanted: Mapping[str, Any] | None, pod: Pod) -> bool:
    """By exit code: of the containers that ended with another code than 0, app containers first."""
    if not wanted:
        return False
    name, values = wanted.get("containerName"), wanted.get("values") or ()
    for status in (*pod.status.containerStatuses, *pod.status.initContainerStatuses):
        ended = status.state.terminated
        if ended is None or ended.exitCode == 0 or (name and status.name != name):
            continue
        if (ended.exitCode in values) == (wanted.get("operator") == "In"):
            return True
    return False


def _matches_condition(wanted: Iterable[Mapping[str, Any]] | None, pod: Pod) -> bool:
    return any(
        c.type == each.get("type") and c.status == (each.get("status") or "True")
        for each in wanted or ()
        for c in pod.status.conditions
    )


def restarts_exceed(spec: Mapping[str, Any], pods: Iterable[Pod]) -> bool:
    """Whether the restarts of an OnFailure Job's Pods use up its backoffLimit."""
    if ((spec.get("template") or {}).get("spec") or {}).get("restartPolicy") != "OnFailure":
        return False
    limit = int(spec["backoffLimit"])
    total = sum(
        s.restartCount
        for pod in pods
        if pod.status.phase in ("Running", "Pending")
        for s in (*pod.status.initContainerStatuses, *pod.status.containerStatuses)
    )
    return total > 0 if limit == 0 else total >= limit


def index_of(pod: Pod) -> int:
    """A Pod's completion index; -1 if it has none."""
    text = pod.metadata.annotations.get(INDEX, "")
    return int(text) if text.isdigit() else -1


def index_failures(pod: Pod) -> int:
    """How many failures of its index came before this Pod."""
    text = pod.metadata.annotations.get(INDEX_FAILURES, "")
    return int(text) if text.isdigit() else 0


def indexes_text(indexes: Iterable[int]) -> str:
    """Indexes as the API writes them: runs as 1-3, the rest one by one."""
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


def success_met(spec: Mapping[str, Any], succeeded: frozenset[int]) -> bool:
    """Whether some rule of successPolicy is met by these indexes."""
    for rule in (spec.get("successPolicy") or {}).get("rules") or ():
        named = indexes_of(rule["succeededIndexes"]) if rule.get("succeededIndexes") else None
        count = rule.get("succeededCount")
        mine = succeeded if named is None else succeeded & named
        if count is not None:
            if len(mine) >= int(count):
                return True
        elif named is not None and named <= succeeded:
            return True
    return False
