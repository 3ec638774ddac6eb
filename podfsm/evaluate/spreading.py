"""Topology spread over plain JSON: which nodes a Pod may go to, and how much each is liked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.cluster import Node, NodeSpec
from podfsm.kube.objects import ObjectMeta, Pod
from podfsm.rules.spread_nodes import filter_nodes, score_nodes

_SOME_TIME = datetime(2026, 1, 1, tzinfo=UTC)


@evaluator("topology-spread")
def topology_spread(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What the DoNotSchedule constraints say of each node."""
    pod, nodes, on = _read(given)
    fits = filter_nodes(pod, nodes, on, pod.spec.topologySpreadConstraints, gates)
    return {"nodes": {name: fit.value for name, fit in fits.items()}}


@evaluator("topology-score")
def topology_score(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """How the ScheduleAnyway constraints score each node."""
    pod, nodes, on = _read(given)
    raw, scores = score_nodes(pod, nodes, on, pod.spec.topologySpreadConstraints, gates)
    return {"rawScores": raw, "scores": scores}


def _read(given: dict[str, Any]) -> tuple[Pod, list[Node], dict[str, list[Pod]]]:
    on: dict[str, list[Pod]] = {}
    for each in given.get("existingPods") or ():
        metadata = ObjectMeta(
            name=each.get("name", ""),
            namespace=each.get("namespace", ""),
            labels=each.get("labels") or {},
            deletionTimestamp=_SOME_TIME if each.get("terminating") else None,
        )
        on.setdefault(each.get("nodeName", ""), []).append(Pod(metadata=metadata))
    nodes = [
        Node(
            metadata=ObjectMeta(name=each["name"], labels=each.get("labels") or {}),
            spec=msgspec.convert({"taints": each.get("taints") or []}, NodeSpec),
        )
        for each in given.get("nodes") or ()
    ]
    return msgspec.convert(given["pod"], Pod), nodes, on
