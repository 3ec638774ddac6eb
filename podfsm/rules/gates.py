"""The feature gates of Kubernetes, read from specs/gates.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml

from podfsm.data import specs_folder
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
    path = specs_folder() / "gates.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["gates"]
    return gate_table(_gate(name, row) for name, row in rows.items())


def _gate(name: str, row: Mapping[str, Any]) -> Gate:
    stages = tuple(
        Stage(Version.parse(s["since"]), s["stage"], bool(s.get("default", False)), bool(s.get("locked", False)))
        for s in row["stages"]
    )
    return Gate(name, stages, row.get("what", ""), bool(row.get("always_after", False)))
