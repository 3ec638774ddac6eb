"""What a scenario's steps write: the objects they create and their patches, as documents with places of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from podfsm.kube.document import Document
from podfsm.kube.paths import steps_of
from podfsm.simulate.acting import RESOURCES, TARGET
from podfsm.simulate.scenario import Scenario, ScenarioStep
from podfsm.simulate.setup import created_document

_KINDS = {"pods": "Pod", "nodes": "Node", **RESOURCES}


def written(scenario: Scenario) -> Iterator[Document]:
    """The objects that steps create, and the bodies of patches that have the form of the object they change."""
    for step in scenario.steps:
        if step.action == "create":
            yield created_document(scenario, step)
        elif step.action == "patch" and isinstance(step.body, dict):
            yield _patch(scenario, step)


def _patch(scenario: Scenario, step: ScenarioStep) -> Document:
    base, target = scenario.document, TARGET.fullmatch(step.target)
    assert base is not None
    kind = _KINDS.get(target["resource"], "") if target is not None else ""
    raw = {"kind": kind, **_without_directives(step.body)}
    return Document(raw, base.source, base.origin, (*base.within, *steps_of(step.path), "body"))


def _without_directives(body: Any) -> Any:
    """A patch without what only says how to patch, such as `$patch: delete`."""
    if isinstance(body, dict):
        return {key: _without_directives(value) for key, value in body.items() if not key.startswith("$")}
    return [_without_directives(value) for value in body] if isinstance(body, list) else body
