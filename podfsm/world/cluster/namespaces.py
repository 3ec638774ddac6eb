"""Namespaces: what may be created in them, their deletion, and the controller that empties them.

Source: pkg/controller/namespace/deletion/namespaced_resources_deleter.go (Delete, deleteAllContent).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve, frozen

from podfsm.kube.times import seconds_of
from podfsm.rules.cluster_facts import NamespaceFacts
from podfsm.rules.job_progress import Failures
from podfsm.rules.namespaces import ACTIVE, GONE, TERMINATING, estimate, may_go, next_look, refusal, waits_for_pods
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster import objects, tracking
from podfsm.world.cluster.desk import stamp
from podfsm.world.cluster.state import ClusterDraft, Thing
from podfsm.world.cluster.watch import NAMESPACE
from podfsm.world.pod import PodWorld
from podfsm.world.step import Delete

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

MACHINE = "namespace"
_PODS = "pods"


@frozen
class Left:
    """What one look has left of a kind: how many objects, and how many of them each finalizer holds."""

    count: int
    finalizers: Mapping[str, int]

    @classmethod
    def of(cls, held: Iterable[Iterable[str]]) -> Left:
        """Of objects given by their finalizers."""
        kept = [tuple(each) for each in held]
        names = sorted({name for each in kept for name in each})
        return cls(len(kept), {name: sum(name in each for each in kept) for name in names})


def refused(desk: Desk, namespace: str) -> str:
    """Why the API server creates nothing in a namespace; "" if it does. One that nobody has spoken of is there."""
    return refusal(namespace, desk.c.states.get(f"{MACHINE}/{namespace}", ACTIVE))


def touched(cluster: ClusterDraft, namespace: str) -> bool:
    """Whether a namespace was ever deleted."""
    return f"{MACHINE}/{namespace}" in cluster.states


def created(desk: Desk, thing: Thing) -> None:
    """A namespace is there, perhaps anew."""
    key = f"{MACHINE}/{thing.name}"
    if desk.c.states.get(key) == GONE:
        desk.c.states = desk.c.states.delete(key)


def delete(desk: Desk, thing: Thing) -> None:
    """A delete request; those of the system are refused, one that is on its way already stays so."""
    facts = NamespaceFacts(thing.name)
    if not may_go(facts):
        desk.note(f"at {desk.now:g} s: delete of namespace {thing.name} is refused (403, rule namespace-may-go)")
        return
    tracking.fire(desk, MACHINE, "delete", facts, instance=thing.name)
    if not thing.deleting:
        metadata = {**thing.metadata, "deletionTimestamp": stamp(desk.now)}
        status = {**thing.status, "phase": TERMINATING}
        desk.put(evolve(thing, raw={**thing.raw, "metadata": metadata}, status=status))


def sync(desk: Desk, key: str) -> None:
    """Delete what a deleted namespace holds, and the namespace once nothing is left; else come back."""
    thing = desk.thing(key)
    if thing is None or not thing.deleting:
        return
    since = desk.now - seconds_of(msgspec.convert(thing.metadata["deletionTimestamp"], datetime))
    expected = estimate(_graces(desk, thing.name), since)
    left = {_PODS: _delete_pods(desk, thing.name)}
    if not (waits_for_pods.in_force(desk.m.gates) and waits_for_pods(left[_PODS].count)):
        left |= _delete_objects(desk, thing.name)
    left = {resource: each for resource, each in left.items() if each.count}
    desk.set_status(thing, {**thing.status, "conditions": _conditions(left)})
    if left:
        _come_back(desk, key, expected, left)
        return
    tracking.fire(desk, MACHINE, "finalize", NamespaceFacts(thing.name), instance=thing.name)
    desk.c.failures = desk.c.failures.delete(key) if key in desk.c.failures else desk.c.failures
    desk.remove(thing)


def _come_back(desk: Desk, key: str, expected: int, left: Mapping[str, Left]) -> None:
    """Be there again when what is left may be gone."""
    held = any(each.finalizers for each in left.values())
    failed = desk.c.failures.get(key, Failures()).count
    if not expected and not held:
        desk.c.failures = desk.c.failures.set(key, Failures(failed + 1, desk.now))
    desk.later(NAMESPACE, key, desk.now + next_look(expected, failed, finalizers=held))


def _pods(desk: Desk, namespace: str) -> list[PodWorld]:
    """The existing Pods of a namespace, in the order of their names."""
    pods = desk.world.pods
    return [pods[key] for key in sorted(pods) if key.startswith(f"{namespace}/") and pods[key].exists]


def _graces(desk: Desk, namespace: str) -> tuple[int, ...]:
    """The grace periods of the Pods that have not finished."""
    running = (pod.api for pod in _pods(desk, namespace) if pod.api.status.phase not in TERMINAL)
    return tuple(pod.spec.terminationGracePeriodSeconds or 0 for pod in running)


def _delete_pods(desk: Desk, namespace: str) -> Left:
    for pod in _pods(desk, namespace):
        if pod.api.metadata.deletionTimestamp is None:
            desk.pod(Delete(pod.key))
    return Left.of(pod.api.metadata.finalizers for pod in _pods(desk, namespace))


def _delete_objects(desk: Desk, namespace: str) -> dict[str, Left]:
    """Delete all but the Pods; what is left of each kind by its resource's name."""
    here = [key for key, thing in desk.c.things.items() if thing.namespace == namespace]
    for key in sorted(here):
        if key in desk.c.things and not desk.c.things[key].deleting:
            objects.delete(desk, key)
    kept = [desk.c.things[key] for key in sorted(here) if key in desk.c.things]
    kinds = sorted({thing.kind for thing in kept})
    return {
        f"{kind.lower()}s": Left.of(each.metadata.get("finalizers") or () for each in kept if each.kind == kind)
        for kind in kinds
    }


def _conditions(left: Mapping[str, Left]) -> list[dict[str, Any]]:
    """What the controller writes of what is left. Source: status_condition_utils.go (Update)."""
    counts = ", ".join(f"{name}. has {each.count} resource instances" for name, each in left.items())
    held: dict[str, int] = {}
    for each in left.values():
        for name, count in each.finalizers.items():
            held[name] = held.get(name, 0) + count
    waits = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(held.items()))
    return [
        {
            "type": "NamespaceContentRemaining",
            "status": "True" if left else "False",
            "reason": "SomeResourcesRemain" if left else "ContentRemoved",
            "message": f"Some resources are remaining: {counts}" if left else "All content successfully removed",
        },
        {
            "type": "NamespaceFinalizersRemaining",
            "status": "True" if held else "False",
            "reason": "SomeFinalizersRemain" if held else "ContentHasNoFinalizers",
            "message": f"Some content in the namespace has finalizers remaining: {waits}"
            if held
            else "All content-preserving finalizers finished",
        },
    ]
