"""Findings for people: a line each, then what was seen, what is allowed, the nearest legal way, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import wrap

from podfsm.check.finding import Finding
from podfsm.rules.catalogue import all_rules

_WIDTH = 110


def as_text(findings: Iterable[Finding]) -> Iterator[str]:
    """A paragraph a finding."""
    for finding in findings:
        yield "\n".join(_lines(finding)) + "\n"


def _lines(finding: Finding) -> Iterator[str]:
    place = finding.place
    where = ":".join(str(part) for part in (place.source, place.line or "") if part)
    who = f"{place.pod}[{place.container}]" if place.container else place.pod
    at = f" at {place.at:%Y-%m-%dT%H:%M:%SZ}" if place.at is not None else ""
    yield f"{where}: {finding.severity}: {finding.rule}: {who}{at}"
    yield from _block("seen", finding.seen)
    yield from _block("allowed", finding.allowed)
    if finding.path:
        yield from _block("nearest", " > ".join(finding.path))
    rule = all_rules()[finding.rule]
    yield from _block("says", "; ".join(map(str, rule.cites)) + f" ({finding.authority})")


def _block(title: str, text: str) -> Iterator[str]:
    lines = wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"    {title + ':':9} {lines[0]}"
    for line in lines[1:]:
        yield f"    {'':9} {line}"
