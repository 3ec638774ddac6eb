"""YAML as a stream of tokens. Loaded for YAML only: PyYAML takes a while to import, and JSON needs nothing of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import yaml

from podfsm.kube.tokens import Text, Token
from podfsm.kube.yaml_values import key_text, resolve

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The parser of PyYAML: libyaml where it was built with it. Only its events are used, never its constructors."""

_KINDS: dict[type[yaml.Event], str] = {
    yaml.ScalarEvent: "s",
    yaml.AliasEvent: "s",
    yaml.MappingStartEvent: "{",
    yaml.MappingEndEvent: "}",
    yaml.SequenceStartEvent: "[",
    yaml.SequenceEndEvent: "]",
}


def yaml_tokens(text: Text, start: int, end: int) -> Iterator[Token]:
    """The tokens of YAML."""
    line, column = text.place(start)
    padding = column - 1  # keeps a block piece that starts in the middle of a line aligned
    base = start - padding
    with suppress(yaml.YAMLError):  # the reader of the file has complained already, or the rest is not needed
        for event in _events(" " * padding + text.text[start:end]):
            kind = _KINDS.get(type(event), "")
            if kind:
                mark, last = event.start_mark, event.end_mark
                place = (line + mark.line, mark.column + 1)
                said = _yaml_text(event) if kind == "s" else ""
                yield Token(kind, said, base + mark.index, base + last.index, place)


def _events(text: str) -> Iterator[Any]:
    loader = LOADER(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            yield event
    finally:
        loader.dispose()


def _yaml_text(event: yaml.Event) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        return ""
    value: str = event.value
    return (key_text(resolve(value)) or "") if event.implicit[0] else value
