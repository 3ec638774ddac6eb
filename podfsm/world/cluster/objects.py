"""The API server's part for objects that are neither Pods nor Nodes: defaults, creation, patches, deletion.

Deletion has three ways: in the background the object goes at once and its dependents follow; in the foreground it
waits for them; or they are orphaned. `ownership` does what follows. Source: apiserver/pkg/registry/rest/delete.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve

from podfsm.errors import InputError, ScenarioError
from podfsm.kube.cluster import PodDisruptionBudget, PodDisruptionBudgetStatus
from podfsm.kube.decode import convert
from podfsm.kube.objects import LabelSelector
from podfsm.kube.patch import patched
from podfsm.kube.presets import default_preset
from podfsm.kube.words import described
from podfsm.kube.workload_defaults import default_workload, generate_selector
from podfsm.kube.workloads import TYPES, JobSpec
from podfsm.rules.gates import gates_for
from podfsm.rules.problems import Problem
from podfsm.rules.validation_objects import object_problems
from podfsm.world.cluster import naming
from podfsm.world.cluster.desk import stamp
from podfsm.world.cluster.state import Thing

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
"""Finalizers that stand for the way of deletion."""
_CLUSTER_WIDE = frozenset({"PriorityClass", "Namespace"})
_OWN_METADATA = ("uid", "generation", "creationTimestamp")


def thing_key(kind: str, metadata: Mapping[str, Any]) -> str:
    """kind/namespace/name; objects of the whole cluster have no namespace."""
    namespace = "" if kind in _CLUSTER_WIDE else metadata.get("namespace") or "default"
    return f"{kind}/{namespace}/{metadata.get('name') or ''}"


def make(desk: Desk, raw: Mapping[str, Any]) -> Thing:
    """Create an object. Raises InputError that knows only a path."""
    kind, number = str(raw["kind"]), desk.number()
    uid = naming.uid(desk.m.profile, number)
    metadata = {**(raw.get("metadata") or {}), "uid": uid, "generation": 1, "creationTimestamp": stamp(desk.now)}
    key = thing_key(kind, metadata)
    metadata["namespace"] = key.split("/")[1]
    stored = _completed({**raw, "metadata": metadata})
    status = stored.pop("status", None) or {}
    _, namespace, name = key.split("/")
    thing = _typed(Thing(kind, key, namespace, name, uid, stored, {}, desk.now, number), status)
    desk.put(thing)
    return thing


def _completed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its defaults, as a new one. What a template lacks is filled in when a Pod is made from it."""
    if raw.get("kind") == "PodPreset":
        return default_preset(raw)
    if raw.get("kind") == "Namespace":
        return {**raw, "spec": {**(raw.get("spec") or {}), "finalizers": ["kubernetes"]}}
    if raw.get("kind") not in TYPES:
        return dict(raw)
    whole = default_workload(raw, templates=False)
    if whole["kind"] == "Job":
        generate_selector(whole)
    return whole


def _typed(thing: Thing, status: Mapping[str, Any] | None = None) -> Thing:
    """The object with what is read often in typed form."""
    if thing.kind == "PodDisruptionBudget":
        budget = convert({k: v for k, v in thing.raw.items() if k != "status"}, PodDisruptionBudget)
        if thing.budget is not None:
            budget = msgspec.structs.replace(budget, status=thing.budget.status)
        elif status:
            budget = msgspec.structs.replace(budget, status=convert(dict(status), PodDisruptionBudgetStatus))
        return evolve(thing, budget=budget, selector=budget.spec.selector)
    if thing.kind == "Job":
        thing = evolve(thing, job=convert(thing.spec, JobSpec))
    selector = thing.spec.get("selector") if isinstance(thing.spec, Mapping) else None
    if thing.kind in ("ReplicationController", "Service"):
        return evolve(thing, selector=LabelSelector(matchLabels=dict(selector)) if selector else None)
    try:
        return evolve(thing, selector=convert(selector, LabelSelector) if selector else None)
    except InputError as wrong:
        wrong.path = f"spec.selector.{wrong.path}".rstrip(".")
        raise


def change(desk: Desk, key: str, kind: str, body: Any, subresource: str = "") -> None:
    """Apply a user's patch. Raises ScenarioError if it leaves no such object.

    As when it was created, the newest version decides: fields that an older one does not know it drops.
    """
    thing = desk.c.things[key]
    whole = {**thing.raw, "status": thing.status}
    try:
        new = patched(whole, kind, body)
        _check_parts(new)
        if subresource == "status":
            desk.set_status(thing, new.get("status") or {})
            return
        new.pop("status", None)
        metadata = {**new.get("metadata", {}), **{k: thing.metadata[k] for k in _OWN_METADATA}}
        if new.get("spec") != thing.raw.get("spec"):
            metadata["generation"] = int(thing.metadata.get("generation", 1)) + 1
        whole = _completed({**new, "metadata": metadata})
        _refuse(object_problems(whole, gates_for(), thing.raw))
        changed = _typed(evolve(thing, raw=whole))
    except InputError as wrong:
        raise ScenarioError(f"a patch makes {key} invalid: {wrong}") from wrong
    if changed.raw != thing.raw:
        desk.put(changed)


def _check_parts(raw: Mapping[str, Any]) -> None:
    for part in ("metadata", "spec", "status"):
        if not isinstance(raw.get(part), Mapping | None):
            raise InputError("wrong type", path=part, expected="an object", found=described(raw[part]))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InputError(problems[0].why or problems[0].type, path=problems[0].field)


def delete(desk: Desk, key: str, propagation: str = "Background") -> None:
    """A delete request."""
    thing = desk.c.things[key]
    finalizer = {"Foreground": FOREGROUND, "Orphan": ORPHAN}.get(propagation)
    finalizers = [*(thing.metadata.get("finalizers") or ())]
    if finalizer is not None and finalizer not in finalizers:
        finalizers.append(finalizer)
    metadata = {**thing.metadata, "deletionTimestamp": stamp(desk.now), "finalizers": finalizers}
    desk.put(evolve(thing, raw={**thing.raw, "metadata": metadata}))


def remove_background(desk: Desk, thing: Thing) -> None:
    """What a controller does with an object that it no longer needs."""
    if thing.key in desk.c.things:
        delete(desk, thing.key)


def without_finalizer(desk: Desk, thing: Thing, finalizer: str) -> None:
    """Take a finalizer off an object; without any it goes if it is being deleted."""
    left = [each for each in thing.metadata.get("finalizers") or () if each != finalizer]
    desk.put(evolve(thing, raw={**thing.raw, "metadata": {**thing.metadata, "finalizers": left}}))
