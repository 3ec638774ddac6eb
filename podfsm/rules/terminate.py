"""The last status of a Pod: what nobody saw end is recorded as such, and the phase becomes terminal (TerminatePod)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podfsm.engine.versions import Gates
from podfsm.kube.objects import ContainerStatus, Pod, PodStatus
from podfsm.rules.phase import final_phase, is_static
from podfsm.rules.sidecar import is_sidecar
from podfsm.rules.termination import final_state


def terminate_status(pod: Pod, *, gates: Gates, last: PodStatus | None = None) -> PodStatus:
    """The status of a Pod none of whose containers can run any more, from the `last` one the kubelet kept.

    Whether the Pod had initialized is judged by `pod.status`, the API's as the Pod worker took it up; it may be older.
    """
    status = pod.status if last is None else last
    apps = tuple(_ended(one, initialized(pod, gates)) for one in status.containerStatuses)
    reached = _reached(status.initContainerStatuses)
    init = tuple(_ended(one, index < reached) for index, one in enumerate(status.initContainerStatuses))
    phase = final_phase(status.phase, is_static(pod.metadata))
    return msgspec.structs.replace(status, phase=phase, containerStatuses=apps, initContainerStatuses=init)


def _ended(status: ContainerStatus, began: bool) -> ContainerStatus:
    state = final_state(status.state, began)
    return status if state is status.state else msgspec.structs.replace(status, state=state)


def initialized(pod: Pod, gates: Gates) -> bool:
    """Whether the Pod got past its init containers: an app container left waiting, or the last init entry is done."""
    if not pod.spec.initContainers:
        return True
    status = pod.status
    for one in status.containerStatuses:
        if one.lastState.terminated is not None or one.state.waiting is None:
            return True
    count = len(status.initContainerStatuses)
    if count == 0 or count > len(pod.spec.initContainers):
        return False
    last = status.initContainerStatuses[-1]
    container = next((c for c in pod.spec.initContainers if c.name == last.name), None)
    if container is None:
        return False
    if is_sidecar(container, gates):
        return last.state.running is not None and last.started is True
    ends = (last.state.terminated, last.lastState.terminated)
    return any(end is not None and end.exitCode == 0 for end in ends)


def _reached(init: Sequence[ContainerStatus]) -> int:
    """How many init containers may have run: up to the last one that shows a start, and at least the first."""
    for index in range(len(init), 0, -1):
        one = init[index - 1]
        if one.state.waiting is None or one.lastState.terminated is not None:
            return index
    return min(1, len(init))
