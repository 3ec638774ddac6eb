"""Small Pods and statuses for the examples of the rules about instances."""

from __future__ import annotations

from podfsm.kube.objects import (
    NO_STATE,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.condition_list import NETWORK


def pod(*apps: ContainerStatus, sandbox_since: float | None = None) -> Pod:
    """A small Pod for the examples."""
    network = PodCondition(
        NETWORK, "True", lastTransitionTime=None if sandbox_since is None else instant(sandbox_since)
    )
    conditions = () if sandbox_since is None else (network,)
    return Pod(metadata=ObjectMeta(uid="u"), status=PodStatus(containerStatuses=apps, conditions=conditions))


def runs(instance_id: str, since: float = 20.0, count: int = 0, last: ContainerState = NO_STATE) -> ContainerStatus:
    """An instance that runs; times in seconds."""
    state = ContainerState(running=ContainerStateRunning(startedAt=instant(since)))
    return ContainerStatus("app", state, last, containerID=instance_id, restartCount=count)


def end(instance_id: str = "1", since: float = 2.0, until: float = 9.0, code: int = 1) -> ContainerState:
    """The end of an instance that failed, unless another exit code is given."""
    found = ContainerStateTerminated(
        code, reason="Error", startedAt=instant(since), finishedAt=instant(until), containerID=instance_id
    )
    return ContainerState(terminated=found)


def ended(instance_id: str = "1", count: int = 0, code: int = 1) -> ContainerStatus:
    """An instance that has ended."""
    return ContainerStatus("app", end(instance_id, code=code), containerID=instance_id, restartCount=count)
