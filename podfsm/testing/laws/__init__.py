"""The laws of the machines and of decisions. `all_laws()` gives them all."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from podfsm.testing.laws.base import LAWS, Law, decision, law

__all__ = ["Law", "all_laws", "decision", "law"]

_MODULES = ("containers", "pods", "probes", "decisions")


@lru_cache(maxsize=1)
def all_laws() -> tuple[Law, ...]:
    """Every law, sorted by name."""
    for module in _MODULES:
        import_module(f"podfsm.testing.laws.{module}")
    return tuple(LAWS[name] for name in sorted(LAWS))
