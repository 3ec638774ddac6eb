"""Who hears of what: which controllers look at which objects after a Pod, an object or a node has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from immutables import Map

from podfsm.kube.objects import OwnerReference, Pod
from podfsm.kube.times import seconds_of
from podfsm.rules.deletion_gc import OUT_OF_SERVICE
from podfsm.rules.disruption_budget import ready
from podfsm.rules.disruption_target import stale_at
from podfsm.rules.namespaces import first_look
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.scheduling import gated
from podfsm.rules.taints import evicting
from podfsm.rules.timings import timing_constant
from podfsm.world.cluster import indexes, resizing, serving, tracking
from podfsm.world.cluster.claims import reconsider, reconsider_all
from podfsm.world.cluster.selecting import index_selector, selecting, selects
from podfsm.world.cluster.state import NO_KEYS, Keys, NodeState, Thing
from podfsm.world.outside import Freeze, Network
from podfsm.world.pod import PodWorld
from podfsm.world.timing import next_on_grid

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

SETS = ("ReplicaSet", "ReplicationController")
CLAIMING = (*SETS, "DaemonSet", "Job")
"""Kinds that own Pods."""
JOB, BUDGET, TAINTS, ADMIT, OWNERS = "Job", "PodDisruptionBudget", "taints", "admit", "owners"
SCHEDULE, RETRY, POD_GC = "schedule", "retry", "pod-gc"
NAMESPACE = "Namespace"
SHUTDOWN, PRESSURE, STALE = "node-shutdown", "node-pressure", "stale-disruption"


def pod_changed(desk: Desk, before: PodWorld | None, pod: PodWorld) -> None:
    """A Pod was created, changed or removed."""
    pod = resizing.pod_changed(desk, before, pod)
    indexes.index_pod(desk.c, before, pod)
    if indexes.recount(desk.c, pod):
        wake_unscheduled(desk)
    _tell_owner(desk, before, pod)
    seen = (_seen(before.api) if before is not None else None) != (_seen(pod.api) if pod.exists else None)
    if seen:
        _tell_budgets(desk, before, pod)
        _tell_gc(desk, pod)
    _tell_of_disruption(desk, pod)
    serving.pod_changed(desk, before, pod)
    tracking.pod_changed(desk, pod)
    _tell_scheduler(desk, before, pod)
    bound = pod.api.spec.nodeName
    if bound and pod.exists and (before is None or not before.api.spec.nodeName):
        _arrive(desk, before, pod, bound)
    if pod.key in desk.c.evictions and not pod.exists:
        desk.soon(TAINTS, pod.key)
    if seen and bound:
        _tell_kubelet(desk, bound)


def _seen(pod: Pod) -> tuple[object, ...]:
    """What controllers look at in a Pod."""
    deleting = pod.metadata.deletionTimestamp is not None
    return (deleting, pod.status.phase, ready(pod), pod.spec.nodeName, pod.metadata.labels)


def _tell_owner(desk: Desk, before: PodWorld | None, pod: PodWorld) -> None:
    changed = before is None or not pod.exists or _seen(before.api) != _seen(pod.api)
    moved = before is None or _claimed_by(before.api) != _claimed_by(pod.api)
    controlled = False
    for owner in pod.api.metadata.ownerReferences:
        if owner.controller:
            controlled = True
            _tell_controller(desk, owner, pod, changed=changed, moved=moved)
        if not pod.exists and owner.uid:
            desk.soon(OWNERS, owner.uid)
    if not controlled and (changed or moved):
        _tell_claimants(desk, pod)
    if before is not None:
        for reference in before.api.metadata.ownerReferences:
            if reference not in pod.api.metadata.ownerReferences:
                desk.soon(reference.kind, f"{reference.kind}/{pod.api.metadata.namespace}/{reference.name}")
                desk.soon(OWNERS, reference.uid)


def _tell_controller(desk: Desk, owner: OwnerReference, pod: PodWorld, *, changed: bool, moved: bool) -> None:
    key = f"{owner.kind}/{pod.api.metadata.namespace}/{owner.name}"
    if moved and pod.exists and owner.kind in CLAIMING:
        reconsider(desk.c, key, pod.key)
    if owner.kind == JOB:
        desk.later(JOB, key, desk.now + desk.m.profile.watch + timing_constant("job-sync-batching"))
    elif changed:
        desk.soon(owner.kind, key)


def _claimed_by(pod: Pod) -> tuple[object, ...]:
    """What decides whom a Pod belongs to."""
    return (pod.metadata.labels, pod.metadata.ownerReferences)


def _tell_claimants(desk: Desk, pod: PodWorld) -> None:
    """A Pod that nobody owns may be adopted."""
    for kind in CLAIMING:
        for thing in selecting(desk.c, kind, pod.api):
            if pod.exists:
                reconsider(desk.c, thing.key, pod.key)
            desk.soon(kind, thing.key)


def _tell_budgets(desk: Desk, before: PodWorld | None, pod: PodWorld) -> None:
    for thing in selecting(desk.c, BUDGET, before.api if before is not None else None, pod.api):
        selected = selects(thing, pod.api)
        if selected and pod.exists:
            desk.c.guarded = indexes.with_key(desk.c.guarded, thing.key, pod.key)
        else:
            desk.c.guarded = indexes.without_key(desk.c.guarded, thing.key, pod.key)
        if selected:
            desk.soon(BUDGET, thing.key)


def _tell_of_disruption(desk: Desk, pod: PodWorld) -> None:
    """A disruption that was announced has to follow in time."""
    due = disruption_stale_at(pod.api) if pod.exists else None
    if due is not None:
        desk.later(STALE, pod.key, due)
    else:
        desk.forget(STALE, pod.key)


def disruption_stale_at(pod: Pod) -> float | None:
    """When the Pod's DisruptionTarget goes stale; None if there is none, or it never does."""
    announced = next((c for c in pod.status.conditions if c.type == "DisruptionTarget" and c.status == "True"), None)
    if announced is None:
        return None
    since = seconds_of(announced.lastTransitionTime) if announced.lastTransitionTime is not None else 0.0
    leaving = pod.metadata.deletionTimestamp is not None
    found: float | None = stale_at(since, announced.reason, leaving, pod.status.phase in TERMINAL)
    return found


