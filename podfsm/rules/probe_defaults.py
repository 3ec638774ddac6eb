"""What a probe is taken to mean where the manifest says nothing, and where its checks go."""

from __future__ import annotations

import msgspec

from podfsm.engine.rule import default, docs, example, source, validation
from podfsm.kube.objects import (
    ContainerPort,
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    HTTPHeader,
    Probe,
    TCPSocketAction,
)
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/workloads/pods/probes.md"
_NUMBERS = docs(f"{_PAGE}#configure-probes")
_DEFAULTS = source("pkg/apis/core/v1/defaults.go", "SetDefaults_Probe")


@validation(
    "probe-one-mechanism",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#check-mechanisms"), source("pkg/apis/core/validation/validation.go", "validateHandler")],
    seed=3,
    observable="spec.containers[].livenessProbe",
    allows=[
        Probe(exec=ExecAction()),
        Probe(httpGet=HTTPGetAction()),
        Probe(tcpSocket=TCPSocketAction()),
        Probe(grpc=GRPCAction()),
    ],
    refuses=[Probe(), Probe(exec=ExecAction(), httpGet=HTTPGetAction())],
)
def one_mechanism(probe: Probe) -> bool:
    """A probe names exactly one of exec, httpGet, tcpSocket and grpc."""
    return sum(handler is not None for handler in (probe.exec, probe.httpGet, probe.tcpSocket, probe.grpc)) == 1


@default(
    "probe-default-period",
    area="probes",
    machine="probe",
    cites=[_NUMBERS, _DEFAULTS],
    seed=3,
    observable="spec.*.periodSeconds",
    examples=[example(0, gives=10), example(1, gives=1)],
)
def period(given: int) -> int:
    """A probe's periodSeconds is 10 s if it is not given or 0, so that 1 s is the least there is."""
    return given or int(timing_constant("probe-period-default"))


@default(
    "probe-default-timeout",
    area="probes",
    machine="probe",
    cites=[_NUMBERS, _DEFAULTS],
    seed=3,
    observable="spec.*.timeoutSeconds",
    examples=[example(0, gives=1), example(5, gives=5)],
)
def timeout(given: int) -> int:
    """A probe's timeoutSeconds is 1 s if it is not given or 0."""
    return given or int(timing_constant("probe-timeout-default"))


@default(
    "probe-default-initial-delay",
    area="probes",
    machine="probe",
    cites=[_NUMBERS, source("pkg/apis/core/validation/validation.go", "validateProbe")],
    seed=3,
    observable="spec.*.initialDelaySeconds",
    examples=[example(None, gives=0), example(15, gives=15)],
)
def initial_delay(given: int | None) -> int:
    """A probe's initialDelaySeconds is 0 s if it is not given; negative values are refused."""
    return int(timing_constant("probe-initial-delay-default")) if given is None else given


@default(
    "probe-default-success-threshold",
    area="probes",
    machine="probe",
    cites=[
        _NUMBERS,
        _DEFAULTS,
        source("pkg/apis/core/validation/validation.go", "validateLivenessProbe"),
        source("pkg/apis/core/validation/validation.go", "validateStartupProbe"),
    ],
    seed=3,
    observable="spec.*.successThreshold",
    examples=[example(0, gives=1), example(3, gives=3)],
)
def success_threshold(given: int) -> int:
    """A probe's successThreshold is 1 if it is not given or 0; liveness and startup probes accept nothing else."""
    return given or int(timing_constant("probe-success-threshold-default"))


@default(
    "probe-default-failure-threshold",
    area="probes",
    machine="probe",
    cites=[_NUMBERS, _DEFAULTS],
    seed=3,
    observable="spec.*.failureThreshold",
    examples=[example(0, gives=3), example(1, gives=1)],
)
def failure_threshold(given: int) -> int:
    """A probe's failureThreshold is 3 if it is not given or 0."""
    return given or int(timing_constant("probe-failure-threshold-default"))


@default(
    "probe-http-defaults",
    area="probes",
    machine="probe",
    cites=[
        docs(f"{_PAGE}#http-probes"),
        source("pkg/apis/core/v1/defaults.go", "SetDefaults_HTTPGetAction"),
        source("pkg/probe/http/http.go", "DoHTTPProbe"),
    ],
    seed=3,
    observable="spec.*.httpGet after defaulting",
    examples=[
        example(HTTPGetAction(port=80), gives=HTTPGetAction(path="/", port=80, scheme="HTTP")),
        example(HTTPGetAction(path="/up", scheme="HTTPS"), gives=HTTPGetAction(path="/up", scheme="HTTPS")),
    ],
)
def http_action(given: HTTPGetAction) -> HTTPGetAction:
    """An httpGet check has scheme HTTP and path / unless it says otherwise.

    It does not verify certificates, uses no proxy, and reads 10 KiB of the answer at most. What headers it adds is in
    `http_headers`, and where it goes by default in probe-target-pod-ip.
    """
    return msgspec.structs.replace(given, path=given.path or "/", scheme=given.scheme or "HTTP")


def http_headers(given: tuple[HTTPHeader, ...], version: str) -> tuple[HTTPHeader, ...]:
    """The headers a check sends: its own, and User-Agent kube-probe/VERSION and Accept */* unless it names them."""
    named = {header.name.lower() for header in given}
    usual = (HTTPHeader("User-Agent", f"kube-probe/{version}"), HTTPHeader("Accept", "*/*"))
    return (*given, *(header for header in usual if header.name.lower() not in named))


def defaulted(probe: Probe) -> Probe:
    """The probe with everything filled in that the API server fills in."""
    return msgspec.structs.replace(
        probe,
        httpGet=None if probe.httpGet is None else http_action(probe.httpGet),
        initialDelaySeconds=initial_delay(probe.initialDelaySeconds),
        timeoutSeconds=timeout(probe.timeoutSeconds),
        periodSeconds=period(probe.periodSeconds),
        successThreshold=success_threshold(probe.successThreshold),
        failureThreshold=failure_threshold(probe.failureThreshold),
    )


@default(
    "probe-target-pod-ip",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#check-mechanisms"), source("pkg/kubelet/prober/prober.go", "runProbe")],
    seed=3,
    observable="status.podIP",
    examples=[
        example(Probe(tcpSocket=TCPSocketAction(port=80)), "10.0.0.7", (), gives=("10.0.0.7", 80)),
        example(Probe(httpGet=HTTPGetAction(port=80, host="web")), "10.0.0.7", (), gives=("web", 80)),
        example(
            Probe(httpGet=HTTPGetAction(port="http")),
            "10.0.0.7",
            (ContainerPort(name="http", containerPort=8080),),
            gives=("10.0.0.7", 8080),
        ),
        example(Probe(grpc=GRPCAction(port=90)), "10.0.0.7", (), gives=("10.0.0.7", 90)),
        example(Probe(exec=ExecAction()), "10.0.0.7", (), gives=None),
    ],
)
def target(probe: Probe, pod_ip: str, ports: tuple[ContainerPort, ...]) -> tuple[str, int | None] | None:
    """A network check goes to the Pod IP of the status, or to the host it names; there is no container IP.

    Named ports (of the container's `ports`) resolve for httpGet and tcpSocket only; one that does not resolve gives
    None for the port. Answers host and port; None for an exec probe.
    """
    if probe.grpc is not None:
        return pod_ip, probe.grpc.port
    action = probe.httpGet or probe.tcpSocket
    if action is None:
        return None
    host = action.host or pod_ip
    if not isinstance(action.port, str):
        return host, action.port
    return host, next((port.containerPort for port in ports if port.name == action.port), None)
