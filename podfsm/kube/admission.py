"""What admission adds to a Pod that has its API defaults: tolerations, priority, service account. In raw form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
TOLERATION_SECONDS = 300

BUILT_IN = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
"""PriorityClasses that every cluster has, and their values."""
_PREEMPT = "PreemptLowerPriority"


def admit(spec: dict[str, Any], priority_classes: Iterable[Mapping[str, Any]] = ()) -> None:
    """Let the default admission plugins complete a Pod's spec (changed in place).

    `priority_classes` are the raw PriorityClass objects of the cluster. The token volume that the ServiceAccount
    plugin mounts under a random name is left out.
    """
    tolerate_lost_nodes(spec)
    prioritize(spec, priority_classes)
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = account


def tolerate_lost_nodes(spec: dict[str, Any]) -> None:
    """Add the tolerations that keep a Pod for 300 s on a node that is not ready or unreachable, unless it has its own.

    Source: `plugin/pkg/admission/defaulttolerationseconds/admission.go`.
    """
    own = spec.get("tolerations") or []
    added = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": TOLERATION_SECONDS}
        for key in TOLERATED
        if not any(_covers(toleration, key) for toleration in own)
    ]
    if added:
        spec["tolerations"] = [*own, *added]


def _covers(toleration: Mapping[str, Any], key: str) -> bool:
    return toleration.get("key") in (None, "", key) and toleration.get("effect") in (None, "", "NoExecute")


def prioritize(spec: dict[str, Any], priority_classes: Iterable[Mapping[str, Any]] = ()) -> None:
    """Fill in the priority from the Pod's class, from the default class, or 0.

    A class that is neither built in nor given leaves the priority open: the API server would refuse the Pod. Source:
    `plugin/pkg/admission/priority/admission.go`.
    """
    classes = {str((each.get("metadata") or {}).get("name")): each for each in priority_classes}
    name = spec.get("priorityClassName") or ""
    if not name:
        # of several default classes the one with the lowest value counts
        defaults = [each for each in classes.items() if each[1].get("globalDefault")]
        name = min(defaults, key=lambda each: _value(each[1]))[0] if defaults else ""
        if name:
            spec["priorityClassName"] = name
    chosen: Mapping[str, Any] = classes.get(name) or ({"value": BUILT_IN[name]} if name in BUILT_IN else {})
    if chosen or not name:
        if spec.get("priority") is None:
            spec["priority"] = _value(chosen)
        if spec.get("preemptionPolicy") is None:
            spec["preemptionPolicy"] = chosen.get("preemptionPolicy") or _PREEMPT


def _value(priority_class: Mapping[str, Any]) -> int:
    value = priority_class.get("value")
    return value if isinstance(value, int) else 0
