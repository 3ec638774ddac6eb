"""Namespaces without a manifest of their own: every cluster has default, and what is spoken of is taken to be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from podfsm.kube.document import Document
from podfsm.simulate.scenario import Scenario, name_of


def implied_namespaces(documents: Sequence[Document], scenario: Scenario) -> Iterator[Document]:
    """Where steps act on namespaces, those that objects speak of are there without a manifest of their own."""
    if not any(step.target.startswith("namespaces") for step in scenario.steps):
        return
    first = [document.raw for document in documents]
    later = [step.body for step in scenario.steps if step.action == "create"]
    wanted = _namespaces_of(later) - _named_namespaces(later) | _namespaces_of(first)
    for name in sorted({"default", *wanted} - _named_namespaces(first)):
        yield Document({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def _namespaces_of(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    return {str((raw.get("metadata") or {}).get("namespace") or "default") for raw in objects}


def _named_namespaces(objects: Iterable[Mapping[str, Any]]) -> set[str]:
    return {name_of(raw) for raw in objects if raw.get("kind") == "Namespace"}
