"""Manifests against the rules: what the API server would refuse, and what will surprise.

`lint(documents, gates)` gives findings with rule and place, in the order of the documents. Objects of kinds that say
nothing about the lifecycle are passed over; `LINTED` lists the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from podfsm.engine.rule import Rule
from podfsm.engine.versions import Gates
from podfsm.errors import NotModelled
from podfsm.kube.cluster import PodDisruptionBudget
from podfsm.kube.decode import decode
from podfsm.kube.defaults import default_pod
from podfsm.kube.document import Document
from podfsm.kube.misspelt import KNOWN, strange_fields
from podfsm.kube.objects import ObjectMeta, Pod, PodSpec
from podfsm.kube.served import LAST, foreign, homes, unserved
from podfsm.kube.services import Service
from podfsm.kube.workload_defaults import default_workload
from podfsm.kube.workloads import TYPES, CronJob, Job
from podfsm.lint.crowd import Group, groups, namespace_of, selected
from podfsm.lint.finding import ERROR, SEVERITIES, Finding, Place, finding
from podfsm.lint.references import references
from podfsm.rules.accepted import kind_served
from podfsm.rules.advice import NOTE, POD_ADVICE, WARNING, Advice, Subject
from podfsm.rules.advice_owners import idle_budget, idle_service, lasting_job, lost_logs, outdated_owner, stuck_budget
from podfsm.rules.advice_probes import PROBE_ADVICE
from podfsm.rules.deletion_gc import has_successor
from podfsm.rules.pod_preset import require_served
from podfsm.rules.problems import REQUIRED, Problem
from podfsm.rules.services import selected_by, service_problems
from podfsm.rules.validation import pod_problems
from podfsm.rules.validation_objects import budget_problems, object_problems
from podfsm.rules.validation_workloads import workload_problems

__all__ = ["ERROR", "LINTED", "NOTE", "SEVERITIES", "WARNING", "Finding", "Place", "is_linted", "lint", "references"]

LINTED = ("Pod", *TYPES, "PodDisruptionBudget", "PodPreset", "Service", "Node")
"""The kinds that are looked at."""


def is_linted(document: Document) -> bool:
    """Whether an object is looked at: of one of these kinds, and Kubernetes' own."""
    return document.kind in LINTED and not foreign(document.apiVersion)


def lint(documents: Sequence[Document], gates: Gates) -> list[Finding]:
    """Every finding in these objects, in their order, and then what they say together, once each is sound alone.

    Raises InputError for an object that cannot be decoded.
    """
    looked_at = [document for document in documents if is_linted(document)]
    for document in looked_at:
        decode(document, KNOWN[document.kind])
    crowd = list(groups(looked_at))
    own = [document for document in documents if not foreign(document.apiVersion)]
    found = [each for document in own for each in _misplaced(document, gates)]
    for document in looked_at:
        found.extend(_strange(document))
        found.extend(_nameless(document))
        look = _LOOKS.get(document.kind, _workload)
        found.extend(look(document, gates, crowd))
    return found if any(each.severity == ERROR for each in found) else [*found, *references(own)]


def _pod(document: Document, gates: Gates, _crowd: Sequence[Group]) -> Iterator[Finding]:
    with document.locating():
        raw = default_pod(document.raw, pod_level_resources=gates.on("PodLevelResources"))
    pod = msgspec.convert(raw, Pod)
    yield from _refusals(document, pod_problems(pod, gates))
    controlled = has_successor(pod.metadata)
    yield from _on_spec(document, "spec", _subject(pod.spec, "", pod.metadata, gates, controlled=controlled))


def _workload(document: Document, gates: Gates, _crowd: Sequence[Group]) -> Iterator[Finding]:
    type_ = TYPES[document.kind]
    with document.locating():
        raw = default_workload(document.raw, pod_level_resources=gates.on("PodLevelResources"))
    owner: Any = msgspec.convert(raw, type_)
    yield from _refusals(document, workload_problems(owner, gates))
    owned = has_successor(owner.metadata)
    yield from _advice(document, "spec", outdated_owner, document.kind, owned)
    path, spec = "spec", owner.spec
    if isinstance(owner, CronJob):
        path, spec = "spec.jobTemplate.spec", owner.spec.jobTemplate.spec
    if isinstance(owner, CronJob | Job):
        yield from _advice(document, path, lasting_job, spec, owned or isinstance(owner, CronJob))
        yield from _advice(document, path, lost_logs, spec)
    if spec.template is not None:
        subject = _subject(spec.template.spec, document.kind, spec.template.metadata, gates)
        yield from _on_spec(document, f"{path}.template.spec", subject)


