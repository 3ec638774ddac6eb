"""The endpoints of Services: EndpointSlices that say which Pods serve, and which of them are leaving.

A Service's slices are brought up to date Pod by Pod, as changes are noted (`serving`); all its Pods are looked at only
when the Service, or a slice under another's hand, has changed. Source: pkg/controller/endpointslice,
staging/src/k8s.io/endpointslice/reconciler.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from attrs import define, evolve, field
from immutables import Map

from podfsm.kube.decode import convert
from podfsm.kube.objects import LabelSelector, Pod
from podfsm.kube.selector import matches
from podfsm.kube.services import ServiceSpec
from podfsm.rules.endpoints import Endpoint
from podfsm.rules.services import endpoint_behind, selected_by, target_port
from podfsm.world.cluster import naming, objects
from podfsm.world.cluster.nodes import ZONE
from podfsm.world.cluster.serving import SLICE
from podfsm.world.cluster.state import NO_KEYS, Served, Thing

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

SERVICE_NAME, MANAGED_BY = "kubernetes.io/service-name", "endpointslice.kubernetes.io/managed-by"
CONTROLLER = "endpointslice-controller.k8s.io"
MOST = 100
"""How many endpoints a slice takes. Source: pkg/controller/endpointslice/config/v1alpha1/defaults.go."""

Json = dict[str, Any]


def sync(desk: Desk, key: str) -> None:
    """Bring the slices of a Service up to date."""
    noted = desk.c.to_serve.get(key, NO_KEYS)
    if noted:
        desk.c.to_serve = desk.c.to_serve.delete(key)
    service = desk.thing(key)
    if service is None or service.deleting:
        desk.c.served = desk.c.served.delete(key) if key in desk.c.served else desk.c.served
        return
    spec = convert(dict(service.spec), ServiceSpec)
    selector = selected_by(spec)
    if selector is None:
        return
    book = _Book.open(desk, service, spec)
    for pod in sorted(noted if book.current else book.everybody(selector)):
        book.look_at(pod, selector)
    book.close()


@define
class _Book:
    """The slices of one Service during a sync. `pages` are the endpoints of each, by Pod."""

    desk: Desk
    service: Thing
    spec: ServiceSpec
    slices: dict[str, Thing]
    where: dict[str, str]
    """The slice that each Pod is in."""
    current: bool
    """Nothing but Pods has changed since the last sync."""
    pages: dict[str, dict[str, Json]] = field(factory=dict)
    ports: dict[str, list[Json]] = field(factory=dict)

    @classmethod
    def open(cls, desk: Desk, service: Thing, spec: ServiceSpec) -> _Book:
        mine = [desk.c.things[key] for key in sorted(desk.c.dependents.get(service.uid, NO_KEYS))]
        slices = {thing.key: thing for thing in mine if thing.kind == SLICE and not thing.deleting}
        known = desk.c.served.get(service.key)
        if known is not None and known.spec == service.spec and known.slices == tuple(slices.values()):
            return cls(desk, service, spec, slices, dict(known.where), current=True)
        where = {pod: key for key, thing in slices.items() for pod in _by_pod(thing)}
        return cls(desk, service, spec, slices, where, current=False)

    def everybody(self, selector: LabelSelector) -> set[str]:
        """Every Pod that is or was behind the Service."""
        here = (pod for pod in self.desk.world.pods.values() if pod.exists)
        mine = {pod.key for pod in here if self._selects(pod.api, selector)}
        return mine | set(self.where)

    def _selects(self, pod: Pod, selector: LabelSelector) -> bool:
        return pod.metadata.namespace == self.service.namespace and matches(selector, pod.metadata.labels)

    def look_at(self, key: str, selector: LabelSelector) -> None:
        """Put a Pod's endpoint where it belongs, or take it out."""
        wanted, ports = self._endpoint(key, selector)
        place = self.where.get(key)
        if place is not None and (wanted is None or self._ports(place) != ports):
            del self._page(place)[key]
            del self.where[key]
            place = None
        if wanted is not None:
            place = place or self._room(ports)
            self._page(place)[key] = wanted
            self.where[key] = place

    def _endpoint(self, key: str, selector: LabelSelector) -> tuple[Json | None, list[Json]]:
        """A Pod's endpoint and its ports; None if it has none."""
        world = self.desk.world.pods.get(key)
        if world is None or not world.exists or not self._selects(world.api, selector):
            return None, []
        pod = world.api
        node = self.desk.c.nodes.get(pod.spec.nodeName)
        found = endpoint_behind(pod, self.spec, self.desk.m.gates, node_exists=node is not None)
        if found is None:
            return None, []
        zone = node.node.metadata.labels.get(ZONE) if node is not None else None
        targets = ((port, target_port(pod, port)) for port in self.spec.ports)
        ports = [{"name": p.name, "protocol": p.protocol, "port": number} for p, number in targets if number]
        return _written(pod, found, zone, self.desk.m.gates.on("EndpointSliceTerminatingCondition")), ports

    def _page(self, key: str) -> dict[str, Json]:
        if key not in self.pages:
            self.pages[key] = _by_pod(self.slices[key]) if key in self.slices else {}
        return self.pages[key]

    def _ports(self, key: str) -> list[Json]:
        found: list[Json] = self.ports[key] if key in self.ports else self.slices[key].raw.get("ports") or []
        return found

    def _size(self, key: str) -> int:
        page = self.pages.get(key)
        return len(page) if page is not None else len(self.slices[key].raw.get("endpoints") or ())

    def _room(self, ports: list[Json]) -> str:
        """A slice for these ports that is not full; an empty one is used again, or a new one is made."""
        keys = list(self.slices)
        for key in keys:
            if self._size(key) < MOST and self._ports(key) == ports:
                return key
        key = next((each for each in keys if not self._size(each)), None) or self._make()
        self.ports[key] = ports
        return key

    def _make(self) -> str:
        thing = objects.make(self.desk, _new_slice(self.desk, self.service))
        self.slices[thing.key] = thing
        return thing.key

    def close(self) -> None:
        """Write what changed. Empty slices go, but one always stays, if only to say that there is no endpoint."""
        if not self.slices:
            self._make()
        empty = [key for key in self.slices if not self._size(key)]
        for key in empty[1:] if len(empty) == len(self.slices) else empty:
            objects.delete(self.desk, key)
            del self.slices[key]
        for key, page in self.pages.items():
            if key in self.slices:
                self._write(key, page)
        served = Served(self.service.spec, tuple(self.slices.values()), Map(self.where))
        self.desk.c.served = self.desk.c.served.set(self.service.key, served)

    def _write(self, key: str, page: Mapping[str, Json]) -> None:
        thing = self.slices[key]
        ports = self.ports.get(key, thing.raw.get("ports") or []) if page else []
        raw = {**thing.raw, "endpoints": list(page.values()), "ports": ports}
        if raw != thing.raw:
            metadata = {**thing.metadata, "generation": int(thing.metadata["generation"]) + 1}
            self.slices[key] = evolve(thing, raw={**raw, "metadata": metadata})
            self.desk.put(self.slices[key])


