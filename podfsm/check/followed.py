"""What is followed of a Pod's restarts from one snapshot to the next: back-offs, specs, sandboxes, its deletion.

Where something may have gone unseen the shorter delay is assumed, so a correct kubelet never comes too early.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from datetime import datetime

from attrs import define, field
from msgspec.json import encode

from podfsm.check.finding import Breach
from podfsm.check.ladder import Said, said_by, step_breaches
from podfsm.check.sight import generated
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodSpec
from podfsm.kube.times import EPOCH
from podfsm.rules import backoff
from podfsm.rules.crash_backoff import BackOffEntry, expiry
from podfsm.rules.grace import deleted_at
from podfsm.rules.instance_counts import sandbox_anew
from podfsm.rules.instances import statuses_of


def base_of(pod: Pod) -> datetime:
    """What the times of a Pod are counted from: its creation, or any instant if that is not known."""
    return pod.metadata.creationTimestamp or EPOCH


@define
class Restarts:
    """What is remembered of one Pod: a lower bound of each container's back-off, and when its deletion began.

    Times are seconds since the Pod's creation: so Pods that live alike are remembered alike. A step works on a copy.
    """

    base: datetime = EPOCH
    """The creation of the Pod, or what stands for it if that is not known."""
    entries: dict[str, BackOffEntry] = field(factory=dict)
    specs: dict[str, Container] = field(factory=dict)
    """What the spec said of a container when its present instance was first seen, if it has changed since."""
    deleted: float | None = None
    marked: bool = False
    """The node was taken for lost."""
    renewed: set[str] = field(factory=set)
    """The containers that have not started since the sandbox was made anew: they need not wait."""
    again: set[str] = field(factory=set)
    """The containers of which a second instance was seen, though it may be counted as the first of a new sandbox."""
    said: dict[str, Said] = field(factory=dict)
    """What the last back-off of each container said."""
    hindered: set[str] = field(factory=set)
    """The containers of which attempts failed before they were started: those double a delay and are not counted."""

    def copy(self, base: datetime) -> Restarts:
        """The same of a Pod created at `base`, free to change."""
        return Restarts(
            base,
            dict(self.entries),
            dict(self.specs),
            self.deleted,
            self.marked,
            set(self.renewed),
            set(self.again),
            dict(self.said),
            set(self.hindered),
        )

    def told(self, spec: PodSpec) -> Hashable:
        """All of it but the creation, as one value, for a Pod with this spec."""
        specs = (*map(encode, self.specs.items()), *generated(spec)) if self.specs else None
        return (
            frozenset(self.entries.items()),
            specs,
            self.deleted,
            self.marked,
            frozenset(self.renewed),
            frozenset(self.again),
            frozenset(self.said.items()),
            frozenset(self.hindered),
        )

    def since(self, when: datetime) -> float:
        """The seconds from the Pod's creation to an instant."""
        return (when - self.base).total_seconds()

    def waits(self, was: ContainerStatus, now: ContainerStatus, exactly: bool, gates: Gates) -> Iterator[Breach]:
        """What is wrong with the back-off that a container waits for; it is remembered."""
        name, end, said = now.name, now.lastState.terminated, said_by(now)
        if said is None:
            self.hindered.add(name)
            return
        entry = self.entries.get(name)
        ended = None if end is None or end.finishedAt is None else self.since(end.finishedAt)
        if entry is not None and (ended is None or backoff.starts_over(ended, entry.last_update, expiry())):
            entry = None
        exactly = exactly and name not in self.hindered
        yield from step_breaches(was, now, entry, self.said.get(name), exactly=exactly, gates=gates)
        self.said[name] = said

    def notice(self, before: Pod, after: Pod) -> None:
        """Remember when the deletion began, which sandbox is new, and under which spec instances were started."""
        if self.deleted is None and (began := deleted_at(after.metadata)) is not None:
            self.deleted = self.since(began)
        if sandbox_anew(before, after):
            self.renewed.update(one.name for one in statuses_of(before) if one.containerID)
        old, new = before.spec, after.spec
        if old is not new and (old.containers != new.containers or old.initContainers != new.initContainers):
            for one in (*old.containers, *old.initContainers):
                if one != container_of(new, one.name)[0]:
                    self.specs.setdefault(one.name, one)


def container_of(spec: PodSpec, name: str) -> tuple[Container | None, bool]:
    """The app or init container of this name, and whether it is an init container."""
    found = next((container for container in spec.containers if container.name == name), None)
    if found is not None:
        return found, False
    return next((container for container in spec.initContainers if container.name == name), None), True
