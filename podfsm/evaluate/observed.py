"""What others see or accept of a Pod: kubectl-columns, status-transition-api, status-transition-kubelet."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.objects import Pod, PodSpec, PodStatus
from podfsm.rules.kubectl_columns import kubectl_columns as columns_of
from podfsm.rules.status_transitions import refused_by_api, refused_by_kubelet


@evaluator("kubectl-columns")
def kubectl_columns(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """READY, STATUS and RESTARTS as kubectl prints them at `now`."""
    columns = columns_of(msgspec.convert(given["pod"], Pod), datetime.fromisoformat(given["now"]), gates)
    return {"ready": columns.ready, "status": columns.status, "restarts": columns.restarts}


@evaluator("status-transition-api")
def status_transition_api(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Whether the API server takes a new status, and the fields that it refuses."""
    fields = refused_by_api(*_change(given), gates)
    return {"legal": not fields, "errors": [{"field": field, "type": "Forbidden"} for field in fields]}


@evaluator("status-transition-kubelet")
def status_transition_kubelet(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Whether the kubelet sends a new status, and what it complains of."""
    error = refused_by_kubelet(*_change(given), gates)
    return {"legal": not error, "error": error}


def _change(given: dict[str, Any]) -> tuple[PodSpec, PodStatus, PodStatus]:
    return (
        msgspec.convert(given["spec"], PodSpec),
        msgspec.convert(given.get("oldStatus") or {}, PodStatus),
        msgspec.convert(given.get("newStatus") or {}, PodStatus),
    )
