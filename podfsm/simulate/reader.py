"""Reading a scenario key by key: every key is asked for, what nobody asked for is an error with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from podfsm.errors import InputError, nearest
from podfsm.kube.document import Document
from podfsm.kube.duration import parse_duration
from podfsm.kube.words import described, quoted

T = TypeVar("T")


class Reader:
    """A mapping of a document at a path. Each accessor marks its key as known; `close` refuses the rest."""

    def __init__(self, document: Document, value: Any, path: str) -> None:
        self.document, self.path = document, path
        if not isinstance(value, dict):
            raise self.error("wrong type", expected="an object", found=described(value))
        self.value: dict[str, Any] = value
        self.known: set[str] = set()

    def error(self, problem: str, key: str = "", **fields: str) -> InputError:
        """A complaint about this place, or about a key of it."""
        return self.document.error(problem, self.at(key) if key else self.path, **fields)

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the key is there, with a value other than null."""
        self.known.add(key)
        return self.value.get(key) is not None

    def get(self, key: str) -> Any:
        """The raw value; None if absent."""
        self.known.add(key)
        return self.value.get(key)

    def text(self, key: str, default: str = "") -> str:
        """A string."""
        return self._typed(key, str, "text", default)

    def flag(self, key: str) -> bool:
        """A boolean; False if absent."""
        return self._typed(key, bool, "true or false", False)

    def number(self, key: str, default: int | None, least: int, most: int) -> int | None:
        """A whole number within bounds."""
        found = self.get(key)
        if found is None:
            return default
        if isinstance(found, bool) or not isinstance(found, int) or not least <= found <= most:
            raise self.error(
                "wrong value", key, expected=f"a whole number from {least} to {most}", found=described(found)
            )
        return found

    def seconds(self, key: str, default: float, *, forever: bool = False) -> float:
        """A duration such as 3s, 1m30s or 500ms; `forever` too where that makes sense."""
        found = self.get(key)
        if found is None:
            return default
        with self.document.locating(self.at(key)):
            return parse_duration(found, forever=forever)

    def choice(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        found = self.text(key, default)
        if self.value.get(key) is not None and found not in allowed:
            expected = ", ".join(allowed)
            raise self.error("wrong value", key, expected=expected, found=quoted(found), hint=nearest(found, allowed))
        return found

    def part(self, key: str) -> Reader:
        """The mapping below a key; an empty one if absent. The caller closes it."""
        found = self.get(key)
        return Reader(self.document, {} if found is None else found, self.at(key))

    def items(self, key: str, make: Callable[[Reader], T]) -> tuple[T, ...]:
        """A list of mappings, each read by `make` and closed."""
        found = self.get(key)
        if found is None:
            return ()
        if not isinstance(found, list):
            raise self.error("wrong type", key, expected="a list", found=described(found))
        return tuple(self._item(make, value, f"{self.at(key)}[{i}]") for i, value in enumerate(found))

    def entries(self, key: str) -> Iterator[tuple[str, Reader]]:
        """A mapping of names to mappings; the caller closes each."""
        found = self.get(key)
        if found is None:
            return
        if not isinstance(found, dict):
            raise self.error("wrong type", key, expected="an object", found=described(found))
        for name, value in found.items():
            yield str(name), Reader(self.document, value, f"{self.at(key)}[{name}]")

    def close(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self.value:
            if key not in self.known:
                raise self.error("unknown key", str(key), hint=nearest(str(key), self.known))

    def _item(self, make: Callable[[Reader], T], value: Any, path: str) -> T:
        reader = Reader(self.document, value, path)
        made = make(reader)
        reader.close()
        return made

    def _typed(self, key: str, kind: type[T], expected: str, default: T) -> T:
        found = self.get(key)
        if found is None:
            return default
        if not isinstance(found, kind):
            raise self.error("wrong type", key, expected=expected, found=described(found))
        return found
