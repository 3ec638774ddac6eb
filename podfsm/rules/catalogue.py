"""Every rule of the package: imports each module of `podfsm.rules` once, and gathers what they leave out.

Rules of a user's own come in through the entry point group `podfsm.rules`: each entry names a module that registers
some.
"""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from importlib.metadata import entry_points
from types import ModuleType

import podfsm.rules
from podfsm.engine.rule import REGISTRY, Registry
from podfsm.errors import SpecError

ENTRY_POINTS = "podfsm.rules"


def all_rules() -> Registry:
    """The package's registry with every rule in it, those of installed plug-ins included."""
    _modules()
    _plug_ins()
    return REGISTRY


@lru_cache(maxsize=1)
def omitted() -> dict[str, str]:
    """Documented rules that are knowingly not among the rules: id to reason, sorted by id."""
    gathered: dict[str, str] = {}
    for module in _modules():
        gathered.update(getattr(module, "OMITS", {}))
    return dict(sorted(gathered.items()))


@lru_cache(maxsize=1)
def _modules() -> tuple[ModuleType, ...]:
    found = sorted(info.name for info in pkgutil.walk_packages(podfsm.rules.__path__, "podfsm.rules."))
    return tuple(import_module(name) for name in found)


@lru_cache(maxsize=1)
def _plug_ins() -> None:
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as crash:
            raise SpecError(f"the rules of {entry.value} cannot be loaded: {crash}", source=entry.name) from crash
