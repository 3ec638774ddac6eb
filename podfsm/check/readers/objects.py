"""Values to observations: watch events, Pods, lists, tables, audit events and KWOK's patches, told by what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from podfsm.check.event import SEEN, Observation, Relist
from podfsm.check.finding import Place
from podfsm.check.readers.audit import AuditReader
from podfsm.check.readers.events import TYPES, EventReader
from podfsm.check.readers.kwok import KwokReader
from podfsm.check.readers.raw import moment
from podfsm.check.readers.trouble import Trouble
from podfsm.check.readers.values import Piece
from podfsm.errors import InputError
from podfsm.kube.decode import convert, unknown_fields
from podfsm.kube.limits import DEFAULT
from podfsm.kube.objects import Pod
from podfsm.kube.read import documents_of

Seen = Observation | Relist | Trouble
_EXPIRED = 410
_INDEX = re.compile(r"\[\d+\]")


class ObjectReader:
    """Reads the values of one input, in order; counts what they were."""

    def __init__(self, source: str, *, strict: bool = False) -> None:
        self.source = source
        self.strict = strict
        self._unknown: set[str] = set()
        self.number = 0
        self.pods = 0
        self._events = EventReader()
        self._audit = AuditReader(source)
        self._kwok = KwokReader(source)

    def read(self, piece: Piece) -> Iterable[Seen]:
        """The observations in one value."""
        if piece.form == "yaml":
            return self._yaml(piece)
        event = self._events.read(piece.data)
        if event is None:
            return self._slowly(piece)
        self.number += 1
        self.pods += 1
        kind, pod, at = event
        seen = Observation(kind, pod, Place(self.source, piece.line, self.number), at)
        if self.strict:
            return (seen, *self._unknown_fields(json.loads(piece.data).get("object"), piece.line))
        return (seen,)

    def finish(self) -> Iterator[Seen]:
        """What is left to say at the end of the input."""
        if self.number and not self.pods:
            yield Trouble(self.source, "holds no Pod", "watch events, Pods, lists or an audit log with Pods")

    def _slowly(self, piece: Piece) -> Iterator[Seen]:
        """A value that is no event of a well-formed Pod: several in one line, another kind, or broken."""
        try:
            text = piece.data.decode("utf-8")
        except UnicodeDecodeError:
            yield Trouble(self.source, "not UTF-8 text", line=piece.line)
            return
        decoder, start = json.JSONDecoder(parse_constant=_no_constant), 0
        while start < len(text):
            try:
                raw, end = decoder.raw_decode(text, start)
            except json.JSONDecodeError as error:
                line = piece.line + text.count("\n", 0, error.pos)
                yield Trouble(self.source, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", line=line)
                return
            except (RecursionError, ValueError) as error:
                what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
                yield Trouble(self.source, f"not JSON: {what}", line=piece.line)
                return
            if _half_characters(raw, text):
                yield Trouble(self.source, "half a character (a lone surrogate)", "Unicode text", line=piece.line)
            else:
                yield from self.value(raw, piece.line)
            start = len(text) - len(text[end:].lstrip(" \t\r\n,"))

    def _yaml(self, piece: Piece) -> Iterator[Seen]:
        try:
            text = piece.data.decode("utf-8")
            documents = documents_of(text, self.source, limits=DEFAULT)
        except UnicodeDecodeError:
            yield Trouble(self.source, "not UTF-8 text", line=piece.line)
            return
        except InputError as error:
            line = piece.line + (error.line or 1) - 1
            yield Trouble(self.source, error.problem, error.expected, error.found, line)
            return
        for document in documents:
            yield from self.value(document.raw, piece.line + (document.line or 1) - 1)

    def value(self, raw: Any, line: int) -> Iterator[Seen]:
        """The observations in one object of whatever kind, or in an array of such, as `jq -s` makes it."""
        for item in raw if isinstance(raw, list) else (raw,):
            self.number += 1
            yield from self._single(item, line)
        self.number += raw == []

    def _single(self, raw: Any, line: int) -> Iterator[Seen]:
        if not isinstance(raw, dict):
            yield Trouble(self.source, "not an object", "a watch event or a Kubernetes object", _kind(raw), line)
            return
        kind, api = raw.get("kind"), str(raw.get("apiVersion") or "")
        if "type" in raw and "object" in raw and "kind" not in raw:
            yield from self._event(raw, line)
        elif kind in ("Event", "EventList") and api.startswith("audit.k8s.io/"):
            for item in raw.get("items") or [] if kind == "EventList" else [raw]:
                yield from self._counted(self._audit.read(item, line, self.number))
        elif api.startswith("action.kwok.x-k8s.io/"):
            yield from self._counted(self._kwok.read(raw, line, self.number))
        elif "changes" in raw and "transitions" in raw and isinstance(raw.get("pods"), list):
            for pod in raw["pods"]:  # what `podfsm simulate -o json` prints
                yield from self._pod(SEEN, pod, line, None)
        else:
            yield from self._object(SEEN, raw, line, None)

    def _counted(self, seen: Iterator[Seen]) -> Iterator[Seen]:
        for one in seen:
            self.pods += isinstance(one, Observation)
            yield one

    def _event(self, raw: dict[str, Any], line: int) -> Iterator[Seen]:
        kind, item = raw["type"], raw["object"]
        if kind == "ERROR":
            code = item.get("code") if isinstance(item, dict) else None
            if code == _EXPIRED:
                yield Relist(Place(self.source, line, self.number))
            else:
                message = item.get("message", "") if isinstance(item, dict) else ""
                yield Trouble(self.source, "the watch reported an error", found=str(message or code), line=line)
            return
        if kind == "BOOKMARK":
            return
        if kind not in TYPES:
            known = ", ".join((*TYPES, "BOOKMARK", "ERROR"))
            yield Trouble(self.source, "unknown type of event", f"one of {known}", repr(kind), line)
            return
        yield from self._object(kind, item, line, moment(raw.get("at") or raw.get("receivedAt")))

    def _object(self, seen_as: str, raw: Any, line: int, at: datetime | None) -> Iterator[Seen]:
        if not isinstance(raw, dict):
            yield Trouble(self.source, "not an object", "a Kubernetes object", _kind(raw), line)
            return
        kind = raw.get("kind")
        if kind == "Pod":
            yield from self._pod(seen_as, raw, line, at)
        elif kind == "Table":
            yield from self._table(seen_as, raw.get("rows") or [], line, at)
        elif isinstance(raw.get("items"), list):
            default = kind.removesuffix("List") if isinstance(kind, str) and kind != "List" else None
            for item in raw["items"]:
                if isinstance(item, dict) and item.get("kind", default) == "Pod":
                    yield from self._pod(seen_as, item, line, at)
        elif not isinstance(kind, str) or not kind:
            yield Trouble(self.source, "no kind", "a watch event or a Kubernetes object", _keys(raw), line)

    def _table(self, seen_as: str, rows: Any, line: int, at: datetime | None) -> Iterator[Seen]:
        if not isinstance(rows, list):
            yield Trouble(self.source, "rows of a table that are none", "a list", _kind(rows), line)
            return
        for row in rows:
            item = row.get("object") if isinstance(row, dict) else None
            if isinstance(item, dict) and item.get("kind") == "Pod":
                yield from self._pod(seen_as, item, line, at)

    def _pod(self, seen_as: str, raw: Any, line: int, at: datetime | None) -> Iterator[Seen]:
        try:
            pod = convert(raw, Pod)
        except (InputError, RecursionError) as error:
            if isinstance(error, InputError):
                problem = f"not a Pod: {f'{error.path}: ' if error.path else ''}{error.problem}"
                yield Trouble(self.source, problem, error.expected, error.found, line)
            else:
                yield Trouble(self.source, "not a Pod: nested too deeply", line=line)
            return
        self.pods += 1
        yield Observation(seen_as, pod, Place(self.source, line, self.number), at)
        if self.strict:
            yield from self._unknown_fields(raw, line)

    def _unknown_fields(self, raw: Any, line: int) -> Iterator[Trouble]:
        """Fields that Pods do not have in the API, each said where it is seen first."""
        for path, hint in unknown_fields(raw, Pod):
            general = _INDEX.sub("[]", path)
            if general not in self._unknown:
                self._unknown.add(general)
                text = f"unknown field {path}" + (f"; {hint}" if hint else "")
                yield Trouble(self.source, text, line=line, harmless=True)


def _half_characters(raw: Any, text: str) -> bool:
    """Whether a value holds what JSON can spell, and no text may hold: one half of a surrogate pair."""
    if "\\ud" not in text and "\\uD" not in text:
        return False
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def _kind(value: Any) -> str:
    return {list: "a list", str: "text", bool: "true or false", type(None): "null"}.get(type(value), "a number")


def _keys(raw: dict[str, Any]) -> str:
    return "the keys " + ", ".join(list(map(str, raw))[:6]) if raw else "an empty object"