def _tell_gc(desk: Desk, pod: PodWorld) -> None:
    """PodGC looks at Pods that nobody else would end."""
    suspect = pod.exists and _suspect(desk, pod.api)
    if suspect:
        desk.c.suspects = desk.c.suspects.set(pod.key, None)
    elif pod.key in desk.c.suspects:
        desk.c.suspects = desk.c.suspects.delete(pod.key)
    if suspect or len(desk.c.finished) > timing_constant("pod-gc-threshold"):
        look_for_garbage(desk)


def _suspect(desk: Desk, pod: Pod) -> bool:
    if not pod.spec.nodeName:
        return pod.metadata.deletionTimestamp is not None
    node = desk.c.nodes.get(pod.spec.nodeName)
    if node is None:
        return True
    return pod.metadata.deletionTimestamp is not None and any(t.key == OUT_OF_SERVICE for t in node.node.spec.taints)


def look_for_garbage(desk: Desk) -> None:
    """PodGC has something to do at its next pass."""
    period = timing_constant("pod-gc")
    desk.later(POD_GC, "", next_on_grid(desk.now, period, desk.m.profile.gc_phase))


def _tell_scheduler(desk: Desk, before: PodWorld | None, pod: PodWorld) -> None:
    """Unbound Pods are queued; whatever frees room lets unschedulable ones try again."""
    api = pod.api
    waits = pod.exists and not api.spec.nodeName and api.status.phase not in TERMINAL
    if waits and api.metadata.deletionTimestamp is None and not gated(api.spec, desk.m.gates):
        if before is None or gated(before.api.spec, desk.m.gates) or before.api.metadata.labels != api.metadata.labels:
            desk.soon(RETRY, pod.key)
    elif pod.key in desk.c.waiting:
        desk.c.waiting = desk.c.waiting.delete(pod.key)
    if pod.key in desk.c.nominated and (not pod.exists or api.spec.nodeName):
        desk.c.nominated = desk.c.nominated.delete(pod.key)
    old, new = indexes.uses_node(before), indexes.uses_node(pod if pod.exists else None)
    if old != new or (old and before is not None and before.api.metadata.labels != api.metadata.labels):
        wake_unscheduled(desk)


