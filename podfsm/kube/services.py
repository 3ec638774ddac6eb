"""Services and EndpointSlices, typed and frozen.

As in `podfsm.kube.objects`: the API's own field names, only fields that some rule reads, zero values where one is
absent.
"""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.kube.objects import ObjectMeta, Struct


class ServicePort(Struct, frozen=True):
    name: str = ""
    protocol: str = "TCP"
    port: int = 0
    targetPort: int | str | None = None


class ServiceSpec(Struct, frozen=True):
    type: str = "ClusterIP"
    selector: Mapping[str, str] = {}
    ports: tuple[ServicePort, ...] = ()
    clusterIP: str = ""
    externalName: str = ""
    publishNotReadyAddresses: bool = False


class Service(Struct, frozen=True):
    apiVersion: str = "v1"
    kind: str = "Service"
    metadata: ObjectMeta = ObjectMeta()
    spec: ServiceSpec = ServiceSpec()


class EndpointConditions(Struct, frozen=True):
    """Unknown (None) counts as ready and serving, and as not terminating."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetReference(Struct, frozen=True):
    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class SliceEndpoint(Struct, frozen=True):
    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    targetRef: TargetReference | None = None


class EndpointPort(Struct, frozen=True):
    name: str = ""
    protocol: str = "TCP"
    port: int = 0


class EndpointSlice(Struct, frozen=True):
    apiVersion: str = "discovery.k8s.io/v1"
    kind: str = "EndpointSlice"
    metadata: ObjectMeta = ObjectMeta()
    addressType: str = ""
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()
