"""What the API server fills in when an object of a controller is created, as far as the controllers here read it.

Templates stay as they are: what they lack is filled in when a Pod is made from them. Source: pkg/apis/apps/v1,
pkg/apis/batch/v1 and pkg/apis/core/v1, defaults.go; pkg/registry/batch/job/strategy.go (generateSelector).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podfsm.kube.defaults import default_pod

UNLIMITED = 2**31 - 1
CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_LABELS = ("controller-uid", "job-name")


def completed(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its defaults, as a new one. Applying it again changes nothing."""
    fill = _FILL.get(str(raw.get("kind")))
    spec = dict(raw.get("spec") or {})
    if fill is not None:
        fill(spec, raw.get("metadata") or {})
    return {**raw, "spec": spec} if "spec" in raw or fill is not None else dict(raw)


def _replicas(spec: dict[str, Any], _metadata: Mapping[str, Any]) -> None:
    if spec.get("replicas") is None:
        spec["replicas"] = 1


def _replication_controller(spec: dict[str, Any], metadata: Mapping[str, Any]) -> None:
    _replicas(spec, metadata)
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels")
    spec["selector"] = spec.get("selector") or labels or {}


def _deployment(spec: dict[str, Any], metadata: Mapping[str, Any]) -> None:
    _replicas(spec, metadata)
    strategy = dict(spec.get("strategy") or {})
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxUnavailable": "25%", "maxSurge": "25%"} | (strategy.get("rollingUpdate") or {})
    else:
        strategy.pop("rollingUpdate", None)
    spec["strategy"] = strategy
    for key, value in (("revisionHistoryLimit", 10), ("progressDeadlineSeconds", 600)):
        if spec.get(key) is None:
            spec[key] = value


def _daemon_set(spec: dict[str, Any], _metadata: Mapping[str, Any]) -> None:
    strategy = dict(spec.get("updateStrategy") or {})
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = {"maxUnavailable": 1, "maxSurge": 0} | (strategy.get("rollingUpdate") or {})
    spec["updateStrategy"] = strategy


def _job(spec: dict[str, Any], metadata: Mapping[str, Any]) -> None:
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    if spec.get("parallelism") is None:
        spec["parallelism"] = 1
    if spec.get("backoffLimit") is None:
        spec["backoffLimit"] = UNLIMITED if spec.get("backoffLimitPerIndex") is not None else 6
    spec["completionMode"] = spec.get("completionMode") or "NonIndexed"
    spec["suspend"] = bool(spec.get("suspend"))
    if not spec.get("podReplacementPolicy"):
        spec["podReplacementPolicy"] = "Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed"
    if not spec.get("manualSelector") and metadata.get("uid"):
        owned = {CONTROLLER_UID: metadata["uid"], JOB_NAME: metadata.get("name", "")}
        template = dict(spec.get("template") or {})
        inner = dict(template.get("metadata") or {})
        old = dict(zip(_OLD_LABELS, owned.values(), strict=True))
        inner["labels"] = {**(inner.get("labels") or {}), **owned, **old}
        spec["template"] = {**template, "metadata": inner}
        spec["selector"] = {"matchLabels": {CONTROLLER_UID: metadata["uid"]}}


def _pod_preset(spec: dict[str, Any], _metadata: Mapping[str, Any]) -> None:
    """What a preset injects has the defaults that it would have in a Pod: only so can the two be compared."""
    parts = ("env", "envFrom", "volumeMounts")
    container = {key: spec[key] for key in parts if spec.get(key)}
    whole = default_pod({"spec": {"containers": [container], "volumes": spec.get("volumes") or []}})["spec"]
    defaulted = whole["containers"][0] | {"volumes": whole.get("volumes")}
    spec.update({key: defaulted[key] for key in (*parts, "volumes") if spec.get(key)})


_FILL: Mapping[str, Callable[[dict[str, Any], Mapping[str, Any]], None]] = {
    "ReplicaSet": _replicas,
    "ReplicationController": _replication_controller,
    "Deployment": _deployment,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "PodPreset": _pod_preset,
}
