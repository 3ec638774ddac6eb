"""What becomes of Services, in words: endpoints that turn ready or not, leave or go, and where traffic ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from attrs import define, field, frozen

from podfsm.engine.versions import Gates
from podfsm.kube.services import EndpointSlice, SliceEndpoint
from podfsm.rules.endpoints import Endpoint
from podfsm.rules.services import TERMINATING_USED, gets_traffic
from podfsm.simulate.changes import Change
from podfsm.world.cluster.endpoints import SERVICE_NAME
from podfsm.world.cluster.state import ThingEvent

CONDITIONS, LEAVING, TRAFFIC = "probe-endpointslice", "term-endpoint", "service-traffic"
NAMED = 3
"""How many endpoints a line names."""


@frozen
class _Known:
    """One endpoint of a Service: whose it is, and its conditions."""

    name: str
    conditions: Endpoint


@define
class _Service:
    """The endpoints of one Service by slice, and those that can get traffic by name."""

    slices: dict[str, dict[str, _Known]] = field(factory=dict)
    ready: dict[str, None] = field(factory=dict)
    draining: dict[str, None] = field(factory=dict)
    told: str = ""


@define
class TrafficTeller:
    """Tells the changes of EndpointSlices, step by step; remembers the last state of each."""

    gates: Gates
    _services: dict[str, _Service] = field(factory=dict)

    def tell(self, events: Iterable[ThingEvent]) -> Iterator[Change]:
        """The changes that the watch events of one step show."""
        at: dict[str, float] = {}
        for event in events:
            found = msgspec.convert(event.thing.raw, EndpointSlice)
            service = found.metadata.labels.get(SERVICE_NAME) or event.thing.name
            key = f"{event.thing.namespace}/{service}"
            at[key] = event.at
            known = self._services.setdefault(key, _Service())
            now = {} if event.type == "DELETED" else dict(map(_known, found.endpoints))
            before = known.slices.get(event.thing.key, {})
            known.slices[event.thing.key] = now
            for name in {**before, **now}:
                yield from self._compare(event, service, known, before.get(name), now.get(name))
        for key, when in at.items():
            yield from self._traffic(when, key, self._services[key])

    def _compare(
        self, event: ThingEvent, service: str, known: _Service, old: _Known | None, new: _Known | None
    ) -> Iterator[Change]:
        if old == new:
            return
        either = new or old
        assert either is not None
        for group, counts in ((known.ready, _is_ready), (known.draining, _drains)):
            group.pop(either.name, None)
            if new is not None and counts(new.conditions):
                group[either.name] = None
        subject, pod = f"endpoint of {service}", f"{event.thing.namespace}/{either.name}"
        leaves = new is None or new.conditions.terminating
        yield Change(event.at, pod, subject, _said(new), (LEAVING if leaves else CONDITIONS,))

    def _traffic(self, at: float, key: str, known: _Service) -> Iterator[Change]:
        """Where new connections go, if that has changed."""
        used = self.gates.on(TERMINATING_USED)
        groups = ((known.ready, _SERVES), (known.draining, _DRAINS))
        names = [n for group, each in groups if gets_traffic(each, bool(known.ready), used) for n in sorted(group)]
        text = f"traffic to {_listed(names)}" if names else "no traffic: no endpoint is ready"
        if text != known.told:
            known.told = text
            yield Change(at, key, "Service", text, (TRAFFIC,))


_SERVES, _DRAINS = Endpoint(True, True, False), Endpoint(False, True, True)


def _is_ready(conditions: Endpoint) -> bool:
    return conditions.ready


def _drains(conditions: Endpoint) -> bool:
    return conditions.serving and conditions.terminating and not conditions.ready


def _known(found: SliceEndpoint) -> tuple[str, _Known]:
    """An endpoint by its Pod's uid, or by its address; conditions that are not said count as the API says."""
    said = found.conditions
    ready = said.ready is not False
    conditions = Endpoint(ready, ready if said.serving is None else said.serving, bool(said.terminating))
    address = next(iter(found.addresses), "")
    target = found.targetRef
    return (
        (target.uid or target.name, _Known(target.name, conditions))
        if target
        else (address, _Known(address, conditions))
    )


def _said(endpoint: _Known | None) -> str:
    """An endpoint's conditions in a few words."""
    if endpoint is None:
        return "removed"
    now = endpoint.conditions
    if now.terminating:
        return "terminating, " + ("still serving" if now.serving else "not serving") + (", ready" if now.ready else "")
    if now.ready:
        return "ready" if now.serving else "ready, though its Pod is not"
    return "not ready"


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= NAMED else f"{len(names)} endpoints"


def slice_object(event: ThingEvent) -> Mapping[str, Any]:
    """An EndpointSlice as the API would print it."""
    raw = event.thing.raw
    head = {"apiVersion": raw.get("apiVersion"), "kind": raw["kind"], "metadata": dict(event.thing.metadata)}
    return head | {key: value for key, value in raw.items() if key not in head}
