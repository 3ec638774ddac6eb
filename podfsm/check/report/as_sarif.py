"""Findings as SARIF 2.1.0, which code scanning services read (GitHub shows them as annotations)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from podfsm.check.finding import Finding, severity_of
from podfsm.engine.rule import Rule
from podfsm.rules.catalogue import all_rules

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOME = "https://podfsm.readthedocs.io/"


def as_sarif(findings: Iterable[Finding]) -> Iterator[str]:
    """One run with the rules that were broken and every finding."""
    kept = list(findings)
    ids = sorted({finding.rule for finding in kept})
    index = {rule_id: number for number, rule_id in enumerate(ids)}
    driver = {
        "name": "podfsm",
        "version": _version(),
        "informationUri": _HOME,
        "rules": [_rule(all_rules()[rule_id]) for rule_id in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, index) for finding in kept],
    }
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=1, ensure_ascii=False) + "\n"


def _version() -> str:
    try:
        return version("podfsm")
    except PackageNotFoundError:
        return "0"


def _rule(rule: Rule) -> dict[str, Any]:
    text = "\n\n".join(filter(None, (rule.statement, rule.remarks, "Sources: " + "; ".join(map(str, rule.cites)))))
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.statement},
        "fullDescription": {"text": text},
        "helpUri": f"{_HOME}rules/{rule.area}.html#{rule.id}",
        "defaultConfiguration": {"level": severity_of(rule)},
        "properties": {"authority": rule.authority, "area": rule.area},
    }


def _result(finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    place = finding.place
    name = f"{place.pod}/{place.container}" if place.container else place.pod
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(place.source)}}
    if place.line:
        physical["region"] = {"startLine": place.line}
    text = f"{name}: seen {finding.seen}; allowed {finding.allowed}"
    if finding.path:
        text += f"; nearest legal way: {' > '.join(finding.path)}"
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": finding.severity,
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": physical,
                "logicalLocations": [{"fullyQualifiedName": name, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"podfsm/v1": finding.key},
    }


def _uri(source: str) -> str:
    return quote(PurePath(source).as_posix()) if source and not source.startswith("<") else "stdin"
