"""What a change of an object must leave as it is: its name, its selector, the value of a PriorityClass, most of a Job.

Source: `ValidateObjectMetaUpdate` of apimachinery, `pkg/apis/apps/validation/validation.go` (ValidateDeploymentUpdate
and the others), `pkg/apis/scheduling/validation/validation.go` (ValidatePriorityClassUpdate) and
`pkg/apis/batch/validation/validation.go` (ValidateJobSpecUpdate, validateCompletions, validatePodTemplateUpdate).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from podfsm.kube.workload_defaults import default_workload
from podfsm.kube.workloads import SETS
from podfsm.rules.problems import INVALID, Problem, Problems

_STAYS = "cannot be changed"
_OF_SPEC: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(SETS, ("selector",)),
    "Job": (
        "selector",
        "completionMode",
        "podFailurePolicy",
        "successPolicy",
        "backoffLimitPerIndex",
        "managedBy",
    ),
}
_OF_PRIORITY = ("value", "preemptionPolicy")
_PRIORITY = {"preemptionPolicy": "PreemptLowerPriority"}
"""A PriorityClass by default."""
_GROUPS = ("containers", "initContainers")
_DIRECTIVES = ("nodeSelector", "tolerations", "schedulingGates")
"""What a suspended Job may still decide about where its Pods go; of the affinity only that to nodes."""


def fixed_problems(raw: Mapping[str, Any], before: Mapping[str, Any]) -> Problems:
    """What an object has that its last version, `before`, had otherwise and that stays. Both are decoded already."""
    kind = str(raw.get("kind"))
    yield from _changed(_part(raw, "metadata"), _part(before, "metadata"), ("name",), "metadata.")
    if kind == "PriorityClass":
        yield from _changed({**_PRIORITY, **raw}, {**_PRIORITY, **before}, _OF_PRIORITY, "")
    elif kind in _OF_SPEC:
        if kind == "Job":
            raw, before = default_workload(raw), default_workload(before)
        new, old = _part(raw, "spec"), _part(before, "spec")
        yield from _changed(new, old, _OF_SPEC[kind], "spec.")
        if kind == "Job":
            yield from _completions(new, old)
            yield from _template(new, old)


def _part(raw: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return raw.get(name) or {}


def _changed(new: Mapping[str, Any], old: Mapping[str, Any], names: tuple[str, ...], path: str) -> Iterator[Problem]:
    for name in names:
        if new.get(name) != old.get(name):
            yield Problem(f"{path}{name}", INVALID, _STAYS)


def _completions(new: Mapping[str, Any], old: Mapping[str, Any]) -> Problems:
    """An Indexed Job grows and shrinks with its parallelism; the completions of others stay."""
    if new.get("completions") == old.get("completions"):
        return
    if new.get("completionMode") != "Indexed":
        yield Problem("spec.completions", INVALID, _STAYS)
    elif new.get("completions") != new.get("parallelism"):
        yield Problem("spec.completions", INVALID, "can only be changed together with parallelism, to the same number")


def _template(new: Mapping[str, Any], old: Mapping[str, Any]) -> Problems:
    """A Job's template stays, but for scheduling directives, metadata and resources while the Job is suspended."""
    loose = bool(old.get("suspend"))
    if _kept(new["template"], loose=loose) != _kept(old["template"], loose=loose):
        yield Problem("spec.template", INVALID, "cannot be changed" + (" so, suspended or not" if loose else ""))


def _kept(template: Mapping[str, Any], *, loose: bool) -> Mapping[str, Any]:
    """What must stay of a template; `loose`: of a suspended Job's."""
    if not loose:
        return template
    metadata, spec = dict(_part(template, "metadata")), dict(template["spec"])
    for name in ("labels", "annotations"):
        metadata.pop(name, None)
    for name in _DIRECTIVES:
        spec.pop(name, None)
    affinity = {name: rule for name, rule in _part(spec, "affinity").items() if name != "nodeAffinity"}
    groups = {name: [_without_resources(each) for each in spec.get(name) or ()] for name in _GROUPS}
    return {"metadata": metadata, "spec": {**spec, "affinity": affinity, **groups}}


def _without_resources(container: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in container.items() if name != "resources"}
