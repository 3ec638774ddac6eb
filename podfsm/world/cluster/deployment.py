"""Deployments: a ReplicaSet for each template, and moving Pods from the old ones to the new one.

How far a rollout may go in one step is a matter of `podfsm.rules.rollout`. Source: pkg/controller/deployment
(syncDeployment, sync.go, recreate.go, rolling.go, progress.go).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.rollout import Limits, Sized, grown, rolling_limits, shared, shrunk
from podfsm.world.cluster import namespaces
from podfsm.world.cluster.desk import stamp
from podfsm.world.cluster.naming import template_hash
from podfsm.world.cluster.objects import make, remove_background
from podfsm.world.cluster.pods import condition, reference, seconds
from podfsm.world.cluster.state import NO_KEYS, Thing

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"


@frozen
class Sets:
    """A Deployment's ReplicaSets: the one with its template, if there is one, and the others, oldest first."""

    new: Thing | None
    old: tuple[Thing, ...]

    @property
    def every(self) -> tuple[Thing, ...]:
        """All of them."""
        return (*self.old, self.new) if self.new is not None else self.old


def sync(desk: Desk, key: str) -> None:
    """Bring a Deployment one step closer to its template and its number of Pods."""
    thing = desk.thing(key)
    if thing is None:
        return
    sets = find_sets(desk, thing)
    if not thing.deleting and (sets.new is not None or not namespaces.refused(desk, thing.namespace)):
        if thing.spec.get("paused") or _scaled(sets, thing):
            _scale(desk, thing, sets)
        elif (thing.spec.get("strategy") or {}).get("type") == "Recreate":
            _recreate(desk, thing, sets)
        else:
            _roll(desk, thing, sets)
        sets = find_sets(desk, thing)
        _clean_up(desk, thing, sets)
    status = _status(desk, thing, find_sets(desk, thing))
    desk.set_status(desk.c.things.get(key, thing), status)


def find_sets(desk: Desk, thing: Thing) -> Sets:
    """The ReplicaSets that the Deployment controls."""
    mine = [desk.c.things[key] for key in desk.c.dependents.get(thing.uid, NO_KEYS)]
    mine = sorted((each for each in mine if each.kind == "ReplicaSet"), key=lambda each: each.number)
    template = _comparable(thing.spec.get("template") or {})
    new = next((each for each in mine if _comparable(each.spec.get("template") or {}) == template), None)
    return Sets(new, tuple(each for each in mine if each is not new))


def limits_of(spec: Mapping[str, Any]) -> Limits:
    """The limits of a Deployment with defaults; with Recreate nothing is surge, and nothing has to stay available."""
    wanted = int(spec.get("replicas") or 0)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return Limits(wanted, 0, 0)
    rolling = strategy.get("rollingUpdate") or {}
    limits: Limits = rolling_limits(wanted, rolling.get("maxSurge", 0), rolling.get("maxUnavailable", 0))
    return limits


def _sized(each: Thing) -> Sized:
    known = (each.metadata.get("annotations") or {}).get(DESIRED)
    available = int(each.status.get("availableReplicas", 0))
    return Sized(each.key, _size(each), available, each.number, int(known) if known is not None else None)


def _size(each: Thing) -> int:
    return int(each.spec.get("replicas") or 0)


def _sizes(sets: Iterable[Thing]) -> dict[str, int]:
    """spec.replicas of ReplicaSets, by key."""
    return {each.key: _size(each) for each in sets}


def _counted(sets: Iterable[Thing], name: str) -> int:
    """The sum of a figure in the statuses of ReplicaSets."""
    return sum(int(each.status.get(name, 0)) for each in sets)


