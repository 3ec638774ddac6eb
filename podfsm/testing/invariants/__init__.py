"""The invariants of the suite. `all_invariants()` gives them all, those of the registered invariant rules included."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from podfsm.testing.invariants.base import INVARIANTS, Invariant, always, unless

__all__ = ["Invariant", "all_invariants", "always", "unless"]

_MODULES = ("registered", "readiness", "phases", "order", "restarts", "backoff", "probes", "ending", "machines")


@lru_cache(maxsize=1)
def all_invariants() -> tuple[Invariant, ...]:
    """Every invariant, sorted by name."""
    for module in _MODULES:
        import_module(f"podfsm.testing.invariants.{module}")
    return tuple(INVARIANTS[name] for name in sorted(INVARIANTS))
