"""The Pods that a set of manifests asks for, as far as budgets need to know: whose labels, and how many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from podfsm.kube.document import Document
from podfsm.kube.objects import LabelSelector
from podfsm.kube.selector import matches


@frozen
class Group:
    """Pods that are alike: their namespace and labels, and how many there are to be; None if that depends on nodes."""

    namespace: str
    labels: Mapping[str, str]
    replicas: int | None


def groups(documents: Iterable[Document]) -> Iterator[Group]:
    """The Pods of all the objects that are Pods or own some."""
    for document in documents:
        spec = document.raw.get("spec") or {}
        if document.kind == "Pod":
            yield _group(document, document.raw, 1)
        elif document.kind in ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"):
            yield _group(document, spec.get("template"), spec.get("replicas", 1))
        elif document.kind == "DaemonSet":
            yield _group(document, spec.get("template"), None)
        elif document.kind == "Job":
            yield _group(document, spec.get("template"), spec.get("parallelism", 1))


def _group(document: Document, holder: Any, replicas: Any) -> Group:
    labels = ((holder or {}).get("metadata") or {}).get("labels") or {}
    return Group(namespace_of(document), labels, replicas if isinstance(replicas, int) else None)


def namespace_of(document: Document) -> str:
    """The namespace of an object, `default` if it names none."""
    return str((document.raw.get("metadata") or {}).get("namespace") or "default")


def selected(crowd: Iterable[Group], namespace: str, selector: LabelSelector | None) -> list[Group]:
    """The groups of a namespace that a selector matches."""
    return [each for each in crowd if each.namespace == namespace and matches(selector, each.labels)]