def _comparable(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """A template without the label that the controller adds."""
    metadata = dict(template.get("metadata") or {})
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _new_set(desk: Desk, thing: Thing, sets: Sets, replicas: int) -> Thing:
    """The ReplicaSet of the present template, created if need be, with the newest revision."""
    revision = 1 + max((_revision(each) for each in sets.old), default=0)
    if sets.new is not None:
        if _revision(sets.new) < revision:
            annotations = {**(sets.new.metadata.get("annotations") or {}), REVISION: str(revision)}
            metadata = {**sets.new.metadata, "annotations": annotations}
            changed = evolve(sets.new, raw={**sets.new.raw, "metadata": metadata})
            desk.put(changed)
            return changed
        return sets.new
    template = thing.spec.get("template") or {}
    mark = template_hash(_comparable(template))
    labels = {**((template.get("metadata") or {}).get("labels") or {}), HASH: mark}
    selector = thing.spec.get("selector") or {}
    spec = {
        "replicas": replicas,
        "minReadySeconds": thing.spec.get("minReadySeconds") or 0,
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH: mark}},
        "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
    }
    metadata = {
        "name": f"{thing.name}-{mark}",
        "namespace": thing.namespace,
        "labels": labels,
        "annotations": {REVISION: str(revision)},
        "ownerReferences": [reference(thing)],
    }
    raw = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec}
    return make(desk, raw)


def _revision(thing: Thing) -> int:
    found = (thing.metadata.get("annotations") or {}).get(REVISION, "0")
    return int(found) if found.isdigit() else 0


def _roll(desk: Desk, thing: Thing, sets: Sets) -> None:
    """RollingUpdate: up with the new one as far as the surge lets it; otherwise down with the old ones."""
    limits = limits_of(thing.spec)
    sizes = _sizes(sets.every)
    if sets.new is None:
        _new_set(desk, thing, sets, grown(limits, 0, sum(sizes.values())))
        return
    new = _new_set(desk, thing, sets, 0)
    size = grown(limits, sizes[new.key], sum(sizes.values()))
    if size != sizes[new.key]:
        _resize(desk, new, size)
        return
    for old, smaller in shrunk(limits, _sized(new), [_sized(each) for each in sets.old]).items():
        _resize(desk, desk.c.things[old], smaller)


def _recreate(desk: Desk, thing: Thing, sets: Sets) -> None:
    """Recreate: the new one starts only when no Pod of the old ones is left."""
    sizes = _sizes(sets.every)
    wanted = int(thing.spec.get("replicas") or 0)
    shrinking = [old for old in sets.old if sizes[old.key]]
    for old in shrinking:
        _resize(desk, old, 0)
    if shrinking or any(_left(desk, old) for old in sets.old):
        return
    new = _new_set(desk, thing, sets, wanted)
    if new.spec.get("replicas") != wanted:
        _resize(desk, new, wanted)


def _left(desk: Desk, old: Thing) -> bool:
    """Whether a Pod of an old ReplicaSet still may run; finished ones do not count."""
    return any(pod.api.status.phase not in TERMINAL for pod in desk.owned(old.uid))


def _scaled(sets: Sets, thing: Thing) -> bool:
    """Whether the Deployment's size was changed since its ReplicaSets were last sized."""
    wanted = str(int(thing.spec.get("replicas") or 0))
    return any(
        (each.metadata.get("annotations") or {}).get(DESIRED, wanted) != wanted
        for each in sets.every
        if each.spec.get("replicas")
    )


def _scale(desk: Desk, thing: Thing, sets: Sets) -> None:
    """A new size is shared among the ReplicaSets that have Pods, in proportion."""
    new = _sized(sets.new) if sets.new is not None else None
    rolling = (thing.spec.get("strategy") or {}).get("type") != "Recreate"
    sizes = shared(limits_of(thing.spec), new, [_sized(each) for each in sets.old], rolling=rolling)
    for key, size in sizes.items():
        _resize(desk, desk.c.things[key], size)
    wanted = int(thing.spec.get("replicas") or 0)
    for each in find_sets(desk, thing).every:
        _note_size(desk, each, wanted)


def _resize(desk: Desk, each: Thing, size: int) -> None:
    metadata = {**each.metadata, "generation": int(each.metadata.get("generation", 1)) + 1}
    desk.put(evolve(each, raw={**each.raw, "metadata": metadata, "spec": {**each.spec, "replicas": size}}))


