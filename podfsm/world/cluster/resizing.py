"""Resizes on nodes whose room is limited: what the API server refuses, and whom the kubelet gives room when.

A kubelet keeps the Pods of its node that have not got what they ask for, and looks at all of them, in their order,
whenever it may have room: one of them has changed, a Pod has ended or become smaller, or some time has passed.
Source: pkg/kubelet/allocation/allocation_manager.go (retryPendingResizes); pkg/kubelet/kubelet.go (HandlePod...).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod
from podfsm.kube.resources import pod_requests
from podfsm.kube.times import seconds_of
from podfsm.rules.phase import is_static
from podfsm.rules.resize import within_node
from podfsm.rules.resize_conditions import GATE, INFEASIBLE, is_pending, retry_delay
from podfsm.rules.resize_pending import room_for, turn
from podfsm.world.allocation import resources_of, same_resources
from podfsm.world.cluster import indexes
from podfsm.world.cluster.state import NO_KEYS, NodeState, Use
from podfsm.world.outside import AnswerResize, HoldResources
from podfsm.world.pod import PodWorld
from podfsm.world.step import Patch
from podfsm.world.updating import updated

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

RESIZE = "resize"
LOOK, RETRY = "resize", "resize-retry"
"""A kubelet's turn to look at resizes: because of something, and after some time."""


def refused(desk: Desk, event: Patch) -> bool:
    """Whether a patch asks for more than the Pod's node has; then a note says so."""
    pod = desk.world.pods[event.key]
    node = desk.c.nodes.get(pod.api.spec.nodeName)
    if not within_node.in_force(desk.m.gates) or not pod.exists or node is None or node.capacity is None:
        return False
    raw, _ = updated(pod.raw, pod.api, RESIZE, event.kind, event.body)
    asked = {name: indexes.in_units(name, each.amount) for name, each in pod_requests(raw["spec"]).items()}
    if within_node(asked, node.capacity):
        return False
    desk.note(
        f"at {desk.now:g} s: resize of {event.key} refused by the API server: {node.name} has less ({within_node.id})"
    )
    return True


# Who waits, and when the kubelet looks


def pod_changed(desk: Desk, before: PodWorld | None, pod: PodWorld) -> PodWorld:
    """What a change of a Pod means to resizes on its node; gives the Pod, which may have to wait for room now."""
    name = pod.api.spec.nodeName
    if before is None or not name:
        return pod
    if before.raw is not pod.raw and pod.exists and indexes.uses_node(pod):
        pod = _asked(desk, before, pod)
    if desk.c.resizes.get(name):
        ended = indexes.uses_node(before) and not (pod.exists and indexes.uses_node(pod))
        if ended:
            desk.c.resizes = indexes.without_key(desk.c.resizes, name, pod.key)
        if ended or _shrank(before, pod):
            desk.later(LOOK, name, desk.now + desk.m.profile.notice)
    return pod


def _asked(desk: Desk, before: PodWorld, pod: PodWorld) -> PodWorld:
    """A Pod was written: its kubelet looks whether it can have what it asks for."""
    node = desk.c.nodes.get(pod.api.spec.nodeName)
    if not desk.m.gates.on(GATE) or node is None:
        return pod
    written = before.api.metadata.generation != pod.api.metadata.generation
    resized = written and not same_resources(pod.api.spec, resources_of(before.api.spec))
    if resized and node.capacity is not None:
        pod = desk.pod(HoldResources(pod.key))
    if resized or not _has_all(pod):
        desk.c.resizes = indexes.with_key(desk.c.resizes, node.name, pod.key)
        desk.later(LOOK, node.name, desk.now + desk.m.profile.notice)
    return pod


def _has_all(pod: PodWorld) -> bool:
    """Whether what the Pod asks for is allocated to it."""
    return same_resources(pod.api.spec, pod.resizing.allocated)


def _shrank(before: PodWorld, pod: PodWorld) -> bool:
    """Whether containers have less than before."""
    if not before.resizing.actual or before.resizing is pod.resizing:
        return False
    held = indexes.held_by(pod)
    return any(held.get(name, 0) < amount for name, amount in indexes.held_by(before).items())


