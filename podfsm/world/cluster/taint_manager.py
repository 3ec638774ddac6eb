"""Taint eviction: Pods that do not tolerate their node's NoExecute taints, or only for a while, are deleted.

The plan for each Pod is the rules' (`podfsm.rules.taint_eviction`). Source: pkg/controller/tainteviction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podfsm.rules.cluster_facts import EvictionFacts
from podfsm.rules.taint_eviction import condition_before_deletion, replan
from podfsm.rules.taints import evicting
from podfsm.world.cluster import tracking
from podfsm.world.outside import Report
from podfsm.world.step import Delete

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

EVICT = "evict"
_MARKED, _CANCELLED = "Marking for deletion Pod {}", "Cancelling deletion of Pod {}"


def plan(desk: Desk, key: str) -> None:
    """The taints of a Pod's node, or the Pod's tolerations, may have changed."""
    pod = desk.world.pods.get(key)
    planned = desk.c.evictions.get(key)
    due = None
    if pod is not None and pod.exists:
        node = desk.c.nodes.get(pod.api.spec.nodeName)
        taints = evicting(node.node.spec.taints) if node is not None else ()
        due = replan(planned, taints, pod.api.spec.tolerations, desk.now)
    if due is None:
        if planned is not None:
            desk.c.evictions = desk.c.evictions.delete(key)
            desk.forget(EVICT, key)
            if pod is not None and pod.exists:
                tracking.evicting(desk, key, "spare")
            if pod is not None and pod.exists and pod.api.metadata.deletionTimestamp is None:
                desk.event(key, "Normal", "TaintManagerEviction", _CANCELLED.format(key))
    elif due != planned:
        if planned is None:
            tracking.evicting(desk, key, "plan")
        desk.c.evictions = desk.c.evictions.set(key, due)
        desk.forget(EVICT, key)
        desk.later(EVICT, key, due.due_at)


def evict(desk: Desk, key: str) -> None:
    """The time of a Pod on a tainted node is up."""
    pod = desk.world.pods.get(key)
    if key not in desk.c.evictions or pod is None or not pod.exists:
        return
    if pod.api.metadata.deletionTimestamp is None:
        tracking.evicting(desk, key, "time_up", EvictionFacts(now=desk.now, due_at=desk.c.evictions[key].due_at))
        message = _MARKED.format(key)
        if desk.m.gates.on("PodDisruptionConditions"):
            desk.pod(Report(key, (condition_before_deletion(),), event=("TaintManagerEviction", message)))
        else:
            desk.event(key, "Normal", "TaintManagerEviction", message)
        desk.pod(Delete(key))
