"""An explanation as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from textwrap import wrap
from typing import Any

from podfsm.explain.model import Explanation, Next, Reason
from podfsm.rules.kubectl_columns import human_duration

_WIDTH = 112


def as_text(explained: Explanation, now: datetime | None) -> str:
    """A few lines for people. Times are absolute, and relative to `now` if that is given."""
    return "\n".join(_lines(explained, now)) + "\n"


def _lines(explained: Explanation, now: datetime | None) -> Iterator[str]:
    columns = explained.columns
    yield f"{explained.pod}: {explained.state}"
    yield f"  READY {columns.ready}   STATUS {columns.status}   RESTARTS {columns.restarts}"
    for title, entries in (
        ("because", [_reason(reason) for reason in explained.holds]),
        ("next", [_next(one, now) for one in explained.next]),
        ("not known", list(explained.unknown)),
    ):
        for text in entries:
            yield from _block(title, text)
            title = ""  # noqa: PLW2901 - said once
    if explained.rule:
        yield f"  more: podfsm rules show {explained.rule}"


def _block(title: str, text: str) -> Iterator[str]:
    lines = wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)
    yield f"  {title + ':' if title else '':11}{lines[0] if lines else ''}"
    for line in lines[1:]:
        yield " " * 15 + line


def _reason(reason: Reason) -> str:
    who = f"container {reason.container}: " if reason.container else ""
    return f"{who}{reason.text}  [{reason.rule}]"


def _next(one: Next, now: datetime | None) -> str:
    who = f"container {one.container}: " if one.container else ""
    return f"{who}{one.what} ({one.who}){_when(one, now)}  [{one.rule}]"


def _when(one: Next, now: datetime | None) -> str:
    said = []
    if one.earliest is not None:
        said.append(f"not before {_time(one.earliest, now)}")
    if one.latest is not None:
        said.append(f"by {_time(one.latest, now)}")
    return ", " + ", ".join(said) if said else ""


def _time(when: datetime, now: datetime | None) -> str:
    text = f"{when:%Y-%m-%dT%H:%M:%SZ}"
    if now is None:
        return text
    seconds = (when - now).total_seconds()
    if seconds >= 0:
        return f"{text} (in {human_duration(round(seconds))})"
    return f"{text} ({human_duration(round(-seconds))} ago)"


def as_data(explained: Explanation) -> dict[str, Any]:
    """The explanation as JSON values; what is empty is left out."""
    columns = explained.columns
    return {
        "pod": explained.pod,
        "columns": {"ready": columns.ready, "status": columns.status, "restarts": columns.restarts},
        "state": explained.state,
        "rule": explained.rule,
        "holds": [_without_blanks(rule=r.rule, container=r.container, text=r.text) for r in explained.holds],
        "next": [
            _without_blanks(
                what=n.what,
                who=n.who,
                rule=n.rule,
                container=n.container,
                earliest=f"{n.earliest:%Y-%m-%dT%H:%M:%SZ}" if n.earliest is not None else "",
                latest=f"{n.latest:%Y-%m-%dT%H:%M:%SZ}" if n.latest is not None else "",
            )
            for n in explained.next
        ],
        "unknown": list(explained.unknown),
    }


def _without_blanks(**fields: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if value}
