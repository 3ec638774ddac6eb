"""Baselines: findings that are known and accepted, by rule, Pod and container."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from podfsm.check.finding import Finding
from podfsm.errors import InputError

_KIND = "FindingBaseline"


def read_baseline(path: str) -> frozenset[str]:
    """The keys of the findings accepted by a file. Raises InputError if it is none that podfsm wrote."""
    try:
        raw = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError("not a baseline", source=path, found=str(error)) from error
    accepted = raw.get("accepted") if isinstance(raw, dict) and raw.get("kind") == _KIND else None
    if not isinstance(accepted, list) or not all(isinstance(one, str) for one in accepted):
        hint = "write one with --write-baseline"
        raise InputError("not a baseline", source=path, expected=f"kind {_KIND} with a list `accepted`", hint=hint)
    return frozenset(accepted)


def baseline_text(findings: Iterable[Finding]) -> str:
    """A baseline that accepts these findings."""
    accepted = sorted({finding.key for finding in findings})
    return json.dumps({"kind": _KIND, "accepted": accepted}, indent=2) + "\n"