def wake_unscheduled(desk: Desk) -> None:
    """Something changed that may help Pods that no node was found for."""
    for key in sorted(desk.c.waiting):
        desk.soon(RETRY, key)


def _arrive(desk: Desk, before: PodWorld | None, pod: PodWorld, name: str) -> None:
    """A Pod is on a node from now on: what its kubelet and the taint controller make of that."""
    node = desk.c.nodes.get(name)
    if node is None or not node.runs:
        desk.pod(Freeze(pod.key))
    elif before is None or node.chooses:
        desk.later(ADMIT, pod.key, desk.now + desk.m.profile.notice)
    if node is not None and not node.network:
        desk.pod(Network(pod.key, ready=False))
    if node is not None and evicting(node.node.spec.taints):
        desk.soon(TAINTS, pod.key)


def _tell_kubelet(desk: Desk, name: str) -> None:
    """A kubelet that waits for Pods to end looks again: in a shutdown, or to take a critical Pod in their place."""
    node = desk.c.nodes.get(name)
    if node is not None and node.shutdown is not None:
        desk.soon(SHUTDOWN, name)
    for key in desk.c.held:
        if desk.world.pods[key].api.spec.nodeName == name:
            desk.soon(ADMIT, key)


def thing_changed(desk: Desk, before: Thing | None, after: Thing | None) -> None:
    """An object was created, changed or removed."""
    indexes.index_thing(desk.c, before, after)
    index_selector(desk.c, before, after)
    thing = after or before
    assert thing is not None
    _note_selector(desk, before, after)
    if thing.kind == serving.SLICE:
        serving.slice_changed(desk, before, after)
    if thing.kind == JOB:
        tracking.job_changed(desk, before, after)
    if thing.kind == NAMESPACE:
        if after is not None and after.deleting:
            desk.later(NAMESPACE, thing.key, first_look(desk.now + desk.m.profile.watch))
    elif thing.kind == JOB and before is not None and after is not None and before.spec == after.spec:
        desk.later(JOB, thing.key, desk.now + desk.m.profile.watch + timing_constant("job-sync-batching"))
    else:
        desk.soon(thing.kind, thing.key)
    for owner in thing.metadata.get("ownerReferences") or ():
        if owner.get("controller"):
            desk.soon(str(owner["kind"]), f"{owner['kind']}/{thing.namespace}/{owner['name']}")
        if after is None:
            desk.soon(OWNERS, str(owner["uid"]))
    if after is None or (after.deleting and before is not None and not before.deleting):
        desk.soon(OWNERS, thing.uid)


def _note_selector(desk: Desk, before: Thing | None, after: Thing | None) -> None:
    """Selectors that are new, or gone, change which Pods belong to an object."""
    if before is not None and after is not None and before.selector == after.selector:
        return
    thing = after or before
    assert thing is not None
    if thing.kind in CLAIMING:
        if after is not None:
            reconsider_all(desk.c, after)
        elif thing.key in desk.c.unclaimed:
            desk.c.unclaimed = desk.c.unclaimed.delete(thing.key)
    elif thing.kind == BUDGET:
        pods = desk.world.pods.items() if after is not None else ()
        keys: Keys = Map((key, None) for key, pod in pods if pod.exists and selects(thing, pod.api))
        guarded = desk.c.guarded.delete(thing.key) if thing.key in desk.c.guarded else desk.c.guarded
        desk.c.guarded = guarded.set(thing.key, keys) if keys else guarded


def node_changed(desk: Desk, before: NodeState | None, after: NodeState | None) -> None:
    """A node was created, changed or removed."""
    node = after or before
    assert node is not None
    desk.c.fits = {}
    wake_unscheduled(desk)
    tracking.node_changed(desk, before, after)
    if before is None or after is None:
        serving.node_changed(desk, node.name)
    for key in sorted(desk.c.kinds.get("DaemonSet", NO_KEYS)):
        desk.soon("DaemonSet", key)
    here = desk.c.on_node.get(node.name, NO_KEYS)
    old, new = (set(evicting(n.node.spec.taints)) if n is not None else set() for n in (before, after))
    for key in sorted(here):
        if old != new:
            desk.soon(TAINTS, key)
        _tell_gc(desk, desk.world.pods[key])
