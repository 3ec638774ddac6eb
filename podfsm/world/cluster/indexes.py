"""The indexes of a cluster, kept up to date from one change of a Pod or an object to the next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil
from typing import Any, TypeVar

from immutables import Map

from podfsm.kube.objects import PodSpec
from podfsm.kube.resources import pod_requests
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.resize_conditions import INFEASIBLE, is_pending
from podfsm.rules.resize_pending import counted
from podfsm.world.allocation import NO_RESIZE, Resources
from podfsm.world.cluster.state import NO_KEYS, ClusterDraft, Keys, Thing, Use
from podfsm.world.cluster.tallies import count
from podfsm.world.pod import PodWorld

G = TypeVar("G")
Index = Map[G, Keys]


def with_key(index: Index[G], group: G, key: str) -> Index[G]:
    """The index with a key in a group."""
    return index.set(group, index.get(group, NO_KEYS).set(key, None))


def without_key(index: Index[G], group: G, key: str) -> Index[G]:
    """The index without a key in a group; empty groups go."""
    keys = index.get(group)
    if keys is None or key not in keys:
        return index
    left = keys.delete(key)
    return index.set(group, left) if left else index.delete(group)


def owners(pod: PodWorld | None) -> frozenset[str]:
    """The uids of a Pod's owners."""
    return frozenset(owner.uid for owner in pod.api.metadata.ownerReferences) if pod is not None else frozenset()


def uses_node(pod: PodWorld | None) -> str:
    """The node on which a Pod takes up resources: it is bound there and has not finished."""
    if pod is None or pod.api.status.phase in TERMINAL:
        return ""
    return pod.api.spec.nodeName


def index_pod(c: ClusterDraft, before: PodWorld | None, pod: PodWorld) -> None:
    """Note a Pod that was created, changed or removed. `before` is None if it did not exist."""
    key = pod.key
    after = pod if pod.exists else None
    if before is None and after is not None:
        c.requests = c.requests.set(key, requests_of(pod))
        if (after.api.spec.affinity or {}).get("podAntiAffinity"):
            c.picky = c.picky.set(key, None)
        if host_ports(after.api.spec):
            c.ports = c.ports.set(key, None)
    _index_owners(c, key, before, after)
    count(c, before.api if before is not None else None, after.api if after is not None else None)
    old, new = (p.api.spec.nodeName if p is not None else "" for p in (before, after))
    if old != new:
        c.on_node = without_key(c.on_node, old, key) if old else c.on_node
        c.on_node = with_key(c.on_node, new, key) if new else c.on_node
    old, new = uses_node(before), uses_node(after)
    if old != new:
        if old:
            _use(c, old, c.requests[key], -1)
        if new:
            _use(c, new, c.requests[key], 1)
    _index_finished(c, key, after)
    if after is None:
        c.requests = c.requests.delete(key) if key in c.requests else c.requests
        c.picky = c.picky.delete(key) if key in c.picky else c.picky
        c.ports = c.ports.delete(key) if key in c.ports else c.ports


def requests_of(pod: PodWorld) -> Mapping[str, int]:
    """What the scheduler counts for a Pod: what it asks for, or has while it is resized (rule resize-accounting)."""
    r, wanted = pod.resizing, amounts_of(pod)
    if r.allocated is None:
        return wanted
    infeasible = r.pending is not None and is_pending(r.pending, INFEASIBLE)
    amounts: Mapping[str, int] = counted(wanted, amounts_of(pod, r.allocated), _actual(pod), infeasible)
    return amounts


def held_by(pod: PodWorld) -> Mapping[str, int]:
    """What the kubelet counts for a Pod: what is allocated to it, or what it has as long as that is more."""
    allocated = amounts_of(pod, pod.resizing.allocated)
    amounts: Mapping[str, int] = counted({}, allocated, _actual(pod), True)
    return amounts


def _actual(pod: PodWorld) -> Mapping[str, int]:
    r = pod.resizing
    return amounts_of(pod, {**(r.allocated or {}), **r.actual}) if r.actual else {}


