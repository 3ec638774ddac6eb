"""Pod garbage collection and taint-based eviction over plain JSON."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.cluster import Node, NodeCondition, NodeSpec, NodeStatus, Taint
from podfsm.kube.objects import ObjectMeta, Pod, Toleration
from podfsm.rules.deletion_gc import Collected, collect, first_missed, threshold
from podfsm.rules.taint_eviction import Plan, replan
from podfsm.rules.timings import timing_constant


@evaluator("pod-gc")
def pod_gc(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What a first pass of PodGC removes, and what one after the quarantine of missing nodes does."""
    pods = msgspec.convert(given.get("pods") or [], list[Pod])
    nodes = {each["name"]: _node(each) for each in given.get("nodes") or ()}
    limit = threshold(given.get("terminatedPodGCThreshold", 0))
    since = first_missed(pods, nodes, {}, 0.0)
    first = collect(pods, nodes, dict.fromkeys(since, 0.0), limit, gates)
    gone = {each.name for each in first}
    left = [pod for pod in pods if pod.metadata.name not in gone]
    later = timing_constant("pod-gc-quarantine")
    second = collect(left, nodes, {name: later - at for name, at in since.items()}, limit, gates)
    return {"deletedFirstPass": _listed(first), "deletedAfterQuarantine": _listed(second)}


def _node(row: dict[str, Any]) -> Node:
    conditions = (NodeCondition(type="Ready", status=row["ready"]),) if row.get("ready") else ()
    spec = msgspec.convert({"taints": row.get("taints") or []}, NodeSpec)
    return Node(metadata=ObjectMeta(name=row["name"]), spec=spec, status=NodeStatus(conditions=conditions))


def _listed(removed: tuple[Collected, ...]) -> list[dict[str, Any]]:
    return [
        {"name": each.name, "markedFailed": each.marked_failed, "disruptionTarget": each.disruption_target}
        for each in sorted(removed, key=lambda each: each.name)
    ]


@evaluator("taint-eviction")
def taint_eviction(given: dict[str, Any], _gates: Gates) -> dict[str, Any]:
    """When each Pod of one node is deleted as its taints and the Pods' tolerations change; -1 for never."""
    tolerations = {
        each["name"]: msgspec.convert(each.get("tolerations") or [], tuple[Toleration, ...])
        for each in given.get("pods") or ()
    }
    taints: tuple[Taint, ...] = ()
    plans: dict[str, Plan | None] = dict.fromkeys(tolerations)
    evicted: dict[str, float] = {}
    for event in given.get("events") or ():
        now = float(event.get("at", 0))
        _carry_out(plans, evicted, now)
        if "pod" in event:
            touched = [event["pod"]]
            tolerations[event["pod"]] = msgspec.convert(event.get("tolerations") or [], tuple[Toleration, ...])
        else:
            touched = list(tolerations)
            taints = msgspec.convert(event.get("taints") or [], tuple[Taint, ...])
        for name in touched:
            plans[name] = replan(plans[name], taints, tolerations[name], now)
        _carry_out(plans, evicted, now)
    _carry_out(plans, evicted, math.inf)
    return {"evictedAt": {name: int(evicted.get(name, -1)) for name in tolerations}}


def _carry_out(plans: dict[str, Plan | None], evicted: dict[str, float], now: float) -> None:
    """What was due until now, this instant included."""
    for name, planned in plans.items():
        if planned is not None and planned.due_at <= now:
            evicted.setdefault(name, planned.due_at)
