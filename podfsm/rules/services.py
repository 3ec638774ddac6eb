"""Services: which Pods stand behind one, at which ports, and which of their endpoints get its traffic.

What one endpoint's conditions are is in `podfsm.rules.endpoints`.
"""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.engine.rule import derivation, docs, example, source, validation
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerPort, LabelSelector, Pod, PodSpec
from podfsm.kube.services import ServicePort, ServiceSpec
from podfsm.rules.endpoints import Endpoint, endpoint
from podfsm.rules.problems import INVALID, REQUIRED, Problem

TERMINATING_LISTED = "EndpointSliceTerminatingCondition"
TERMINATING_USED = "ProxyTerminatingEndpoints"

_SERVICE = "concepts/services-networking/service.md"
_SLICES = "concepts/services-networking/endpoint-slices.md"
_RECONCILER = "staging/src/k8s.io/endpointslice/reconciler.go"

_WEB = ServiceSpec(selector={"app": "web"}, ports=(ServicePort(port=80),))
_READY, _UNREADY = Endpoint(True, True, False), Endpoint(False, False, False)
_DRAINING = Endpoint(False, True, True)


@derivation(
    "service-selector",
    cites=[
        docs(f"{_SERVICE}#services-without-selectors"),
        source("pkg/controller/endpointslice/endpointslice_controller.go", "syncService"),
    ],
    observable="EndpointSlices with the label kubernetes.io/service-name",
    examples=[
        example(_WEB, gives=LabelSelector(matchLabels={"app": "web"})),
        example(ServiceSpec(), gives=None),
        example(ServiceSpec(type="ExternalName", selector={"app": "web"}), gives=None),
    ],
)
def selected_by(spec: ServiceSpec) -> LabelSelector | None:
    """A Service's endpoints are the Pods of its namespace that its selector matches.

    One without a selector, or of type ExternalName, gets no endpoints from the control plane (None): somebody else has
    to make its EndpointSlices.
    """
    if spec.type == "ExternalName" or not spec.selector:
        return None
    return LabelSelector(matchLabels=spec.selector)


@derivation(
    "service-terminating-listed",
    cites=[docs(f"{_SLICES}#terminating"), source(_RECONCILER, "reconcileByAddressType")],
    gate=TERMINATING_LISTED,
    observable="EndpointSlice endpoints[] of a Pod with a deletionTimestamp",
    examples=[
        example(_DRAINING, True, gives=True),
        example(_DRAINING, False, gives=False),
        example(_DRAINING, False, True, gives=True),
        example(_UNREADY, False, gives=True),
    ],
)
def listed(found: Endpoint, terminating_listed: bool, publish_not_ready: bool = False) -> bool:
    """The endpoint of a Pod that is being deleted stays in the EndpointSlice until the Pod has stopped.

    Before 1.22 it was taken out at once, unless the Service publishes addresses that are not ready.
    """
    return terminating_listed or publish_not_ready or not found.terminating


@derivation(
    "service-node-gone",
    cites=[docs(_SLICES), source(_RECONCILER, "reconcileByAddressType")],
    observable="EndpointSlice endpoints[] of a Pod whose Node object was deleted",
    examples=[example(True, gives=True), example(False, gives=False), example(False, True, gives=True)],
)
def reachable(node_exists: bool, publish_not_ready: bool = False) -> bool:
    """A Pod whose Node object is gone is no endpoint, unless the Service publishes addresses that are not ready."""
    return node_exists or publish_not_ready


def endpoint_behind(pod: Pod, spec: ServiceSpec, gates: Gates, *, node_exists: bool) -> Endpoint | None:
    """A selected Pod's conditions in the Service's EndpointSlice; None if it is not there."""
    publish = spec.publishNotReadyAddresses
    found: Endpoint | None = endpoint(pod, publish)
    if found is None or not reachable(node_exists, publish):
        return None
    return found if listed(found, gates.on(TERMINATING_LISTED), publish) else None


@derivation(
    "service-traffic",
    cites=[
        docs("tutorials/services/pods-and-endpoint-termination-flow.md"),
        source("pkg/proxy/topology.go", "CategorizeEndpoints"),
    ],
    observable="where connections to the Service's address end",
    examples=[
        example(_READY, True, gives=True),
        example(_UNREADY, False, gives=False),
        example(_DRAINING, True, gives=False),
        example(_DRAINING, False, gives=True),
        example(_DRAINING, False, False, gives=False),
    ],
)
def gets_traffic(found: Endpoint, some_ready: bool, terminating_used: bool = True) -> bool:
    """New connections to a Service go to its ready endpoints; if it has none, to those that serve and terminate.

    The latter since 1.26 (`terminating_used`), so that a rollout of the last Pod loses no connection.
    """
    if found.ready:
        return True
    return terminating_used and not some_ready and found.serving and found.terminating


