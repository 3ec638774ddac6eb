"""What the scripts of a scenario name must be there: Pods, containers, images."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from podfsm.errors import nearest
from podfsm.kube.document import Document
from podfsm.kube.words import quoted
from podfsm.simulate.objects import WORKLOADS
from podfsm.simulate.scenario import Scenario, name_of


def check_scenario(pods: Sequence[Document], scenario: Scenario) -> None:
    """Pods and containers that scripts name must exist; ephemeral ones and Pods created later come with the steps."""
    if scenario.document is None:
        return
    known = _known_names(pods, scenario)
    for index, script in enumerate(scenario.environment.containers):
        where = f"spec.containers[{index}]"
        if script.pod and script.pod not in known:
            raise _unknown(scenario.document, f"{where}.pod", "Pod", script.pod, known)
        names = known[script.pod] if script.pod else {name for group in known.values() for name in group}
        if script.container not in names:
            raise _unknown(scenario.document, f"{where}.container", "container", script.container, names)
    for index, name in enumerate(scenario.environment.sandboxes):
        if name not in known:
            raise _unknown(scenario.document, f"spec.pods[{index}].pod", "Pod", name, known)
    _check_images(pods, scenario)


def _check_images(documents: Iterable[Document], scenario: Scenario) -> None:
    """Images that are scripted must be some container's, now or after a step."""
    assert scenario.document is not None
    known = {name for document in documents for name in _images(document.raw)}
    known.update(name for step in scenario.steps for name in _images(step.body))
    for image in scenario.environment.images:
        if image not in known:
            raise _unknown(scenario.document, f"spec.images[{image}]", "container's image", image, known)


def _images(raw: Any) -> Iterator[str]:
    """Every image that an object, or a patch of one, speaks of."""
    if isinstance(raw, dict):
        for key, value in raw.items():
            if isinstance(value, str) and key in ("image", "value"):  # the latter in a json patch
                yield value
            yield from _images(value)
    elif isinstance(raw, list):
        for value in raw:
            yield from _images(value)


_NAMING = ("Pod", *WORKLOADS)
"""Kinds whose names and containers scripts may speak of."""


def _known_names(pods: Sequence[Document], scenario: Scenario) -> dict[str, set[str]]:
    """Container names by Pod, those included that steps bring."""
    known: dict[str, set[str]] = {pod.name: set(_containers(pod.raw)) for pod in pods if pod.kind in _NAMING}
    for step in scenario.steps:
        if step.action == "create" and step.body.get("kind") in _NAMING:
            known[name_of(step.body)] = set(_containers(step.body))
        elif step.action == "patch" and isinstance(step.body, dict):
            for names in known.values():
                names.update(_containers(step.body))
    return known


def _unknown(document: Document, path: str, what: str, name: str, known: Iterable[str]) -> Exception:
    return document.error(f"no {what} of this name", path, found=quoted(name), hint=nearest(name, known))


def _containers(raw: Mapping[str, Any]) -> list[str]:
    spec = raw.get("spec")
    if isinstance(spec, dict) and isinstance(spec.get("template"), dict):
        spec = spec["template"].get("spec")
    if not isinstance(spec, dict):
        return []
    groups = (spec.get(key) or () for key in ("initContainers", "containers", "ephemeralContainers"))
    return [str(c.get("name")) for group in groups if isinstance(group, list) for c in group if isinstance(c, dict)]
