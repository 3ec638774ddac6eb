"""A priority queue as a value: with one more or one less it is another queue, which shares nearly all of the first.

A step leaves the world that it began with as it was. Of a list it would need a copy, as long as everything that waits;
of a leftist heap a path, as long as the logarithm of that. Source: Okasaki, Purely Functional Data Structures, 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from attrs import frozen

T = TypeVar("T")
_Tree = tuple[int, T, Any, Any] | None
"""A node: how many nodes lead to its right end, the least item of the tree, and two trees, the one to the left being
the one whose right end is farther. Going to the right is therefore short."""


@frozen(eq=False, repr=False)
class Heap(Generic[T]):
    """Items that can be compared, the least first. No two may be equal: which one came first would be lost."""

    _tree: _Tree[T] = None

    def __bool__(self) -> bool:
        return self._tree is not None

    @property
    def first(self) -> T:
        """The least item; IndexError if there is none."""
        if self._tree is None:
            raise IndexError("an empty heap has no first item")
        return self._tree[1]

    def push(self, item: T) -> Heap[T]:
        """The heap with one more item."""
        return Heap(_both(self._tree, (1, item, None, None)))

    def pop(self) -> tuple[T, Heap[T]]:
        """The least item, and the heap without it; IndexError if there is none."""
        if self._tree is None:
            raise IndexError("an empty heap has nothing to pop")
        _, item, left, right = self._tree
        return item, Heap(_both(left, right))

    def __iter__(self) -> Iterator[T]:
        """All items, the least first."""
        rest = self
        while rest:
            item, rest = rest.pop()
            yield item

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Heap) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # nothing is kept by its queue

    def __repr__(self) -> str:
        return f"Heap({list(self)})"


def _both(one: _Tree[Any], other: _Tree[Any]) -> _Tree[Any]:
    """Two trees as one."""
    if one is None or other is None:
        return one or other
    if other[1] < one[1]:
        one, other = other, one
    _, item, left, right = one
    right = _both(right, other)
    assert right is not None
    if left is None:
        return (1, item, right, None)
    return (right[0] + 1, item, left, right) if left[0] >= right[0] else (left[0] + 1, item, right, left)
