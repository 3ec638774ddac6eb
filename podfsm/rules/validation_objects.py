"""Objects around Pods as the API server checks them: whatever kind it is, created or changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podfsm.engine.versions import Gates
from podfsm.kube.cluster import Node, PodDisruptionBudget
from podfsm.kube.decode import convert
from podfsm.kube.objects import Struct
from podfsm.kube.presets import PodPreset
from podfsm.kube.services import EndpointSlice, Service
from podfsm.kube.workload_defaults import default_workload
from podfsm.kube.workloads import TYPES
from podfsm.rules.disruption_budget import well_formed
from podfsm.rules.problems import INVALID, NOT_SUPPORTED, REQUIRED, Problem, Problems
from podfsm.rules.services import service_problems
from podfsm.rules.taints import NO_EXECUTE, NO_SCHEDULE, PREFER_NO_SCHEDULE
from podfsm.rules.validation_changes import fixed_problems
from podfsm.rules.validation_scheduling import selector_problems
from podfsm.rules.validation_workloads import workload_problems

_DECODED: Mapping[str, type[Struct]] = {"EndpointSlice": EndpointSlice, "PodPreset": PodPreset}
"""Kinds that only have to decode."""
_EFFECTS = (NO_SCHEDULE, PREFER_NO_SCHEDULE, NO_EXECUTE)


def object_problems(raw: Mapping[str, Any], gates: Gates, before: Mapping[str, Any] | None = None) -> list[Problem]:
    """What the API server finds wrong with an object, new or as a change of `before`; nothing for other kinds.

    Raises InputError, with a path, for one that does not decode.
    """
    kind = str(raw.get("kind"))
    found: list[Problem] = []
    if kind in TYPES:
        convert(raw, TYPES[kind])
        owner = default_workload(raw, pod_level_resources=gates.on("PodLevelResources"))
        found = workload_problems(convert(owner, TYPES[kind]), gates)
    elif kind == "PodDisruptionBudget":
        found = list(budget_problems(convert(raw, PodDisruptionBudget)))
    elif kind == "Service":
        found = list(service_problems(convert(raw, Service).spec))
    elif kind in _DECODED:
        convert(raw, _DECODED[kind])
    elif kind == "Node":
        found = list(_node(convert(raw, Node)))
    elif kind == "PriorityClass" and (isinstance(raw.get("value"), bool) or not isinstance(raw.get("value"), int)):
        found = [Problem("value", REQUIRED if raw.get("value") is None else INVALID, "must be an integer")]
    return found if before is None else [*fixed_problems(raw, before), *found]


def budget_problems(budget: PodDisruptionBudget) -> Problems:
    """What is wrong with a PodDisruptionBudget."""
    if not well_formed(budget.spec):
        yield Problem("spec", INVALID, well_formed.statement, well_formed.id)
    if budget.spec.selector is not None:
        yield from selector_problems(budget.spec.selector, "spec.selector")


def _node(node: Node) -> Problems:
    for index, taint in enumerate(node.spec.taints):
        if not taint.key:
            yield Problem(f"spec.taints[{index}].key", REQUIRED, "a taint has a key")
        if taint.effect not in _EFFECTS:
            yield Problem(f"spec.taints[{index}].effect", NOT_SUPPORTED, f"must be one of {', '.join(_EFFECTS)}")
