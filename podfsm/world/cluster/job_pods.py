"""The Pods of a Job: how many there should be, which indexes they get, and which go.

Source: pkg/controller/job/job_controller.go (manageJob), indexed_job_utils.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from podfsm.kube.objects import Pod
from podfsm.rules.job_failures import replacement_delay, replaces_only_failed
from podfsm.rules.job_progress import INDEX, INDEX_FAILURES, ended_at, index_failures, index_of, indexes_of
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster import namespaces
from podfsm.world.cluster.pods import active, first_to_go, pod_of
from podfsm.world.pod import PodWorld
from podfsm.world.step import Delete, Patch

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk
    from podfsm.world.cluster.job import Sync

FINALIZER = "batch.kubernetes.io/job-tracking"
"""Keeps a finished Pod until the Job has counted it."""
BURST = 500
"""How many Pods one sync creates or deletes at most. Source: job_controller.go (MaxPodCreateDeletePerSync)."""


def manage(desk: Desk, s: Sync) -> None:
    """Delete what is too many, or else create what is missing unless the back-off forbids it for now."""
    running = len(s.running)
    if s.spec.get("suspend"):
        _delete(desk, s, s.running)
        return
    wanted = _wanted(s)
    surplus = _surplus(desk, s, max(0, running - wanted))
    if surplus:
        _delete(desk, s, surplus[:BURST])
        return
    leaving = sum(_terminating(pod.api) for pod in s.pods) if replaces_only_failed(s.job) else 0
    missing = min(wanted - leaving - running, BURST)
    if missing <= 0:
        return
    if not s.per_index:
        due = s.failures.last + replacement_delay(s.failures.count)
        if s.failures.count and due > desk.now:
            desk.later(s.thing.kind, s.thing.key, due)
            return
    if s.indexed:
        _create_indexes(desk, s, missing)
    else:
        for _ in range(missing):
            _create(desk, s, None)
    s.running = active(desk.owned(s.thing.uid))


def _wanted(s: Sync) -> int:
    """How many Pods should be running."""
    parallelism = int(s.spec["parallelism"])
    completions = s.spec.get("completions")
    if completions is None:
        return len(s.running) if s.succeeded > 0 else parallelism
    return max(0, min(int(completions) - s.succeeded, parallelism))


def _terminating(pod: Pod) -> bool:
    return pod.metadata.deletionTimestamp is not None and pod.status.phase not in TERMINAL


def _surplus(desk: Desk, s: Sync, least: int) -> list[PodWorld]:
    """The Pods to remove: in an indexed Job duplicates and strangers first, then the least useful."""
    going: list[PodWorld] = []
    left = list(s.running)
    if s.indexed:
        going, left = _duplicates(s)
    if len(going) < least:
        going += first_to_go(left, {}, desk.now, least - len(going))
    return going


def _duplicates(s: Sync) -> tuple[list[PodWorld], list[PodWorld]]:
    seen: set[int] = set()
    going: list[PodWorld] = []
    left: list[PodWorld] = []
    for pod in sorted(s.running, key=lambda p: (not p.api.spec.nodeName, p.api.metadata.uid)):
        index = index_of(pod.api)
        stranger = not 0 <= index < int(s.spec.get("completions") or 0)
        (going if stranger or index in seen else left).append(pod)
        seen.add(index)
    return going, left


def _delete(desk: Desk, s: Sync, pods: Iterable[PodWorld]) -> None:
    """Delete Pods that the Job no longer wants; they are not counted as failures."""
    for pod in list(pods):
        release(desk, pod)
        desk.pod(Delete(pod.key))
    s.pods = [now for pod in s.pods if (now := desk.world.pods[pod.key]).exists]
    s.running = active(s.pods)


def release(desk: Desk, pod: PodWorld) -> None:
    """Take the Job's finalizer off a Pod."""
    now = desk.world.pods[pod.key]
    if now.exists and FINALIZER in now.api.metadata.finalizers:
        left = [each for each in now.api.metadata.finalizers if each != FINALIZER]
        desk.pod(Patch(pod.key, "merge", {"metadata": {"finalizers": left or None}}))


def _create_indexes(desk: Desk, s: Sync, missing: int) -> None:
    """The lowest indexes without a Pod, those first whose back-off is over."""
    taken = {index_of(pod.api) for pod in s.running} | s.done | s.lost
    if replaces_only_failed(s.job):
        taken |= {index_of(pod.api) for pod in s.pods if _terminating(pod.api)}
    free = [index for index in range(int(s.spec["completions"])) if index not in taken][:missing]
    if not s.per_index:
        for index in free:
            _create(desk, s, index)
        return
    due = {index: _index_due(desk, s, index) for index in free}
    ripe = [index for index in free if due[index] <= desk.now]
    for index in ripe:
        _create(desk, s, index)
        before = s.delayed.pop(index, None)
        if before is not None:
            release(desk, before)
    if not ripe and due:
        desk.later(s.thing.kind, s.thing.key, min(due.values()))
    elif len(ripe) < len(free):
        desk.later(s.thing.kind, s.thing.key, min(when for when in due.values() if when > desk.now))


def _index_due(desk: Desk, s: Sync, index: int) -> float:
    last = s.delayed.get(index)
    if last is None:
        return desk.now
    due: float = ended_at(last.api, desk.now) + replacement_delay(index_failures(last.api) + 1)
    return due


def _create(desk: Desk, s: Sync, index: int | None) -> None:
    if namespaces.refused(desk, s.thing.namespace):
        return
    template = s.spec.get("template") or {}
    raw = pod_of(s.thing, template)
    metadata: dict[str, Any] = raw["metadata"]
    metadata["finalizers"] = [*metadata.get("finalizers", ()), FINALIZER]
    prefix = f"{s.thing.name}-"
    if index is not None:
        annotations = {**metadata.get("annotations", {}), INDEX: str(index)}
        if s.per_index:
            before = s.delayed.get(index)
            count = index_failures(before.api) + 1 if before is not None else 0
            annotations[INDEX_FAILURES] = str(count)
        metadata["annotations"] = annotations
        metadata["labels"] = {**metadata.get("labels", {}), INDEX: str(index)}
        raw["spec"] = {**raw["spec"], "hostname": f"{s.thing.name}-{index}"}
        prefix = f"{s.thing.name}-{index}-"
    desk.create_pod(raw, prefix)


def count_indexes(s: Sync, failed: Sequence[Pod]) -> None:
    """Which indexes have failed for good, and which failed Pods wait for a successor."""
    limit = int(s.spec["backoffLimitPerIndex"])
    lost = set(indexes_of(s.status.get("failedIndexes", "")))
    by_name = {pod.api.metadata.name: pod for pod in s.pods}
    busy = {index_of(pod.api) for pod in s.running}
    for pod in failed:
        index, action = index_of(pod), s.action(pod)
        if index in s.done or index in lost:
            continue
        if action == "FailIndex" or (action != "Ignore" and index_failures(pod) + 1 > limit):
            lost.add(index)
        elif index not in busy:
            s.delayed[index] = by_name[pod.metadata.name]
    s.lost = frozenset(lost)
