"""One recording from its path to its findings: what a process, a worker and the command line do alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from attrs import define, frozen

from podfsm.check.checker import Checker
from podfsm.check.event import Observation, Relist
from podfsm.check.finding import Finding
from podfsm.check.readers import Trouble, read_path
from podfsm.engine.versions import Gates
from podfsm.errors import InputError
from podfsm.rules.gates import gates_for


@define
class Tally:
    """What was read of one recording."""

    path: str
    events: int = 0
    troubles: int = 0
    findings: int = 0


@frozen
class Order:
    """What a worker is told: a path, and the version and feature gates as they were given."""

    path: str
    kubernetes: str = "1.36"
    feature_gates: tuple[tuple[str, bool], ...] = ()
    strict: bool = False
    """Whether to look for unknown fields."""

    def gates(self) -> Gates:
        """The gates in force."""
        return gates_for(self.kubernetes, dict(self.feature_gates))


@frozen
class Outcome:
    """Everything about one recording at once."""

    tally: Tally
    found: tuple[Finding | Trouble, ...]


def recording(order: Order, tally: Tally, *, stdin: BinaryIO | None = None) -> Iterator[Finding | Trouble]:
    """The findings and troubles of one file, folder or standard input, as it is read; `tally` counts along.

    Every path is a recording of its own: what one tells of a Pod is not carried over to the next.
    """
    checker = Checker(order.gates())
    try:
        for seen in read_path(order.path, stdin=stdin, strict=order.strict):
            if isinstance(seen, Trouble):
                tally.troubles += not seen.harmless
                yield seen
                continue
            tally.events += isinstance(seen, Observation)
            for one in _told(checker, seen):
                tally.findings += isinstance(one, Finding)
                tally.troubles += isinstance(one, Trouble)
                yield one
    except InputError as error:
        tally.troubles += 1
        yield _trouble(error, order.path)


def _told(checker: Checker, seen: Observation | Relist) -> Iterator[Finding | Trouble]:
    """What the checker finds in one observation, or why it cannot look at it."""
    try:
        yield from checker.see(seen)
    except InputError as error:
        yield _trouble(error, seen.place.source)


def _trouble(error: InputError, path: str) -> Trouble:
    return Trouble(error.source or path, error.problem, error.expected, error.hint or error.found, error.line or 0)


def whole(order: Order) -> Outcome:
    """One recording from end to end, for a worker."""
    tally = Tally(order.path)
    return Outcome(tally, tuple(recording(order, tally)))
