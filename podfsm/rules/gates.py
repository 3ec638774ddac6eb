"""The feature gates of Kubernetes, as specs/gates.yaml has them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from podfsm.data import compiled
from podfsm.engine.versions import Gate, Gates, Stage, Version, gate_table
from podfsm.errors import InputError

NEWEST = Version(1, 36)
OLDEST = Version(1, 18)


def gates_for(version: str = "1.36", overrides: Mapping[str, bool] | None = None) -> Gates:
    """The gates in force at a Kubernetes minor version, with the user's overrides.

    Raises InputError outside 1.18 to 1.36, and UnknownName for a gate that does not exist.
    """
    if not overrides:
        return _defaults(Version.parse(version))
    return Gates(_checked(Version.parse(version)), all_gates(), dict(overrides))


@lru_cache(maxsize=64)
def _defaults(version: Version) -> Gates:
    return Gates(_checked(version), all_gates())


def _checked(version: Version) -> Version:
    if not OLDEST <= version <= NEWEST:
        raise InputError("Kubernetes version not modelled", expected=f"{OLDEST} to {NEWEST}", found=str(version))
    return version


@lru_cache(maxsize=1)
def all_gates() -> dict[str, Gate]:
    """Every gate of specs/gates.yaml by name."""
    return gate_table(_gate(name, row) for name, row in compiled("gates").items())


def _gate(name: str, row: Mapping[str, Any]) -> Gate:
    stages = tuple(
        Stage(Version.parse(s["since"]), s["stage"], bool(s.get("default", False)), bool(s.get("locked", False)))
        for s in row["stages"]
    )
    return Gate(name, stages, row.get("what", ""), bool(row.get("always_after", False)))
