"""Versions and feature gates: which rules are in force, and which behaviour a switch selects.

A gate table is data (`stages`: from which version on a gate is in which stage, and its default there). A `Gates` value
is the table read at one version with the user's overrides; it is what rules look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import total_ordering

from attrs import field, frozen

from podfsm.errors import InputError, UnknownName


@total_ordering
@frozen(order=False)
class Version:
    """A minor version such as 1.36; patch numbers are accepted and dropped."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Version:
        """Read `1.36`, `v1.36` or `1.36.2`. Raises InputError."""
        found = re.fullmatch(r"v?(\d+)\.(\d+)(\.\d+)?", str(text).strip())
        if not found:
            raise InputError("not a version", expected="a minor version such as 1.36", found=repr(text))
        return cls(int(found[1]), int(found[2]))

    def __lt__(self, other: Version) -> bool:
        return (self.major, self.minor) < (other.major, other.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@frozen
class Stage:
    """From `since` on the gate is in `stage` (alpha, beta, GA, deprecated, removed) with this default."""

    since: Version
    stage: str
    default: bool
    locked: bool = False


@frozen
class Gate:
    """One feature gate and its history, oldest stage first."""

    name: str
    stages: tuple[Stage, ...]
    what: str = ""
    always_after: bool = False
    """Once the gate is gone the behaviour stays (GA) instead of never having been."""

    def stage_at(self, version: Version) -> Stage | None:
        """The stage in force at `version`; None before the gate existed."""
        found = None
        for stage in self.stages:
            if stage.since <= version:
                found = stage
        return found


@frozen(eq=False)
class Gates:
    """The switches at one version. `on(name)` is the question rules ask."""

    version: Version
    table: Mapping[str, Gate]
    overrides: Mapping[str, bool] = field(factory=dict)
    _on: frozenset[str] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        enabled = set()
        for name, gate in self.table.items():
            stage = gate.stage_at(self.version)
            if stage is not None and (gate.always_after if stage.stage == "removed" else stage.default):
                enabled.add(name)
        for name, value in self.overrides.items():
            self._check_override(name, value)
            (enabled.add if value else enabled.discard)(name)
        object.__setattr__(self, "_on", frozenset(enabled))

    def _check_override(self, name: str, value: bool) -> None:
        if name not in self.table:
            raise UnknownName("feature gate", name, self.table)
        stage = self.table[name].stage_at(self.version)
        if stage is None or stage.stage == "removed":
            raise InputError(f"feature gate {name} does not exist in {self.version}")
        if stage.locked and value != stage.default:
            raise InputError(f"feature gate {name} is locked to {str(stage.default).lower()} in {self.version}")

    def on(self, name: str) -> bool:
        """Whether the named behaviour is switched on. Unknown names raise UnknownName: a typo is never 'off'."""
        if name in self._on:
            return True
        if name not in self.table:
            raise UnknownName("feature gate", name, self.table)
        return False

    def at_least(self, text: str) -> bool:
        """Whether the version is `text` or newer, for changes that no gate switches."""
        return self.version >= _parsed(text)


_cache: dict[str, Version] = {}


def _parsed(text: str) -> Version:
    if text not in _cache:
        _cache[text] = Version.parse(text)
    return _cache[text]


def gate_table(gates: Iterable[Gate]) -> dict[str, Gate]:
    """Gates by name; a name given twice is an error."""
    table: dict[str, Gate] = {}
    for gate in gates:
        if gate.name in table:
            raise InputError(f"feature gate {gate.name} is listed twice")
        table[gate.name] = gate
    return table
