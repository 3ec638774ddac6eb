"""What a controller works at during one step: it reads the world, acts on it, and asks to be called again.

Whatever is done here is heard by the other controllers (`watch`), a moment later, through their queues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from attrs import define, evolve, field

from podfsm.kube.times import instant
from podfsm.world.cluster import naming, presets, watch
from podfsm.world.cluster.state import NO_KEYS, ClusterDraft, NodeState, Thing, ThingEvent, freeze, thaw
from podfsm.world.creation import Mould, creation_of, mould_of
from podfsm.world.model import Model
from podfsm.world.pod import Fired, PodEvent, PodWorld, Snapshot
from podfsm.world.step import Event, Step, World, step


@define
class Desk:
    """One step under way. `c` is the cluster as the step has left it so far."""

    m: Model
    world: World
    now: float
    c: ClusterDraft
    fired: list[Fired] = field(factory=list)
    snapshots: list[Snapshot] = field(factory=list)
    events: list[PodEvent] = field(factory=list)
    touched: dict[str, None] = field(factory=dict)
    shown: list[ThingEvent] = field(factory=list)

    @classmethod
    def open(cls, m: Model, world: World, now: float) -> Desk:
        """A desk for one step of a world that has a cluster."""
        assert world.cluster is not None
        return cls(m, world, now, thaw(world.cluster))

    def close(self) -> Step:
        """The step that was done here."""
        world = World(self.now, self.world.pods, freeze(self.c))
        made = tuple(self.fired), tuple(self.snapshots), tuple(self.events)
        return Step(world, *made, touched=tuple(self.touched), things=tuple(self.shown))

    # Pods

    def pod(self, event: Event) -> PodWorld:
        """Something happens to a Pod; the controllers hear of what others can see of it."""
        key = getattr(event, "key", "")
        before = self.world.pods.get(key)
        done = step(self.m, self.world, event, self.now)
        self.world = done.world
        return self.took(before, done)

    def took(self, before: PodWorld | None, done: Step) -> PodWorld:
        """Note what a Pod's step gave."""
        assert done.pod is not None
        offset = len(self.fired)
        self.fired.extend(done.fired)
        self.snapshots.extend(evolve(s, fired=s.fired + offset) if offset else s for s in done.snapshots)
        self.events.extend(done.events)
        self.touched[done.pod.key] = None
        if done.snapshots:
            watch.pod_changed(self, before if before is not None and before.exists else None, done.pod)
        return done.pod

    def create_pod(self, raw: Mapping[str, Any], prefix: str) -> PodWorld:
        """Create a Pod from an owner's template; its name is generated from the prefix."""
        number = self.number()
        metadata = {
            **raw.get("metadata", {}),
            "name": naming.generated(self.m.profile, prefix, number, raw.get("spec") or {}),
            "generateName": prefix,
            "creationTimestamp": stamp(self.now),
        }
        uid = naming.uid(self.m.profile, number)
        mould = self._mould(prefix, raw.get("spec") or {})
        event = creation_of(metadata, mould, uid, self.c.environment, self.c.absent)
        return self.pod(presets.admitted(self, event))

    def _mould(self, prefix: str, template: Mapping[str, Any]) -> Mould:
        """What the Pods of a template have in common; the last one of each prefix is remembered."""
        classes = tuple(thing.raw for thing in self.of_kind("PriorityClass"))
        mould = self.c.moulds.get(prefix)
        if mould is None or not mould.fits(template, classes):
            mould = self.c.moulds[prefix] = mould_of(template, classes)
        return mould

    def pods(self, keys: Mapping[str, None]) -> list[PodWorld]:
        """The existing Pods of an index, in the order of their creation."""
        return [self.world.pods[key] for key in sorted(keys)] if keys else []

    def owned(self, uid: str) -> list[PodWorld]:
        """The Pods that the object of this uid owns."""
        return self.pods(self.c.owned.get(uid, NO_KEYS))

    # Objects

    def thing(self, key: str) -> Thing | None:
        """An object by kind/namespace/name."""
        return self.c.things.get(key)

    def of_kind(self, kind: str) -> Iterator[Thing]:
        """All objects of a kind, in the order of their names."""
        return (self.c.things[key] for key in sorted(self.c.kinds.get(kind, NO_KEYS)))

    def put(self, thing: Thing) -> None:
        """Store an object, new or changed; one that is only kept by finalizers it no longer has goes."""
        before = self.c.things.get(thing.key)
        if thing.deleting and not thing.metadata.get("finalizers") and not thing.spec.get("finalizers"):
            self.remove(thing)
            return
        self.c.things = self.c.things.set(thing.key, thing)
        watch.thing_changed(self, before, thing)

    def set_status(self, thing: Thing, status: Mapping[str, Any]) -> Thing:
        """Write an object's status if it changed; the object as it is afterwards."""
        if status == thing.status:
            return thing
        changed = evolve(thing, status=status)
        self.put(changed)
        return changed

    def remove(self, thing: Thing) -> None:
        """Remove an object; its dependents are somebody else's business."""
        if thing.key in self.c.things:
            before = self.c.things[thing.key]
            self.c.things = self.c.things.delete(thing.key)
            watch.thing_changed(self, before, None)

    # Nodes

    def put_node(self, node: NodeState) -> None:
        """Store a node, new or changed."""
        before = self.c.nodes.get(node.name)
        self.c.nodes = self.c.nodes.set(node.name, node)
        watch.node_changed(self, before, node)

    def remove_node(self, name: str) -> None:
        """Remove a node; the Pods bound to it are left alone."""
        before = self.c.nodes[name]
        self.c.nodes = self.c.nodes.delete(name)
        watch.node_changed(self, before, None)

    # Work queues

    def number(self) -> int:
        """The number of the next object that is created."""
        self.c.made += 1
        return self.c.made

    def later(self, kind: str, key: str, when: float) -> None:
        """Have a controller look at an object at an instant, unless it will earlier."""
        known = self.c.asked.get((kind, key))
        if known is not None and known <= when:
            return
        self.c.asked = self.c.asked.set((kind, key), when)
        self.c.order += 1
        self.c.agenda = self.c.agenda.push((when, self.c.order, kind, key))

    def soon(self, kind: str, key: str) -> None:
        """Have a controller look at an object as soon as it hears of a change."""
        self.later(kind, key, self.now + self.m.profile.watch)

    def forget(self, kind: str, key: str) -> None:
        """Take something off the queue again."""
        if (kind, key) in self.c.asked:
            self.c.asked = self.c.asked.delete((kind, key))

    def note(self, text: str) -> None:
        """Say what went otherwise than somebody meant."""
        self.c.notes.append(text)

    def event(self, pod: str, kind: str, reason: str, message: str) -> None:
        """Record a core/v1 Event about a Pod."""
        self.events.append(PodEvent(self.now, kind, reason, message, "", pod))


def stamp(now: float) -> str:
    """An instant as the API writes it, in whole seconds."""
    return instant(now).strftime("%Y-%m-%dT%H:%M:%SZ")
