"""A map as a value that tells which of its keys have changed since somebody looked at it.

What is worked out of all its entries can be brought up to date from those alone, as the scheduler does with its picture
of the nodes. Source: pkg/scheduler/backend/cache/cache.go (UpdateSnapshot).
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Generic, TypeVar, overload

from attrs import field, frozen
from immutables import Map

V = TypeVar("V")
SHORTEST = 100
"""So many changes are kept at least."""


@frozen(eq=False)
class Mark:
    """A state of a map: which key was changed to come there, and the state before, None if it is not known any more."""

    key: str
    before: Mark | None = field(repr=False)
    number: int
    """How many changes before this one are known."""


EMPTY = Mark("", None, 0)
"""The state of a map that never had an entry."""


@frozen
class TracedMap(Generic[V]):
    """A map that is never changed, and its latest changes, which do not count when two are compared.

    Of those no more are kept than twice its entries: whoever has missed more had better look at all of it.
    """

    mark: Mark = field(default=EMPTY, eq=False, repr=False)
    """The state it is in, for `changed_since`."""
    _map: Map[str, V] = field(factory=Map)

    @overload
    def get(self, key: str) -> V | None: ...
    @overload
    def get(self, key: str, default: V) -> V: ...
    def get(self, key: str, default: V | None = None) -> V | None:
        """The entry of a key."""
        return self._map.get(key, default)

    def set(self, key: str, value: V) -> TracedMap[V]:
        """The map with another entry for a key."""
        entries, last = self._map.set(key, value), self.mark
        if last.number >= max(SHORTEST, 2 * len(entries)):
            return TracedMap(Mark(key, None, 0), entries)
        return TracedMap(Mark(key, last, last.number + 1), entries)

    def changed_since(self, mark: Mark) -> AbstractSet[str] | None:
        """The keys that may have another entry than in a state of this map or of another; None: any of them may."""
        found, at = set[str](), self.mark
        while at is not mark:
            if at.before is None:
                return None
            found.add(at.key)
            at = at.before
        return found
