"""What a look at a Pod may see."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import ContainerStatus, Pod, PodCondition


@frozen
class Look:
    """What a look may see."""

    pod: Pod
    gates: Gates
    conditions: dict[str, PodCondition]
    now: datetime | None = None
    """The present, if it is known: what is overdue is said to be."""


def lost(look: Look) -> bool:
    """Whether the node is lost: the kubelet never writes Ready False without a reason."""
    ready = look.conditions.get("Ready")
    return look.pod.status.reason == "NodeLost" or (ready is not None and ready.status == "False" and not ready.reason)


def statuses_of(pod: Pod) -> tuple[ContainerStatus, ...]:
    """The statuses of init and app containers."""
    return pod.status.initContainerStatuses + pod.status.containerStatuses
