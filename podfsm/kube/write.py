"""Typed objects to JSON as the API server prints them.

The functions for Pod statuses are written by hand: a simulation writes a status with every event. Everything else goes
field by field. Keys come in the API's order; a field that holds its zero value is left out unless the API writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any

import msgspec

from podfsm.kube.api_fields import PLACES
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
    PodIP,
    PodSpec,
    PodStatus,
)

Json = dict[str, Any]


@lru_cache(maxsize=65536)
def timestamp(when: datetime) -> str:
    """An instant as the API writes it: UTC, whole seconds, `2026-01-01T00:00:00Z`."""
    return when.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def _time(when: datetime | None) -> str | None:
    return None if when is None else timestamp(when)


# statuses: the hot path ---------------------------------------------------------------------------------------------


def state_json(state: ContainerState) -> Json:
    """A container's state: at most one of waiting, running, terminated."""
    out: Json = {}
    if state.waiting is not None:
        out["waiting"] = _waiting(state.waiting)
    if state.running is not None:
        out["running"] = {"startedAt": _time(state.running.startedAt)}
    if state.terminated is not None:
        out["terminated"] = _terminated(state.terminated)
    return out


def _waiting(waiting: ContainerStateWaiting) -> Json:
    out: Json = {}
    if waiting.reason:
        out["reason"] = waiting.reason
    if waiting.message:
        out["message"] = waiting.message
    return out


def _terminated(ended: ContainerStateTerminated) -> Json:
    out: Json = {"exitCode": ended.exitCode}
    if ended.signal:
        out["signal"] = ended.signal
    if ended.reason:
        out["reason"] = ended.reason
    if ended.message:
        out["message"] = ended.message
    out["startedAt"] = _time(ended.startedAt)
    out["finishedAt"] = _time(ended.finishedAt)
    if ended.containerID:
        out["containerID"] = ended.containerID
    return out


def container_status_json(status: ContainerStatus) -> Json:
    """A container's status. `lastState`, `ready`, `restartCount`, `image` and `imageID` are always written."""
    out: Json = {
        "name": status.name,
        "state": state_json(status.state),
        "lastState": state_json(status.lastState),
        "ready": status.ready,
        "restartCount": status.restartCount,
        "image": status.image,
        "imageID": status.imageID,
    }
    if status.containerID:
        out["containerID"] = status.containerID
    if status.started is not None:
        out["started"] = status.started
    return out


def condition_json(condition: PodCondition) -> Json:
    """A Pod condition. `lastProbeTime` is always written, as null unless it is set."""
    out: Json = {"type": condition.type}
    if condition.observedGeneration:
        out["observedGeneration"] = condition.observedGeneration
    out["status"] = condition.status
    out["lastProbeTime"] = _time(condition.lastProbeTime)
    out["lastTransitionTime"] = _time(condition.lastTransitionTime)
    if condition.reason:
        out["reason"] = condition.reason
    if condition.message:
        out["message"] = condition.message
    return out


def _ip(ip: PodIP) -> Json:
    return {"ip": ip.ip} if ip.ip else {}


_STATUS: tuple[tuple[str, Callable[[Any], Json] | None], ...] = (
    ("observedGeneration", None),
    ("phase", None),
    ("conditions", condition_json),
    ("message", None),
    ("reason", None),
    ("nominatedNodeName", None),
    ("hostIP", None),
    ("hostIPs", _ip),
    ("podIP", None),
    ("podIPs", _ip),
    ("startTime", None),
    ("initContainerStatuses", container_status_json),
    ("containerStatuses", container_status_json),
    ("qosClass", None),
    ("ephemeralContainerStatuses", container_status_json),
    ("resize", None),
)
"""The fields of a status in the API's order, each with the writer of its items if it is a list."""


def status_json(status: PodStatus) -> Json:
    """A Pod's status."""
    out: Json = {}
    for name, writer in _STATUS:
        value = getattr(status, name)
        if value:
            out[name] = value if writer is None else [writer(each) for each in value]
    if status.startTime is not None:
        out["startTime"] = timestamp(status.startTime)
    return out


_STATUS_FIELDS = frozenset(PodStatus.__struct_fields__)
_CONTAINER_FIELDS = frozenset(ContainerStatus.__struct_fields__)
_LISTS = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def with_status(raw: Mapping[str, Any], status: PodStatus) -> Json:
    """The raw Pod with this status, as a new object that shares the rest.

    Fields of the old status that podfsm does not know stay, in the Pod's status and in each container's.
    """
    old = raw.get("status")
    new = status_json(status)
    if old:
        for name in _LISTS:
            if name in old and name in new:
                _keep_foreign(old[name], new[name])
        if not old.keys() <= _STATUS_FIELDS:
            kept = {name: value for name, value in old.items() if name not in _STATUS_FIELDS}
            new = _ordered({**new, **kept}, "PodStatus")
    return {**raw, "status": new}


