"""Creating a Pod as the API server does: defaults filled in, uid and generation given, status dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podfsm.kube.decode import convert
from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Pod
from podfsm.world.scripts import Environment
from podfsm.world.step import Create

_NOT_GIVEN = ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields")


def pod_key(raw: Mapping[str, Any]) -> str:
    """namespace/name of a Pod object."""
    metadata = raw.get("metadata") or {}
    return f"{metadata.get('namespace') or 'default'}/{metadata.get('name') or ''}"


def stored_form(raw: Mapping[str, Any], uid: str, classes: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A Pod as it is stored on creation, without status. `classes`: the PriorityClass objects of the cluster."""
    whole = default_pod(raw, priority_classes=classes)
    metadata = {"name": "", "namespace": "default", **whole.get("metadata", {}), "uid": uid, "generation": 1}
    for field in _NOT_GIVEN:
        metadata.pop(field, None)
    stored = {**whole, "apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    stored.pop("status", None)
    return stored


def creation_of(
    raw: Mapping[str, Any],
    uid: str,
    environment: Environment,
    absent: frozenset[str],
    classes: Iterable[Mapping[str, Any]] = (),
) -> Create:
    """The event that creates a Pod. Raises InputError that knows only a path."""
    stored = stored_form(raw, uid, classes)
    pod = convert(stored, Pod)
    return Create(pod_key(stored), stored, pod, environment.for_pod(pod), absent)
