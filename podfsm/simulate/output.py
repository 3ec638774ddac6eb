"""A run as text: the timeline people read, the watch that programs read, and both in one JSON document.

Each writer takes steps one by one and gives lines, so that output streams and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from podfsm.errors import UnknownName
from podfsm.kube.times import rfc3339
from podfsm.kube.write import dump_json, with_status
from podfsm.simulate.changes import AROUND, Change, Teller
from podfsm.simulate.run import Simulation
from podfsm.simulate.traffic import TrafficTeller, slice_object
from podfsm.world.cluster.state import ThingEvent
from podfsm.world.pod import PodEvent, Snapshot
from podfsm.world.step import Step

SHOWN_RULES = 3
"""How many rules the timeline names for one change."""

Writer = Callable[..., Iterator[str]]
"""`writer(simulation, events, endpoints=False)`: whether to print core/v1 Events and, in a watch, EndpointSlices."""


def object_of(snapshot: Snapshot) -> dict[str, Any]:
    """The Pod of a watch event as the API would print it."""
    raw = {"kind": "Pod", "apiVersion": "v1", **{k: v for k, v in snapshot.raw.items() if k in ("metadata", "spec")}}
    return with_status(raw, snapshot.pod.status)


def watch(simulation: Simulation, events: bool, endpoints: bool = False) -> Iterator[str]:
    """What `kubectl get pods -w -o json --output-watch-events` prints, one event a line, with the virtual time `at`.

    With `endpoints` also the watch events of EndpointSlices.
    """
    version = 0
    for step in simulation:
        for snapshot in step.snapshots:
            version += 1
            pod = object_of(snapshot)
            pod["metadata"] = {**pod["metadata"], "resourceVersion": str(version)}
            yield dump_json({"type": snapshot.type, "at": rfc3339(snapshot.at), "object": pod}).decode()
        for thing in step.things if endpoints else ():
            version += 1
            body = slice_object(thing)
            body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(version)}}
            yield dump_json({"type": thing.type, "at": rfc3339(thing.at), "object": body}).decode()
        if events:
            for number, event in enumerate(step.events):
                yield dump_json(_event_object(event, version, number)).decode()


def _event_object(event: PodEvent, version: int, number: int) -> dict[str, Any]:
    namespace, name = event.pod.split("/", 1)
    involved: dict[str, Any] = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name}
    if event.container:
        involved["fieldPath"] = f"spec.containers{{{event.container}}}"
    body = {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {"name": f"{name}.{version}.{number}", "namespace": namespace},
        "involvedObject": involved,
        "type": event.type,
        "reason": event.reason,
        "message": event.message,
    }
    return {"type": "ADDED", "at": rfc3339(event.at), "object": body}


def timeline(simulation: Simulation, events: bool, endpoints: bool = False) -> Iterator[str]:  # noqa: ARG001
    """Every change a watcher sees, with the time it is seen and the rules behind it."""
    teller, traffic = Teller(), TrafficTeller(simulation.model.gates)
    several = simulation.setup.crowded
    width = 48 if several else 26
    shown = None
    yield f"Kubernetes {simulation.model.gates.version}, timing {simulation.model.profile.name}; seconds since creation"
    yield f"{'time':>9}  {'what':{width}} {'changes to':44}  rules"
    for step in simulation:
        for change in _told(teller, traffic, step, events):
            clock = f"{change.at:9.3f}" if change.at != shown else " " * 9
            shown = change.at
            named = several or change.subject in AROUND.values()
            who = f"{change.pod + ' ' + change.subject if named else change.subject:{width}}"
            yield f"{clock}  {who} {change.text:44}  {_shown(change.rules)}".rstrip()
    yield f"{simulation.now:9.3f}  {simulation.ended}"
    yield from (f"           note: {note}" for note in simulation.notes)


def _shown(rules: Sequence[str]) -> str:
    """The first few rules behind a change; `-o json` has them all."""
    return ", ".join(rules[:SHOWN_RULES]) + (f" +{len(rules) - SHOWN_RULES}" if len(rules) > SHOWN_RULES else "")


def _told(teller: Teller, traffic: TrafficTeller, step: Step, events: bool) -> Iterator[Change]:
    yield from teller.tell(step.fired, step.snapshots)
    yield from traffic.tell(step.things)
    if events:
        for event in step.events:
            yield Change(event.at, event.pod, f"Event {event.reason}", event.message)


def json(simulation: Simulation, events: bool, endpoints: bool = False) -> Iterator[str]:  # noqa: ARG001
    """One JSON document: the changes with their rules, the transitions, and the Pods as they end."""
    teller, traffic = Teller(), TrafficTeller(simulation.model.gates)
    changes, fired, happened = [], [], []
    last: dict[str, Snapshot] = {}
    slices: dict[str, ThingEvent] = {}
    for step in simulation:
        changes += [_change_json(change) for change in _told(teller, traffic, step, events=False)]
        fired += [
            {"at": one.at, "pod": one.pod, "machine": one.machine, "instance": one.instance, "trigger": one.trigger,
             "from": one.source, "to": one.dest, "rules": list(one.rules)}
            for one in step.fired
        ]  # fmt: skip
        happened += [
            _event_object(event, 0, number)["object"] | {"at": event.at} for number, event in enumerate(step.events)
        ]
        slices.update({event.thing.key: event for event in step.things})
        last.update({f"{s.pod.metadata.namespace}/{s.pod.metadata.name}": s for s in step.snapshots})
    document: dict[str, Any] = {
        "changes": changes,
        "transitions": fired,
        "pods": [object_of(s) for s in last.values() if s.type != "DELETED"],
        "endpointSlices": [slice_object(event) for event in slices.values() if event.type != "DELETED"],
        "ended": simulation.ended,
        "at": simulation.now,
        "notes": simulation.notes,
    }
    if events:
        document["events"] = happened
    yield dump_json(document).decode()


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "at": change.at, "pod": change.pod, "subject": change.subject, "text": change.text, "rules": list(change.rules)
    }  # fmt: skip


FORMATS: dict[str, Writer] = {"timeline": timeline, "watch": watch, "json": json}


def writer(name: str) -> Writer:
    """The writer of that name. Raises UnknownName."""
    if name not in FORMATS:
        raise UnknownName("output format", name, FORMATS)
    return FORMATS[name]
