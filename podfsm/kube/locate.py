"""Where in the text a path stands: looked up only when somebody asks, so that reading stays fast.

YAML and JSON are both seen as a stream of tokens (`{ } [ ]` and scalars, each with its place). A path is followed by
skipping over whatever lies beside it; nothing is built.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, NamedTuple

import yaml

from podfsm.kube.paths import Step
from podfsm.kube.yaml_values import key_text, resolve

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser of PyYAML: libyaml where it was built with it. Only its events are used, never its constructors."""

Form = Literal["yaml", "json"]
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


class Origin:
    """A piece of a file that holds one value, and the places of what is inside."""

    def __init__(self, text: Text, form: Form, start: int, end: int) -> None:
        self.text = text
        self.form = form
        self.start = start
        self.end = end

    @cached_property
    def root(self) -> Place:
        """The place of the value itself."""
        return self.text.place(self.start)

    def place(self, steps: Sequence[Step]) -> Place:
        """The place of the entry at `steps`: of its key in an object, of the item in a list.

        A path that leads nowhere gives the place of the last entry on the way that does exist.
        """
        if len(steps) >= 2 and steps[0] == "items" and isinstance(steps[1], int) and steps[1] < len(self._items):
            return self._items[steps[1]].place(steps[2:])
        return self._follow(steps) if steps else self.root

    @cached_property
    def _items(self) -> list[Origin]:
        """The pieces of a Kubernetes List's `items`, found in one pass: a list may hold thousands of objects."""
        pieces: list[Origin] = []
        tokens = self.tokens()
        try:
            found = _enter(tokens, next(tokens), "items")
            if found is None or found[1].kind != "[":
                return pieces
            while (item := next(tokens)).kind != "]":
                pieces.append(Origin(self.text, self.form, item.offset, _skip(tokens, item).end))
        except (StopIteration, yaml.YAMLError):
            pass  # the reader of the file has complained already, or the rest is not needed
        return pieces

    def _follow(self, steps: Sequence[Step]) -> Place:
        best = self.root
        tokens = self.tokens()
        try:
            token = next(tokens)
            for step in steps:
                found = _enter(tokens, token, step)
                if found is None:
                    break
                best, token = found
        except (StopIteration, yaml.YAMLError):
            pass  # as far as it could be followed
        return best

    def tokens(self) -> Iterator[Token]:
        """What the piece is made of, in order. Ends early, or raises yaml.YAMLError, where the text is broken."""
        return self._json() if self.form == "json" else self._yaml()

    def _json(self) -> Iterator[Token]:
        for found in _JSON.finditer(self.text.text, self.start, self.end):
            piece = found[0]
            kind = piece if piece in "{}[]" else "s"
            key = _json_text(piece) if kind == "s" else ""
            yield Token(kind, key, found.start(), found.end(), self.text.place(found.start()))

    def _yaml(self) -> Iterator[Token]:
        line, column = self.root
        padding = column - 1  # keeps a block piece that starts in the middle of a line aligned
        loader = LOADER(" " * padding + self.text.text[self.start : self.end])
        base = self.start - padding
        try:
            while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
                kind = _KINDS.get(type(event), "")
                if kind:
                    mark, end = event.start_mark, event.end_mark
                    place = (line + mark.line, mark.column + 1)
                    text = _yaml_text(event) if kind == "s" else ""
                    yield Token(kind, text, base + mark.index, base + end.index, place)
        finally:
            loader.dispose()


_JSON = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s,:\[\]{}"]+', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_KINDS: dict[type[yaml.Event], str] = {
    yaml.ScalarEvent: "s",
    yaml.AliasEvent: "s",
    yaml.MappingStartEvent: "{",
    yaml.MappingEndEvent: "}",
    yaml.SequenceStartEvent: "[",
    yaml.SequenceEndEvent: "]",
}


def _json_text(piece: str) -> str:
    if "\\" not in piece:
        return piece.strip('"')
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else _ESCAPES.get(m[2], m[2]), piece[1:-1])


def _yaml_text(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        return ""
    value: str = event.value
    return (key_text(resolve(value)) or "") if event.implicit[0] else value


def _skip(tokens: Iterator[Token], token: Token) -> Token:
    """Read to the end of the value that starts with `token`; its last token."""
    depth = 0
    while True:
        depth += (token.kind in "{[") - (token.kind in "}]")
        if depth <= 0:
            return token
        token = next(tokens)


def _enter(tokens: Iterator[Token], token: Token, step: Step) -> tuple[Place, Token] | None:
    """The place of one step inside the value that starts with `token`, and the first token of what is there."""
    if token.kind == "{" and isinstance(step, str):
        while (key := next(tokens)).kind != "}":
            _skip(tokens, key)
            value = next(tokens)
            if key.kind == "s" and key.text == step:
                return key.place, value
            _skip(tokens, value)
    elif token.kind == "[" and isinstance(step, int):
        for _ in range(step):
            if (item := next(tokens)).kind == "]":
                return None
            _skip(tokens, item)
        item = next(tokens)
        return (item.place, item) if item.kind != "]" else None
    return None