def _keep_foreign(old: list[Json], new: list[Json]) -> None:
    """Carry the unknown fields of each container's old status over to its new one (changed in place)."""
    for one in old:
        if not one.keys() <= _CONTAINER_FIELDS:
            for other in new:
                if other["name"] == one.get("name"):
                    other.update({name: value for name, value in one.items() if name not in _CONTAINER_FIELDS})


def _ordered(raw: Json, name: str) -> Json:
    places = PLACES[name]
    return dict(sorted(raw.items(), key=lambda item: places.get(item[0], len(places))))


# everything else ----------------------------------------------------------------------------------------------------

_ALWAYS: Mapping[str, frozenset[str]] = {
    "ContainerPort": frozenset({"containerPort"}),
    "Container": frozenset({"name"}),
    "EnvVar": frozenset({"name"}),
    "ExitCodes": frozenset({"operator"}),
    "GRPCAction": frozenset({"port"}),
    "HTTPGetAction": frozenset({"port"}),
    "HTTPHeader": frozenset({"name", "value"}),
    "LabelSelectorRequirement": frozenset({"key", "operator"}),
    "OwnerReference": frozenset({"apiVersion", "kind", "name", "uid"}),
    "PodReadinessGate": frozenset({"conditionType"}),
    "PodSchedulingGate": frozenset({"name"}),
    "ResizePolicy": frozenset({"resourceName", "restartPolicy"}),
    "SleepAction": frozenset({"seconds"}),
    "TCPSocketAction": frozenset({"port"}),
    "TopologySpreadConstraint": frozenset({"maxSkew", "topologyKey", "whenUnsatisfiable"}),
    "VolumeMount": frozenset({"name", "mountPath"}),
}
"""Fields that the API writes whatever they hold (no `omitempty` in their Go types)."""


@cache
def _plan(type_: type[msgspec.Struct]) -> tuple[tuple[str, Any, bool], ...]:
    """Name, zero value and whether always written, for each field in the order of writing."""
    places = PLACES.get(type_.__name__, {})
    names = sorted(type_.__struct_fields__, key=lambda name: places.get(name, len(places)))
    zero, always = type_(), _ALWAYS.get(type_.__name__, frozenset())
    return tuple((name, getattr(zero, name), name in always) for name in names)


def _generic(obj: msgspec.Struct) -> Json:
    out: Json = {}
    for name, zero, always in _plan(type(obj)):
        value = getattr(obj, name)
        if always or (value is not None and value != zero):
            out[name] = _builtin(value)
    return out


def _builtin(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return to_json(value)
    if isinstance(value, tuple | list):
        return [_builtin(each) for each in value]
    if isinstance(value, Mapping):
        return {key: _builtin(each) for key, each in value.items()}
    return timestamp(value) if isinstance(value, datetime) else value


def _spec(spec: PodSpec) -> Json:
    """A Pod's spec; `resources` is written in every container, even when empty."""
    out = _generic(spec)
    for name in ("initContainers", "containers", "ephemeralContainers"):
        if name in out:
            out[name] = [_ordered({"resources": {}, **each}, "Container") for each in out[name]]
    return out


def _pod(pod: Pod) -> Json:
    return {
        "kind": pod.kind,
        "apiVersion": pod.apiVersion,
        "metadata": _generic(pod.metadata),
        "spec": _spec(pod.spec),
        "status": status_json(pod.status),
    }


_WRITERS: Mapping[type[msgspec.Struct], Callable[[Any], Json]] = {
    Pod: _pod,
    PodSpec: _spec,
    PodStatus: status_json,
    PodCondition: condition_json,
    PodIP: _ip,
    ContainerStatus: container_status_json,
    ContainerState: state_json,
    ContainerStateWaiting: _waiting,
    ContainerStateTerminated: _terminated,
    ContainerStateRunning: lambda running: {"startedAt": _time(running.startedAt)},
}


def to_json(obj: msgspec.Struct) -> Json:
    """A typed object as the API prints it."""
    return _WRITERS.get(type(obj), _generic)(obj)


def dump_json(raw: Mapping[str, Any]) -> bytes:
    """A raw object as one line of JSON, without a newline at its end."""
    return msgspec.json.encode(raw)
