"""What a rule can read of a Pod, told from its code: what has not changed need not be asked again.

The names that a function's code uses, and those of the functions it calls, are a superset of the fields it reads. A
rule that may read anything in another way is taken to read everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import attrgetter
from types import CodeType, FunctionType, ModuleType
from typing import Any

from podfsm.engine.rule import Rule
from podfsm.kube.objects import Pod

# a uid stays, for Pods are told apart by it
METADATA, SPEC, CONDITIONS, APPS, INIT, EPHEMERAL, PHASE, OTHER = (1 << bit for bit in range(8))
EVERYTHING = (1 << 8) - 1

_FIELDS = {
    **dict.fromkeys(("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences"), METADATA),
    **dict.fromkeys(("generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"), METADATA),
    "spec": SPEC,
    "conditions": CONDITIONS,
    "containerStatuses": APPS,
    "initContainerStatuses": INIT,
    "ephemeralContainerStatuses": EPHEMERAL,
    "phase": PHASE,
    "reason": PHASE,
    "message": PHASE,
    **dict.fromkeys(
        ("startTime", "observedGeneration", "podIP", "podIPs", "hostIP", "hostIPs", "qosClass", "resize"), OTHER
    ),
    "nominatedNodeName": OTHER,
}
_DYNAMIC = frozenset({"getattr", "vars", "asdict", "astuple", "to_json", "__struct_fields__", "encode", "raw"})


@lru_cache(maxsize=4096)
def reads(function: Callable[..., Any]) -> int:
    """The parts of a Pod, as bits, that a function may read."""
    names = names_in(function)
    if names is None:
        return EVERYTHING
    bits = 0
    for name in names:
        bits |= _FIELDS.get(name, 0)
    return bits or EVERYTHING


@lru_cache(maxsize=4096)
def names_in(function: Callable[..., Any]) -> frozenset[str] | None:
    """Every name in the code of a function and of those that it calls; None if it may read fields in another way."""
    names = frozenset(_names(function, set()))
    return None if names & _DYNAMIC else names


def _names(function: Any, visited: set[int]) -> Iterator[str]:
    function = function.function if isinstance(function, Rule) else function
    function = getattr(function, "__wrapped__", function)
    if not isinstance(function, FunctionType) or id(function) in visited:
        return
    visited.add(id(function))
    if function.__closure__:
        yield "getattr"  # what it was closed over is not looked into
    for code in _codes(function.__code__):
        modules = [function.__globals__[name] for name in code.co_names if name in function.__globals__]
        modules = [one for one in modules if isinstance(one, ModuleType)]
        for name in code.co_names:
            yield name
            for called in (function.__globals__.get(name), *(getattr(module, name, None) for module in modules)):
                if called is not None:
                    yield from _names(called, visited)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A function's code and that of the comprehensions and functions inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def changed(before: Pod, after: Pod) -> int:
    """The parts that differ between two snapshots, as bits. The resourceVersion is no part."""
    old, new = before.status, after.status
    bits = 0 if before.spec is after.spec or before.spec == after.spec else SPEC
    if old.conditions != new.conditions:
        bits |= CONDITIONS
    if old.containerStatuses != new.containerStatuses:
        bits |= APPS
    if old.initContainerStatuses != new.initContainerStatuses:
        bits |= INIT
    if old.ephemeralContainerStatuses != new.ephemeralContainerStatuses:
        bits |= EPHEMERAL
    if old.phase != new.phase or old.reason != new.reason or old.message != new.message:
        bits |= PHASE
    if _others(old) != _others(new):
        bits |= OTHER
    return bits if _marks(before.metadata) == _marks(after.metadata) else bits | METADATA


_others = attrgetter(
    "startTime",
    "observedGeneration",
    "podIP",
    "hostIP",
    "qosClass",
    "podIPs",
    "hostIPs",
    "resize",
    "nominatedNodeName",
)
_marks = attrgetter(
    "name",
    "namespace",
    "uid",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "finalizers",
    "annotations",
    "labels",
    "ownerReferences",
)
