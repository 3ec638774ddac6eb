"""Findings for programs: one JSON document, written as the findings come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from podfsm.check.finding import Finding
from podfsm.rules.catalogue import all_rules


def as_json(findings: Iterable[Finding]) -> Iterator[str]:
    """`{"findings": [...]}`, one finding a line."""
    yield '{"findings": ['
    separator = "\n"
    for finding in findings:
        yield separator + json.dumps(finding_json(finding), ensure_ascii=False)
        separator = ",\n"
    yield "\n]}\n"


def finding_json(finding: Finding) -> dict[str, Any]:
    """One finding with its rule's statement and sources; what is empty is left out."""
    place, rule = finding.place, all_rules()[finding.rule]
    where = {
        "source": place.source,
        "line": place.line,
        "event": place.number,
        "pod": place.pod,
        "uid": place.uid,
        "container": place.container,
        "at": place.at.isoformat().replace("+00:00", "Z") if place.at is not None else "",
    }
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "authority": finding.authority,
        "place": {key: value for key, value in where.items() if value},
        "seen": finding.seen,
        "allowed": finding.allowed,
        **({"path": list(finding.path)} if finding.path else {}),
        "statement": rule.statement,
        "cites": [cite.url or str(cite) for cite in rule.cites],
    }
