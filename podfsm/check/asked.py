"""Which invariants are asked of an event: by version, how many snapshots they take, and the parts that changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache

from attrs import field, frozen

from podfsm.check.reads import reads
from podfsm.check.shapes import by_shape
from podfsm.engine.rule import Registry, Rule
from podfsm.engine.versions import Gates

ASKED_OTHERWISE = frozenset({"cstate-no-leave-terminated", "watch-order"})
"""Invariants that are not asked as they stand: by the gates in force, and before all others."""

_PACKAGE = "podfsm.rules."

Invariant = tuple[str, Callable[..., bool]]
Timed = tuple[str, Callable[..., bool], int]


@frozen
class Asked:
    """The invariants in force: those of one snapshot and of two, those told by shape and those that read times or ids.

    Each is its rule's id and function, and for those with times the parts of a Pod that it may read.
    """

    one_shaped: tuple[Invariant, ...]
    one_timed: tuple[Timed, ...]
    two_shaped: tuple[Invariant, ...]
    two_timed: tuple[Timed, ...]
    _one: dict[int, tuple[Invariant, ...]] = field(factory=dict, eq=False, repr=False)
    _two: dict[int, tuple[Invariant, ...]] = field(factory=dict, eq=False, repr=False)

    def one(self, parts: int) -> tuple[Invariant, ...]:
        """Those of one snapshot that read times or ids, and any of these parts."""
        return _about(self.one_timed, parts, self._one)

    def two(self, parts: int) -> tuple[Invariant, ...]:
        """Those of two snapshots that read times or ids, and any of these parts."""
        return _about(self.two_timed, parts, self._two)


def _about(timed: tuple[Timed, ...], parts: int, kept: dict[int, tuple[Invariant, ...]]) -> tuple[Invariant, ...]:
    found = kept.get(parts)
    if found is None:
        found = kept[parts] = tuple((rule, holds) for rule, holds, about in timed if about & parts)
    return found


@lru_cache(maxsize=16)
def all_known(rules: Registry) -> bool:
    """Whether all invariants are the package's own, of which is known what they read; a plug-in's may read anything."""
    return all(rule.function.__module__.startswith(_PACKAGE) for rule in rules if rule.kind == "invariant")


@lru_cache(maxsize=16)
def asked(rules: Registry, gates: Gates) -> Asked:
    """The invariants that are asked under these gates."""
    every = [rule for rule in rules if rule.kind == "invariant" and rule.in_force(gates)]
    found: dict[tuple[int, bool], list[Rule]] = {(n, shaped): [] for n in (1, 2) for shaped in (True, False)}
    for rule in every:
        if rule.id not in ASKED_OTHERWISE:
            found[len(inspect.signature(rule.function).parameters), by_shape(rule.function)].append(rule)
    return Asked(
        one_shaped=tuple((rule.id, rule.function) for rule in found[1, True]),
        one_timed=tuple((rule.id, rule.function, reads(rule.function)) for rule in found[1, False]),
        two_shaped=tuple((rule.id, rule.function) for rule in found[2, True]),
        two_timed=tuple((rule.id, rule.function, reads(rule.function)) for rule in found[2, False]),
    )
