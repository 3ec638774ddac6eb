"""Owners and dependents: what becomes of objects whose owner is deleted.

In the background dependents are deleted once no owner is left; in the foreground before the owner goes; orphaned ones
lose their ownerReference. Source: pkg/controller/garbagecollector/garbagecollector.go (attemptToDeleteItem).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from podfsm.world.cluster.job import orphan
from podfsm.world.cluster.job_pods import FINALIZER
from podfsm.world.cluster.objects import FOREGROUND, ORPHAN, delete, without_finalizer
from podfsm.world.cluster.state import NO_KEYS, Thing
from podfsm.world.pod import PodWorld
from podfsm.world.step import Delete, Patch

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk


def collect(desk: Desk, uid: str) -> None:
    """Look at the dependents of an object that is gone or on its way out."""
    owner = desk.c.things.get(desk.c.uids.get(uid, ""))
    if owner is not None and not owner.deleting:
        return
    pods = desk.owned(uid)
    things = [desk.c.things[key] for key in sorted(desk.c.dependents.get(uid, NO_KEYS))]
    finalizers = (owner.metadata.get("finalizers") or ()) if owner is not None else ()
    if owner is None:
        _delete(desk, uid, pods, things, foreground=False)
    elif ORPHAN in finalizers:
        _let_go(desk, uid, pods, things)
        without_finalizer(desk, owner, ORPHAN)
    elif FOREGROUND in finalizers:
        if pods or things:
            _delete(desk, uid, pods, things, foreground=True)
        pods, things = desk.owned(uid), [desk.c.things[k] for k in desk.c.dependents.get(uid, NO_KEYS)]
        if not pods and not things:
            without_finalizer(desk, owner, FOREGROUND)


def _delete(desk: Desk, uid: str, pods: list[PodWorld], things: list[Thing], *, foreground: bool) -> None:
    for pod in pods:
        if _has_another_owner(desk, [o.uid for o in pod.api.metadata.ownerReferences], uid):
            continue
        if pod.api.metadata.deletionTimestamp is None:
            desk.pod(Delete(pod.key))
        if FINALIZER in pod.api.metadata.finalizers:
            orphan(desk, pod.key)
    for thing in things:
        owners = [str(o["uid"]) for o in thing.metadata.get("ownerReferences") or ()]
        if not thing.deleting and not _has_another_owner(desk, owners, uid):
            delete(desk, thing.key, "Foreground" if foreground else "Background")


def _has_another_owner(desk: Desk, owners: list[str], uid: str) -> bool:
    """Whether some other owner exists and stays."""
    others = (desk.c.things.get(desk.c.uids.get(owner, "")) for owner in owners if owner != uid)
    return any(other is not None and not other.deleting for other in others)


def _let_go(desk: Desk, uid: str, pods: list[PodWorld], things: list[Thing]) -> None:
    """Dependents that are orphaned lose the reference to this owner."""
    for pod in pods:
        kept: list[Any] = [o for o in pod.raw["metadata"]["ownerReferences"] if o.get("uid") != uid]
        desk.pod(Patch(pod.key, "merge", {"metadata": {"ownerReferences": kept or None}}))
    for thing in things:
        kept = [o for o in thing.metadata.get("ownerReferences") or () if o.get("uid") != uid]
        desk.put(evolve(thing, raw={**thing.raw, "metadata": {**thing.metadata, "ownerReferences": kept}}))
