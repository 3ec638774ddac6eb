"""Text as a stream of tokens: `{ } [ ]` and scalars, each with its place. JSON's are here, YAML's in `yaml_tokens`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple

Place = tuple[int, int]
"""Line and column, both counted from 1."""


class Token(NamedTuple):
    """`kind` is one of `{ } [ ] s`; `text` is a scalar's, as a key; `offset` and `end` are characters of the text."""

    kind: str
    text: str
    offset: int
    end: int
    place: Place


class Text:
    """The text of a file, with the beginnings of its lines."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _lines(self) -> list[int]:
        return [0, *(found.end() for found in re.finditer("\n", self.text))]

    def place(self, offset: int) -> Place:
        """Line and column of a character."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1


Form = Callable[[Text, int, int], Iterator[Token]]
"""How text is written: gives the tokens between two characters, in order. They end early where the text is broken."""


def json_tokens(text: Text, start: int, end: int) -> Iterator[Token]:
    """The tokens of JSON."""
    for found in _JSON.finditer(text.text, start, end):
        piece = found[0]
        kind = piece if piece in "{}[]" else "s"
        key = _json_text(piece) if kind == "s" else ""
        yield Token(kind, key, found.start(), found.end(), text.place(found.start()))


_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s,:\[\]{}"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def _json_text(piece: str) -> str:
    if "\\" not in piece:
        return piece.strip('"')
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPES.get(m[2], m[2]), piece[1:-1])
