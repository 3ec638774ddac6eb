"""The constants of specs/timing.yaml: how long, how often, how much, each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import frozen

from podfsm.data import compiled
from podfsm.errors import SpecError, UnknownName

UNITS = ("s", "ratio", "per-second", "factor", "count", "bytes", "lines")
KEYS = {"value", "unit", "source", "what"}


@frozen
class Timing:
    """One constant. `value` is in `unit`, one of UNITS; `source` is a file and an identifier of Kubernetes 1.36.2."""

    name: str
    value: float
    unit: str
    source: str
    what: str


@lru_cache(maxsize=256)
def timing_constant(name: str) -> float:
    """The value of one constant, in its own unit. Raises UnknownName with the nearest valid name."""
    table = timings()
    if name not in table:
        raise UnknownName("timing constant", name, table)
    return table[name].value


@lru_cache(maxsize=1)
def timings() -> dict[str, Timing]:
    """Every constant by name, in the order of the file."""
    return read_timings(compiled("timings"), source="specs/timing.yaml")


def read_timings(rows: Mapping[str, Any], *, source: str = "") -> dict[str, Timing]:
    """Check and build the constants of one table. Raises SpecError with the place of what is wrong."""
    return {name: _timing(name, row, source) for name, row in rows.items()}


def _timing(name: str, row: Any, source: str) -> Timing:
    path = f"timings.{name}"
    if not isinstance(row, Mapping) or set(row) != KEYS:
        found = ", ".join(map(str, row)) if isinstance(row, Mapping) else repr(row)
        raise SpecError("wrong keys", source=source, path=path, expected=", ".join(sorted(KEYS)), found=found)
    value, unit = row["value"], row["unit"]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
        raise SpecError(
            "not a value", source=source, path=f"{path}.value", expected="a number from 0 on", found=repr(value)
        )
    if unit not in UNITS:
        raise SpecError("no such unit", source=source, path=f"{path}.unit", expected=", ".join(UNITS), found=repr(unit))
    return Timing(name, float(value), unit, str(row["source"]), str(row["what"]))
