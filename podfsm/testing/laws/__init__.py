"""The laws of the machines and of decisions. `all_laws()` gives them all."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from podfsm.engine.versions import Gates
from podfsm.testing.laws.base import LAWS, Law, decision, law

__all__ = ["Law", "all_laws", "decision", "law", "laws_of"]

_MODULES = ("containers", "pods", "probes", "around", "decisions")


@lru_cache(maxsize=1)
def all_laws() -> tuple[Law, ...]:
    """Every law, sorted by name."""
    for module in _MODULES:
        import_module(f"podfsm.testing.laws.{module}")
    return tuple(LAWS[name] for name in sorted(LAWS))


def laws_of(machine: str, gates: Gates) -> dict[str, Law]:
    """The laws of one machine under these gates, by trigger."""
    mine = [law for law in all_laws() if law.machine == machine]
    usual = {law.trigger: law for law in mine if not law.without}
    return {**usual, **{law.trigger: law for law in mine if law.without and not gates.on(law.without)}}
