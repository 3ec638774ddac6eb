"""Findings: where a trace departs from a rule, as values that name the rule and quote it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from attrs import frozen

from podfsm.engine.rule import Rule

ERROR, WARNING, NOTE = "error", "warning", "note"
SEVERITIES = (ERROR, WARNING, NOTE)
"""error: documented and implemented. warning: only one of them says so, or the API takes it and no kubelet writes it.
note: worth knowing, no rule is broken."""


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where something was read: file and line, the number of the event, whose Pod, and when it was seen.

    `line` and `number` count from 1; 0 is unknown. `pod` is namespace/name. One is made for each event, so it is one of
    msgspec's classes, which are made in an eighth of the time.
    """

    source: str = ""
    line: int = 0
    number: int = 0
    pod: str = ""
    uid: str = ""
    container: str = ""
    at: datetime | None = None

    def __str__(self) -> str:
        where = ":".join(str(part) for part in (self.source, self.line or "") if part)
        who = f"{self.pod}[{self.container}]" if self.container else self.pod
        return " ".join(part for part in (where, who) if part)


@frozen
class Finding:
    """One departure: the rule, how bad it is, where, what was seen and what the rule allows.

    `authority` tells who says so: documented, implemented or both. `path` is the nearest legal way between the two
    states where there is one, as triggers and states of the machine.
    """

    rule: str
    severity: str
    authority: str
    place: Place
    seen: str
    allowed: str
    path: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What stays the same of this finding from run to run: rule, Pod and container."""
        return f"{self.rule} {self.place.pod} {self.place.container}".rstrip()


@frozen
class Breach:
    """A rule found broken, before it is known where: what the checks of one level give.

    `allowed` is the rule's statement unless something more exact can be said, and `severity` that of the rule.
    """

    rule: str
    seen: str
    allowed: str = ""
    container: str = ""
    path: tuple[str, ...] = ()
    severity: str = ""


def severity_of(rule: Rule) -> str:
    """How bad it is to break a rule: an error if documentation and source agree on it, else a warning."""
    return ERROR if rule.authority == "both" else WARNING
