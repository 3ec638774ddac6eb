"""YAML to JSON-like values, as Kubernetes reads it, within limits; built straight from the parser's events.

PyYAML's own constructors are not used: they know other types (dates, sets, base-60 numbers), let a later key
overwrite an earlier one, and expand as many aliases as a document asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import yaml

from podfsm.errors import InputError
from podfsm.kube.limits import DEFAULT, Limits
from podfsm.kube.locate import Origin, Value
from podfsm.kube.paths import Step, path_of
from podfsm.kube.tokens import Text
from podfsm.kube.words import described, quoted
from podfsm.kube.yaml_errors import yaml_error
from podfsm.kube.yaml_tokens import LOADER, yaml_tokens
from podfsm.kube.yaml_values import SCALAR_TAGS, STANDARD, key_text, resolve, tagged

_PENDING: Any = object()  # no key read yet
_MERGE: Any = object()  # the key `<<`
_OPEN: Any = object()  # an anchor whose value is not complete
_PLAIN_TAGS = (None, "!", f"{STANDARD}map", f"{STANDARD}seq")


class _Frame:
    """An object or list under construction."""

    __slots__ = ("anchor", "before", "is_list", "key", "merges", "value")

    def __init__(self, value: Any, is_list: bool, anchor: str | None, before: int) -> None:
        self.value = value
        self.is_list = is_list
        self.key: Any = _PENDING
        self.anchor = anchor
        self.before = before
        self.merges: list[dict[str, Any]] = []


class _Builder:
    """Builds the documents of one file from its events."""

    def __init__(self, text: Text, source: str, limits: Limits) -> None:
        self.text = text
        self.source = source
        self.limits = limits
        self.done: list[Value] = []
        self.stack: list[_Frame] = []
        self.start = 0
        self.root: Any = None
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.scalars: dict[str, Any] = {}  # plain scalars met before: the same few words come again and again
        self.nodes = 0
        self.aliases = 0
        self.expanded = 0

    # events ---------------------------------------------------------------------------------------------------------

    def begin(self, _event: Any) -> None:
        self.anchors.clear()
        self.root, self.start = None, -1

    def finish(self, event: Any) -> None:
        if self.start >= 0:
            self.done.append(Value(self.root, Origin(self.text, yaml_tokens, self.start, event.start_mark.index)))

    def scalar(self, event: Any) -> None:
        self.nodes += 1
        text = event.value
        if event.implicit[0]:
            value = self.scalars.get(text, _PENDING)
            if value is _PENDING:
                value = self.scalars[text] = self._checked(resolve(text), event)
            if text == "<<" and self._wants_key():
                self.stack[-1].key = _MERGE
                return
        elif event.tag in (None, "!"):
            value = text
        else:
            value = self._tagged(event)
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1)
        self.add(value, event)

    def open(self, event: Any) -> None:
        self.nodes += 1
        if event.tag not in _PLAIN_TAGS:
            raise self.error("a tag that Kubernetes does not know", event, found=event.tag.replace(STANDARD, "!!"))
        if self._wants_key():
            unfilled = self.text.text.startswith("{{", event.start_mark.index - 1)
            hint = "a template that is not filled in? podfsm reads what it gives" if unfilled else ""
            raise self.error("a key that is an object or a list", event, expected="text", hint=hint)
        if len(self.stack) >= self.limits.depth:
            expected = f"at most {self.limits.depth} levels"
            raise self.error("nested too deeply", event, expected=expected, found="more", whole=False)
        if not self.stack:
            self.start = event.start_mark.index
        if event.anchor is not None:
            self.anchors[event.anchor] = (_OPEN, 0)
        is_list = isinstance(event, yaml.SequenceStartEvent)
        before = self.nodes + self.expanded - 1
        self.stack.append(_Frame([] if is_list else {}, is_list, event.anchor, before))

    def close(self, event: Any) -> None:
        frame = self.stack.pop()
        for merged in frame.merges:
            for key, value in merged.items():
                frame.value.setdefault(key, value)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (frame.value, self.nodes + self.expanded - frame.before)
        self.add(frame.value, event)

    def alias(self, event: Any) -> None:
        value, size = self.anchors.get(event.anchor, (_PENDING, 0))
        if value is _PENDING:
            known = ", ".join(f"&{name}" for name in sorted(self.anchors)[:12])
            raise self.error("no such anchor", event, expected=known, found=f"*{event.anchor}")
        if value is _OPEN:
            raise self.error("an alias inside the value it stands for", event, found=f"*{event.anchor}")
        self.aliases += 1
        self.expanded += size
        if self.aliases > self.limits.aliases:
            raise self.error("too many aliases", event, expected=f"at most {self.limits.aliases}", found="more")
        if self.expanded > self.limits.expanded:
            expected = f"at most {self.limits.expanded} values from aliases"
            raise self.error("aliases that grow too large", event, expected=expected, found="more")
        self.add(value, event)

    # values ---------------------------------------------------------------------------------------------------------

    def add(self, value: Any, event: Any) -> None:
        """Put a complete value where it belongs."""
        if not self.stack:
            self.root = value
            self.start = event.start_mark.index if self.start < 0 else self.start
            return
        frame = self.stack[-1]
        if frame.is_list:
            frame.value.append(value)
        elif frame.key is _PENDING:
            frame.key = self._key(frame, value, event)
        elif frame.key is _MERGE:
            frame.key = _PENDING
            self._merge(frame, value, event)
        else:
            frame.value[frame.key] = value
            frame.key = _PENDING

    def _key(self, frame: _Frame, value: Any, event: Any) -> str:
        key = key_text(value)
        if key is None:
            raise self.error("a key that is not text", event, expected="text", found=described(value))
        if key in frame.value:
            path = self.path(key)
            line, _ = Origin(self.text, yaml_tokens, self.start, event.start_mark.index).place(path)
            raise self.error("a key given twice", event, path=path, found=f"the first in line {line}")
        return key

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        parts = value if isinstance(value, list) else [value]
        if not all(isinstance(part, dict) for part in parts):
            found = described(value)
            raise self.error("'<<' merges objects only", event, expected="an alias of an object", found=found)
        frame.merges += parts

    def _wants_key(self) -> bool:
        return bool(self.stack) and not self.stack[-1].is_list and self.stack[-1].key is _PENDING

    def _checked(self, value: Any, event: Any) -> Any:
        if isinstance(value, float) and not math.isfinite(value):
            raise self.error("a number that JSON does not have", event, expected="a number or text", found=event.value)
        return value

    def _tagged(self, event: Any) -> Any:
        if event.tag.removeprefix(STANDARD) not in SCALAR_TAGS:
            raise self.error("a tag that Kubernetes does not know", event, found=event.tag.replace(STANDARD, "!!"))
        try:
            return self._checked(tagged(event.tag, event.value), event)
        except InputError:
            raise
        except ValueError:
            expected = event.tag.replace(STANDARD, "!!")
            found = quoted(event.value)
            raise self.error("a value that does not fit its tag", event, expected=expected, found=found) from None

    # errors ---------------------------------------------------------------------------------------------------------

    def path(self, *last: Step) -> tuple[Step, ...]:
        """The steps to the place where the next value goes."""
        steps: list[Step] = []
        for frame in self.stack:
            if frame.is_list:
                steps.append(len(frame.value))
            elif isinstance(frame.key, str):
                steps.append(frame.key)
        return (*steps, *last)

    def error(
        self, problem: str, event: Any, *, path: tuple[Step, ...] | None = None, whole: bool = True, **fields: str
    ) -> InputError:
        """The complaint about the value of an event; `whole=False` leaves a path of many steps out."""
        steps = self.path() if path is None else path
        mark = event.start_mark
        return InputError(
            problem,
            source=self.source,
            line=mark.line + 1,
            column=mark.column + 1,
            path=path_of(steps) if whole else "",
            **fields,
        )


def read_yaml(text: str, source: str, limits: Limits = DEFAULT) -> list[Value]:
    """The documents of a YAML text, empty ones left out.

    Raises InputError, located, for text that is not YAML, keys given twice or that are no text, unknown tags, values
    that JSON does not have, and input beyond the limits.
    """
    builder = _Builder(Text(text), source, limits)
    handlers: dict[type[yaml.Event], Callable[[Any], None]] = {
        yaml.ScalarEvent: builder.scalar,
        yaml.MappingStartEvent: builder.open,
        yaml.SequenceStartEvent: builder.open,
        yaml.MappingEndEvent: builder.close,
        yaml.SequenceEndEvent: builder.close,
        yaml.AliasEvent: builder.alias,
        yaml.DocumentStartEvent: builder.begin,
        yaml.DocumentEndEvent: builder.finish,
    }
    loader = None
    try:
        loader = LOADER(text)  # a pure Python parser looks at the first characters here already
        while not isinstance(event := loader.get_event(), yaml.StreamEndEvent):
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)
    except yaml.YAMLError as error:
        raise yaml_error(error, text, source) from None
    finally:
        if loader is not None:
            loader.dispose()
    return [each for each in builder.done if each.value is not None]
