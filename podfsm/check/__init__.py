"""Recorded and live Pods against the rules: `check(events)` gives findings as it reads."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType

from podfsm.check.checker import Checker
from podfsm.check.event import Observation, Relist
from podfsm.check.finding import Breach, Finding, Place
from podfsm.check.readers.trouble import Trouble
from podfsm.engine.versions import Gates
from podfsm.errors import InputError
from podfsm.rules.gates import gates_for

__all__ = ["Breach", "Checker", "Finding", "Observation", "Place", "Relist", "check"]


def check(
    events: Iterable[Observation | Relist | Trouble],
    *,
    gates: Gates | None = None,
    troubles: Callable[[Trouble], object] | None = None,
) -> Iterator[Finding]:
    """The findings of a recording, one by one as its events are read.

    `gates` choose the Kubernetes version and its feature gates; the newest one unless given. `troubles` is called with
    what the readers could not read, and the rest is checked; without it that raises InputError.
    """
    checker = Checker(gates or gates_for())
    for event in events:
        if not isinstance(event, Trouble):
            yield from checker.see(event)
        elif troubles is not None:
            troubles(event)
        elif not event.harmless:
            raise InputError(
                event.problem, source=event.source, line=event.line or None, expected=event.expected, found=event.found
            )


class _Callable(ModuleType):
    """The package, which called is its function: `from podfsm import check` gives one thing, however it is reached."""

    def __call__(
        self,
        events: Iterable[Observation | Relist | Trouble],
        *,
        gates: Gates | None = None,
        troubles: Callable[[Trouble], object] | None = None,
    ) -> Iterator[Finding]:
        """As `check`."""
        return check(events, gates=gates, troubles=troubles)


sys.modules[__name__].__class__ = _Callable