def _note_size(desk: Desk, each: Thing, wanted: int) -> None:
    annotations = each.metadata.get("annotations") or {}
    if annotations.get(DESIRED) != str(wanted):
        metadata = {**each.metadata, "annotations": {**annotations, DESIRED: str(wanted)}}
        desk.put(evolve(each, raw={**each.raw, "metadata": metadata}))


def _clean_up(desk: Desk, thing: Thing, sets: Sets) -> None:
    """Old ReplicaSets beyond the history limit go, the oldest first; and each set knows the size that was asked for."""
    for each in sets.every:
        _note_size(desk, desk.c.things[each.key], int(thing.spec.get("replicas") or 0))
    limit = thing.spec.get("revisionHistoryLimit")
    if limit is None or not _complete(thing, thing.status):
        return
    empty = [old for old in sets.old if not old.spec.get("replicas") and not old.status.get("replicas")]
    surplus = len(sets.old) - int(limit)
    for old in sorted(empty, key=_revision)[: max(0, surplus)]:
        remove_background(desk, old)


def _complete(thing: Thing, status: Mapping[str, Any]) -> bool:
    wanted = int(thing.spec.get("replicas") or 0)
    counts = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(count == wanted for count in counts)


def _status(desk: Desk, thing: Thing, sets: Sets) -> Mapping[str, Any]:
    every, new = sets.every, sets.new
    total = _counted(every, "replicas")
    available = _counted(every, "availableReplicas")
    figures = {
        "replicas": total,
        "updatedReplicas": _counted((new,) if new is not None else (), "replicas"),
        "readyReplicas": _counted(every, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(_sizes(every).values()) - available),
        "observedGeneration": thing.metadata.get("generation", 1),
    }
    status: dict[str, Any] = {name: count for name, count in figures.items() if count}
    status["conditions"] = [_available(desk, thing, available), _progressing(desk, thing, status, new)]
    return status


def _available(desk: Desk, thing: Thing, available: int) -> Mapping[str, Any]:
    limits = limits_of(thing.spec)
    enough = available >= limits.wanted - limits.unavailable
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    return _condition(desk, thing, "Available", "True" if enough else "False", reason)


def _progressing(desk: Desk, thing: Thing, status: Mapping[str, Any], new: Thing | None) -> Mapping[str, Any]:
    """Progressing: True while something moves or all is done; False when nothing has moved for the deadline."""
    old = condition(thing.status, "Progressing")
    if _complete(thing, status):
        return _condition(desk, thing, "Progressing", "True", "NewReplicaSetAvailable")
    deadline = thing.spec.get("progressDeadlineSeconds")
    moved = old is None or _figures(status) != _figures(thing.status) or old.get("reason") == "NewReplicaSetAvailable"
    if moved:
        reason = "ReplicaSetUpdated" if new is not None else "NewReplicaSetCreated"
        fresh = dict(_condition(desk, thing, "Progressing", "True", reason))
        fresh["lastUpdateTime"] = stamp(desk.now)
        if deadline is not None:
            desk.later(thing.kind, thing.key, desk.now + float(deadline) + 1.0)
        return fresh
    assert old is not None
    since = seconds(str(old.get("lastUpdateTime") or stamp(desk.now)))
    if deadline is not None and desk.now - since > float(deadline):
        return _condition(desk, thing, "Progressing", "False", "ProgressDeadlineExceeded")
    if deadline is not None:
        desk.later(thing.kind, thing.key, since + float(deadline) + 1.0)
    return old


_MOVING = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")


def _figures(status: Mapping[str, Any]) -> Sequence[int]:
    return [status.get(name, 0) for name in _MOVING]


def _condition(desk: Desk, thing: Thing, kind: str, status: str, reason: str) -> Mapping[str, Any]:
    old = condition(thing.status, kind)
    if old is not None and (old["status"], old["reason"]) == (status, reason):
        return old
    now = stamp(desk.now)
    changed = now if old is None or old["status"] != status else old["lastTransitionTime"]
    return {"type": kind, "status": status, "reason": reason, "lastUpdateTime": now, "lastTransitionTime": changed}
