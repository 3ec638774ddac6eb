"""Probe workers and check results over plain JSON."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodSpec,
)
from podfsm.kube.times import instant
from podfsm.rules.facts import ProbeKind, ProbeResult
from podfsm.rules.probe_results import CheckOutcome, Raw, outcome_of_exec, outcome_of_http
from podfsm.rules.probe_worker import new_worker, tick
from podfsm.rules.sidecar import is_sidecar


@evaluator("probe-worker")
def probe_worker(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """One worker over its ticks: what each did, until the worker ends."""
    spec = msgspec.convert(given["spec"], PodSpec)
    container, sidecar = _container(spec, given["container"], gates)
    worker = new_worker(ProbeKind(given["probeType"]), container.name)
    kubelet_started_at = given.get("kubeletStartedAt")
    ticks = []
    for row in given["ticks"]:
        done = tick(
            worker,
            now=row["now"],
            phase=row.get("podPhase"),
            status=_status(container.name, row.get("container")),
            container=container,
            spec=spec,
            gates=gates,
            outcome=partial(_seen, row["probe"]),
            sidecar=sidecar,
            deleting=row.get("podDeleting", False),
            kubelet_started_at=kubelet_started_at,
        )
        worker = done.worker
        ticks.append(
            {
                "keepGoing": done.keep_going,
                "onHold": worker.on_hold,
                "probed": done.probed,
                "cached": None if worker.cached is None else worker.cached.value,
            }
        )
        if not done.keep_going:
            break
    return {"ticks": ticks}


def _container(spec: PodSpec, name: str, gates: Gates) -> tuple[Container, bool]:
    for container in spec.containers:
        if container.name == name:
            return container, False
    for container in spec.initContainers:
        if container.name == name:
            return container, is_sidecar(container, gates)
    raise msgspec.ValidationError(f"no container {name!r} in the spec")


def _status(name: str, row: dict[str, Any] | None) -> ContainerStatus | None:
    if row is None:
        return None
    started_at = instant(row["startedAt"]) if "startedAt" in row else None
    states = {
        "running": ContainerState(running=ContainerStateRunning(started_at)),
        "terminated": ContainerState(terminated=ContainerStateTerminated(row.get("exitCode", 0))),
        "waiting": ContainerState(waiting=ContainerStateWaiting()),
    }
    state = states[row.get("state", "waiting")]
    return ContainerStatus(name, state, containerID=row.get("containerID", ""), started=row.get("started"))


def _seen(probe: str) -> ProbeResult | None:
    if probe == "error":
        return CheckOutcome(Raw.UNKNOWN, error=True).seen
    return CheckOutcome(Raw(probe)).seen


@evaluator("probe-result")
def probe_result(given: dict[str, Any], _gates: Gates) -> dict[str, Any]:
    """One check: the handler's raw result, whether it erred, and what the worker sees."""
    if "httpGet" in given:
        answer = given["httpGet"]
        outcome = outcome_of_http(answer.get("statusCode", 0), error=answer.get("error", ""))
    else:
        answer = given["exec"]
        error = answer.get("error", "")
        outcome = outcome_of_exec(answer.get("exitCode", 0), timed_out=error == "timeout", error=error)
    seen = outcome.seen
    return {
        "raw": outcome.raw.value,
        "error": outcome.error,
        "worker": "discarded" if seen is None else seen.value,
    }
