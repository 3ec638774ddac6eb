"""What gets started, restarted and killed: restart-decision, compute-pod-actions, crash-backoff."""

from __future__ import annotations

from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.errors import UnknownName
from podfsm.evaluate.registry import evaluator
from podfsm.kube.objects import Container, Pod, PodSpec
from podfsm.rules import crash_backoff, restart
from podfsm.rules.facts import ProbeResult, RuntimeContainer, RuntimeState, Sandbox
from podfsm.rules.pod_actions import compute_pod_actions, newest_by_name
from podfsm.rules.sidecar import is_sidecar


@evaluator("restart-decision")
def restart_decision(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Whether one container of a Pod is to be restarted, and by which rule.

    Versions without container-level rules have only the first of the answers.
    """
    pod = msgspec.convert(given["pod"], Pod)
    newest = newest_by_name(_runtime_container(status) for status in given.get("runtimeStatuses") or ())
    container, sidecar = _find(pod.spec, given["container"], gates)
    instance = newest.get(container.name)
    deleting = pod.metadata.deletionTimestamp is not None
    due = restart.should_be_restarted(container, pod.spec, instance, gates, deleting=deleting, sidecar=sidecar)
    answer: dict[str, Any] = {"shouldContainerBeRestarted": due}
    if not gates.on("ContainerRestartRules"):
        return answer
    answer["isContainerRestartable"] = restart.could_restart(container, pod.spec, gates, sidecar=sidecar)
    answer["allContainersCouldRestart"] = restart.has_restart_all_rule(pod.spec, gates)
    answer["shouldAllContainersRestart"] = restart.restart_all_requested(pod.spec, newest, gates)
    if instance is not None and instance.state is RuntimeState.EXITED:
        code = instance.exit_code
        answer["restartsByPolicy"] = restart.restarts_after_exit(container, pod.spec, code, gates, sidecar=sidecar)
        rule = restart.matching_rule(container, code, gates)
        if rule is not None:
            answer["matchedRule"] = {"action": rule.action}
    return answer


@evaluator("compute-pod-actions")
def pod_actions(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What one sync of the kubelet starts, stops and removes."""
    pod = msgspec.convert(given["pod"], Pod)
    actions = compute_pod_actions(
        pod.spec,
        deleting=pod.metadata.deletionTimestamp is not None,
        sandboxes=[_sandbox(sandbox) for sandbox in given.get("sandboxes") or ()],
        containers=[_runtime_container(status) for status in given.get("containerStatuses") or ()],
        restart_all=bool(given.get("restartAllContainers")),
        gates=gates,
    )
    kills = sorted(actions.to_kill, key=lambda kill: kill.id)
    return {
        "killPod": actions.kill_pod,
        "createSandbox": actions.create_sandbox,
        "attempt": actions.attempt,
        "initContainersToStart": list(actions.init_to_start),
        "containersToStart": list(actions.apps_to_start),
        "ephemeralContainersToStart": list(actions.ephemeral_to_start),
        "containersToKill": [
            {"id": kill.id, "name": kill.name, "reason": kill.reason, "message": kill.message} for kill in kills
        ],
        "containersToReset": [{"id": reset.id, "kill": reset.kill} for reset in actions.to_reset],
    }


@evaluator("crash-backoff")
def crash_back_off(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Whether each of a series of restarts is delayed, and until when."""
    del gates  # the limits, which are what depends on them, are part of the input
    initial, maximum, expiry = (given.get(f"{name}Seconds", 0) for name in ("initial", "max", "expiry"))
    entry: crash_backoff.BackOffEntry | None = None
    answers = []
    for step in given.get("steps") or ():
        now, finished_at = step.get("now", 0), step.get("finishedAt", 0)
        if given.get("gcBeforeEachQuery"):
            entry = crash_backoff.collect(entry, now=now, expiry=expiry)
        entry, retry_at = crash_backoff.check(
            entry, finished_at=finished_at, now=now, initial=initial, maximum=maximum, expiry=expiry
        )
        answer = {"inBackOff": retry_at is not None, "delaySeconds": entry.delay}
        answers.append(answer if retry_at is None else {**answer, "retryAt": retry_at})
    return {"steps": answers}


def _find(spec: PodSpec, name: str, gates: Gates) -> tuple[Container, bool]:
    for container in spec.initContainers:
        if container.name == name:
            return container, is_sidecar(container, gates)
    for container in spec.containers:
        if container.name == name:
            return container, False
    known = [container.name for container in (*spec.initContainers, *spec.containers)]
    raise UnknownName("container", name, known)


def _runtime_container(status: dict[str, Any]) -> RuntimeContainer:
    return RuntimeContainer(
        id=status.get("id", ""),
        name=status["name"],
        state=RuntimeState(status["state"]),
        exit_code=status.get("exitCode", 0),
        reason=status.get("reason", ""),
        spec_changed=status.get("specChanged", False),
        liveness=_result(status.get("liveness")),
        startup=_result(status.get("startup")),
    )


def _result(text: str | None) -> ProbeResult | None:
    return ProbeResult(text) if text else None


def _sandbox(sandbox: dict[str, Any]) -> Sandbox:
    return Sandbox(
        id=sandbox.get("id", ""),
        ready=sandbox.get("state") == "ready",
        attempt=sandbox.get("attempt", 0),
        ip=sandbox.get("ip"),
        host_network=sandbox.get("hostNetwork", False),
    )
