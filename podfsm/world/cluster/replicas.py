"""ReplicaSets and ReplicationControllers: as many active Pods as they ask for.

Source: pkg/controller/replicaset/replica_set.go (syncReplicaSet, manageReplicas), replica_set_utils.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podfsm.rules.disruption_budget import ready
from podfsm.world.cluster.pods import (
    active,
    available,
    available_at,
    claim,
    delete_all,
    first_to_go,
    pod_of,
)
from podfsm.world.cluster.state import NO_KEYS, Thing
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

BURST = 500
"""How many Pods one sync creates or deletes at most. Source: replica_set.go (BurstReplicas)."""


def wanted(thing: Thing) -> int:
    """spec.replicas."""
    return int(thing.spec.get("replicas") or 0)


def sync(desk: Desk, key: str) -> None:
    """Create or delete Pods until their number is right, and say so in the status."""
    thing = desk.thing(key)
    if thing is None:
        return
    pods = claim(desk, thing)
    running = active(pods)
    if not thing.deleting:
        manage(desk, thing, running)
        pods = desk.owned(thing.uid)
    min_ready = float(thing.spec.get("minReadySeconds") or 0)
    desk.set_status(thing, _status(thing, pods, min_ready, desk.now))
    due = available_at((p.api for p in active(pods)), min_ready, desk.now)
    if due is not None:
        desk.later(thing.kind, key, due)


def manage(desk: Desk, thing: Thing, running: Sequence[PodWorld]) -> None:
    """Create what is missing, or delete the surplus, the least useful first."""
    missing = wanted(thing) - len(running)
    if missing > 0:
        for _ in range(min(missing, BURST)):
            desk.create_pod(pod_of(thing, thing.spec.get("template") or {}), f"{thing.name}-")
        if missing > BURST:
            desk.soon(thing.kind, thing.key)
    elif missing < 0:
        order = first_to_go(running, _sharing(desk, thing, running), desk.now)
        delete_all(desk, order[: min(-missing, BURST)])


def _sharing(desk: Desk, thing: Thing, running: Sequence[PodWorld]) -> dict[str, int]:
    """With how many Pods of the ReplicaSets of its Deployment each Pod shares its node. Without one: not counted."""
    owner = next((o for o in thing.metadata.get("ownerReferences") or () if o.get("controller")), None)
    if owner is None:
        return {}
    siblings = [desk.c.things[key] for key in desk.c.dependents.get(str(owner["uid"]), NO_KEYS)]
    related = [p for sibling in siblings if sibling.kind == thing.kind for p in active(desk.owned(sibling.uid))]
    on = Counter(p.api.spec.nodeName for p in related)
    return {p.key: on[p.api.spec.nodeName] for p in running}


def _status(thing: Thing, pods: Sequence[PodWorld], min_ready: float, now: float) -> Mapping[str, Any]:
    running = [p.api for p in active(pods)]
    figures = {
        "replicas": len(running),
        "fullyLabeledReplicas": sum(_fully_labelled(thing, p.metadata.labels) for p in running),
        "readyReplicas": sum(ready(p) for p in running),
        "availableReplicas": sum(available(p, min_ready, now) for p in running),
        "terminatingReplicas": sum(_terminating(p) for p in pods),
        "observedGeneration": thing.metadata.get("generation", 1),
    }
    return {name: count for name, count in figures.items() if count or name == "replicas"}


def _fully_labelled(thing: Thing, labels: Mapping[str, str]) -> bool:
    template = ((thing.spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    return all(labels.get(key) == value for key, value in template.items())


def _terminating(pod: PodWorld) -> bool:
    return pod.api.metadata.deletionTimestamp is not None and pod.api.status.phase not in ("Succeeded", "Failed")
