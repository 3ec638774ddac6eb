"""From documents to what a run needs: Pods with their defaults, scripts, the steps of a scenario, a node to bind to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from attrs import evolve, frozen

from podfsm.errors import InputError
from podfsm.kube.decode import decode
from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.kube.paths import steps_of
from podfsm.simulate.admission import refuse_invalid
from podfsm.simulate.implied import implied_namespaces
from podfsm.simulate.named import check_scenario
from podfsm.simulate.objects import (
    EXISTING,
    OBJECTS,
    WORKLOADS,
    check_kind,
    check_known,
    check_names,
    check_object,
    check_twice,
)
from podfsm.simulate.scenario import MACHINE, Scenario, ScenarioStep, name_of, read_scenario
from podfsm.world.cluster.nodes import node_state
from podfsm.world.creation import pod_key, stored_form
from podfsm.world.scripts import Environment
from podfsm.world.step import Create


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
        check_kind(document)
    pods = tuple(d for d in documents if d.kind == "Pod")
    objects = tuple(sorted((d for d in documents if d.kind in OBJECTS), key=lambda d: d.kind != "PriorityClass"))
    if not pods and not any(d.kind in WORKLOADS for d in objects):
        raise _nothing((*documents, *scenarios))
    check_names(pods)
    for document in objects:
        check_object(document)
    spec = read_scenario(scenarios[0]) if scenarios else Scenario()
    check_scenario((*pods, *objects), spec)
    nodes = tuple(_nodes(documents))
    existing = tuple(d for d in documents if d.kind in EXISTING)
    for document in existing:
        check_known(document)
    check_twice((*objects, *nodes, *existing))
    late = _late(spec)
    objects += tuple(implied_namespaces((*pods, *objects), spec))
    classes = [d.raw for d in objects if d.kind == "PriorityClass"]
    created = []
    for number, pod in enumerate(pods, 1):
        created.append(creation(pod, spec.environment, late, number, classes))
        refuse_invalid(pod, created[-1].pod)
    return Setup(tuple(created), nodes, spec, late, objects)


def _nodes(documents: Iterable[Document]) -> Iterator[Document]:
    for node in documents:
        if node.kind == "Node":
            check_object(node)
            with node.locating():
                node_state(node.raw, 0.0)
            yield node


def _late(scenario: Scenario) -> frozenset[str]:
    """What steps create and is absent until then."""
    bodies = (step.body for step in scenario.steps if step.action == "create")
    return frozenset(f"{body['kind']}/{name_of(body)}" for body in bodies if body.get("kind") in EXISTING)


def _nothing(documents: Sequence[Document]) -> InputError:
    if documents:
        return documents[0].error("nothing to simulate", expected="at least one Pod")
    return InputError("nothing to simulate", expected="at least one Pod", found="no object at all")


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