def _by_pod(thing: Thing) -> dict[str, Json]:
    """A slice's endpoints by the Pods that they stand for."""
    endpoints: Iterable[Json] = thing.raw.get("endpoints") or ()
    targets = ((each.get("targetRef") or {}, each) for each in endpoints)
    return {f"{target.get('namespace')}/{target.get('name')}": each for target, each in targets if target}


def _written(pod: Pod, found: Endpoint, zone: str | None, terminating_listed: bool) -> Json:
    """An endpoint as the API shows it. Source: staging/src/k8s.io/endpointslice/utils.go (podToEndpoint)."""
    conditions: Json = {"ready": found.ready}
    if terminating_listed:
        conditions |= {"serving": found.serving, "terminating": found.terminating}
    meta = pod.metadata
    target = {"kind": "Pod", "namespace": meta.namespace, "name": meta.name, "uid": meta.uid}
    ips = [each.ip for each in pod.status.podIPs] or [pod.status.podIP]
    made: Json = {"addresses": ips[:1], "conditions": conditions, "targetRef": target}
    if pod.spec.nodeName:
        made["nodeName"] = pod.spec.nodeName
    return {**made, "zone": zone} if zone else made


def _new_slice(desk: Desk, service: Thing) -> Json:
    """A slice without endpoints. Source: staging/src/k8s.io/endpointslice/utils.go (newEndpointSlice)."""
    prefix = f"{service.name}-"
    owner = {
        "apiVersion": "v1", "kind": service.kind, "name": service.name, "uid": service.uid,
        "controller": True, "blockOwnerDeletion": True,
    }  # fmt: skip
    return {
        "apiVersion": "discovery.k8s.io/v1" if desk.m.gates.at_least("1.21") else "discovery.k8s.io/v1beta1",
        "kind": SLICE,
        "metadata": {
            "name": naming.generated(desk.m.profile, prefix, desk.c.made + 1, {}),
            "generateName": prefix,
            "namespace": service.namespace,
            "labels": {SERVICE_NAME: service.name, MANAGED_BY: CONTROLLER},
            "ownerReferences": [owner],
        },
        "addressType": "IPv4",
        "endpoints": [],
        "ports": [],
    }
