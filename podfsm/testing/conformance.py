"""Whether a trace conforms, as an assertion: what `podfsm check` finds in it, in a message that a test can show."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from podfsm.check import Finding, Observation, Place, check
from podfsm.engine.versions import Gates
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.kube.times import EPOCH
from podfsm.testing.simulation import PodSimulation

SHOWN = 10
"""Findings in a message; the rest are counted."""


def assert_conforms(
    events: PodSimulation | Iterable[Mapping[str, Any]],
    *,
    ignore: Collection[str] = (),
    gates: Gates | None = None,
    notes: bool = False,
) -> None:
    """Raise AssertionError with the findings, unless there are none.

    `ignore` names rules that do not count; `notes` says whether notes count as well as errors and warnings.
    """
    found = [
        f for f in check(_observations(events), gates=gates) if f.rule not in ignore and (notes or f.severity != "note")
    ]
    if found:
        lines = [_line(finding) for finding in found[:SHOWN]]
        if len(found) > SHOWN:
            lines.append(f"... and {len(found) - SHOWN} more")
        raise AssertionError("the trace departs from the Pod lifecycle:\n" + "\n".join(lines))


def _line(finding: Finding) -> str:
    place = finding.place
    where = f"event {place.number}, {place.pod}" + (f", {place.container}" if place.container else "")
    return f"  {finding.rule} ({finding.severity}, {where}): {finding.seen}; allowed: {finding.allowed}"


def _observations(events: PodSimulation | Iterable[Mapping[str, Any]]) -> Iterator[Observation]:
    listed = events.seen if isinstance(events, PodSimulation) else events
    for number, event in enumerate(listed, 1):
        raw = event.get("object", event)
        if raw.get("kind", "Pod") != "Pod":
            continue
        pod = convert(dict(raw), Pod)
        at = _instant(event.get("at", event.get("receivedAt"))) if "object" in event else None
        who = f"{pod.metadata.namespace or 'default'}/{pod.metadata.name}"
        place = Place(number=number, pod=who, uid=pod.metadata.uid, at=at)
        yield Observation(str(event.get("type", "SEEN")), pod, place, at)


def _instant(at: Any) -> datetime | None:
    if at is None:
        return None
    return datetime.fromisoformat(at) if isinstance(at, str) else EPOCH + timedelta(seconds=float(at))
