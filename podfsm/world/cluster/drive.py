"""One step of a world with a cluster: something happens to a Pod, an object or a node, or a controller has its turn.

`take` is to a world with a cluster what `podfsm.world.step.step` is to one of Pods alone, and as pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen

from podfsm.errors import ScenarioError
from podfsm.kube.patch import patched
from podfsm.rules.validation_objects import object_problems
from podfsm.world.cluster import (
    admission,
    daemonset,
    deployment,
    disruption,
    endpoints,
    job,
    namespaces,
    nodes,
    objects,
    ownership,
    pod_gc,
    presets,
    pressure,
    replicas,
    resizing,
    scheduler,
    serving,
    shutdown,
    taint_manager,
    watch,
)
from podfsm.world.cluster.desk import Desk
from podfsm.world.cluster.state import Cluster
from podfsm.world.model import Model
from podfsm.world.step import Appear, Create, Event, Patch, Step, World, step


@frozen
class Tick:
    """The controllers whose turn has come."""


@frozen
class MakeObject:
    """Create an object that is neither a Pod nor a Node."""

    raw: Mapping[str, Any]


@frozen
class MakeNode:
    """Create a node."""

    raw: Mapping[str, Any]


@frozen
class ChangeObject:
    """Patch an object, by kind/namespace/name."""

    key: str
    kind: str
    body: Any
    subresource: str = ""


@frozen
class ChangeNode:
    """Patch a node."""

    name: str
    kind: str
    body: Any


@frozen
class RemoveObject:
    """Delete an object, with a propagation policy."""

    key: str
    propagation: str = "Background"


@frozen
class RemoveNode:
    """Delete a node's object; the machine goes on."""

    name: str


@frozen
class Evict:
    """Ask for a Pod's eviction."""

    key: str
    grace: int | None = None


@frozen
class Kubelet:
    """A node's kubelet stops or starts."""

    node: str
    runs: bool


@frozen
class NodeNetwork:
    """A node's network breaks or is ready again."""

    node: str
    ready: bool


@frozen
class ShutDown:
    """A node is shut down. Its kubelet has `grace` seconds to end Pods, the last `critical` for critical ones."""

    node: str
    grace: float = 0.0
    critical: float = 0.0


ClusterEvent = (
    Tick
    | MakeObject
    | MakeNode
    | ChangeObject
    | ChangeNode
    | RemoveObject
    | RemoveNode
    | Evict
    | Kubelet
    | NodeNetwork
    | ShutDown
)

TASKS: dict[str, Callable[[Desk, str], None]] = {
    "ReplicaSet": replicas.sync,
    "ReplicationController": replicas.sync,
    "Deployment": deployment.sync,
    "DaemonSet": daemonset.sync,
    "Job": job.sync,
    serving.SERVICE: endpoints.sync,
    job.TTL: job.expire,
    watch.BUDGET: disruption.sync,
    watch.NAMESPACE: namespaces.sync,
    watch.STALE: disruption.take_back,
    watch.OWNERS: ownership.collect,
    watch.POD_GC: pod_gc.sweep,
    watch.RETRY: scheduler.enqueue,
    watch.SCHEDULE: scheduler.cycle,
    watch.TAINTS: taint_manager.plan,
    taint_manager.EVICT: taint_manager.evict,
    watch.ADMIT: admission.admit,
    resizing.LOOK: resizing.look_for_room,
    resizing.RETRY: resizing.look_for_room,
    watch.SHUTDOWN: shutdown.turn,
    watch.PRESSURE: pressure.look,
    nodes.MONITOR: nodes.look,
    nodes.NETWORK: nodes.network_noticed,
    nodes.HEARTBEAT: nodes.heartbeat,
    nodes.TAINT: nodes.taint,
}
"""Which function has its turn for each kind of task; kinds that nobody watches over are left out."""


