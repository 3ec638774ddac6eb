"""Affinity as the API server checks it: its shape first, for the rest of podfsm reads it raw, then what is in it.

Source: pkg/apis/core/v1/validation (validateAffinity, ValidateNodeSelector, validatePodAffinityTerm).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podfsm.errors import InputError
from podfsm.kube.affinity import Affinity, NodeAffinity, PodAffinity, PodTerm, Term
from podfsm.kube.decode import convert
from podfsm.rules.problems import INVALID, REQUIRED, Problem, Problems
from podfsm.rules.validation_scheduling import selector_problems

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")
_HARD, _SOFT = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"


def affinity_problems(raw: Mapping[str, Any] | None, path: str) -> Problems:
    """What is wrong with a Pod's affinity."""
    try:
        affinity = convert(dict(raw or {}), Affinity)
    except InputError as wrong:
        said = f"{wrong.problem}; expected {wrong.expected}" if wrong.expected else wrong.problem
        yield Problem(f"{path}.{wrong.path}".rstrip("."), INVALID, said)
        return
    yield from _of_nodes(affinity.nodeAffinity, f"{path}.nodeAffinity")
    for name in ("podAffinity", "podAntiAffinity"):
        pods: PodAffinity = getattr(affinity, name)
        for index, term in enumerate(pods.requiredDuringSchedulingIgnoredDuringExecution):
            yield from _of_pods(term, f"{path}.{name}.{_HARD}[{index}]")
        for index, weighed in enumerate(pods.preferredDuringSchedulingIgnoredDuringExecution):
            where = f"{path}.{name}.{_SOFT}[{index}]"
            yield from _weight(weighed.weight, where)
            yield from _of_pods(weighed.podAffinityTerm, f"{where}.podAffinityTerm")


def _of_nodes(affinity: NodeAffinity, path: str) -> Problems:
    hard = affinity.requiredDuringSchedulingIgnoredDuringExecution
    if hard is not None:
        where = f"{path}.{_HARD}.nodeSelectorTerms"
        if not hard.nodeSelectorTerms:
            yield Problem(where, REQUIRED, "must have at least one term")
        for index, term in enumerate(hard.nodeSelectorTerms):
            yield from _of_term(term, f"{where}[{index}]")
    for index, each in enumerate(affinity.preferredDuringSchedulingIgnoredDuringExecution):
        yield from _weight(each.weight, f"{path}.{_SOFT}[{index}]")
        yield from _of_term(each.preference, f"{path}.{_SOFT}[{index}].preference")


def _weight(weight: int, path: str) -> Problems:
    if not 1 <= weight <= 100:
        yield Problem(f"{path}.weight", INVALID, "must be 1 to 100")


def _of_term(term: Term, path: str) -> Problems:
    for name in ("matchExpressions", "matchFields"):
        for index, each in enumerate(getattr(term, name)):
            where = f"{path}.{name}[{index}]"
            if each.operator not in _OPERATORS:
                yield Problem(f"{where}.operator", INVALID, f"must be one of {', '.join(_OPERATORS)}")
            elif each.operator in ("In", "NotIn") and not each.values:
                yield Problem(f"{where}.values", REQUIRED, f"{each.operator} needs values")


def _of_pods(term: PodTerm, path: str) -> Problems:
    if not term.topologyKey:
        yield Problem(f"{path}.topologyKey", REQUIRED, "says what a domain is")
    if term.labelSelector is not None:
        yield from selector_problems(term.labelSelector, f"{path}.labelSelector")
