"""Where in the text a path stands: looked up only when somebody asks, so that reading stays fast.

YAML and JSON are both seen as a stream of tokens (`{ } [ ]` and scalars, each with its place). A path is followed by
skipping over whatever lies beside it; nothing is built.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from podfsm.kube.paths import Step
from podfsm.kube.tokens import Form, Place, Text, Token


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
        except StopIteration:
            pass  # broken: the reader of the file has complained already
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
        except StopIteration:
            pass  # as far as it could be followed
        return best

    def tokens(self) -> Iterator[Token]:
        """What the piece is made of, in order. Ends early where the text is broken."""
        return self.form(self.text, self.start, self.end)


class Value(NamedTuple):
    """One document: its JSON-like value and where it came from."""

    value: Any
    origin: Origin


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
