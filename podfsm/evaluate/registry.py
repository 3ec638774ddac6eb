"""Derivations by name, over plain JSON: what `podfsm eval NAME` runs.

An evaluator takes the `input` object of a case and the gates in force, and answers with an object of the same form as
the case's `want`. It only translates; what it answers is computed by the rules that the simulation uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podfsm.engine.versions import Gates
from podfsm.errors import UnknownName

Evaluator = Callable[[dict[str, Any], Gates], dict[str, Any]]
_evaluators: dict[str, Evaluator] = {}


def evaluator(name: str) -> Callable[[Evaluator], Evaluator]:
    """Register the decorated function under `name`."""

    def register(function: Evaluator) -> Evaluator:
        if name in _evaluators:
            raise ValueError(f"evaluator {name} is registered twice")
        _evaluators[name] = function
        return function

    return register


def names() -> list[str]:
    """Every name `evaluate` knows, sorted."""
    return sorted(_evaluators)


def evaluate(name: str, given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Answer one case. Raises UnknownName for a name that does not exist."""
    try:
        function = _evaluators[name]
    except KeyError:
        raise UnknownName("derivation", name, _evaluators) from None
    return function(given, gates)


def same(got: Any, want: Any) -> bool:
    """Equality in which a missing key means the zero value of what stands on the other side."""
    if isinstance(got, Mapping) and isinstance(want, Mapping):
        return all(same(got.get(key), want.get(key)) for key in got.keys() | want.keys())
    if isinstance(got, (list, tuple)) and isinstance(want, (list, tuple)):
        return len(got) == len(want) and all(map(same, got, want))
    if got is None or want is None:
        return _is_zero(got) and _is_zero(want)
    return bool(got == want)


def _is_zero(value: Any) -> bool:
    # {} is no zero value: {"waiting": {}} says that the state is known.
    return value is None or value is False or value in ("", 0) or value in ([], ())
