"""Deadlines, grace periods and the order of stopping over plain JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.objects import Pod, PodSpec
from podfsm.kube.times import seconds_of
from podfsm.rules.deadline import after_deadline, exceeded
from podfsm.rules.grace import container_grace, effective_grace
from podfsm.rules.stop_order import waits_for, waves


@evaluator("active-deadline")
def active_deadline(given: dict[str, Any], _gates: Gates) -> dict[str, Any]:
    """Whether the Pod's deadline has passed, and what its status then says."""
    pod = msgspec.convert(given["pod"], Pod)
    if not exceeded(pod, seconds_of(msgspec.convert(given["now"], datetime))):
        return {"exceeded": False}
    phase, reason, message = after_deadline(pod.status.phase, True)
    return {"exceeded": True, "phase": phase, "statusReason": reason, "statusMessage": message}


@evaluator("effective-grace-period")
def effective_grace_period(given: dict[str, Any], _gates: Gates) -> dict[str, Any]:
    """The Pod worker's grace period, and whether it was shortened."""
    grace, shortened = effective_grace(
        given["currentGracePeriodSeconds"],
        given.get("terminationGracePeriodSeconds"),
        given.get("deletionGracePeriodSeconds"),
        given.get("evictionOverrideSeconds"),
    )
    return {"gracePeriodSeconds": grace, "shortened": shortened}


@evaluator("container-grace-period")
def container_grace_period(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """The grace period of one container's stop, before preStop."""
    pod = msgspec.convert(given["pod"], Pod)
    entries = (*pod.spec.containers, *pod.spec.initContainers, *pod.spec.ephemeralContainers)
    container = next((entry for entry in entries if entry.name == given["container"]), None)
    if container is None:
        raise msgspec.ValidationError(f"no container {given['container']!r} in the spec")
    grace = container_grace(
        pod.spec,
        container,
        deletion_grace=pod.metadata.deletionGracePeriodSeconds,
        kill_reason=given.get("killReason", ""),
        gates=gates,
    )
    return {"gracePeriodSeconds": grace}


@evaluator("termination-order")
def termination_order(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """Whom each running container waits for, and who stops together."""
    spec = msgspec.convert(given["spec"], PodSpec)
    running = given.get("running") or []
    waiting = {name: sorted(waits_for(spec, name, running, gates)) for name in running}
    return {
        "waitsFor": {name: others for name, others in waiting.items() if others},
        "waves": [list(wave) for wave in waves(spec, running, gates)],
    }
