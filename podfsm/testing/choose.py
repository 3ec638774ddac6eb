"""Choices: the one thing that generators of Pods need, from a seeded random source or from hypothesis.

With hypothesis a user gets shrinking and replay; the seeded source gives `podfsm verify` the same bytes for the same
seed, whatever version of hypothesis is installed, at a small part of the cost.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Chooser(Protocol):
    """Makes choices."""

    def number(self, least: int, most: int) -> int:
        """A whole number, both ends included."""


class Seeded:
    """Choices from a pseudo-random source; the same seed (a text) gives the same ones."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secrets here

    def number(self, least: int, most: int) -> int:
        """See Chooser."""
        return self._random.randint(least, most)


class Drawn:
    """Choices from hypothesis: `draw` as `st.composite` gives it. Shrinks towards the first and the least."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self._draw = draw

    def number(self, least: int, most: int) -> int:
        """See Chooser."""
        from hypothesis import strategies as st

        chosen: int = self._draw(st.integers(least, most))
        return chosen


def one(choose: Chooser, options: Sequence[T]) -> T:
    """One of the options."""
    return options[choose.number(0, len(options) - 1)]


def chance(choose: Chooser, once_in: int) -> bool:
    """True about once in so many times; False is the simpler answer."""
    return choose.number(1, once_in) == once_in


def some(choose: Chooser, options: Sequence[T], most: int) -> list[T]:
    """Up to `most` of the options, each at most once, in their order."""
    left = list(options)
    wanted = choose.number(0, min(most, len(left)))
    while len(left) > wanted:
        left.pop(choose.number(0, len(left) - 1))
    return left
