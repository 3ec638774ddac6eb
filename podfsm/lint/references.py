"""Manifests against each other: what they refer to and is not there, and what two of them claim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from podfsm.kube.decode import convert
from podfsm.kube.document import Document
from podfsm.kube.objects import LabelSelector
from podfsm.kube.selector import matches
from podfsm.kube.workloads import TYPES
from podfsm.lint.crowd import namespace_of
from podfsm.lint.finding import Finding, finding
from podfsm.rules.advice import Advice
from podfsm.rules.advice_references import (
    named_before,
    shared_budgets,
    shared_pods,
    unknown_class,
    unknown_node,
    unknown_owners,
)

_LASTING = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "ReplicationController")
"""Controllers that find their Pods by a selector of their user's."""


def references(documents: Sequence[Document]) -> Iterator[Finding]:
    """What can be said of these objects together, each of which decodes; in their order."""
    names = {kind: [d.name for d in documents if d.kind == kind] for kind in ("PriorityClass", "Node")}
    known = {_name(document) for document in documents}
    budgets = [d for d in documents if d.kind == "PodDisruptionBudget"]
    owners = [d for d in documents if d.kind in _LASTING]
    first: dict[tuple[str, str, str], Document] = {}
    for document in documents:
        if document.name:
            before = first.setdefault((document.kind, namespace_of(document), document.name), document)
            yield from _told(document, "metadata", named_before, "" if before is document else _place(before))
        if document.kind == "Pod":
            yield from _pod(document, names, known)
        elif document.kind in TYPES and document.kind != "CronJob":
            path, spec = "spec.template.spec", _dict(_template(document).get("spec"))
            yield from _told(document, path, unknown_class, spec.get("priorityClassName") or "", names["PriorityClass"])
        if document.kind in _LASTING:
            yield from _told(document, "spec", shared_pods, _rivals(document, owners))
        elif document.kind == "PodDisruptionBudget":
            yield from _told(document, "spec", shared_budgets, _same_pods(document, budgets, documents))


def _pod(document: Document, names: Mapping[str, Sequence[str]], known: set[str]) -> Iterator[Finding]:
    spec = _dict(document.raw.get("spec"))
    yield from _told(document, "spec", unknown_class, spec.get("priorityClassName") or "", names["PriorityClass"])
    yield from _told(document, "spec", unknown_node, spec.get("nodeName") or "", names["Node"])
    owners = _dict(document.raw.get("metadata")).get("ownerReferences") or ()
    asked = [f"{owner.get('kind')}/{owner.get('name')}" for owner in owners if isinstance(owner, dict)]
    yield from _told(document, "metadata.ownerReferences", unknown_owners, asked, known)


def _rivals(document: Document, owners: Iterable[Document]) -> list[str]:
    """Other controllers of the namespace whose Pods this one's selector matches."""
    selector, place = _selector(document), namespace_of(document)
    others = (other for other in owners if other is not document and namespace_of(other) == place)
    return [_name(other) for other in others if matches(selector, _labels(_template(other)))]


def _same_pods(document: Document, budgets: Iterable[Document], documents: Iterable[Document]) -> list[str]:
    """Other budgets of the namespace that select some of the same Pods."""
    place = namespace_of(document)
    here = [each for each in documents if namespace_of(each) == place]
    groups = [_labels(each.raw if each.kind == "Pod" else _template(each)) for each in here if each.kind in _OWNING]
    mine = [labels for labels in groups if matches(_selector(document), labels)]
    others = (other for other in budgets if other is not document and namespace_of(other) == place)
    return [_name(other) for other in others if any(matches(_selector(other), labels) for labels in mine)]


_OWNING = ("Pod", "Job", *_LASTING)


def _told(document: Document, path: str, rule: Any, *about: Any) -> Iterator[Finding]:
    remarks: Iterable[Advice] = rule(*about)
    for each in remarks:
        yield finding(document, f"{path}.{each.path}" if each.path else path, rule.id, each.severity, each.text)


def _place(document: Document) -> str:
    return f"{document.source}:{document.line}" if document.source else f"line {document.line}"


def _name(document: Document) -> str:
    return f"{document.kind}/{document.name}"


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _template(document: Document) -> Mapping[str, Any]:
    return _dict(_dict(document.raw.get("spec")).get("template"))


def _labels(holder: Mapping[str, Any]) -> Mapping[str, str]:
    return _dict(_dict(holder.get("metadata")).get("labels"))


def _selector(document: Document) -> LabelSelector | None:
    """What the object selects by; a ReplicationController without a selector by its template's labels."""
    given = _dict(document.raw.get("spec")).get("selector")
    if document.kind == "ReplicationController":
        return LabelSelector(matchLabels=dict(given or _labels(_template(document))))
    return convert(given, LabelSelector) if given is not None else None
