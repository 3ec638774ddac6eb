"""The API server's part in a resize: since 1.36 it refuses one that the Pod's node could never give room to."""

from __future__ import annotations

from podfsm.kube.resources import pod_requests
from podfsm.rules.resize import within_node
from podfsm.world.cluster.desk import Desk
from podfsm.world.cluster.indexes import in_units
from podfsm.world.step import Patch
from podfsm.world.updating import updated

RESIZE = "resize"


def refused(desk: Desk, event: Patch) -> bool:
    """Whether a patch asks for more than the Pod's node has; then a note says so."""
    pod = desk.world.pods[event.key]
    node = desk.c.nodes.get(pod.api.spec.nodeName)
    if not within_node.in_force(desk.m.gates) or not pod.exists or node is None or node.capacity is None:
        return False
    raw, _ = updated(pod.raw, pod.api, RESIZE, event.kind, event.body)
    asked = {name: in_units(name, each.amount) for name, each in pod_requests(raw["spec"]).items()}
    if within_node(asked, node.capacity):
        return False
    desk.note(
        f"at {desk.now:g} s: resize of {event.key} refused by the API server: {node.name} has less ({within_node.id})"
    )
    return True
