"""From documents to what a run needs: Pods with their defaults, scripts, the steps of a scenario, a node to bind to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from attrs import evolve, frozen

from podfsm.errors import NotModelled, close_to, nearest
from podfsm.kube.decode import decode
from podfsm.kube.document import Document
from podfsm.kube.misspelt import spelling
from podfsm.kube.objects import Pod
from podfsm.kube.paths import steps_of
from podfsm.kube.presets import API_VERSION
from podfsm.kube.words import quoted
from podfsm.simulate.admission import refuse_invalid, refuse_invalid_object
from podfsm.simulate.implied import implied_namespaces
from podfsm.simulate.scenario import MACHINE, Scenario, ScenarioStep, read_scenario
from podfsm.world.cluster.nodes import node_state
from podfsm.world.cluster.objects import thing_key
from podfsm.world.creation import pod_key, stored_form
from podfsm.world.scripts import Environment
from podfsm.world.step import Create

EXISTING = ("ConfigMap", "Secret")
"""Kinds that matter only by being there."""
OBJECTS = (
    "PriorityClass",
    "ReplicaSet",
    "ReplicationController",
    "Deployment",
    "DaemonSet",
    "Job",
    "PodDisruptionBudget",
    "Service",
    "EndpointSlice",
    "PodPreset",
    "Namespace",
)
"""Kinds that controllers and the scheduler work with."""
WORKLOADS = OBJECTS[1:6]
"""Those of them that own Pods, or what owns Pods."""
ADMITTING = ("PodPreset", "Namespace")
"""Those that have a say when a Pod is created, and so are there before any."""
KINDS = ("Pod", "Node", *OBJECTS, *EXISTING, "Scenario")
"""Kinds that a run takes."""


@frozen
class Setup:
    """Everything a run starts from.

    `late`: names ('Kind/name') that a step creates, so that they are absent at first.
    """

    pods: tuple[Create, ...]
    nodes: tuple[Document, ...]
    scenario: Scenario
    late: frozenset[str] = frozenset()
    objects: tuple[Document, ...] = ()

    @property
    def clustered(self) -> bool:
        """Whether there is more than Pods: nodes, controllers, or steps that speak of them."""
        return bool(self.nodes or self.objects) or any(_needs_cluster(step) for step in self.scenario.steps)

    @property
    def crowded(self) -> bool:
        """Whether there may be several Pods, so that each has to be named."""
        made = any(
            step.action == "create" and step.body.get("kind") in ("Pod", *WORKLOADS) for step in self.scenario.steps
        )
        return made or len(self.pods) > 1 or any(document.kind in WORKLOADS for document in self.objects)

    @property
    def classes(self) -> tuple[Mapping[str, Any], ...]:
        """The PriorityClass objects."""
        return tuple(document.raw for document in self.objects if document.kind == "PriorityClass")


def _needs_cluster(step: ScenarioStep) -> bool:
    if step.action == "create":
        return step.body.get("kind") in (*OBJECTS, "Node")
    return step.action in ("evict", *MACHINE) or not step.target.startswith("pods")


def read_setup(documents: Sequence[Document], scenario: Document | None = None) -> Setup:
    """Sort documents by kind and check that the scenario speaks of what exists. Raises InputError, NotModelled."""
    scenarios = [d for d in documents if d.kind == "Scenario"] + ([scenario] if scenario is not None else [])
    if len(scenarios) > 1:
        first = scenarios[0]
        raise scenarios[1].error("a second Scenario", expected="one", found=f"another in {first.source or 'the input'}")
    for document in documents:
        if document.kind not in KINDS:
            hint = nearest(document.kind, KINDS) if close_to(document.kind, KINDS) else ""
            raise not_simulated(document, hint)
    pods = tuple(d for d in documents if d.kind == "Pod")
    objects = tuple(sorted((d for d in documents if d.kind in OBJECTS), key=lambda d: d.kind != "PriorityClass"))
    if not pods and not any(d.kind in WORKLOADS for d in objects):
        where = documents[0] if documents else scenarios[0]
        raise where.error("nothing to simulate", expected="at least one Pod")
    _check_names(pods)
    for document in objects:
        check_object(document)
    spec = read_scenario(scenarios[0]) if scenarios else Scenario()
    _check_scenario((*pods, *objects), spec)
    nodes = tuple(d for d in documents if d.kind == "Node")
    for node in nodes:
        check_object(node)
        with node.locating():
            node_state(node.raw, 0.0)
    _check_twice((*objects, *nodes))
    late = frozenset(
        f"{step.body['kind']}/{step.body.get('metadata', {}).get('name', '')}"
        for step in spec.steps
        if step.action == "create" and step.body.get("kind") in EXISTING
    )
    objects += tuple(implied_namespaces((*pods, *objects), spec))
    classes = [d.raw for d in objects if d.kind == "PriorityClass"]
    created = []
    for number, pod in enumerate(pods, 1):
        created.append(creation(pod, spec.environment, late, number, classes))
        refuse_invalid(pod, created[-1].pod)
    return Setup(tuple(created), nodes, spec, late, objects)


def not_simulated(document: Document, hint: str = "") -> NotModelled:
    """The complaint about a kind that is knowingly left out."""
    problem = f"{document.kind} is not simulated"
    return NotModelled(str(document.error(problem, "kind", expected=", ".join(KINDS), hint=hint)))


def check_object(document: Document) -> None:
    """An object that is not a Pod must have a name, and be one that the API server accepts. Raises InputError."""
    with spelling(document):
        _check_object(document)


def _check_object(document: Document) -> None:
    if not document.name:
        raise document.error(f"a {document.kind} without a name", "metadata.name", expected="a name")
    if document.kind == "PodPreset" and document.apiVersion != API_VERSION:
        raise document.error("no PodPreset there", "apiVersion", expected=API_VERSION, found=document.apiVersion)
    if document.kind in WORKLOADS:
        spec = document.raw.get("spec")
        template = spec.get("template") if isinstance(spec, dict) else None
        if not isinstance(template, dict):
            raise document.error("no template", "spec.template", expected="a Pod template")
        if not (template.get("spec") or {}).get("containers"):
            raise document.error("no containers", "spec.template.spec.containers", expected="at least one container")
    refuse_invalid_object(document)


def _check_twice(documents: Iterable[Document]) -> None:
    """Two objects of one kind and name are one too many."""
    seen: dict[str, Document] = {}
    for each in documents:
        key = thing_key(each.kind, each.raw.get("metadata") or {})
        if key in seen:
            raise each.error(f"a second {each.kind} of this name", "metadata.name", found=quoted(each.name))
        seen[key] = each


def _check_names(pods: Iterable[Document]) -> None:
    seen: dict[str, Document] = {}
    for pod in pods:
        key = pod_key(pod.raw)
        if key in seen:
            raise pod.error("a second Pod of this name", "metadata.name", found=quoted(key))
        seen[key] = pod
        with spelling(pod):
            _check_pod(pod)


def _check_pod(pod: Document) -> None:
    """What nothing could be simulated without: a name, and containers, each with a name of its own."""
    if not pod.name:
        raise pod.error("a Pod without a name", "metadata.name", expected="a name")
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
            known[str(step.body.get("metadata", {}).get("name"))] = set(_containers(step.body))
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


def creation(
    document: Document,
    environment: Environment,
    late: frozenset[str],
    number: int,
    classes: Iterable[Mapping[str, Any]] = (),
) -> Create:
    """The creation of a Pod as the API server does it: defaults filled in, uid and generation given, status dropped.

    `classes`: the PriorityClass objects there are.
    """
    decode(document, Pod)
    raw = stored_form(document.raw, f"00000000-0000-4000-8000-{number:012d}", classes)
    pod = decode(evolve_document(document, raw), Pod)
    return Create(pod_key(raw), raw, pod, environment.for_pod(pod), late)


def evolve_document(document: Document, raw: dict[str, Any]) -> Document:
    """The document with other contents and the same place."""
    return Document(raw, document.source, document.origin, document.within)


def created_document(scenario: Scenario, step: ScenarioStep) -> Document:
    """The object that a create step holds, placed where the step stands."""
    base = scenario.document
    assert base is not None
    return Document(
        msgspec.to_builtins(step.body), base.source, base.origin, (*base.within, *steps_of(step.path), "create")
    )


__all__ = ["Setup", "created_document", "creation", "evolve", "pod_key", "read_setup"]
