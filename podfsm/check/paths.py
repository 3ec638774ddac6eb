"""The nearest legal way from one visible state of a container to another, through the machines of specs/machines."""

from __future__ import annotations

from collections import deque
from functools import lru_cache

from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.machines import machine_spec

_WAITING = {
    "CrashLoopBackOff": "BackOff",
    "ErrImagePull": "ImageBackOff",
    "ImagePullBackOff": "ImageBackOff",
    "CreateContainerConfigError": "Blocked",
    "CreateContainerError": "Blocked",
}


def path_between(before: Pod, after: Pod, name: str) -> tuple[str, ...]:
    """States and triggers, in turn, from how a container was to how it is; empty if there is no way."""
    machine, was = _found(before, name)
    _, now = _found(after, name)
    if was is None or now is None:
        return ()
    return nearest_path(machine, _state(was), _state(now))


def _found(pod: Pod, name: str) -> tuple[str, ContainerStatus | None]:
    sidecars = {entry.name for entry in pod.spec.initContainers if entry.restartPolicy == "Always"}
    status = pod.status
    for one in status.containerStatuses:
        if one.name == name:
            return "container", one
    for one in status.initContainerStatuses:
        if one.name == name:
            return ("sidecar_container" if name in sidecars else "init_container"), one
    found = next((one for one in status.ephemeralContainerStatuses if one.name == name), None)
    return "ephemeral_container", found


def _state(status: ContainerStatus) -> str:
    if status.state.running is not None:
        return "Running"
    if status.state.terminated is not None:
        return "Exited"
    reason = status.state.waiting.reason if status.state.waiting is not None else ""
    return _WAITING.get(reason, "Waiting")


@lru_cache(maxsize=256)
def nearest_path(machine: str, source: str, dest: str) -> tuple[str, ...]:
    """The shortest way between two states of a machine, whatever its guards say; empty if there is none."""
    spec = machine_spec(machine)
    if source not in spec.state_names or dest not in spec.state_names:
        return ()
    arrows: dict[str, list[tuple[str, str]]] = {}
    for begin, end, row in spec.arrows():
        arrows.setdefault(begin, []).append((row.trigger, end))
    queue: deque[tuple[str, ...]] = deque([(source,)])
    visited = {source}
    while queue:
        path = queue.popleft()
        for trigger, state in arrows.get(path[-1], ()):
            if state == dest:
                return (*path, trigger, state)
            if state not in visited:
                visited.add(state)
                queue.append((*path, trigger, state))
    return ()
