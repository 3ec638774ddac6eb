"""Defaults of resource requests and limits, of containers and of whole Pods, in raw form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from podfsm.errors import InputError
from podfsm.kube.quantity import Quantity, add, canonical, read_quantity

Amounts = dict[str, Quantity]


def default_container_resources(container: dict[str, Any], *, from_limits: bool = True) -> None:
    """Write the resources of a container (changed in place) as the API stores them.

    Quantities take their canonical form and, with `from_limits`, a limit without a request is also the request.
    Source: `pkg/apis/core/v1/defaults.go` (SetDefaults_Pod). A quantity that is none is left for validation.
    """
    resources = container.setdefault("resources", {})
    if isinstance(resources, dict):
        canonical_resources(resources)
        limits = resources.get("limits")
        if from_limits and isinstance(limits, dict) and limits:
            resources["requests"] = limits | (resources.get("requests") or {})
        _sort(resources)


def canonical_resources(resources: dict[str, Any]) -> None:
    """Write requests and limits (changed in place) in canonical form, as the API prints them."""
    for name in ("limits", "requests"):
        if isinstance(resources.get(name), dict):
            resources[name] = canonical_amounts(resources[name])


def canonical_amounts(amounts: Mapping[str, Any]) -> dict[str, Any]:
    """A map of quantities in canonical form."""
    return {name: _canonical(value) for name, value in amounts.items()}


def _canonical(value: Any) -> Any:
    try:
        return canonical(value)
    except InputError:
        return value


def _sort(resources: dict[str, Any]) -> None:
    """Limits before requests, and each by name, as the API prints them."""
    for name in ("limits", "requests"):
        if isinstance(resources.get(name), dict):
            resources[name] = dict(sorted(resources.pop(name).items()))


def default_pod_resources(spec: dict[str, Any]) -> None:
    """Complete pod-level resources (changed in place): requests from the containers' requests, else from the limits.

    To be called after the containers have their defaults. Only when pod-level limits are set, and only for resources
    that can be set there. Huge pages take their limit from the containers first, for they cannot be overcommitted.
    Source: `pkg/apis/core/v1/defaults.go` (defaultHugePagePodLimits, defaultPodRequests).
    """
    resources = spec.get("resources")
    if not isinstance(resources, dict):
        return
    canonical_resources(resources)
    try:
        _default_pod_resources(spec, resources)
    except InputError:
        return  # a container's quantity is none: validation complains about it
    _sort(resources)


def _default_pod_resources(spec: dict[str, Any], resources: dict[str, Any]) -> None:
    limits, requests = dict(resources.get("limits") or {}), dict(resources.get("requests") or {})
    if not limits and not requests:
        return
    for name, amount in _of_pod(spec, "limits").items():
        if name.startswith("hugepages-") and name not in requests:
            limits.setdefault(name, str(amount))
    if limits:
        resources["limits"] = limits
        for name, amount in _of_pod(spec, "requests").items():
            if name in ("cpu", "memory"):
                requests.setdefault(name, str(amount))
        for name, value in limits.items():
            if name in ("cpu", "memory") or name.startswith("hugepages-"):
                requests.setdefault(name, value)
    if requests:
        resources["requests"] = requests


def _of_pod(spec: Mapping[str, Any], which: str) -> Amounts:
    """What the containers need together: all that run at once, or the largest moment of initialization.

    Source: `component-helpers/resource/helpers.go` (AggregateContainerRequests, AggregateContainerLimits).
    """
    total: Amounts = {}
    for container in _containers(spec, "containers"):
        total = _combine(total, _amounts(container, which), add)
    sidecars: Amounts = {}
    peak: Amounts = {}
    for container in _containers(spec, "initContainers"):
        own = _amounts(container, which)
        if container.get("restartPolicy") == "Always":
            total, sidecars = _combine(total, own, add), _combine(sidecars, own, add)
            own = sidecars
        else:
            own = _combine(own, sidecars, add)
        peak = _combine(peak, own, _larger)
    return _combine(total, peak, _larger)


def _containers(spec: Mapping[str, Any], key: str) -> Iterable[dict[str, Any]]:
    return [each for each in spec.get(key) or () if isinstance(each, dict)]


def _amounts(container: Mapping[str, Any], which: str) -> Amounts:
    amounts = (container.get("resources") or {}).get(which) or {}
    return {name: read_quantity(value) for name, value in amounts.items()}


def _combine(left: Amounts, right: Amounts, how: Callable[[Quantity, Quantity], Quantity]) -> Amounts:
    both = {name: how(left[name], right[name]) for name in left.keys() & right.keys()}
    return left | right | both


def _larger(left: Quantity, right: Quantity) -> Quantity:
    return left if left.amount >= right.amount else right


def pod_requests(spec: Mapping[str, Any]) -> Amounts:
    """What a Pod asks a node for: its own requests where it has any, its containers' otherwise, and its overhead.

    Source: `component-helpers/resource/helpers.go` (PodRequests).
    """
    total = _of_pod(spec, "requests") | {
        name: read_quantity(value) for name, value in ((spec.get("resources") or {}).get("requests") or {}).items()
    }
    overhead = {name: read_quantity(value) for name, value in (spec.get("overhead") or {}).items()}
    return _combine(total, overhead, add) if overhead else total
