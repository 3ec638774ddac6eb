"""A stream of bytes cut into its values: JSON one a line or over many lines, YAML documents between `---`.

Cutting goes by lines, so that a broken value costs only itself: the next line that begins one is found again. Nothing
but the value at hand is held.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import msgspec

from podfsm.check.readers.trouble import Trouble
from podfsm.kube.limits import Limits, in_mib

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_UTF8_MARK = b"\xef\xbb\xbf"
_CHUNK = 1 << 20


class Piece(msgspec.Struct, frozen=True, gc=False):
    """The bytes of one value and the line it begins in. `form` is json or yaml."""

    data: bytes
    source: str
    line: int
    form: str = "json"


def values(stream: BinaryIO, source: str, limits: Limits) -> Iterator[Piece | Trouble]:
    """The values of a stream; what is none is given as Trouble."""
    lines = _lines(stream, source, limits)
    troubles: list[Piece | Trouble] = []
    first = None
    for item in lines:
        if isinstance(item, Trouble):
            troubles.append(item)
        elif item[1].strip():
            first = item
            break
    if first is None:
        return iter((*troubles, Trouble(source, "is empty", "watch events, Pods, lists or an audit log")))
    start = first[1].lstrip()
    if b"\0" in start[:4096]:
        return iter((*troubles, Trouble(source, "binary data", "JSON or YAML text", "a zero byte")))
    cut = _json if start[:1] in b"{[" else _yaml
    return chain(troubles, cut(first, lines, source, limits))


def _lines(stream: BinaryIO, source: str, limits: Limits) -> Iterator[tuple[int, bytes] | Trouble]:
    """Numbered lines; one longer than the limit is passed over without being held."""
    number, longest = 0, limits.size + 1
    while line := stream.readline(longest):
        number += 1
        if number == 1:
            line = line.removeprefix(_UTF8_MARK)
        if len(line) > limits.size and not line.endswith(b"\n"):
            while (rest := stream.readline(_CHUNK)) and not rest.endswith(b"\n"):
                pass
            yield Trouble(source, "line too long", f"at most {in_mib(limits.size)}", "more", number)
            continue
        yield number, line


def _json(
    first: tuple[int, bytes], lines: Iterator[tuple[int, bytes] | Trouble], source: str, limits: Limits
) -> Iterator[Piece | Trouble]:
    held: list[bytes] = []
    begin = depth = size = 0
    for item in chain((first,), lines):
        if isinstance(item, Trouble):
            yield item
            continue
        number, line = item
        text = line.strip()
        if held and _begins(line, text):
            yield Trouble(source, "a value that is cut off", "its end before the next begins", line=begin)
            held = []
        if not held:
            if _is_event(text) or (text and _whole(text)):
                yield Piece(text, source, number)
                continue
            begin, depth, size = number, 0, 0
        if not text:
            continue
        depth += _opened(line)
        size += len(line)
        held.append(line)
        if size > limits.size:
            yield Trouble(source, "a value too large", f"at most {in_mib(limits.size)}", "more", begin)
            held = []
        elif depth <= 0:
            yield Piece(b"".join(held), source, begin)
            held = []
    if held:
        yield Trouble(source, "the last value is cut off", "its end", "the end of the input", begin)


def _is_event(text: bytes) -> bool:
    """Whether a line looks like a watch event: it ends as many objects as such begin at their start."""
    return text.endswith(b"}}}") and text.startswith(b'{"')


def _whole(text: bytes) -> bool:
    """Whether a line is a value by itself, or something broken that does not go on in the next line."""
    return text[-1:] in b"}]" and (_is_event(text) or _opened(text) <= 0)


def _begins(line: bytes, text: bytes) -> bool:
    """Whether a line begins a new value although the one before has not ended: inside of one lines are indented."""
    return text == b"{" == line.rstrip() or (line.startswith(b'{"') and _whole(text))


def _opened(line: bytes) -> int:
    """How many more objects and lists a line opens than it closes. Strings never go over lines in JSON."""
    rest = _STRING.sub(b"", line) if b'"' in line else line
    return rest.count(b"{") + rest.count(b"[") - rest.count(b"}") - rest.count(b"]")


def _yaml(
    first: tuple[int, bytes], lines: Iterator[tuple[int, bytes] | Trouble], source: str, limits: Limits
) -> Iterator[Piece | Trouble]:
    held: list[bytes] = []
    begin = size = 0
    for item in chain((first,), lines):
        if isinstance(item, Trouble):
            yield item
            continue
        number, line = item
        if line.rstrip() == b"---" or line.startswith(b"--- "):
            if held:
                yield Piece(b"".join(held), source, begin, "yaml")
            held, begin, size = [], 0, 0
            continue
        if not held and not line.strip():
            continue
        begin = begin or number
        size += len(line)
        if size > limits.size:
            yield Trouble(source, "a document too large", f"at most {in_mib(limits.size)}", "more", begin)
            return
        held.append(line)
    if held:
        yield Piece(b"".join(held), source, begin, "yaml")
