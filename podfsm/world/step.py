"""One step of the world: the next thing on a Pod's agenda, or an action from outside. Pure: worlds in, worlds out."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen
from immutables import Map

from podfsm.kube.objects import Pod
from podfsm.rules.scheduling import gated
from podfsm.world import api, kill, plan, pleg, probing, resizing, sandbox, status
from podfsm.world.cluster.state import Cluster, ThingEvent
from podfsm.world.firing import roles
from podfsm.world.model import Model
from podfsm.world.nodes import ANY_NODE
from podfsm.world.outside import OUTSIDE, Outside, shelve
from podfsm.world.pod import Draft, Fired, PodEvent, PodWorld, Snapshot, freeze, thaw
from podfsm.world.scripts import FOREVER, PodScripts
from podfsm.world.worker import look, update_pod


@frozen
class World:
    """Every Pod at one instant. `pods` is a persistent map from namespace/name to the Pod's world."""

    now: float = 0.0
    pods: Map[str, PodWorld] = field(factory=Map)
    cluster: Cluster | None = None
    """Nodes and controllers; None in a run of Pods alone."""


@frozen
class Create:
    """Create a Pod. `raw` is the defaulted object without status; `absent` what it refers to and does not exist."""

    key: str
    raw: Mapping[str, Any]
    pod: Pod
    scripts: PodScripts
    absent: frozenset[str] = frozenset()


@frozen
class Delete:
    """Delete a Pod, with a grace period in seconds or the Pod's own."""

    key: str
    grace: int | None = None


@frozen
class Patch:
    """Patch a Pod or a subresource of it; `kind` is strategic, merge or json."""

    key: str
    kind: str
    body: Any
    subresource: str = ""


@frozen
class Appear:
    """A ConfigMap or Secret ('Kind/name') comes to be."""

    name: str


@frozen
class Due:
    """Whatever stands on this Pod's agenda for the earliest instant."""

    key: str


Event = Create | Delete | Patch | Appear | Due | Outside


@frozen
class Step:
    """What a step gave: the world afterwards, the transitions that fired, the watch events and core/v1 Events."""

    world: World
    fired: tuple[Fired, ...] = ()
    snapshots: tuple[Snapshot, ...] = ()
    events: tuple[PodEvent, ...] = ()
    pod: PodWorld | None = None
    touched: tuple[str, ...] = ()
    """Keys of further Pods that the step changed."""
    things: tuple[ThingEvent, ...] = ()
    """Watch events of EndpointSlices."""


def step(m: Model, world: World, event: Event, at: float | None = None) -> Step:
    """The world after one event, at `at` seconds (default: when it is due, or now).

    Raises Refused if the model contradicts itself, KeyError for a Pod that does not exist.
    """
    if isinstance(event, Appear):
        return _appear(world, event, world.now if at is None else at)
    if isinstance(event, Create):
        now = world.now if at is None else at
        d = Draft(event.key, now, event.scripts, event.raw, event.pod, absent=event.absent)
        d.roles = roles(event.pod.spec, m)
        api.create(m, d)
        return _done(world, d)
    pod = world.pods[event.key]
    if isinstance(event, Due):
        d = thaw(pod, pod.due_next if at is None else at)
        _run_due(m, d, world)
    else:
        d = thaw(pod, world.now if at is None else at)
        if isinstance(event, Delete):
            api.delete(m, d, event.grace)
        elif not isinstance(event, Patch):
            OUTSIDE[type(event)](m, d, event)
        else:
            api.patch(m, d, event.subresource, event.kind, event.body)
    return _done(world, d)


def _done(world: World, d: Draft) -> Step:
    fired, snapshots, events = tuple(d.fired), tuple(d.snapshots), tuple(d.events)
    pod = freeze(d)
    after = World(d.now, world.pods.set(d.key, pod), world.cluster)
    return Step(after, fired, snapshots, events, pod)


def _appear(world: World, event: Appear, now: float) -> Step:
    pods = world.pods
    for key, pod in world.pods.items():
        if event.name in pod.absent:
            d = thaw(pod, now)
            d.absent -= {event.name}
            pods = pods.set(key, freeze(d))
    return Step(World(now, pods, world.cluster))


def _run_due(m: Model, d: Draft, world: World) -> None:
    """Everything on the agenda for this instant, in the order it was put there."""
    while d.agenda and d.agenda[0][0] <= d.now:
        _, _, kind, what = heapq.heappop(d.agenda)
        if kind == "schedule":
            _schedule(m, d, world)
        elif d.frozen and shelve(d, kind, what):
            continue
        else:
            HANDLERS[kind](m, d, what)
    if not d.frozen:
        pleg.watch_runtime(m, d)


def _schedule(m: Model, d: Draft, world: World) -> None:
    if not d.exists or d.api.spec.nodeName or gated(d.api.spec, m.gates):
        return
    if d.api.metadata.deletionTimestamp is not None:  # held by finalizers only; rule sched-once
        return
    if world.cluster is None:
        api.bind(m, d, ANY_NODE)


def _observe(m: Model, d: Draft, _what: Any) -> None:
    """The kubelet sees the stored Pod. A change of status alone matters only to readiness gates."""
    if not d.exists:
        return
    look(m, d)
    if d.seen is None:
        return
    before, d.configured = d.configured, d.seen
    resizing.observed(m, d, before)
    same = before is not None and (before.metadata, before.spec) == (d.seen.metadata, d.seen.spec)
    if not same or status.needs_readiness_sync(m, d.seen):
        update_pod(m, d)


def _gone(m: Model, d: Draft, _what: Any) -> None:
    """The object left the API: whatever still runs is killed."""
    d.pod_gone = True
    update_pod(m, d)


def _due(m: Model, d: Draft, _what: Any) -> None:
    if d.due <= d.now:
        d.due = FOREVER
        update_pod(m, d)


HANDLERS: dict[str, Callable[[Model, Draft, Any], None]] = {
    "observe": _observe,
    "gone": _gone,
    "due": _due,
    "deadline": lambda m, d, _: update_pod(m, d),
    "relist": lambda m, d, _: pleg.relist(m, d, node_wide=True),
    "relist-pod": lambda m, d, _: pleg.relist(m, d, node_wide=False),
    "plan": plan.resume,
    "ends": kill.ended,
    "stop": kill.stop_due,
    "stopped": kill.answered,
    "probe": probing.probe_due,
    "probe-answer": lambda m, d, what: probing.answer(m, d, *what),
    "sandbox-dies": sandbox.sandbox_dies,
}
