"""Status derivations: pod-phase, pod-conditions, container-ready, api-pod-status, status-merge, terminate-pod."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.objects import ContainerStatus, Pod, PodCondition, PodSpec, PodStatus
from podfsm.kube.times import seconds_of
from podfsm.kube.write import to_json
from podfsm.rules import conditions as judge
from podfsm.rules.condition_list import NETWORK, by_type
from podfsm.rules.container_probing import Probing, probed_apps, probed_inits
from podfsm.rules.container_state import StartError
from podfsm.rules.facts import ProbeKind, ProbeResult, RuntimeContainer, RuntimeState, Sandbox
from podfsm.rules.phase import is_static
from podfsm.rules.phase import pod_phase as phase_of
from podfsm.rules.pod_status import derive_status
from podfsm.rules.status_merge import merge_status
from podfsm.rules.terminate import terminate_status


@evaluator("pod-phase")
def pod_phase(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """The phase that container statuses give."""
    pod = msgspec.convert(given["pod"], Pod)
    phase = phase_of(
        pod.spec,
        pod.status.initContainerStatuses,
        pod.status.containerStatuses,
        terminal=bool(given.get("podIsTerminal")),
        initialized=bool(given.get("podHasInitialized")),
        static=is_static(pod.metadata),
        gates=gates,
    )
    return {"phase": phase}


@evaluator("pod-conditions")
def pod_conditions(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """The kubelet's conditions from statuses, phase, readiness gates and sandboxes."""
    pod = msgspec.convert(given["pod"], Pod)
    status, raw = pod.status, given["pod"].get("status") or {}
    known = "containerStatuses" in raw or "initContainerStatuses" in raw
    statuses = (*status.initContainerStatuses, *status.containerStatuses) if known else None
    was = given.get("previousInitialized") == "True"
    containers = judge.containers_ready(pod.spec, statuses, status.phase, gates)
    found = [
        ("Initialized", judge.initialized(pod.spec, statuses, status.phase, gates, was_initialized=was)),
        ("Ready", judge.ready(pod.spec, containers, by_type(status.conditions))),
        ("ContainersReady", containers),
    ]
    if "sandboxes" in given:
        found.append((NETWORK, judge.network(pod.spec, [_sandbox(s) for s in given["sandboxes"]])))
    return {"conditions": [_without_blanks(type=kind, status=s, reason=r, message=t) for kind, (s, r, t) in found]}


@evaluator("container-ready")
def container_ready(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """`started` and `ready` of every container from its state and the cached probe results."""
    spec = msgspec.convert(given["spec"], PodSpec)
    results = {
        name: {kind: ProbeResult(cached[kind.value]) for kind in ProbeKind if kind.value in cached}
        for name, cached in (given.get("cachedProbeResults") or {}).items()
    }
    probing = Probing(results, keeps_state=not gates.on("ChangeContainerStatusOnKubeletRestart"))
    init = probed_inits(spec, _statuses(given, "initContainerStatuses"), probing, gates)
    apps = probed_apps(spec, _statuses(given, "containerStatuses"), probing)
    return {"containers": [{"name": s.name, "started": s.started, "ready": s.ready} for s in (*init, *apps)]}


@evaluator("api-pod-status")
def api_pod_status(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """The whole status that the kubelet derives from the runtime's containers and the previous status."""
    pod = msgspec.convert(given["pod"], Pod)
    derived = derive_status(
        pod,
        containers=[_runtime_container(c) for c in given.get("runtimeContainers") or ()],
        sandboxes=[Sandbox("sandbox", ready=True, ip="10.0.0.5")] if given.get("sandboxReady") else [],
        start_errors={
            name: StartError(error.get("reason", ""), error.get("message", ""))
            for name, error in (given.get("startErrors") or {}).items()
        },
        terminal=bool(given.get("podIsTerminal")),
        probes={},
        workers={},
        gates=gates,
        now=0.0,
    )
    return {
        "phase": derived.phase,
        "initContainerStatuses": [_shown(s) for s in derived.initContainerStatuses],
        "containerStatuses": [_shown(s) for s in derived.containerStatuses],
        "conditions": [_condition(c) for c in derived.conditions if c.type != "PodScheduled"],
    }


@evaluator("status-merge")
def status_merge(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What the kubelet writes, given what the API has and what the kubelet wants."""
    merged = merge_status(
        msgspec.convert(given["apiStatus"], PodStatus),
        msgspec.convert(given["kubeletStatus"], PodStatus),
        could_run=bool(given.get("couldHaveRunningContainers")),
        gates=gates,
    )
    found = _without_blanks(phase=merged.phase, reason=merged.reason, message=merged.message)
    return {**found, "conditions": [_condition(c) for c in merged.conditions]}


@evaluator("terminate-pod")
def terminate_pod(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Phase and container states once no container can run any more."""
    status = terminate_status(msgspec.convert(given["pod"], Pod), gates=gates)
    return {
        "phase": status.phase,
        "initContainerStatuses": [_ended(s) for s in status.initContainerStatuses],
        "containerStatuses": [_ended(s) for s in status.containerStatuses],
    }


def _statuses(given: Mapping[str, Any], key: str) -> tuple[ContainerStatus, ...]:
    return tuple(msgspec.convert(s, ContainerStatus) for s in given.get(key) or ())


def _sandbox(raw: Mapping[str, Any]) -> Sandbox:
    return Sandbox(ready=raw.get("state") == "ready", attempt=raw.get("attempt", 0), ip=raw.get("ip", ""))


def _runtime_container(raw: Mapping[str, Any]) -> RuntimeContainer:
    return RuntimeContainer(
        id=raw.get("id", ""),
        name=raw["name"],
        state=RuntimeState(raw["state"]),
        exit_code=raw.get("exitCode", 0),
        reason=raw.get("reason", ""),
        message=raw.get("message", ""),
        restart_count=raw.get("restartCount", 0),
        created_at=_instant(raw.get("createdAt")),
        started_at=_instant(raw.get("startedAt")),
        finished_at=_instant(raw.get("finishedAt")),
        in_active_sandbox=bool(raw.get("inActiveSandbox", False)),
    )


def _instant(text: str | None) -> float | None:
    return None if text is None else seconds_of(datetime.fromisoformat(text))


def _shown(status: ContainerStatus) -> dict[str, Any]:
    raw = to_json(status)
    for field in ("image", "imageID", "resources"):
        raw.pop(field, None)
    if not raw.get("lastState"):
        raw.pop("lastState", None)
    return raw


def _ended(status: ContainerStatus) -> dict[str, Any]:
    state = to_json(status)["state"]
    state.get("terminated", {}).pop("message", None)
    return {"name": status.name, "state": state}


def _condition(condition: PodCondition) -> dict[str, Any]:
    return _without_blanks(
        type=condition.type, status=condition.status, reason=condition.reason, message=condition.message
    )


def _without_blanks(**fields: str) -> dict[str, str]:
    return {key: value for key, value in fields.items() if value}
