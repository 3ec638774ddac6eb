"""PodGC's pass over the Pods that nobody else would end (`podfsm.rules.deletion_gc` says which).

Only Pods that were noticed as suspects are looked at, and all finished ones if there are more than the threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod, PodCondition
from podfsm.rules.deletion_gc import Collected, collect, first_missed, threshold
from podfsm.rules.disruption_target import Cause, disruption_reason
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.watch import look_for_garbage
from podfsm.world.outside import Report
from podfsm.world.pod import PodWorld
from podfsm.world.step import Delete

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_ORPHAN = PodCondition("DisruptionTarget", "True", disruption_reason(Cause.POD_GC), "PodGC: node no longer exists")


def sweep(desk: Desk, _key: str) -> None:
    """One pass; another follows as long as there are suspects."""
    limit = threshold(None)
    crowded = limit is not None and len(desk.c.finished) > limit
    keys = {*desk.c.suspects, *(desk.c.finished if crowded else ())}
    pods = [pod for key in sorted(keys) if (pod := desk.world.pods[key]).exists]
    missed = first_missed((pod.api for pod in pods), desk.c.nodes, dict(desk.c.missed), desk.now)
    desk.c.missed = type(desk.c.missed)(missed)
    since = {name: desk.now - first for name, first in missed.items()}
    nodes = {name: state.node for name, state in desk.c.nodes.items()}
    for namespace, mine in _by_namespace(pods).items():
        for found in collect(mine, nodes, since, limit if crowded else None, desk.m.gates):
            _remove(desk, f"{namespace}/{found.name}", found)
    if any(_pending(desk.world.pods[key]) for key in desk.c.suspects):
        look_for_garbage(desk)


def _pending(pod: PodWorld) -> bool:
    """Whether a later pass could still do something; what only finalizers keep is not PodGC's any more."""
    done = pod.api.status.phase in TERMINAL and pod.api.metadata.deletionTimestamp is not None
    return pod.exists and not done


def _by_namespace(pods: Iterable[PodWorld]) -> Mapping[str, list[Pod]]:
    groups: dict[str, list[Pod]] = {}
    for pod in pods:
        groups.setdefault(pod.api.metadata.namespace, []).append(pod.api)
    return groups


def _remove(desk: Desk, key: str, found: Collected) -> None:
    announced = found.disruption_target and desk.m.gates.on("PodDisruptionConditions")
    if found.marked_failed:
        desk.pod(Report(key, (_ORPHAN,) if announced else (), phase="Failed"))
    if desk.world.pods[key].exists:
        desk.pod(Delete(key, 0))