def take(m: Model, world: World, event: Event | ClusterEvent, at: float) -> Step:
    """The world after one event at `at` seconds; what others can see of it reaches the controllers.

    Raises KeyError for what does not exist, ScenarioError for a patch that makes no sense.
    """
    assert world.cluster is not None
    handler = _HANDLERS.get(type(event))
    if handler is not None:
        desk = Desk.open(m, world, at)
        handler(desk, event)
        return desk.close()
    if isinstance(event, Appear):
        cluster = evolve(world.cluster, absent=world.cluster.absent - {event.name})
        return step(m, evolve(world, cluster=cluster), event, at)
    if isinstance(event, Create) and _asks_admission(world.cluster, event):
        desk = Desk.open(m, world, at)
        _create_pod(desk, event)
        return desk.close()
    if isinstance(event, Patch) and event.subresource == resizing.RESIZE:
        desk = Desk.open(m, world, at)
        if resizing.refused(desk, event):
            return desk.close()
    key = getattr(event, "key", "")
    before = world.pods.get(key)
    done = step(m, world, event, at)  # type: ignore[arg-type]  # events of clusters have handlers
    if not done.snapshots:
        return done
    desk = Desk.open(m, done.world, at)
    desk.took(before, done)
    return desk.close()


def _tick(desk: Desk, _event: Tick) -> None:
    while desk.c.agenda and desk.c.agenda.first[0] <= desk.now:
        (when, _, kind, key), desk.c.agenda = desk.c.agenda.pop()
        if desk.c.asked.get((kind, key)) == when:
            desk.c.asked = desk.c.asked.delete((kind, key))
            if kind in TASKS:
                TASKS[kind](desk, key)


def _asks_admission(cluster: Cluster, event: Create) -> bool:
    """Whether there may be more to a Pod's creation than storing it."""
    return presets.PRESET in cluster.kinds or namespaces.touched(cluster, event.pod.metadata.namespace)


def _create_pod(desk: Desk, event: Create) -> None:
    """As admission lets it."""
    if why := namespaces.refused(desk, event.pod.metadata.namespace):
        desk.note(f"at {desk.now:g} s: create of {event.key} is refused: {why}")
    else:
        desk.pod(presets.admitted(desk, event))


def _make_object(desk: Desk, event: MakeObject) -> None:
    key = objects.thing_key(str(event.raw["kind"]), event.raw.get("metadata") or {})
    if key in desk.c.things:
        desk.note(f"at {desk.now:g} s: create of {key}, which exists")
        return
    if why := namespaces.refused(desk, key.split("/")[1]):
        desk.note(f"at {desk.now:g} s: create of {key} is refused: {why}")
        return
    made = objects.make(desk, event.raw)
    if made.kind == watch.NAMESPACE:
        namespaces.created(desk, made)


def _make_node(desk: Desk, event: MakeNode) -> None:
    node = nodes.node_state(event.raw, desk.now)
    desk.put_node(node)
    pressure.watch_over(desk, node.name)


def _change_object(desk: Desk, event: ChangeObject) -> None:
    objects.change(desk, event.key, event.kind, event.body, event.subresource)


def _change_node(desk: Desk, event: ChangeNode) -> None:
    """The patch sees the taints that are there, those of the node controller included."""
    state = desk.c.nodes[event.name]
    raw = patched(nodes.shown(state), event.kind, event.body)
    for problem in object_problems({**raw, "kind": "Node"}, desk.m.gates):
        raise ScenarioError(f"a patch makes Node {event.name} invalid: {problem.field}: {problem.why}")
    desk.put_node(nodes.changed_node(state, raw, desk.now))


def _remove_object(desk: Desk, event: RemoveObject) -> None:
    thing = desk.c.things[event.key]
    if thing.kind == watch.NAMESPACE:
        namespaces.delete(desk, thing)
    else:
        objects.delete(desk, event.key, event.propagation)


def _remove_node(desk: Desk, event: RemoveNode) -> None:
    desk.remove_node(event.name)


def _evict(desk: Desk, event: Evict) -> None:
    disruption.evict_pod(desk, event.key, event.grace)


def _kubelet(desk: Desk, event: Kubelet) -> None:
    (nodes.start_kubelet if event.runs else nodes.stop_kubelet)(desk, event.node)


def _network(desk: Desk, event: NodeNetwork) -> None:
    nodes.set_network(desk, event.node, ready=event.ready)


def _shut_down(desk: Desk, event: ShutDown) -> None:
    shutdown.begin(desk, event.node, event.grace, event.critical)


_HANDLERS: dict[type, Callable[[Desk, Any], None]] = {
    Tick: _tick,
    MakeObject: _make_object,
    MakeNode: _make_node,
    ChangeObject: _change_object,
    ChangeNode: _change_node,
    RemoveObject: _remove_object,
    RemoveNode: _remove_node,
    Evict: _evict,
    Kubelet: _kubelet,
    NodeNetwork: _network,
    ShutDown: _shut_down,
}
