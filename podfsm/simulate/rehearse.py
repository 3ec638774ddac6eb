"""The steps of a scenario gone through before anything runs, so that a slip in the last one costs no run.

What is there at a step is known from the manifests and the steps before it, but for the Pods that controllers make:
where there are controllers, names of Pods are left to the run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import define, field

from podfsm.errors import InputError, nearest
from podfsm.kube.objects import Pod
from podfsm.kube.words import described, quoted
from podfsm.rules.namespaces import RESERVED, may_go
from podfsm.simulate.acting import RESOURCES, TARGET, TARGET_FORMS, WORDS, events_of
from podfsm.simulate.admission import refuse_invalid
from podfsm.simulate.objects import WORKLOADS
from podfsm.simulate.scenario import ScenarioStep
from podfsm.simulate.setup import Setup, created_document
from podfsm.world.nodes import ANY_NODE
from podfsm.world.step import Create, World
from podfsm.world.updating import updated, updated_status

REFUSED = "refused by the API server"
SUBRESOURCES = {
    "pods": ("status", "ephemeralcontainers", "resize"),
    **dict.fromkeys(("deployments", "replicasets", "replicationcontrollers"), ("status", "scale")),
}
"""What of an object can be patched by itself; of all others: status."""


@define
class _There:
    """What exists at a step: names by kind; whether controllers make Pods of their own names."""

    names: dict[str, list[str]] = field(factory=dict)
    makes_pods: bool = False
    pods: dict[str, tuple[Mapping[str, Any], Pod]] = field(factory=dict)
    """Pods by name as the patches so far leave them, in JSON form and typed."""

    def add(self, kind: str, name: str) -> None:
        self.names.setdefault(kind, []).append(name)
        self.makes_pods = self.makes_pods or kind in WORKLOADS

    def add_pod(self, create: Create) -> None:
        self.add("Pod", create.pod.metadata.name)
        self.pods[create.pod.metadata.name] = create.raw, create.pod


def check_steps(setup: Setup) -> None:
    """Raise InputError for the first step that names what cannot be there, or NotModelled."""
    there = _There()
    for create in setup.pods:
        there.add_pod(create)
    for document in (*setup.nodes, *setup.objects):
        there.add(document.kind, document.name)
    if not setup.nodes:
        there.add("Node", ANY_NODE)
    for number, step in enumerate(setup.scenario.steps):
        if step.action == "create":
            _check_create(step, setup, number, there)
        elif step.action in WORDS:
            _check_machine(step, setup, there)
        else:
            _check_target(step, setup, there)


def _check_create(step: ScenarioStep, setup: Setup, number: int, there: _There) -> None:
    document = created_document(setup.scenario, step)
    for event in events_of(step, setup, World(), number):
        if isinstance(event, Create):
            refuse_invalid(document, event.pod)
            there.add_pod(event)
            return
    there.add(document.kind, document.name)


def _check_machine(step: ScenarioStep, setup: Setup, there: _There) -> None:
    words = tuple(WORDS[step.action])
    if step.target not in words:
        raise complaint(step, setup, f"no such state of a {step.action}", step.target, hint=nearest(step.target, words))
    nodes = there.names["Node"]
    if step.node not in nodes:
        raise complaint(step, setup, "no Node of this name", step.node, at="node", hint=nearest(step.node, nodes))


def _check_target(step: ScenarioStep, setup: Setup, there: _There) -> None:
    found = TARGET.fullmatch(step.target)
    if found is None:
        raise complaint(step, setup, "not a target", step.target, expected=TARGET_FORMS)
    resource, sub = found["resource"], found["sub"] or ""
    kinds = {"pods": "Pod", "nodes": "Node", **RESOURCES}
    if step.action == "evict" and resource != "pods":
        raise complaint(step, setup, "only Pods can be evicted", step.target, expected="pods/NAME or pods/*")
    if resource not in kinds:
        raise complaint(step, setup, f"{resource} cannot be acted on", step.target, hint=nearest(resource, kinds))
    known = SUBRESOURCES.get(resource, ("status",))
    if sub and (sub not in known or step.action != "patch"):
        there_is = sub in there.names.get(kinds[resource], ())
        hint = f"{resource}/{sub}? a target names no namespace" if there_is else nearest(sub, known)
        raise complaint(step, setup, f"nothing to {step.action} of this name", sub, hint=hint)
    if step.action == "delete" and kinds[resource] == "Namespace" and found["name"] in RESERVED:
        raise complaint(step, setup, f"{REFUSED}: {may_go.statement.rstrip('.')} (rule {may_go.id})", step.target)
    if step.action == "patch":
        _check_body(step, setup)
    if resource != "pods" or not there.makes_pods:
        _check_named(step, setup, kinds[resource], found["name"], found["index"], there)
    if resource == "pods" and step.action == "patch":
        _check_patch(step, setup, found["name"], sub, there)


def _check_named(
    step: ScenarioStep, setup: Setup, kind: str, name: str | None, index: str | None, there: _There
) -> None:
    names: Collection[str] = there.names.get(kind, ())
    if index is not None and int(index) >= len(names):
        raise complaint(step, setup, f"no {kind} of this number", step.target, expected=f"less than {len(names)}")
    if name is not None and name != "*" and name not in names:
        hint = nearest(name, names) if names else ""
        raise complaint(step, setup, f"no {kind} of this name", step.target, hint=hint)


def _check_body(step: ScenarioStep, setup: Setup) -> None:
    expected = list if step.kind == "json" else dict
    if not isinstance(step.body, expected):
        form = "a list of operations" if expected is list else "an object"
        raise complaint(step, setup, "wrong type", described(step.body), at="body", expected=form, plain=True)


def _check_patch(step: ScenarioStep, setup: Setup, name: str | None, sub: str, there: _There) -> None:
    """What the API server would refuse. A json patch may speak of what only the run brings, and is left to it."""
    if step.kind == "json" or name not in there.pods:
        return
    raw, pod = there.pods[name]
    try:
        if sub == "status":
            updated_status(raw, pod, step.kind, step.body)
        else:
            there.pods[name] = updated(raw, pod, sub, step.kind, step.body)
    except InputError as error:
        raise complaint(step, setup, f"{REFUSED}: {error}") from error


def complaint(
    step: ScenarioStep, setup: Setup, problem: str, found: Any = "", *, at: str = "", plain: bool = False, **fields: str
) -> InputError:
    """A complaint about a step, placed at its action or at the key `at`."""
    document = setup.scenario.document
    assert document is not None
    said = str(found) if plain or not found else quoted(str(found))
    return document.error(problem, f"{step.path}.{at or step.action}", found=said, **fields)
