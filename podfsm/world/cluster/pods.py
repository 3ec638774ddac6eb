"""What controllers of Pods have in common: claiming, counting, and choosing which Pods go first.

Source: pkg/controller/controller_utils.go (ActivePodsWithRanks), controller_ref_manager.go (ClaimPods).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cmp_to_key
from math import log2
from typing import TYPE_CHECKING, Any

from podfsm.kube.objects import Pod
from podfsm.kube.selector import matches
from podfsm.kube.times import seconds_of
from podfsm.rules.disruption_budget import ready
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.state import Thing
from podfsm.world.pod import PodWorld
from podfsm.world.step import Delete, Patch

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
API_VERSIONS = {
    "ReplicationController": "v1",
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "DaemonSet": "apps/v1",
    "Job": "batch/v1",
}


def reference(thing: Thing) -> dict[str, Any]:
    """The ownerReference that says that this object controls another."""
    return {
        "apiVersion": API_VERSIONS[thing.kind],
        "kind": thing.kind,
        "name": thing.name,
        "uid": thing.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def pod_of(thing: Thing, template: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """A Pod from an owner's template, without a name; `metadata` overrides what the template says."""
    given = template.get("metadata") or {}
    kept = {key: given[key] for key in ("labels", "annotations", "finalizers") if given.get(key)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**kept, "namespace": thing.namespace, "ownerReferences": [reference(thing)], **metadata},
        "spec": template.get("spec") or {},
    }


def claim(desk: Desk, thing: Thing) -> list[PodWorld]:
    """The Pods an object controls, after it has adopted those that match and released those that do not any more."""
    mine = []
    for pod in desk.owned(thing.uid):
        controls = any(o.uid == thing.uid and o.controller for o in pod.api.metadata.ownerReferences)
        if controls and not matches(thing.selector, pod.api.metadata.labels) and not thing.deleting:
            kept = [o for o in pod.raw["metadata"].get("ownerReferences") or () if o.get("uid") != thing.uid]
            desk.pod(Patch(pod.key, "merge", {"metadata": {"ownerReferences": kept or None}}))
        elif controls:
            mine.append(pod)
    if thing.deleting:
        return mine
    for key in sorted(desk.c.orphans):
        pod = desk.world.pods[key]
        if adoptable(thing, pod.api):
            kept = [*(pod.raw["metadata"].get("ownerReferences") or ()), reference(thing)]
            mine.append(desk.pod(Patch(key, "merge", {"metadata": {"ownerReferences": kept}})))
    return mine


def adoptable(thing: Thing, pod: Pod) -> bool:
    """Whether an object may take a Pod that nobody controls."""
    if pod.metadata.namespace != thing.namespace or pod.metadata.deletionTimestamp is not None:
        return False
    return pod.status.phase not in TERMINAL and matches(thing.selector, pod.metadata.labels)


def active(pods: Iterable[PodWorld]) -> list[PodWorld]:
    """Those that have not finished and are not being deleted (rule ctl-terminating-not-counted)."""
    return [p for p in pods if p.api.metadata.deletionTimestamp is None and p.api.status.phase not in TERMINAL]


def ready_since(pod: Pod) -> float | None:
    """Since when a Pod is Ready, in seconds; None if it is not."""
    condition = next((c for c in pod.status.conditions if c.type == "Ready" and c.status == "True"), None)
    if condition is None:
        return None
    return seconds_of(condition.lastTransitionTime) if condition.lastTransitionTime is not None else 0.0


def available(pod: Pod, min_ready: float, now: float) -> bool:
    """Whether a Pod has been Ready for at least `min_ready` seconds."""
    since = ready_since(pod)
    return since is not None and (not min_ready or since + min_ready <= now)


def available_at(pods: Iterable[Pod], min_ready: float, now: float) -> float | None:
    """When the next of these Pods becomes available without anything happening; None if none does."""
    times = [since + min_ready for pod in pods if (since := ready_since(pod)) is not None]
    return min((when for when in times if when > now), default=None) if min_ready else None


def restarts(pod: Pod) -> int:
    """The largest restart count of the Pod's containers."""
    return max((c.restartCount for c in (*pod.status.containerStatuses, *pod.status.initContainerStatuses)), default=0)


def first_to_go(pods: Sequence[PodWorld], ranks: Mapping[str, int], now: float) -> list[PodWorld]:
    """Pods in the order in which a controller that has too many deletes them.

    Unbound ones first, then Pending ones, then those that are not Ready, of low deletion cost, sharing their node with
    more of their kind (`ranks`, by key), Ready for a shorter time, restarted more often, younger. Times are compared
    by powers of two of their length, in which case the uid decides among equals. Pods that are alike in everything
    stay in the order in which they are given; a cluster gives them in the random order of a Go map.
    """
    return sorted(pods, key=cmp_to_key(_order(ranks, now)))


def _order(ranks: Mapping[str, int], now: float) -> Callable[[PodWorld, PodWorld], int]:
    def compare(left: PodWorld, right: PodWorld) -> int:
        a, b = _plain_rank(left, ranks), _plain_rank(right, ranks)
        if a != b:
            return -1 if a < b else 1
        since = ready_since(left.api), ready_since(right.api)
        if since[0] is not None and since[1] is not None and since[0] != since[1]:
            return _younger(left, right, since[0], since[1], now)
        counts = restarts(left.api), restarts(right.api)
        if counts[0] != counts[1]:
            return counts[1] - counts[0]
        made = created(left.api), created(right.api)
        return _younger(left, right, *made, now) if made[0] != made[1] else 0

    return compare


def created(pod: Pod) -> float:
    """When a Pod was created, in seconds; 0 if it does not say."""
    return seconds_of(pod.metadata.creationTimestamp) if pod.metadata.creationTimestamp is not None else 0.0


def _plain_rank(pod: PodWorld, ranks: Mapping[str, int]) -> tuple[object, ...]:
    api = pod.api
    phase = {"Pending": 0, "Unknown": 1}.get(api.status.phase, 2)
    return (bool(api.spec.nodeName), phase, ready(api), deletion_cost(api), -ranks.get(pod.key, 0))


def deletion_cost(pod: Pod) -> int:
    """What a Pod's annotation says its deletion costs; 0 if it says nothing or nonsense."""
    try:
        return int(pod.metadata.annotations.get(DELETION_COST, "0"))
    except ValueError:
        return 0


def _younger(left: PodWorld, right: PodWorld, a: float, b: float, now: float) -> int:
    ages = _bucket(now - a), _bucket(now - b)
    return ages[0] - ages[1] or _by_uid(left, right)


def _bucket(age: float) -> int:
    return int(log2(age * 1e9)) if age > 0 else -1


def _by_uid(left: PodWorld, right: PodWorld) -> int:
    return -1 if left.api.metadata.uid < right.api.metadata.uid else 1


def delete_all(desk: Desk, pods: Iterable[PodWorld]) -> None:
    """Delete Pods with their own grace."""
    for pod in pods:
        if desk.world.pods[pod.key].exists:
            desk.pod(Delete(pod.key))


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """A condition in an object's status."""
    found: Iterable[Mapping[str, Any]] = status.get("conditions") or ()
    return next((each for each in found if each.get("type") == kind), None)
