"""Quality of service: the class a Pod gets at creation from its cpu and memory requests and limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from podfsm.engine.rule import default, derivation, docs, example, invariant, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, Pod, PodSpec, PodStatus, ResourceRequirements
from podfsm.kube.quantity import parse_quantity

GUARANTEED, BURSTABLE, BEST_EFFORT = "Guaranteed", "Burstable", "BestEffort"
_COUNTED = ("cpu", "memory")
_PAGE = "concepts/workloads/pods/pod-qos.md"
_COMPUTE = source("pkg/apis/core/v1/helper/qos/qos.go", "ComputePodQOS")

Quantities = Mapping[str, str | int | float]


def _app(requests: Quantities = {}, limits: Quantities = {}) -> Container:  # noqa: B006 - never changed
    return Container("app", resources=ResourceRequirements(requests, limits))


_FULL = {"cpu": "1", "memory": "1Gi"}
_EQUAL = _app(_FULL, _FULL)
_ONLY_CPU = _app({"cpu": "1"})


def _given(quantities: Quantities) -> dict[str, object]:
    """The counted quantities that are not zero, in comparable form."""
    found = {name: parse_quantity(quantities[name]) for name in _COUNTED if name in quantities}
    return {name: value for name, value in found.items() if value > 0}


@default(
    "qos-requests-default-to-limits",
    cites=[docs(f"{_PAGE}#guaranteed"), source("pkg/apis/core/v1/defaults.go", "SetDefaults_Pod")],
    observable="resources.requests equals limits though only limits were given",
    examples=[
        example({}, {"cpu": "1"}, gives={"cpu": "1"}),
        example({"cpu": "500m"}, {"cpu": "1", "memory": "1Gi"}, gives={"cpu": "500m", "memory": "1Gi"}),
    ],
)
def requests_with_defaults(requests: Quantities, limits: Quantities) -> Quantities:
    """A request that is missing takes the value of its limit when the Pod is created, in app and init containers."""
    return {**limits, **requests}


def _amounts(resources: ResourceRequirements | None) -> tuple[dict[str, object], dict[str, object]]:
    if resources is None:
        return {}, {}
    return _given(requests_with_defaults(resources.requests, resources.limits)), _given(resources.limits)


@derivation(
    "qos-guaranteed",
    cites=[docs(f"{_PAGE}#guaranteed"), _COMPUTE],
    observable="status.qosClass Guaranteed",
    examples=[example([_EQUAL], gives=True), example([_EQUAL, _ONLY_CPU], gives=False), example([], gives=False)],
)
def guaranteed(containers: Iterable[Container]) -> bool:
    """Guaranteed: every container has cpu and memory limits, and its requests equal them."""
    amounts = [_amounts(c.resources) for c in containers]
    return bool(amounts) and all(len(limits) == len(_COUNTED) and requests == limits for requests, limits in amounts)


@derivation(
    "qos-besteffort",
    cites=[docs(f"{_PAGE}#besteffort"), _COMPUTE],
    observable="status.qosClass BestEffort",
    examples=[example([Container("app")], gives=True), example([_ONLY_CPU], gives=False)],
)
def best_effort(containers: Iterable[Container]) -> bool:
    """BestEffort: no container has any request or limit of cpu or memory. Zero does not count."""
    return not any(part for c in containers for part in _amounts(c.resources))


@derivation(
    "qos-burstable",
    cites=[docs(f"{_PAGE}#burstable"), _COMPUTE],
    observable="status.qosClass Burstable",
    examples=[example([_ONLY_CPU], gives=True), example([_EQUAL], gives=False), example([Container()], gives=False)],
)
def burstable(containers: Iterable[Container]) -> bool:
    """Burstable: neither Guaranteed nor BestEffort."""
    listed = list(containers)
    return not best_effort(listed) and not guaranteed(listed)


@derivation(
    "qos-pod-level",
    cites=[docs(_PAGE), _COMPUTE],
    gate="PodLevelResources",
    observable="status.qosClass follows spec.resources",
    examples=[
        example(PodSpec((Container("app"),), resources=ResourceRequirements(_FULL, _FULL)), gives=True),
        example(PodSpec((Container("app"),), resources=ResourceRequirements()), gives=True),
        example(PodSpec((Container("app"),)), gives=False),
    ],
)
def pod_level_decides(spec: PodSpec) -> bool:
    """Resources of the Pod itself, where it has the field, alone decide the class, even if they are empty."""
    return spec.resources is not None


def qos_class(spec: PodSpec, gates: Gates) -> str:
    """The class of a Pod: Guaranteed, Burstable or BestEffort. Raises InputError for a quantity that is none."""
    containers = [*spec.containers, *spec.initContainers]
    if gates.on("PodLevelResources") and pod_level_decides(spec):
        containers = [Container("pod", resources=spec.resources)]
    if burstable(containers):
        return BURSTABLE
    return GUARANTEED if guaranteed(containers) else BEST_EFFORT


def _pod(qos: str) -> Pod:
    return Pod(status=PodStatus(qosClass=qos))


@invariant(
    "qos-immutable",
    cites=[docs(_PAGE), source("pkg/apis/core/validation/validation.go", "ValidatePodStatusUpdate")],
    observable="status.qosClass never changes",
    allows=[(_pod(BURSTABLE), _pod(BURSTABLE)), (_pod(""), _pod(BEST_EFFORT))],
    refuses=[(_pod(BURSTABLE), _pod(GUARANTEED))],
)
def class_stays(before: Pod, after: Pod) -> bool:
    """The class is computed once, at creation, and never changes."""
    return before.status.qosClass in ("", after.status.qosClass)
