"""The objects that a run takes, and what each must have to be one: a kind that is there, a name, containers."""

from __future__ import annotations

from collections.abc import Iterable

from podfsm.errors import NotModelled, close_to, nearest
from podfsm.kube.decode import decode
from podfsm.kube.document import Document
from podfsm.kube.misspelt import spelling
from podfsm.kube.objects import Pod
from podfsm.kube.served import REAL, foreign, unserved
from podfsm.kube.words import quoted
from podfsm.simulate.admission import refuse_invalid_object
from podfsm.world.cluster.objects import thing_key
from podfsm.world.creation import pod_key

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


def check_known(document: Document) -> None:
    """An object must be of a kind that is served and simulated, and have a name. Raises InputError, NotModelled."""
    check_kind(document)
    with spelling(document):
        _check_named(document)


def check_kind(document: Document) -> None:
    """Kinds that do not exist, kinds that exist elsewhere, and those that are not simulated. Raises InputError."""
    kind = document.kind
    if kind not in KINDS:
        raise not_simulated(document, nearest(kind, KINDS) if kind not in REAL and close_to(kind, KINDS) else "")
    if foreign(document.apiVersion) and kind != "Scenario":
        raise NotModelled(str(document.error(f"{kind} of {document.apiVersion} is not simulated", "apiVersion")))
    wrong = unserved(document.apiVersion, kind)
    if wrong is not None:
        at, problem, remedy = wrong
        raise document.error(problem, at, hint=remedy)


def not_simulated(document: Document, hint: str = "") -> NotModelled:
    """The complaint about a kind that is knowingly left out."""
    problem, expected = f"{document.kind} is not simulated", "" if hint else ", ".join(KINDS)
    return NotModelled(str(document.error(problem, "kind", expected=expected, hint=hint)))


def _check_named(document: Document) -> None:
    if not document.name:
        generated = (document.raw.get("metadata") or {}).get("generateName")
        hint = f"of {generated} no name is made here: write metadata.name" if generated else ""
        raise document.error(f"a {document.kind} without a name", "metadata.name", expected="a name", hint=hint)


def check_object(document: Document) -> None:
    """An object that is not a Pod must have a name, and be one that the API server accepts. Raises InputError."""
    check_known(document)
    with spelling(document):
        _check_object(document)


def _check_object(document: Document) -> None:
    if document.kind in WORKLOADS:
        spec = document.raw.get("spec")
        template = spec.get("template") if isinstance(spec, dict) else None
        if not isinstance(template, dict):
            raise document.error("no template", "spec.template", expected="a Pod template")
        pods = template.get("spec")
        if pods is None or (isinstance(pods, dict) and not pods.get("containers")):
            raise document.error("no containers", "spec.template.spec.containers", expected="at least one container")
    refuse_invalid_object(document)


def check_pod(pod: Document) -> None:
    """A Pod must have what nothing could be simulated without. Raises InputError, NotModelled."""
    check_known(pod)
    with spelling(pod):
        _check_pod(pod)


def _check_pod(pod: Document) -> None:
    """Containers, each with a name of its own."""
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


def check_twice(documents: Iterable[Document]) -> None:
    """Two objects of one kind and name are one too many."""
    seen: dict[str, Document] = {}
    for each in documents:
        key = thing_key(each.kind, each.raw.get("metadata") or {})
        if key in seen:
            raise each.error(f"a second {each.kind} of this name", "metadata.name", found=quoted(each.name))
        seen[key] = each


def check_names(pods: Iterable[Document]) -> None:
    """Pods must be sound each by itself, and two of one name are one too many."""
    seen: dict[str, Document] = {}
    for pod in pods:
        key = pod_key(pod.raw)
        check_pod(pod)
        if key in seen:
            raise pod.error("a second Pod of this name", "metadata.name", found=quoted(key))
        seen[key] = pod
