"""What a Pod is worth to a Service: its conditions in an EndpointSlice."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.objects import ObjectMeta, Pod, PodCondition, PodStatus

_PAGE = docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow")
_ENDPOINT = source("staging/src/k8s.io/endpointslice/utils.go", "podToEndpoint")

_READY = (PodCondition(type="Ready", status="True"),)
_DELETED = ObjectMeta(deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC))


@frozen
class Endpoint:
    """The conditions of one endpoint."""

    ready: bool
    serving: bool
    terminating: bool


@derivation(
    "probe-endpointslice",
    area="probes",
    machine="pod",
    cites=[
        _PAGE,
        _ENDPOINT,
        source("staging/src/k8s.io/endpointslice/util/controller_utils.go", "ShouldPodBeInEndpoints"),
    ],
    since="1.26",
    seed=3,
    observable="EndpointSlice endpoints[].conditions",
    examples=[
        example(True, False, gives=Endpoint(ready=True, serving=True, terminating=False)),
        example(True, True, gives=Endpoint(ready=False, serving=True, terminating=True)),
        example(False, False, publish_not_ready=True, gives=Endpoint(ready=True, serving=False, terminating=False)),
    ],
)
def endpoint_conditions(pod_ready: bool, deleting: bool, publish_not_ready: bool = False) -> Endpoint:
    """An endpoint serves while its Pod is Ready, terminates once that is deleted, and is ready if it serves and stays.

    A Service with publishNotReadyAddresses has all its endpoints ready.
    """
    return Endpoint(publish_not_ready or (pod_ready and not deleting), pod_ready, deleting)


@derivation(
    "term-endpoint",
    area="termination",
    machine="pod",
    cites=[_PAGE, _ENDPOINT],
    since="1.26",
    seed=6,
    observable="EndpointSlice",
    examples=[
        example(
            Pod(metadata=_DELETED, status=PodStatus(phase="Running", conditions=_READY, podIP="10.0.0.7")),
            gives=Endpoint(ready=False, serving=True, terminating=True),
        ),
        example(Pod(status=PodStatus(phase="Running", conditions=_READY)), gives=None),
        example(Pod(metadata=_DELETED, status=PodStatus(phase="Failed", podIP="10.0.0.7")), gives=None),
    ],
)
def endpoint(pod: Pod, publish_not_ready: bool = False) -> Endpoint | None:
    """From deletionTimestamp on a Pod's endpoint is terminating and not ready; it serves as long as the Pod is Ready.

    It goes when the Pod has finished or is gone (None); a Pod without an IP has none. Workload controllers stop
    counting the Pod at once.
    """
    status = pod.status
    if status.phase in ("Succeeded", "Failed") or not (status.podIP or status.podIPs):
        return None
    ready = any(condition.type == "Ready" and condition.status == "True" for condition in status.conditions)
    found: Endpoint = endpoint_conditions(ready, pod.metadata.deletionTimestamp is not None, publish_not_ready)
    return found
