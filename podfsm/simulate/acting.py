"""A step of a scenario as the events it amounts to: on which Pods, objects and nodes it acts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from attrs import frozen

from podfsm.errors import NotModelled, ScenarioError, nearest
from podfsm.kube.document import Document
from podfsm.simulate.objects import EXISTING, OBJECTS, check_known, check_object, check_pod
from podfsm.simulate.scenario import ScenarioStep
from podfsm.simulate.setup import Setup, created_document, creation
from podfsm.world.cluster.drive import (
    ChangeNode,
    ChangeObject,
    ClusterEvent,
    Evict,
    Kubelet,
    MakeNode,
    MakeObject,
    NodeNetwork,
    RemoveNode,
    RemoveObject,
    ShutDown,
)
from podfsm.world.cluster.nodes import node_state
from podfsm.world.cluster.state import NO_KEYS
from podfsm.world.step import Appear, Delete, Event, Patch, World

RESOURCES = {f"{kind.lower()}s": kind for kind in OBJECTS} | {"priorityclasses": "PriorityClass"}
"""Kinds by the names that targets use."""
TARGET = re.compile(r"(?P<resource>[a-z]+)(?:/(?P<name>[^/\[]+)(?:/(?P<sub>[a-z]+))?|\[(?P<index>\d+)\])")
WORDS: Mapping[str, Mapping[str, bool]] = {
    "kubelet": {"start": True, "stop": False},
    "network": {"up": True, "down": False},
    "shutdown": {"graceful": True, "sudden": False},
}
"""What can happen to a part of a node, and whether the part works then; of a shutdown: whether Pods get time."""
TARGET_FORMS = "pods/NAME, pods/NAME/SUBRESOURCE, pods[N], pods/* or, for instance, deployments/NAME or nodes/NAME"


@frozen
class Gone:
    """Something that a step speaks of and that does not exist, or no longer; the key is the step's or the world's."""

    key: str


@frozen
class Target:
    """What a step acts on: keys of Pods or objects, or names of nodes."""

    kind: str
    keys: tuple[str, ...]
    subresource: str = ""


Acted = Event | ClusterEvent | Gone


def events_of(what: ScenarioStep, setup: Setup, world: World, number: int) -> Iterator[Acted]:
    """The events of one step, in order. `number` is for the uid of a Pod that it creates.

    Of what has gone meanwhile, or of a Pod by a number that there is not, there is a Gone. Raises ScenarioError for a
    Pod that never was, InputError for a manifest that is wrong, NotModelled.
    """
    if what.action == "create":
        yield _creation(what, setup, number)
    elif what.action in WORDS:
        yield _machine(what, setup, world)
    else:
        target = _target(what, setup, world)
        if not target.keys and not what.target.endswith("/*"):
            yield Gone(what.target)
        for key in target.keys:
            yield _on(what, target, key, world)


def _creation(what: ScenarioStep, setup: Setup, number: int) -> Acted:
    document = created_document(setup.scenario, what)
    check_known(document)
    if document.kind in EXISTING:
        return Appear(f"{document.kind}/{document.name}")
    if document.kind == "Pod":
        check_pod(document)
        return creation(document, setup.scenario.environment, setup.late, number, setup.classes)
    if document.kind == "Node":
        check_node(document)
        return MakeNode(document.raw)
    check_object(document)
    return MakeObject(document.raw)


def check_node(document: Document) -> None:
    """A Node must have a name and decode. Raises InputError."""
    check_object(document)
    with document.locating():
        node_state(document.raw, 0.0)


def _machine(what: ScenarioStep, setup: Setup, world: World) -> Acted:
    """What happens to a node's kubelet or network."""
    words = WORDS[what.action]
    if what.target not in words:
        raise _bad(what, setup, f"unknown state of a {what.action}", " or ".join(words))
    nodes = world.cluster.nodes if world.cluster is not None else {}
    if what.node not in nodes:
        return Gone(f"nodes/{what.node}")
    ready = words[what.target]
    if what.action == "shutdown":
        return ShutDown(what.node, *what.shutdown)
    return Kubelet(what.node, ready) if what.action == "kubelet" else NodeNetwork(what.node, ready)


def _on(what: ScenarioStep, target: Target, key: str, world: World) -> Acted:
    """What a delete, patch or eviction of one thing amounts to."""
    if target.kind == "Pod" and not world.pods[key].exists:
        return Gone(key)
    if what.action == "evict":
        if target.kind != "Pod":
            raise NotModelled(f"{what.path}: only Pods can be evicted, not a {target.kind}")
        return Evict(key, what.grace)
    if what.action == "delete":
        if target.kind == "Pod":
            return Delete(key, what.grace)
        return RemoveNode(key) if target.kind == "Node" else RemoveObject(key, what.propagation)
    if target.kind == "Pod":
        return Patch(key, what.kind, what.body, target.subresource)
    if target.kind == "Node":
        return ChangeNode(key, what.kind, what.body)
    return ChangeObject(key, what.kind, what.body, target.subresource)


def _target(what: ScenarioStep, setup: Setup, world: World) -> Target:
    """The things that a step's target names."""
    found = TARGET.fullmatch(what.target)
    if found is None:
        raise _bad(what, setup, "not a target", TARGET_FORMS)
    resource, sub = found["resource"], found["sub"] or ""
    if resource == "pods":
        kind, named = "Pod", {key.split("/", 1)[1]: key for key in sorted(world.pods)}
        present: Collection[str] = [key for key in named.values() if world.pods[key].exists]
    elif resource == "nodes":
        kind, named = "Node", {name: name for name in sorted(world.cluster.nodes)} if world.cluster is not None else {}
        present = named.values()
    elif resource in RESOURCES:
        kind = RESOURCES[resource]
        things: Collection[str] = world.cluster.kinds.get(kind, NO_KEYS) if world.cluster is not None else ()
        named = {key.rsplit("/", 1)[1]: key for key in sorted(things)}
        present = named.values()
    else:
        known = ("pods", "nodes", *RESOURCES)
        raise NotModelled(f"{what.path}: {what.action} of {resource} is not simulated; {nearest(resource, known)}")
    if found["name"] == "*":
        return Target(kind, tuple(present), sub)
    if found["index"] is not None:
        return Target(kind, tuple(present)[int(found["index"]) :][:1], sub)
    if found["name"] not in named:
        if kind != "Pod":  # `check_steps` has seen that it exists at some time
            return Target(kind, (), sub)
        raise _bad(what, setup, "no Pod of this name", nearest(found["name"], named))
    return Target(kind, (named[found["name"]],), sub)


def _bad(what: ScenarioStep, setup: Setup, problem: str, expected: str) -> ScenarioError:
    document = setup.scenario.document
    line = document.place(what.path)[0] if document is not None else None
    source = document.source if document is not None else ""
    path = f"{what.path}.{what.action}"
    return ScenarioError(problem, source=source, line=line, path=path, expected=expected, found=repr(what.target))
