"""Recorded and live Pods against the rules: `check(events)` gives findings as it reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import ModuleType

from podfsm.check.checker import Checker
from podfsm.check.event import Observation, Relist
from podfsm.check.finding import Breach, Finding, Place
from podfsm.engine.versions import Gates
from podfsm.rules.gates import gates_for

__all__ = ["Breach", "Checker", "Finding", "Observation", "Place", "Relist", "check"]


def check(events: Iterable[Observation | Relist], *, gates: Gates | None = None) -> Iterator[Finding]:
    """The findings of a recording, one by one as its events are read.

    `gates` choose the Kubernetes version and its feature gates; the newest one unless given.
    """
    checker = Checker(gates or gates_for())
    for event in events:
        yield from checker.see(event)


class _Callable(ModuleType):
    """The package, which called is its function: `from podfsm import check` gives one thing, however it is reached."""

    def __call__(self, events: Iterable[Observation | Relist], *, gates: Gates | None = None) -> Iterator[Finding]:
        """As `check`."""
        return check(events, gates=gates)


sys.modules[__name__].__class__ = _Callable