def kubelet_started(desk: Desk, name: str) -> None:
    """A kubelet that starts knows what it has allocated, and takes its time with what is asked for besides."""
    for pod in desk.pods(desk.c.on_node.get(name, NO_KEYS)):
        if not _has_all(pod):
            desk.c.resizes = indexes.with_key(desk.c.resizes, name, pod.key)
    if desk.c.resizes.get(name):
        desk.forget(RETRY, name)
        desk.later(RETRY, name, desk.now + retry_delay(0))


# What the kubelet answers


def look_for_room(desk: Desk, name: str) -> None:
    """The kubelet's turn: each Pod that waits gets an answer, and what is still deferred is looked at again later."""
    node, waiting = desk.c.nodes.get(name), desk.c.resizes.get(name)
    if node is None or not node.runs or not waiting:
        return
    desk.forget(RETRY, name)
    for pod in sorted(desk.pods(waiting), key=lambda pod: _place(desk, pod)):
        _answer(desk, node, pod)
    if desk.c.resizes.get(name):
        desk.later(RETRY, name, desk.now + retry_delay(1))


def _place(desk: Desk, pod: PodWorld) -> tuple[bool, int, bool, float]:
    """Where a Pod stands among those that wait; 1.33 knows no order."""
    has, wants = indexes.amounts_of(pod, pod.resizing.allocated), _wanted(desk, pod)
    pending = pod.resizing.pending
    since = pending.lastTransitionTime if pending is not None else None
    if not turn.in_force(desk.m.gates):
        return False, 0, False, 0.0
    place: tuple[bool, int, bool, float] = turn(
        any(wants.get(name, 0) > has.get(name, 0) for name in ("cpu", "memory")),
        pod.api.spec.priority or 0,
        pod.api.status.qosClass,
        seconds_of(since) if since is not None else None,
    )
    return place


def _wanted(desk: Desk, pod: PodWorld) -> Mapping[str, int]:
    """What the Pod asks for, as far as its kubelet knows."""
    notice = desk.m.profile.notice
    known = [written for at, written in pod.history if at + notice <= desk.now + 1e-9]
    seen: Pod = known[-1] if known else pod.seen or pod.api
    return indexes.amounts_of(pod, resources_of(seen.spec))


def _answer(desk: Desk, node: NodeState, pod: PodWorld) -> None:
    from podfsm.world.cluster.watch import wake_unscheduled  # who hears of Pods has them looked at here

    reason, message = "", ""
    if node.capacity is not None:
        mine, use = indexes.held_by(pod), kubelet_use(desk, node.name)
        others = {name: amount - mine.get(name, 0) for name, amount in use.amounts.items()}
        asked = {n: amount for n, amount in _wanted(desk, pod).items() if n in node.capacity or "/" not in n}
        reason, message = room_for(asked, others, node.capacity, static=is_static(pod.api.metadata))
    desk.pod(AnswerResize(pod.key, reason, message))
    pod = desk.world.pods[pod.key]
    if indexes.recount(desk.c, pod):
        wake_unscheduled(desk)
    pending = pod.resizing.pending
    if _has_all(pod) or (pending is not None and is_pending(pending, INFEASIBLE)):
        desk.c.resizes = indexes.without_key(desk.c.resizes, node.name, pod.key)


def kubelet_use(desk: Desk, name: str) -> Use:
    """What the Pods of a node have: other than for the scheduler, what they wait for does not count."""
    use = desk.c.used.get(name, Use())
    amounts = dict(use.amounts)
    for pod in desk.pods(desk.c.resizes.get(name, NO_KEYS)):
        if indexes.uses_node(pod):
            held, counted = indexes.held_by(pod), desk.c.requests[pod.key]
            for resource in {*held, *counted}:
                amounts[resource] = amounts.get(resource, 0) + held.get(resource, 0) - counted.get(resource, 0)
    return Use(amounts, use.pods)
