"""What the API server fills in when an object that owns Pods is created: on the raw object, as in `defaults`.

Source: `pkg/apis/batch/v1/defaults.go`, `pkg/apis/apps/v1/defaults.go`, `pkg/apis/core/v1/defaults.go`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from podfsm.kube.decode import without_nulls
from podfsm.kube.defaults import default_spec

Json = dict[str, Any]

_NO_LIMIT = 2**31 - 1


def default_workload(raw: Mapping[str, Any], *, pod_level_resources: bool = True, templates: bool = True) -> Json:
    """An object that owns Pods as the API server completes it, as a new object.

    With `templates` its Pod template too.
    """
    made: Json = _copy(without_nulls(dict(raw)))
    metadata = made["metadata"] = made.get("metadata") or {}
    metadata["namespace"] = metadata.get("namespace") or "default"
    spec = made["spec"] = made.get("spec") or {}
    kind = str(made.get("kind") or "")
    _DEFAULTS[kind](made, spec)
    if not templates:
        return made
    holder = spec["jobTemplate"]["spec"] if kind == "CronJob" else spec
    template = holder["template"] = holder.get("template") or {}
    template["spec"] = template.get("spec") or {}
    default_spec(template["spec"], pod_level_resources=pod_level_resources)
    return made


def _job(_made: Json, spec: Json) -> None:
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", _NO_LIMIT if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("podReplacementPolicy", "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed")
    for rule in (spec.get("podFailurePolicy") or {}).get("rules") or ():
        for condition in rule.get("onPodConditions") or ():
            condition["status"] = condition.get("status") or "True"


CONTROLLER_UID, JOB_NAME = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
_OLD_LABELS = ("controller-uid", "job-name")


def generate_selector(job: Json) -> None:
    """Give a Job (changed in place) that has a uid the labels and the selector by which it knows its Pods.

    Unless it brings a selector of its own. Source: `pkg/registry/batch/job/strategy.go` (generateSelector).
    """
    metadata, spec = job["metadata"], job["spec"]
    if spec.get("manualSelector") or not metadata.get("uid"):
        return
    new = {CONTROLLER_UID: metadata["uid"], JOB_NAME: metadata.get("name", "")}
    old = dict(zip(_OLD_LABELS, new.values(), strict=True))
    template = spec["template"] = dict(spec.get("template") or {})
    inner = template["metadata"] = dict(template.get("metadata") or {})
    inner["labels"] = {**(inner.get("labels") or {}), **new, **old}
    spec["selector"] = {"matchLabels": {CONTROLLER_UID: metadata["uid"]}}


def _cron_job(_made: Json, spec: Json) -> None:
    spec["concurrencyPolicy"] = spec.get("concurrencyPolicy") or "Allow"
    spec.setdefault("suspend", False)
    spec.setdefault("successfulJobsHistoryLimit", 3)
    spec.setdefault("failedJobsHistoryLimit", 1)
    template = spec["jobTemplate"] = spec.get("jobTemplate") or {}
    template["spec"] = template.get("spec") or {}
    _job(template, template["spec"])


def _replicas(_made: Json, spec: Json) -> None:
    spec.setdefault("replicas", 1)


def _controller(made: Json, spec: Json) -> None:
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if labels:
        spec["selector"] = spec.get("selector") or dict(labels)
        made["metadata"]["labels"] = made["metadata"].get("labels") or dict(labels)
    _replicas(made, spec)


def _deployment(made: Json, spec: Json) -> None:
    _replicas(made, spec)
    strategy = spec["strategy"] = spec.get("strategy") or {}
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _daemon_set(_made: Json, spec: Json) -> None:
    strategy = spec["updateStrategy"] = spec.get("updateStrategy") or {}
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _stateful_set(made: Json, spec: Json) -> None:
    _replicas(made, spec)
    strategy = spec["updateStrategy"] = spec.get("updateStrategy") or {}
    strategy["type"] = strategy.get("type") or "RollingUpdate"
    spec["podManagementPolicy"] = spec.get("podManagementPolicy") or "OrderedReady"
    spec.setdefault("revisionHistoryLimit", 10)


_DEFAULTS: Mapping[str, Callable[[Json, Json], None]] = {
    "Job": _job,
    "CronJob": _cron_job,
    "ReplicaSet": _replicas,
    "ReplicationController": _controller,
    "Deployment": _deployment,
    "DaemonSet": _daemon_set,
    "StatefulSet": _stateful_set,
}
"""By kind."""


def _copy(value: Any) -> Any:
    """A deep copy of a JSON-like value."""
    if isinstance(value, dict):
        return {key: _copy(each) for key, each in value.items()}
    return [_copy(each) for each in value] if isinstance(value, list) else value