def amounts_of(pod: PodWorld, resources: Resources | None = None) -> Mapping[str, int]:
    """What a Pod asks a node for; `resources` stand for those of its containers."""
    spec = pod.raw.get("spec") or {}
    if resources is not None:
        spec = {
            **spec,
            **{group: _given(spec.get(group) or (), resources) for group in ("containers", "initContainers")},
        }
    return {name: in_units(name, each.amount) for name, each in pod_requests(spec).items()}


def _given(containers: Iterable[Mapping[str, Any]], resources: Resources) -> list[dict[str, Any]]:
    given = []
    for container in containers:
        one = resources.get(container["name"])
        given.append({**container, "resources": {} if one is None else {"requests": one.requests}})
    return given


def recount(c: ClusterDraft, pod: PodWorld) -> bool:
    """Count a Pod anew that is being resized; whether less is counted for it than before."""
    old = c.requests.get(pod.key)
    if old is None or (pod.resizing is NO_RESIZE or not pod.exists):
        return False
    new = requests_of(pod)
    if new == old:
        return False
    c.requests = c.requests.set(pod.key, new)
    if node := uses_node(pod):
        _use(c, node, old, -1)
        _use(c, node, new, 1)
    return any(new.get(name, 0) < amount for name, amount in old.items())


def host_ports(spec: PodSpec) -> frozenset[tuple[int, str]]:
    """The ports of the node that the Pod's containers take."""
    return frozenset(
        (port.hostPort, port.protocol or "TCP")
        for container in (*spec.containers, *spec.initContainers)
        for port in container.ports
        if port.hostPort
    )


def _index_owners(c: ClusterDraft, key: str, before: PodWorld | None, after: PodWorld | None) -> None:
    old, new = owners(before), owners(after)
    for uid in old - new:
        c.owned = without_key(c.owned, uid, key)
    for uid in new - old:
        c.owned = with_key(c.owned, uid, key)
    controlled = after is None or any(owner.controller for owner in after.api.metadata.ownerReferences)
    if controlled:
        c.orphans = c.orphans.delete(key) if key in c.orphans else c.orphans
    elif key not in c.orphans:
        c.orphans = c.orphans.set(key, None)


def _index_finished(c: ClusterDraft, key: str, after: PodWorld | None) -> None:
    if after is not None and after.api.status.phase in TERMINAL:
        if key not in c.finished:
            c.finished = c.finished.set(key, None)
    elif key in c.finished:
        c.finished = c.finished.delete(key)


def in_units(name: str, amount: Fraction) -> int:
    """An amount as the scheduler counts it: CPU in thousandths, all else in whole units, rounded up."""
    return ceil(amount * 1000) if name == "cpu" else ceil(amount)


def _use(c: ClusterDraft, node: str, requests: Mapping[str, int], sign: int) -> None:
    used = c.used.get(node) or Use()
    amounts = dict(used.amounts)
    for name, asked in requests.items():
        amounts[name] = amounts.get(name, 0) + sign * asked
    c.used = c.used.set(node, Use(amounts, used.pods + sign))


def index_thing(c: ClusterDraft, before: Thing | None, after: Thing | None) -> None:
    """Note an object that was created, changed or removed."""
    thing = after or before
    assert thing is not None
    if before is None:
        c.kinds = with_key(c.kinds, thing.kind, thing.key)
        c.uids = c.uids.set(thing.uid, thing.key)
    if after is None:
        c.kinds = without_key(c.kinds, thing.kind, thing.key)
        c.uids = c.uids.delete(thing.uid)
    old, new = frozenset(owner_uids(before)), frozenset(owner_uids(after))
    for uid in old - new:
        c.dependents = without_key(c.dependents, uid, thing.key)
    for uid in new - old:
        c.dependents = with_key(c.dependents, uid, thing.key)


def owner_uids(thing: Thing | None) -> Iterable[str]:
    """The uids of an object's owners."""
    if thing is None:
        return ()
    return [str(owner.get("uid") or "") for owner in thing.metadata.get("ownerReferences") or ()]
