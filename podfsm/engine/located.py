"""YAML read together with the place of everything in it, so that a complaint can say where.

Only what a spec needs is read: one document of maps, lists and plain values as YAML 1.2 spells them (`on`, `yes` and
`no` are text). Aliases, tags of one's own, a key given twice, and depth or size beyond the limits are errors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from attrs import field, frozen

from podfsm.errors import SpecError

Path = tuple[str | int, ...]
Place = tuple[int, int]

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 32
_TOO_DEEP, _DEPTH = "nested too deeply", f"at most {MAX_DEPTH} levels"

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_CONSTANTS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_STRING_TAG = "tag:yaml.org,2002:str"


@frozen(eq=False)
class Located:
    """A document's value (`dict`, `list`, `str`, `bool`, `int`, `float`, None) and where each part of it stands.

    Paths are tuples of keys and indices: `("transitions", 3, "dest")`.
    """

    value: Any
    source: str
    _values: Mapping[Path, Place] = field(repr=False)
    _keys: Mapping[Path, Place] = field(repr=False)

    def place(self, path: Path = ()) -> Place:
        """Line and column, from 1, of the value at `path`; of its nearest parent when there is no such value."""
        while path not in self._values:
            path = path[:-1]
        return self._values[path]

    def key_place(self, path: Path) -> Place:
        """Line and column of the key that `path` ends with; of the value for list items and the document."""
        return self._keys[path] if path in self._keys else self.place(path)

    def error(
        self,
        problem: str,
        path: Path = (),
        *,
        at_key: bool = False,
        expected: str = "",
        found: str = "",
        hint: str = "",
    ) -> SpecError:
        """A complaint about the value (or the key) at `path`, ready to be raised."""
        line, column = self.key_place(path) if at_key else self.place(path)
        return SpecError(
            problem,
            source=self.source,
            line=line,
            column=column,
            path=path_text(path),
            expected=expected,
            found=found,
            hint=hint,
        )


def path_text(path: Path) -> str:
    """`transitions[3].dest`; keys that are no plain words are quoted: `states["a b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w-]+", part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text


def load_located(text: str, source: str = "<text>") -> Located:
    """Read one YAML document. Raises SpecError with the place of what is wrong."""
    if len(text) > MAX_CHARACTERS:
        raise SpecError(
            "too long", source=source, expected=f"at most {MAX_CHARACTERS} characters", found=str(len(text))
        )
    builder = _Builder(source)
    try:
        value = builder.document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        said = wrong.problem or wrong.context or ""
        if "nesting depth" in said:  # the parser has a limit of its own, and reads ahead
            raise SpecError(_TOO_DEEP, source=source, line=line, column=column, expected=_DEPTH) from None
        raise SpecError(f"not YAML: {said}", source=source, line=line, column=column) from None
    except (yaml.YAMLError, UnicodeError) as wrong:
        raise SpecError(f"not YAML: {' '.join(str(wrong).split())}", source=source) from None
    return Located(value, source, builder.values, builder.keys)


class _Builder:
    """Builds values from parser events, noting places. Recursion is bounded by MAX_DEPTH."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.values: dict[Path, Place] = {}
        self.keys: dict[Path, Place] = {}

    def document(self, events: Iterator[Any]) -> Any:
        """The value of the only document."""
        value: Any = None
        self.values[()] = (1, 1)
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._wrong(event, (), "a second document", expected="one document in a file")
            elif isinstance(event, yaml.NodeEvent):
                value = self._node(event, events, ())
        return value

    def _node(self, event: Any, events: Iterator[Any], path: Path) -> Any:
        if isinstance(event, yaml.AliasEvent):
            raise self._wrong(event, path, f"alias *{event.anchor}", expected="the value itself: aliases are not read")
        if len(path) > MAX_DEPTH:
            raise self._wrong(event, path[:1], _TOO_DEEP, expected=_DEPTH)
        self.values[path] = _place(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if event.tag is not None and not event.implicit:
            raise self._wrong(event, path, f"tag {event.tag}", expected="no tag")
        return self._list(events, path) if isinstance(event, yaml.SequenceStartEvent) else self._map(events, path)

    def _list(self, events: Iterator[Any], path: Path) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*path, len(items))))
        return items

    def _map(self, events: Iterator[Any], path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
                raise self._wrong(event, path, "a key that is no plain text", expected="text")
            key = event.value
            inner = (*path, key)
            if key in found:
                first = self.keys[inner][0]
                raise self._wrong(event, inner, f"key {key!r} given twice", hint=f"first on line {first}")
            self.keys[inner] = _place(event)
            found[key] = self._node(next(events), events, inner)
        return found

    def _scalar(self, event: Any, path: Path) -> Any:
        text = event.value
        if event.tag is not None and event.tag not in (_STRING_TAG, "!"):
            raise self._wrong(event, path, f"tag {event.tag}", expected="no tag")
        if event.tag is not None or event.style:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _wrong(self, event: Any, path: Path, problem: str, *, expected: str = "", hint: str = "") -> SpecError:
        line, column = _place(event)
        return SpecError(
            problem,
            source=self.source,
            line=line,
            column=column,
            path=path_text(path),
            expected=expected,
            hint=hint,
        )


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1
