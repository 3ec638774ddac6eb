"""JSON to values: one document or several, one after the other, each located when something is wrong."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from podfsm.errors import InputError
from podfsm.kube.limits import DEFAULT, Limits
from podfsm.kube.locate import Origin, Value
from podfsm.kube.paths import Step, path_of
from podfsm.kube.tokens import Text, Token, json_tokens
from podfsm.kube.words import quoted

_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_WORDS: tuple[tuple[str, str, str], ...] = (
    ("trailing comma", "a comma before the end of an object or list", ""),
    ("property name", "not a key", "a key in double quotes"),
    ("',' delimiter", "an object or list that goes on without ','", "',' or the end"),
    ("':' delimiter", "a key without a value", "':'"),
    ("Unterminated string", "a string that is never closed", "'\"'"),
    ("control character", "a control character in a string", "an escape such as \\n"),
    ("escape", "an escape that JSON does not know", ""),
    ("Expecting value", "not a value", "a value"),
)


class _Unwanted(ValueError):
    """A value that is refused while it is read; where it stands is found afterwards."""

    def __init__(self, problem: str, key: str) -> None:
        self.problem = problem
        self.key = key
        super().__init__(problem)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Unwanted("a key given twice", _first_repeated(key for key, _ in pairs))
    return made


def _first_repeated(keys: Iterable[str]) -> str:
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    raise ValueError("no key is repeated")


def _constant(name: str) -> Any:
    raise _Unwanted("a number that JSON does not have", name)


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _Unwanted("a number that is too large", text)
    return value


def _int(text: str) -> int:
    if len(text) > 400:
        raise _Unwanted("a number that is too large", text)
    return int(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_float, parse_int=_int)


def read_json(text: str, source: str, limits: Limits = DEFAULT) -> list[Value]:
    """The documents of a JSON text. Raises InputError, located, for anything else and for input beyond the limits."""
    whole = Text(text)
    values: list[Value] = []
    start = _after_space(text, 0)
    while start < len(text):
        try:
            value, end = _DECODER.raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise _malformed(error, whole, source) from None
        except _Unwanted as error:
            raise _unwanted(error, whole, start, source) from None
        except RecursionError:
            raise _too_deep(whole, start, source, limits) from None
        if _depth_exceeds(value, limits.depth):
            raise _too_deep(whole, start, source, limits)
        if _SURROGATE.search(text, start, end):
            value = _repaired(value)
        if value is not None:
            values.append(Value(value, Origin(whole, json_tokens, start, end)))
        start = _after_space(text, end)
    return values


def _after_space(text: str, start: int) -> int:
    """Where the text goes on after white space."""
    found = _SPACE.match(text, start)
    return start if found is None else found.end()


def _malformed(error: json.JSONDecodeError, whole: Text, source: str) -> InputError:
    what, expected = next(((ours, wanted) for key, ours, wanted in _WORDS if key in error.msg), ("cannot be read", ""))
    line, column = whole.place(error.pos)
    rest = whole.text[error.pos :].lstrip().split("\n", 1)[0]
    found = quoted(rest) if rest else "the end of the file"
    if not rest and "delimiter" in error.msg:
        what, expected = "an object or list that is not closed", ""
    return InputError(f"not JSON: {what}", source=source, line=line, column=column, expected=expected, found=found)


def _unwanted(error: _Unwanted, whole: Text, start: int, source: str) -> InputError:
    """Locate a refused key or number by reading the tokens again."""
    stack: list[_Level] = []
    for token in json_tokens(whole, start, len(whole.text)):
        level = stack[-1] if stack else None
        is_key = level is not None and not level.is_list and level.key is None
        steps = tuple(each.step() for each in stack[: -1 if is_key else None])
        if level is not None and is_key and token.kind == "s":
            if error.problem == "a key given twice" and token.text == error.key and token.text in level.seen:
                found = f"the first in line {level.seen[token.text].place[0]}"
                return _at(error.problem, source, token, (*steps, token.text), found)
            level.key = token.text
            level.seen[token.text] = token
            continue
        if token.kind == "s" and token.text == error.key and whole.text[token.offset] != '"':
            return _at(error.problem, source, token, steps, quoted(token.text))
        if token.kind in "{[":
            stack.append(_Level(token.kind == "["))
            continue
        if token.kind in "}]" and stack:
            stack.pop()
        if stack:
            stack[-1].next()
    return InputError(error.problem, source=source, found=quoted(error.key))


class _Level:
    """An open object or list while the tokens are read again."""

    def __init__(self, is_list: bool) -> None:
        self.is_list = is_list
        self.index = 0
        self.key: str | None = None
        self.seen: dict[str, Token] = {}

    def step(self) -> Step:
        return self.index if self.is_list else self.key or ""

    def next(self) -> None:
        self.index += 1
        self.key = None


def _at(problem: str, source: str, token: Token, steps: tuple[Step, ...], found: str) -> InputError:
    line, column = token.place
    return InputError(problem, source=source, line=line, column=column, path=path_of(steps), found=found)


def _too_deep(whole: Text, start: int, source: str, limits: Limits) -> InputError:
    depth, line, column = 0, *whole.place(start)
    for token in json_tokens(whole, start, len(whole.text)):
        depth += (token.kind in "{[") - (token.kind in "}]")
        if depth > limits.depth:
            line, column = token.place
            break
    expected = f"at most {limits.depth} levels"
    return InputError("nested too deeply", source=source, line=line, column=column, expected=expected, found="more")


def _depth_exceeds(value: Any, limit: int) -> bool:
    """Whether objects and lists are nested in more than `limit` levels; level by level, so that nothing overflows."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, dict | list)
        ]
    return bool(level)


def _repaired(value: Any) -> Any:
    """The value with halves of surrogate pairs replaced, which no output could print."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_repaired(key): _repaired(each) for key, each in value.items()}
    return [_repaired(each) for each in value] if isinstance(value, list) else value
