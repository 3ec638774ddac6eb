"""Budgets and evictions over plain JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.cluster import PodDisruptionBudget
from podfsm.kube.objects import Pod
from podfsm.kube.times import seconds_of
from podfsm.kube.write import to_json
from podfsm.rules.disruption_budget import Controller, budget_status
from podfsm.rules.eviction import condition_before_deletion, evict


@evaluator("pdb-status")
def pdb_status(given: dict[str, Any], _gates: Gates) -> dict[str, Any]:
    """What the disruption controller writes into a budget's status."""
    status = budget_status(
        msgspec.convert(given["pdb"], PodDisruptionBudget),
        msgspec.convert(given.get("pods") or [], list[Pod]),
        [_controller(each) for each in given.get("controllers") or ()],
        seconds_of(msgspec.convert(given["now"], datetime)),
    )
    answer: dict[str, Any] = {
        "disruptionsAllowed": status.allowed,
        "disruptedPods": sorted(status.disrupted),
        "condition": status.condition,
        "conditionReason": status.reason,
    }
    if status.expected is not None:
        answer["expectedPods"] = status.expected
        answer["desiredHealthy"] = status.desired
        answer["currentHealthy"] = status.current
    return answer


def _controller(row: dict[str, Any]) -> Controller:
    return Controller(
        row.get("kind", ""),
        row.get("name", ""),
        row.get("uid", ""),
        row.get("replicas", 0),
        row.get("ownedByDeployment", ""),
    )


@evaluator("eviction")
def eviction(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What the eviction API answers, and what it writes into the Pod first."""
    pod = msgspec.convert(given["pod"], Pod)
    answer = evict(pod, msgspec.convert(given.get("pdbs") or [], list[PodDisruptionBudget]), gates)
    result: dict[str, Any] = {
        "allowed": answer.allowed,
        "code": answer.code,
        "budgetDecremented": answer.spends,
        "reason": answer.reason,
        "message": answer.message,
        "cause": answer.cause,
    }
    condition = condition_before_deletion(answer) if gates.on("PodDisruptionConditions") else None
    if condition is not None:
        written = to_json(condition)
        result["podCondition"] = {key: written[key] for key in ("type", "status", "reason")}
    return {key: value for key, value in result.items() if value != ""}