_NAMED = Pod(spec=PodSpec((Container("app", ports=(ContainerPort("http", 8080),)),)))


@derivation(
    "service-target-port",
    cites=[
        docs(f"{_SERVICE}#field-spec-ports"),
        source("staging/src/k8s.io/endpointslice/util/controller_utils.go", "FindPort"),
    ],
    observable="EndpointSlice ports[]",
    examples=[
        example(_NAMED, ServicePort(port=80, targetPort="http"), gives=8080),
        example(_NAMED, ServicePort(port=80, targetPort="other"), gives=None),
        example(_NAMED, ServicePort(port=80, targetPort="http", protocol="UDP"), gives=None),
        example(_NAMED, ServicePort(port=80, targetPort=9090), gives=9090),
        example(_NAMED, ServicePort(port=80), gives=80),
    ],
)
def target_port(pod: Pod, port: ServicePort) -> int | None:
    """A port's target is a number, or the name of a port of the Pod's app containers or sidecars; default: the same.

    A Pod without a port of that name is an endpoint without this port (None).
    """
    target = port.targetPort or port.port
    if isinstance(target, int):
        return target
    sidecars = (each for each in pod.spec.initContainers if each.restartPolicy == "Always")
    for container in (*pod.spec.containers, *sidecars):
        for own in container.ports:
            if own.name == target and (own.protocol or "TCP") == port.protocol:
                return own.containerPort
    return None


@validation(
    "service-valid",
    cites=[docs(_SERVICE), source("pkg/apis/core/validation/validation.go", "ValidateService")],
    allows=[
        _WEB,
        ServiceSpec(clusterIP="None", selector={"app": "web"}),
        ServiceSpec(type="ExternalName", externalName="db.example"),
    ],
    refuses=[
        ServiceSpec(selector={"app": "web"}),
        ServiceSpec(ports=(ServicePort(port=0),)),
        ServiceSpec(ports=(ServicePort(port=80), ServicePort(port=81))),
        ServiceSpec(type="ExternalName"),
        ServiceSpec(type="Internal", ports=(ServicePort(port=80),)),
    ],
)
def well_formed(spec: ServiceSpec) -> bool:
    """A Service has a known type and a port unless it is headless; with several ports each has a name of its own.

    Ports are numbers from 1 to 65535. ExternalName needs a name and no port.
    """
    return next(service_problems(spec), None) is None


TYPES = ("ClusterIP", "NodePort", "LoadBalancer", "ExternalName")
PROTOCOLS = ("TCP", "UDP", "SCTP")
HIGHEST = 65535


def service_problems(spec: ServiceSpec) -> Iterator[Problem]:
    """What the API server finds wrong with a Service, as far as endpoints depend on it."""
    if spec.type not in TYPES:
        yield Problem("spec.type", INVALID, f"expected one of {', '.join(TYPES)}", "service-valid")
    elif spec.type == "ExternalName":
        if not spec.externalName:
            yield Problem("spec.externalName", REQUIRED, "type ExternalName needs one", "service-valid")
    elif not spec.ports and spec.clusterIP != "None":
        yield Problem("spec.ports", REQUIRED, "a Service that is not headless needs a port", "service-valid")
    names: set[str] = set()
    for index, port in enumerate(spec.ports):
        where = f"spec.ports[{index}]"
        if not 0 < port.port <= HIGHEST:
            yield Problem(f"{where}.port", INVALID, f"must be from 1 to {HIGHEST}", "service-valid")
        if isinstance(port.targetPort, int) and not 0 < port.targetPort <= HIGHEST:
            yield Problem(f"{where}.targetPort", INVALID, f"must be from 1 to {HIGHEST}", "service-valid")
        if port.protocol not in PROTOCOLS:
            yield Problem(f"{where}.protocol", INVALID, f"expected one of {', '.join(PROTOCOLS)}", "service-valid")
        if len(spec.ports) > 1 and (not port.name or port.name in names):
            yield Problem(f"{where}.name", REQUIRED, "each of several ports needs its own name", "service-valid")
        names.add(port.name)
