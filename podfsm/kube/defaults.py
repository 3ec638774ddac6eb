"""What the API server fills in when a Pod is created: the fields that the lifecycle reads, on the raw object.

Source: `pkg/apis/core/v1/defaults.go` and `zz_generated.defaults.go`; admission is in `podfsm.kube.admission`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from podfsm.kube.admission import admit
from podfsm.kube.api_fields import in_order
from podfsm.kube.decode import without_nulls
from podfsm.kube.images import default_pull_policy
from podfsm.kube.resources import canonical_amounts, default_container_resources, default_pod_resources

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_NUMBERS = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_LISTS = ("initContainers", "containers", "ephemeralContainers")
_FILE_MODE = 0o644


def default_pod(
    raw: Mapping[str, Any],
    *,
    priority_classes: Iterable[Mapping[str, Any]] = (),
    pod_level_resources: bool = True,
) -> dict[str, Any]:
    """A Pod as the API server completes it, as a new object; null fields are dropped, the status is left as it is.

    `raw` must decode as a Pod (`podfsm.kube.decode`), which is where wrong types are complained about.
    `priority_classes`: the raw PriorityClass objects of the cluster; `pod_level_resources`: the gate of that name.
    Applying it again changes nothing.
    """
    pod: dict[str, Any] = _copy(without_nulls(dict(raw)))
    metadata = pod["metadata"] = pod.get("metadata") or {}
    if not metadata.get("namespace"):
        metadata["namespace"] = "default"
    pod["metadata"] = in_order(metadata, "ObjectMeta")
    spec = pod["spec"] = pod.get("spec") or {}
    default_spec(spec, pod_level_resources=pod_level_resources)
    admit(spec, priority_classes)
    pod["spec"] = in_order(spec, "PodSpec")
    return pod


def default_spec(spec: dict[str, Any], *, pod_level_resources: bool = True) -> None:
    """Complete the spec of a Pod or of a template (changed in place), without what admission adds to Pods."""
    for key in _LISTS:
        if key in spec:
            spec[key] = [default_container(each, ephemeral=key == "ephemeralContainers") for each in spec[key]]
    _default_spec(spec)
    if pod_level_resources:
        default_pod_resources(spec)


def created_pod(raw: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """A Pod as it is stored on creation: defaults, generation 1, phase Pending and nothing else in the status.

    `options` as for `default_pod`. The QoS class and the condition of scheduling gates are rules, added elsewhere.
    """
    pod = default_pod(raw, **options)
    pod["metadata"] = in_order({**pod["metadata"], "generation": 1}, "ObjectMeta")
    pod["status"] = {"phase": "Pending"}
    return pod


def _default_spec(spec: dict[str, Any]) -> None:
    for key, value in (
        ("restartPolicy", "Always"),
        ("dnsPolicy", "ClusterFirst"),
        ("schedulerName", "default-scheduler"),
    ):
        spec[key] = spec.get(key) or value
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("securityContext", {})
    spec.setdefault("enableServiceLinks", True)
    if spec.get("overhead"):
        spec["overhead"] = canonical_amounts(spec["overhead"])
    if spec.get("hostNetwork"):
        for container in (*spec.get("initContainers", ()), *spec.get("containers", ())):
            for port in container.get("ports", ()):
                port["hostPort"] = port.get("hostPort") or port.get("containerPort")
    for volume in spec.get("volumes", ()):
        _default_volume(volume)


def default_container(raw: Mapping[str, Any], *, ephemeral: bool = False) -> dict[str, Any]:
    """A container as the API server completes it, as a new object. Ephemeral containers get no requests from limits."""
    container: dict[str, Any] = _copy(dict(raw))
    container["imagePullPolicy"] = container.get("imagePullPolicy") or default_pull_policy(container.get("image") or "")
    container["terminationMessagePath"] = container.get("terminationMessagePath") or "/dev/termination-log"
    container["terminationMessagePolicy"] = container.get("terminationMessagePolicy") or "File"
    default_container_resources(container, from_limits=not ephemeral)
    for port in container.get("ports", ()):
        port["protocol"] = port.get("protocol") or "TCP"
    for variable in container.get("env", ()):
        _default_field((variable.get("valueFrom") or {}).get("fieldRef"))
    for key in _PROBES:
        if key in container:
            container[key] = default_probe(container[key])
    for hook in ("postStart", "preStop"):
        _default_http((container.get("lifecycle") or {}).get(hook))
    return in_order(container, "Container")


def default_probe(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A probe with its numbers, as a new object; a number that is 0 counts as absent."""
    probe: dict[str, Any] = _copy(dict(raw))
    for key, value in _PROBE_NUMBERS.items():
        probe[key] = probe.get(key) or value
    _default_http(probe)
    if isinstance(probe.get("grpc"), dict):
        probe["grpc"].setdefault("service", "")
    return in_order(probe, "Probe")


def _default_http(handler: dict[str, Any] | None) -> None:
    if handler and isinstance(handler.get("httpGet"), dict):
        request = handler["httpGet"]
        request["path"] = request.get("path") or "/"
        request["scheme"] = request.get("scheme") or "HTTP"
        handler["httpGet"] = in_order(request, "HTTPGetAction")


def _default_field(reference: Any) -> None:
    if isinstance(reference, dict):
        reference["apiVersion"] = reference.get("apiVersion") or "v1"


def _default_volume(volume: dict[str, Any]) -> None:
    """A volume without a source is an emptyDir; files of configuration are readable by all."""
    if not set(volume) - {"name"}:
        volume["emptyDir"] = {}
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if isinstance(volume.get(source), dict):
            volume[source].setdefault("defaultMode", _FILE_MODE)
    if isinstance(volume.get("hostPath"), dict):
        volume["hostPath"].setdefault("type", "")


def _copy(value: Any) -> Any:
    """A deep copy of a JSON-like value."""
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
