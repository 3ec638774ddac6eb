"""ReplicaSets and ReplicationControllers: as many active Pods as they ask for.

Source: pkg/controller/replicaset/replica_set.go (syncReplicaSet, manageReplicas), replica_set_utils.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from podfsm.world.cluster import namespaces
from podfsm.world.cluster.claims import settle
from podfsm.world.cluster.pods import (
    active,
    available,
    available_at,
    delete_all,
    first_to_go,
    pod_of,
)
from podfsm.world.cluster.state import NO_KEYS, Thing
from podfsm.world.cluster.tallies import NOTHING
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
    settle(desk, thing)
    if not thing.deleting:
        manage(desk, thing)
    min_ready = float(thing.spec.get("minReadySeconds") or 0)
    running = active(desk.owned(thing.uid)) if min_ready else ()
    desk.set_status(thing, _status(desk, thing, running, min_ready))
    due = available_at((p.api for p in running), min_ready, desk.now)
    if due is not None:
        desk.later(thing.kind, key, due)


def manage(desk: Desk, thing: Thing) -> None:
    """Create what is missing, or delete the surplus, the least useful first."""
    missing = wanted(thing) - desk.c.tallies.get(thing.uid, NOTHING).active
    if missing > 0 and not namespaces.refused(desk, thing.namespace):
        for _ in range(min(missing, BURST)):
            desk.create_pod(pod_of(thing, thing.spec.get("template") or {}), f"{thing.name}-")
        if missing > BURST:
            desk.soon(thing.kind, thing.key)
    elif missing < 0:
        running = active(desk.owned(thing.uid))
        delete_all(desk, first_to_go(running, _sharing(desk, thing, running), desk.now, min(-missing, BURST)))


def _sharing(desk: Desk, thing: Thing, running: Sequence[PodWorld]) -> dict[str, int]:
    """With how many Pods of the ReplicaSets of its Deployment each Pod shares its node. Without one: not counted."""
    owner = next((o for o in thing.metadata.get("ownerReferences") or () if o.get("controller")), None)
    if owner is None:
        return {}
    siblings = (desk.c.things[key] for key in desk.c.dependents.get(str(owner["uid"]), NO_KEYS))
    tallies = [desk.c.tallies.get(each.uid, NOTHING) for each in siblings if each.kind == thing.kind]
    nodes = {p.api.spec.nodeName for p in running}
    on = {node: sum(tally.nodes.get(node, 0) for tally in tallies) for node in nodes}
    return {p.key: on[p.api.spec.nodeName] for p in running}


def _status(desk: Desk, thing: Thing, running: Sequence[PodWorld], min_ready: float) -> Mapping[str, Any]:
    """`running` is needed only where a Pod is not available as soon as it is Ready."""
    tally = desk.c.tallies.get(thing.uid, NOTHING)
    template = (((thing.spec.get("template") or {}).get("metadata") or {}).get("labels") or {}).items()
    figures = {
        "replicas": tally.active,
        "fullyLabeledReplicas": sum(count for labels, count in tally.labels.items() if labels >= template),
        "readyReplicas": tally.ready,
        "availableReplicas": sum(available(p.api, min_ready, desk.now) for p in running) if min_ready else tally.ready,
        "terminatingReplicas": tally.terminating,
        "observedGeneration": thing.metadata.get("generation", 1),
    }
    return {name: count for name, count in figures.items() if count or name == "replicas"}