def _budget(document: Document, _gates: Gates, crowd: Sequence[Group]) -> Iterator[Finding]:
    budget = decode(document, PodDisruptionBudget)
    spec, problems = budget.spec, list(budget_problems(budget))
    if problems:
        yield from _refusals(document, problems)
        return
    chosen = selected(crowd, namespace_of(document), spec.selector)
    counts = [each.replicas for each in chosen]
    known = [count for count in counts if count is not None]
    yield from _advice(document, "spec", stuck_budget, spec, sum(known) if known == counts else None)
    if crowd:
        yield from _advice(document, "spec", idle_budget, len(chosen))


def _preset(document: Document, gates: Gates, _crowd: Sequence[Group]) -> Iterator[Finding]:
    try:
        require_served(gates.version)
    except NotModelled as gone:
        yield finding(document, "", "preset-removed", ERROR, str(gone))


def _service(document: Document, _gates: Gates, crowd: Sequence[Group]) -> Iterator[Finding]:
    spec = decode(document, Service).spec
    problems = list(service_problems(spec))
    yield from _refusals(document, problems)
    selector = selected_by(spec)
    if crowd and selector is not None and not problems:
        yield from _advice(document, "spec", idle_service, len(selected(crowd, namespace_of(document), selector)))


def _node(document: Document, gates: Gates, _crowd: Sequence[Group]) -> Iterator[Finding]:
    yield from _refusals(document, object_problems(document.raw, gates))


_LOOKS: Mapping[str, Callable[[Document, Gates, Sequence[Group]], Iterator[Finding]]] = {
    "Pod": _pod,
    "PodDisruptionBudget": _budget,
    "PodPreset": _preset,
    "Service": _service,
    "Node": _node,
}


def _subject(spec: PodSpec, owner: str, metadata: ObjectMeta, gates: Gates, *, controlled: bool = False) -> Subject:
    return Subject(spec, owner, metadata.labels, controlled, gates.on("SidecarContainers"))


def _misplaced(document: Document, gates: Gates) -> Iterator[Finding]:
    """Kinds that do not exist under this apiVersion."""
    if kind_served(document.apiVersion, document.kind, str(gates.version)):
        return
    at, why, remedy = unserved(document.apiVersion, document.kind) or _retired(document)
    yield finding(document, at, kind_served.id, ERROR, f"{why}; {remedy}")


def _retired(document: Document) -> tuple[str, str, str]:
    last, newer = LAST[document.apiVersion], homes(document.kind)[0]
    return "apiVersion", f"{document.apiVersion} is served up to Kubernetes {last}", f"write {newer}"


def _nameless(document: Document) -> Iterator[Finding]:
    if not document.name and not (document.raw.get("metadata") or {}).get("generateName"):
        yield finding(document, "metadata.name", "valid-fields", ERROR, "an object has a name", REQUIRED)


def _strange(document: Document) -> Iterator[Finding]:
    for each in strange_fields(document):
        yield finding(document, each.path, "known-fields", ERROR, f"no such field; {each.hint}")


def _refusals(document: Document, problems: Iterable[Problem]) -> Iterator[Finding]:
    for each in problems:
        yield finding(document, each.field, each.rule or "valid-fields", ERROR, each.why, each.type)


def _on_spec(document: Document, path: str, subject: Subject) -> Iterator[Finding]:
    for rule in (*POD_ADVICE, *PROBE_ADVICE):
        yield from _advice(document, path, rule, subject)


def _advice(document: Document, path: str, rule: Rule, *about: Any) -> Iterator[Finding]:
    remarks: Iterable[Advice] = rule(*about)
    for each in remarks:
        yield finding(document, f"{path}.{each.path}" if each.path else "", rule.id, each.severity, each.text)
