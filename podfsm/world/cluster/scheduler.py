"""The scheduler: one Pod a cycle, by priority and then by age; what fits nowhere waits until something changes.

Source: pkg/scheduler/schedule_one.go, backend/queue/scheduling_queue.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.scheduling import gated
from podfsm.world.cluster.fitting import fits_now, fitting
from podfsm.world.cluster.preemption import preempt
from podfsm.world.cluster.scoring import best
from podfsm.world.cluster.state import NodeState, Tries
from podfsm.world.cluster.watch import RETRY, SCHEDULE
from podfsm.world.outside import Bind, Unschedulable
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

BACKOFF_FIRST, BACKOFF_MOST = 1.0, 10.0
"""Pause before an unschedulable Pod is tried again, doubled each time. Source: KubeSchedulerConfiguration defaults."""


def enqueue(desk: Desk, key: str) -> None:
    """Queue a Pod, unless it was tried so lately that it has to wait a little longer."""
    pod = desk.world.pods.get(key)
    if pod is None or not schedulable(desk, pod):
        return
    tried = desk.c.waiting.get(key)
    if tried is not None:
        due = tried.last + min(BACKOFF_FIRST * 2 ** (tried.count - 1), BACKOFF_MOST)
        if due > desk.now:
            desk.later(RETRY, key, due)
            return
    if key in desk.c.queued:
        return
    desk.c.queued = desk.c.queued.set(key, None)
    desk.c.order += 1
    desk.c.queue = desk.c.queue.push((-(pod.api.spec.priority or 0), desk.now, desk.c.order, key))
    desk.later(SCHEDULE, "", desk.now + desk.m.profile.schedule)


def schedulable(desk: Desk, pod: PodWorld) -> bool:
    """Whether the scheduler has to do with the Pod at all."""
    api = pod.api
    if not pod.exists or api.spec.nodeName or api.metadata.deletionTimestamp is not None:
        return False
    return not gated(api.spec, desk.m.gates) and api.status.phase not in TERMINAL


def cycle(desk: Desk, _key: str) -> None:
    """Find a node for the next Pod in the queue."""
    if not desk.c.queue:
        return
    (*_, key), desk.c.queue = desk.c.queue.pop()
    desk.c.queued = desk.c.queued.delete(key)
    pod = desk.world.pods.get(key)
    if pod is not None and schedulable(desk, pod):
        _place(desk, pod)
    if desk.c.queue:
        desk.later(SCHEDULE, "", desk.now + desk.m.profile.schedule)


def _place(desk: Desk, pod: PodWorld) -> None:
    nodes, why = fitting(desk, pod)
    if desk.c.nominated:
        nodes = nodes.only(lambda node: not _promised(desk, pod, node))
    if nodes:
        if pod.key in desk.c.waiting:
            desk.c.waiting = desk.c.waiting.delete(pod.key)
        desk.pod(Bind(pod.key, best(desk, pod, nodes).name))
        return
    tried = desk.c.waiting.get(pod.key)
    desk.c.waiting = desk.c.waiting.set(pod.key, Tries(tried.count + 1 if tried is not None else 1, desk.now))
    desk.pod(Unschedulable(pod.key, why or f"0/{len(desk.c.nodes)} nodes are available."))
    preempt(desk, pod)


def _promised(desk: Desk, pod: PodWorld, node: NodeState) -> bool:
    """Whether the room there is kept for a Pod of at least this priority that preempted others for it."""
    for key, name in desk.c.nominated.items():
        if name == node.name and key != pod.key:
            other = desk.world.pods.get(key)
            if other is not None and (other.api.spec.priority or 0) >= (pod.api.spec.priority or 0):
                return not fits_now(desk, pod, node, frozenset()) or not _both(desk, pod, other, node)
    return False


def _both(desk: Desk, pod: PodWorld, other: PodWorld, node: NodeState) -> bool:
    """Whether the node has room for two Pods together."""
    if node.capacity is None:
        return True
    used = desk.c.used.get(node.name)
    extra = desk.c.requests.get(other.key, {})
    for name, asked in desk.c.requests.get(pod.key, {}).items():
        taken = (used.amounts.get(name, 0) if used is not None else 0) + extra.get(name, 0)
        if taken + asked > node.capacity.get(name, 0):
            return False
    return True
