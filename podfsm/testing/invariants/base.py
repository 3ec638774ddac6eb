"""What an invariant of the suite is, and the list of them.

An invariant looks at a whole history: snapshots first of all, and accepted transitions and Events where an
implementation offers them. It never asks a guard, and it decides by code of its own, so that a wrong rule cannot
excuse itself. It holds of watches too, which may leave out snapshots.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from podfsm.testing.history import History

Judge = Callable[[History], Iterator[bool | str]]
"""Gives one answer for everything it looks at: True, or what is wrong."""


@frozen(eq=False)
class Invariant:
    """One invariant. `checks`: ids of the rules it is about; `needs`: what an implementation must not lack."""

    name: str
    says: str
    checks: tuple[str, ...]
    needs: frozenset[str]
    judge: Judge

    def answers(self, history: History) -> Iterator[bool | str]:
        """One answer for everything it looks at; nothing if the history lacks what it needs."""
        return iter(()) if self.needs & history.lacks else self.judge(history)

    def broken(self, history: History) -> list[str]:
        """What is wrong with a history; empty when nothing is."""
        return [answer for answer in self.answers(history) if isinstance(answer, str)]


INVARIANTS: dict[str, Invariant] = {}


def always(name: str, *, checks: Iterable[str], needs: Iterable[str] = ()) -> Callable[[Judge], Judge]:
    """Register the decorated function; its docstring is what the invariant says."""

    def register(judge: Judge) -> Judge:
        if name in INVARIANTS:
            raise ValueError(f"invariant {name} is registered twice")
        says = " ".join(inspect.cleandoc(judge.__doc__ or "").partition("\n\n")[0].split())
        INVARIANTS[name] = Invariant(name, says, tuple(checks), frozenset(needs), judge)
        return judge

    return register


def unless(wrong: bool, what: str) -> bool | str:
    """The answer of a judge about one thing: True, or `what` if it is wrong."""
    return what if wrong else True
