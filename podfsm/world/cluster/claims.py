"""Which Pods an object controls: it adopts those that match its selector and releases those that no longer do.

Only Pods that have changed since it looked last are looked at again (`ClusterDraft.unclaimed`): nothing else can have
come to match, or ceased to. Source: pkg/controller/controller_ref_manager.go (ClaimPods).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod
from podfsm.kube.selector import matches
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.indexes import with_key
from podfsm.world.cluster.pods import reference
from podfsm.world.cluster.state import NO_KEYS, ClusterDraft, Thing
from podfsm.world.pod import PodWorld
from podfsm.world.step import Patch

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk


def claim(desk: Desk, thing: Thing) -> list[PodWorld]:
    """The Pods an object controls, after it has adopted and released what is to be."""
    settle(desk, thing)
    return [pod for pod in desk.owned(thing.uid) if _controls(thing, pod.api)]


def settle(desk: Desk, thing: Thing) -> None:
    """Adopt and release. An object that is being deleted does neither."""
    keys = desk.c.unclaimed.get(thing.key)
    if keys is None or thing.deleting:
        return
    desk.c.unclaimed = desk.c.unclaimed.delete(thing.key)
    pods = [desk.world.pods[key] for key in sorted(keys)]
    for pod in pods:
        if pod.exists and _controls(thing, pod.api) and not matches(thing.selector, pod.api.metadata.labels):
            kept = [o for o in pod.raw["metadata"].get("ownerReferences") or () if o.get("uid") != thing.uid]
            desk.pod(Patch(pod.key, "merge", {"metadata": {"ownerReferences": kept or None}}))
    for pod in pods:
        if pod.exists and pod.key in desk.c.orphans and adoptable(thing, pod.api):
            kept = [*(pod.raw["metadata"].get("ownerReferences") or ()), reference(thing)]
            desk.pod(Patch(pod.key, "merge", {"metadata": {"ownerReferences": kept}}))


def _controls(thing: Thing, pod: Pod) -> bool:
    return any(owner.uid == thing.uid and owner.controller for owner in pod.metadata.ownerReferences)


def adoptable(thing: Thing, pod: Pod) -> bool:
    """Whether an object may take a Pod that nobody controls."""
    if pod.metadata.namespace != thing.namespace or pod.metadata.deletionTimestamp is not None:
        return False
    return pod.status.phase not in TERMINAL and matches(thing.selector, pod.metadata.labels)


def reconsider(c: ClusterDraft, thing: str, pod: str) -> None:
    """Have an object look at a Pod when its turn comes; both by key."""
    c.unclaimed = with_key(c.unclaimed, thing, pod)


def reconsider_all(c: ClusterDraft, thing: Thing) -> None:
    """An object is new, or its selector: every Pod that it has or may have is to be looked at."""
    keys = c.unclaimed.get(thing.key, NO_KEYS)
    for key in (*c.owned.get(thing.uid, NO_KEYS), *c.orphans):
        keys = keys.set(key, None)
    c.unclaimed = c.unclaimed.set(thing.key, keys)
