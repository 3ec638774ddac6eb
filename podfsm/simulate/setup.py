"""From documents to what a run needs: Pods with their defaults, scripts, the steps of a scenario, a node to bind to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from attrs import evolve, frozen

from podfsm.errors import NotModelled, close_to, nearest
from podfsm.kube.decode import decode
from podfsm.kube.defaults import default_pod
from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.kube.words import quoted
from podfsm.simulate.scenario import Scenario, ScenarioStep, read_scenario
from podfsm.world.nodes import NodeView, node_view
from podfsm.world.scripts import Environment
from podfsm.world.step import Create

EXISTING = ("ConfigMap", "Secret")
"""Kinds that matter only by being there."""
KINDS = ("Pod", "Node", *EXISTING, "Scenario")
"""Kinds that a run takes."""


@frozen
class Setup:
    """Everything a run starts from.

    `late`: names ('Kind/name') that a step creates, so that they are absent at first.
    """

    pods: tuple[Create, ...]
    nodes: tuple[NodeView, ...]
    scenario: Scenario
    late: frozenset[str] = frozenset()


def read_setup(documents: Sequence[Document], scenario: Document | None = None) -> Setup:
    """Sort documents by kind and check that the scenario speaks of what exists. Raises InputError, NotModelled."""
    scenarios = [d for d in documents if d.kind == "Scenario"] + ([scenario] if scenario is not None else [])
    if len(scenarios) > 1:
        first = scenarios[0]
        raise scenarios[1].error("a second Scenario", expected="one", found=f"another in {first.source or 'the input'}")
    for document in documents:
        if document.kind not in KINDS:
            hint = nearest(document.kind, KINDS) if close_to(document.kind, KINDS) else ""
            problem = f"{document.kind} is not simulated"
            raise NotModelled(str(document.error(problem, "kind", expected=", ".join(KINDS), hint=hint)))
    pods = tuple(d for d in documents if d.kind == "Pod")
    if not pods:
        where = documents[0] if documents else scenarios[0]
        raise where.error("nothing to simulate", expected="at least one Pod")
    _check_names(pods)
    spec = read_scenario(scenarios[0]) if scenarios else Scenario()
    _check_scenario(pods, spec)
    nodes = tuple(node_view(d) for d in documents if d.kind == "Node")
    late = frozenset(
        f"{step.body['kind']}/{step.body.get('metadata', {}).get('name', '')}"
        for step in spec.steps
        if step.action == "create" and step.body.get("kind") in EXISTING
    )
    created = tuple(creation(pod, spec.environment, late, number) for number, pod in enumerate(pods, 1))
    return Setup(created, nodes, spec, late)


def _check_names(pods: Iterable[Document]) -> None:
    seen: dict[str, Document] = {}
    for pod in pods:
        key = pod_key(pod.raw)
        if not pod.name:
            raise pod.error("a Pod without a name", "metadata.name", expected="a name")
        if key in seen:
            raise pod.error("a second Pod of this name", "metadata.name", found=quoted(key))
        seen[key] = pod
        _check_containers(pod)


def _check_containers(pod: Document) -> None:
    """What nothing could be simulated without: containers, each with a name of its own."""
    spec = decode(pod, Pod).spec
    if not spec.containers:
        raise pod.error("no containers", "spec.containers", expected="at least one container")
    names: set[str] = set()
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(getattr(spec, group)):
            where = f"spec.{group}[{index}].name"
            if not container.name:
                raise pod.error("a container without a name", where, expected="a name")
            if container.name in names:
                raise pod.error("a second container of this name", where, found=quoted(container.name))
            names.add(container.name)


def _check_scenario(pods: Sequence[Document], scenario: Scenario) -> None:
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


def _known_names(pods: Sequence[Document], scenario: Scenario) -> dict[str, set[str]]:
    """Container names by Pod, those included that steps bring."""
    known: dict[str, set[str]] = {pod.name: set(_containers(pod.raw)) for pod in pods}
    for step in scenario.steps:
        if step.action == "create" and step.body.get("kind") == "Pod":
            known[str(step.body.get("metadata", {}).get("name"))] = set(_containers(step.body))
        elif step.action == "patch" and isinstance(step.body, dict):
            for names in known.values():
                names.update(_containers(step.body))
    return known


def _unknown(document: Document, path: str, what: str, name: str, known: Iterable[str]) -> Exception:
    return document.error(f"no {what} of this name", path, found=quoted(name), hint=nearest(name, known))


def _containers(raw: Mapping[str, Any]) -> list[str]:
    spec = raw.get("spec")
    if not isinstance(spec, dict):
        return []
    groups = (spec.get(key) or () for key in ("initContainers", "containers", "ephemeralContainers"))
    return [str(c.get("name")) for group in groups for c in group if isinstance(c, dict)]


def pod_key(raw: Mapping[str, Any]) -> str:
    """namespace/name of a Pod object."""
    metadata = raw.get("metadata") or {}
    return f"{metadata.get('namespace') or 'default'}/{metadata.get('name') or ''}"


def creation(document: Document, environment: Environment, late: frozenset[str], number: int) -> Create:
    """The creation of a Pod as the API server does it: defaults filled in, uid and generation given, status dropped."""
    decode(document, Pod)
    raw = default_pod(document.raw)
    key = pod_key(raw)
    metadata = {
        "name": "",
        "namespace": "default",
        **raw.get("metadata", {}),
        "uid": f"00000000-0000-4000-8000-{number:012d}",
        "generation": 1,
    }
    for field in ("resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields"):
        metadata.pop(field, None)
    raw = {**raw, "apiVersion": "v1", "kind": "Pod", "metadata": metadata}
    raw.pop("status", None)
    pod = decode(evolve_document(document, raw), Pod)
    return Create(key, raw, pod, environment.for_pod(pod), late)


def evolve_document(document: Document, raw: dict[str, Any]) -> Document:
    """The document with other contents and the same place."""
    return Document(raw, document.source, document.origin, document.within)


def created_document(scenario: Scenario, step: ScenarioStep) -> Document:
    """The object that a create step holds, placed where the step stands."""
    base = scenario.document
    assert base is not None
    return Document(
        msgspec.to_builtins(step.body), base.source, base.origin, (*base.within, *_steps(step.path), "create")
    )


def _steps(path: str) -> tuple[str | int, ...]:
    from podfsm.kube.paths import steps_of

    return steps_of(path)


__all__ = ["Setup", "created_document", "creation", "evolve", "pod_key", "read_setup"]
