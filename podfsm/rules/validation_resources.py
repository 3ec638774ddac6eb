"""Validation of requests and limits.

Source: `pkg/apis/core/validation/validation.go` (ValidateContainerResourceRequirements).
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from podfsm.errors import InputError
from podfsm.kube.objects import ResourceRequirements
from podfsm.kube.quantity import parse_quantity
from podfsm.rules.names import is_container_resource, is_extended_resource, may_overcommit
from podfsm.rules.problems import FORBIDDEN, INVALID, REQUIRED, Problem, Problems

Amounts = Mapping[str, str | int | float]


def resource_problems(resources: ResourceRequirements | None, path: str) -> Problems:
    """Names and amounts of a container's requests and limits, and that no request exceeds its limit."""
    if resources is None:
        return
    limits, requests = resources.limits, resources.requests
    yield from _amounts(limits, f"{path}.limits")
    yield from _amounts(requests, f"{path}.requests")
    for name, value in requests.items():
        yield from _against_limit(name, value, limits, path)
    names = {*limits, *requests}
    if any(name.startswith("hugepages-") for name in names) and not names & {"cpu", "memory"}:
        yield Problem(path, FORBIDDEN, "huge pages need cpu or memory beside them")


def _amounts(amounts: Amounts, path: str) -> Problems:
    for name, value in amounts.items():
        at = f"{path}[{name}]"
        if not is_container_resource(name):
            yield Problem(at, INVALID, "is no resource that a container can ask for")
        amount = _amount(value)
        if amount is None:
            yield Problem(at, INVALID, f"{value!r} is not a quantity")
        elif amount < 0:
            yield Problem(at, INVALID, "must not be negative")
        elif is_extended_resource(name) and amount.denominator != 1:
            yield Problem(at, INVALID, "must be a whole number")


def _against_limit(name: str, value: str | float, limits: Amounts, path: str) -> Problems:
    if name not in limits:
        if not may_overcommit(name):
            yield Problem(f"{path}.limits", REQUIRED, f"{name} cannot be overcommitted, so it needs a limit")
        return
    request, limit = _amount(value), _amount(limits[name])
    if request is None or limit is None:
        return
    if request != limit and not may_overcommit(name):
        yield Problem(f"{path}.requests", INVALID, f"the request of {name} must equal its limit")
    elif request > limit:
        yield Problem(f"{path}.requests", INVALID, f"the request of {name} exceeds its limit")


def _amount(value: str | float) -> Fraction | None:
    try:
        return parse_quantity(value)
    except InputError:
        return None
