"""Snapshots and changes in a few words, for findings."""

from __future__ import annotations

from podfsm.kube.objects import ContainerState, ContainerStatus, Pod


def state_words(status: ContainerStatus) -> str:
    """`running #2`, `terminated Error(1) #0`, `waiting CrashLoopBackOff #3`; the number is restartCount."""
    return f"{_state(status.state)} #{status.restartCount}"


def _state(state: ContainerState) -> str:
    if state.running is not None:
        return "running"
    if state.terminated is not None:
        end = state.terminated
        return f"terminated {end.reason}({end.exitCode})"
    return f"waiting {state.waiting.reason}".rstrip() if state.waiting is not None else "no state"


def snapshot_words(pod: Pod) -> str:
    """The phase, conditions that matter and every container's state."""
    status = pod.status
    said = [f"phase {status.phase}" + (f" ({status.reason})" if status.reason else "")]
    said += [f"{c.type} {c.status}" + (f" {c.reason}" if c.reason else "") for c in status.conditions]
    statuses = status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses
    said += [f"{one.name} {state_words(one)}" for one in statuses]
    if pod.metadata.deletionTimestamp is not None:
        said.append("deleting")
    return ", ".join(said)


def change_words(before: Pod, after: Pod) -> str:
    """What is different, as `from -> to` for each part; the whole snapshot if nothing named here is."""
    old, new = _parts(before), _parts(after)
    said = [
        f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    return ", ".join(said) or snapshot_words(after)


def _parts(pod: Pod) -> dict[str, str]:
    status, metadata = pod.status, pod.metadata
    parts = {
        "phase": status.phase,
        "reason": status.reason,
        "nodeName": pod.spec.nodeName,
        "restartPolicy": pod.spec.restartPolicy,
        "generation": str(metadata.generation),
        "deletionTimestamp": str(metadata.deletionTimestamp or ""),
        "grace": str(metadata.deletionGracePeriodSeconds),
        "startTime": str(status.startTime or ""),
        "observedGeneration": str(status.observedGeneration),
        "qosClass": status.qosClass,
    }
    parts = {name: value for name, value in parts.items() if value and value != "None"}
    for condition in status.conditions:
        since = f" since {condition.lastTransitionTime:%H:%M:%S}" if condition.lastTransitionTime else ""
        parts[condition.type] = f"{condition.status}{' ' if condition.reason else ''}{condition.reason}{since}"
    for one in status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses:
        last = f" after {_state(one.lastState)}" if one.lastState.terminated is not None else ""
        instance = f" {one.containerID[-6:]}" if one.containerID else ""
        parts[one.name] = f"{state_words(one)}{instance}{last}"
    return parts
