"""Findings as text, JSON, JUnit and SARIF. Each writer takes findings one by one and gives pieces of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from podfsm.check.finding import Finding
from podfsm.check.report.as_json import as_json
from podfsm.check.report.as_junit import as_junit
from podfsm.check.report.as_sarif import as_sarif
from podfsm.check.report.as_text import as_text

Writer = Callable[[Iterable[Finding]], Iterator[str]]

WRITERS: dict[str, Writer] = {"text": as_text, "json": as_json, "junit": as_junit, "sarif": as_sarif}
