"""Which Services have to hear of a change of a Pod: those that select it now, or did before.

The Pods that a Service's endpoints have to be looked at for are noted; `endpoints` does the looking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podfsm.kube.objects import Pod
from podfsm.rules.disruption_budget import ready
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.indexes import with_key
from podfsm.world.cluster.selecting import selecting
from podfsm.world.cluster.state import NO_KEYS, ThingEvent
from podfsm.world.pod import PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk
    from podfsm.world.cluster.selecting import selecting
from podfsm.world.cluster.state import Thing

SERVICE, SLICE = "Service", "EndpointSlice"


def pod_changed(desk: Desk, before: PodWorld | None, pod: PodWorld) -> None:
    """Tell the Services of a Pod that something in it matters to them."""
    if SERVICE not in desk.c.kinds:
        return
    old = before.api if before is not None else None
    new = pod.api if pod.exists else None
    if _seen(old) == _seen(new):
        return
    for service in selecting(desk.c, SERVICE, old, new):
        note(desk, service.key, pod.key)


def note(desk: Desk, service: str, pod: str) -> None:
    """Have a Service look at one Pod."""
    desk.c.to_serve = with_key(desk.c.to_serve, service, pod)
    desk.soon(SERVICE, service)


def node_changed(desk: Desk, node: str) -> None:
    """A node came to be or is gone, with the Pods on it."""
    if SERVICE in desk.c.kinds:
        for pod in desk.pods(desk.c.on_node.get(node, NO_KEYS)):
            pod_changed(desk, None, pod)


def _seen(pod: Pod | None) -> tuple[object, ...] | None:
    """What of a Pod shows in an endpoint. Source: endpointslice/util/controller_utils.go (podEndpointsChanged)."""
    if pod is None:
        return None
    status, meta = pod.status, pod.metadata
    terminal = status.phase in TERMINAL
    return (meta.labels, meta.deletionTimestamp, status.podIP, ready(pod), terminal, pod.spec.nodeName, meta.uid)


def slice_changed(desk: Desk, before: Thing | None, after: Thing | None) -> None:
    """Show what a watch of EndpointSlices shows."""
    thing = after or before
    assert thing is not None
    kind = "ADDED" if before is None else "MODIFIED" if after is not None else "DELETED"
    desk.shown.append(ThingEvent(desk.now, kind, thing))
