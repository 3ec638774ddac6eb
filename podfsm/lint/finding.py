"""Findings in manifests, as values: which rule, how grave, where, and why."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from podfsm.kube.document import Document
from podfsm.rules.advice import NOTE, WARNING
from podfsm.rules.catalogue import all_rules

ERROR = "error"
SEVERITIES = (ERROR, WARNING, NOTE)
"""error: the API server refuses the object. warning: likely not what is meant. note: worth knowing."""


@frozen
class Place:
    """Where a field stands: file, line and column (from 1; None if unknown), the object, and the path inside it."""

    source: str
    line: int | None
    column: int | None
    object: str
    path: str

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.source, self.line, self.column) if part)
        return ": ".join(part for part in (where, self.object, self.path) if part)


@frozen
class Finding:
    """One remark on one field. `type` is the API server's word for a refusal (Required, Invalid ...), else ""."""

    rule: str
    severity: str
    place: Place
    why: str
    type: str = ""

    @property
    def authority(self) -> str:
        """Who says so: documented, implemented, or both."""
        return all_rules()[self.rule].authority

    def as_data(self) -> dict[str, Any]:
        """The finding as plain JSON."""
        place = self.place
        return {
            "severity": self.severity,
            "rule": self.rule,
            "authority": self.authority,
            "type": self.type,
            "source": place.source,
            "line": place.line,
            "column": place.column,
            "object": place.object,
            "path": place.path,
            "why": self.why,
        }


def finding(document: Document, path: str, rule: str, severity: str, why: str, kind: str = "") -> Finding:
    """A finding about a field of a document, or about the document itself for the path ""."""
    line, column = document.place(path)
    name = f"{document.kind}/{document.name}" if document.name else document.kind
    return Finding(rule, severity, Place(document.source, line, column, name, path), why, kind)
