"""Creating a Pod as the API server does: defaults filled in, uid and generation given, status dropped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from attrs import frozen

from podfsm.kube.decode import convert
from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Pod, PodSpec
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


@frozen
class Mould:
    """The spec that all Pods from one template share, raw and typed, with defaults; and what it was made from."""

    template: Mapping[str, Any]
    classes: Sequence[Mapping[str, Any]]
    raw: Mapping[str, Any]
    spec: PodSpec

    def fits(self, template: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]) -> bool:
        """Whether it was made from just this."""
        return self.template is template and self.classes == classes


def mould_of(template: Mapping[str, Any], classes: Sequence[Mapping[str, Any]]) -> Mould:
    """The mould for the spec of a Pod template. Raises InputError that knows only a path."""
    raw = default_pod({"spec": template}, priority_classes=classes)["spec"]
    return Mould(template, classes, raw, convert({"spec": raw}, Pod).spec)


def creation_of(
    metadata: Mapping[str, Any], mould: Mould, uid: str, environment: Environment, absent: frozenset[str]
) -> Create:
    """The event that creates a Pod from a template. Raises InputError that knows only a path."""
    stored = stored_form({"metadata": metadata}, uid)
    pod = msgspec.structs.replace(convert({"metadata": stored["metadata"]}, Pod), spec=mould.spec)
    return Create(pod_key(stored), {**stored, "spec": mould.raw}, pod, environment.for_pod(pod), absent)
