"""Findings as JUnit XML: a test case for each rule that was broken, and one for all the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.sax.saxutils import escape, quoteattr

from podfsm.check.finding import NOTE, Finding

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(findings: Iterable[Finding]) -> Iterator[str]:
    """One suite. Errors and warnings are failures; notes go to the output of their case."""
    cases: dict[str, list[Finding]] = {}
    for finding in findings:
        cases.setdefault(finding.rule, []).append(finding)
    failed = sum(any(one.severity != NOTE for one in found) for found in cases.values())
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<testsuites name="podfsm check" tests="{len(cases) + 1}" failures="{failed}" errors="0">\n'
    yield f'  <testsuite name="podfsm check" tests="{len(cases) + 1}" failures="{failed}" errors="0" skipped="0">\n'
    for rule, found in sorted(cases.items()):
        yield from _case(rule, found)
    yield '    <testcase classname="podfsm.check" name="every other rule"/>\n'
    yield "  </testsuite>\n</testsuites>\n"


def _case(rule: str, found: list[Finding]) -> Iterator[str]:
    yield f'    <testcase classname="podfsm.check" name={_attribute(rule)}>\n'
    broken = [one for one in found if one.severity != NOTE]
    if broken:
        message = f"{len(broken)} times; first {broken[0].place}"
        yield f"      <failure type={_attribute(broken[0].severity)} message={_attribute(message)}>"
        yield escape(_clean("\n".join(map(_line, broken)))) + "</failure>\n"
    notes = [one for one in found if one.severity == NOTE]
    if notes:
        yield "      <system-out>" + escape(_clean("\n".join(map(_line, notes)))) + "</system-out>\n"
    yield "    </testcase>\n"


def _line(finding: Finding) -> str:
    return f"{finding.place}: seen {finding.seen}; allowed {finding.allowed}"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    """The text without the characters that XML does not have."""
    return _FORBIDDEN.sub("\ufffd", text)
