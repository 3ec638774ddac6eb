"""A snapshot told without what differs between Pods that live alike: the date, and the names of what they are made of.

Times are counted from the Pod's creation. Names (of its node, its addresses, its instances) become places in a list, so
that two snapshots agree if the same names stand in the same places. Nothing else of a Pod's status is left out; of the
metadata and the spec see `marks_told` and `spec_told`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from podfsm.kube.objects import NO_STATE, ContainerStatus, ObjectMeta, Pod, PodCondition, PodSpec, PodStatus
from podfsm.rules.status_shape import family

_GENERATED = re.compile(rb"kube-api-access-\w{5}")
"""The volume of the service account's token, whose name is drawn for each Pod."""
_OWN = "*"
"""Stands for a Pod's own name and uid in messages."""

_address = attrgetter("ip")
_marks = attrgetter("annotations", "finalizers", "ownerReferences", "creationTimestamp", "name", "namespace")

Told = list[Any]
Names = list[str]
Times = list[datetime | None]


class Numbers:
    """Numbers for values: the same for equal ones, and none twice, also after all values are forgotten."""

    def __init__(self) -> None:
        self._given: dict[Hashable, int] = {}
        self._next = 1

    def __len__(self) -> int:
        return len(self._given)

    def of(self, value: Hashable) -> int:
        """The number of a value, from 1 on."""
        number = self._given.get(value)
        if number is None:
            number = self._given[value] = self._next
            self._next += 1
        return number

    def forget(self) -> None:
        """Hold no value any more."""
        self._given.clear()


class Part(msgspec.Struct, frozen=True):
    """What the statuses of containers of one kind show: all but the names as a number, and the names."""

    number: int
    names: Names


_NO_PART = Part(0, [])


class Sight(msgspec.Struct, frozen=True):
    """What a snapshot shows, in parts that are told anew only where they have changed."""

    head: tuple[Any, ...]
    conditions: int
    apps: Part
    inits: Part
    ephemerals: Part
    names: Names
    """All names in their order, the empty one before all others."""
    marks: tuple[Any, ...]
    """The metadata that are not told. Labels are not among them: no rule about a Pod's life reads any."""

    @property
    def told(self) -> tuple[Any, ...]:
        """All but the names and the marks."""
        return (self.head, self.conditions, self.apps.number, self.inits.number, self.ephemerals.number)


class Sights:
    """Tells snapshots. What it has told before has a number."""

    def __init__(self) -> None:
        self.numbers = Numbers()

    def of(self, pod: Pod, before: Pod | None, last: Sight | None) -> Sight | None:
        """What a snapshot shows; `before` and `last` are the one before it and what that showed.

        None if its times cannot be counted from the Pod's creation in whole seconds.
        """
        metadata, status = pod.metadata, pod.status
        created, marks = metadata.creationTimestamp, _marks(metadata)
        if created is None or created.microsecond:
            return None
        head, names = _head(metadata, status, created, pod.spec.nodeName)
        if before is None or last is None or last.marks != marks:
            conditions = self._conditions(status.conditions, created)
            apps = self._part(status.containerStatuses, metadata, created)
            inits = self._part(status.initContainerStatuses, metadata, created)
            ephemerals = self._part(status.ephemeralContainerStatuses, metadata, created)
        else:
            old, conditions, apps, inits, ephemerals = (
                before.status,
                last.conditions,
                last.apps,
                last.inits,
                last.ephemerals,
            )
            if old.conditions != status.conditions:
                conditions = self._conditions(status.conditions, created)
            if old.containerStatuses != status.containerStatuses:
                apps = self._part(status.containerStatuses, metadata, created)
            if old.initContainerStatuses != status.initContainerStatuses:
                inits = self._part(status.initContainerStatuses, metadata, created)
            if old.ephemeralContainerStatuses != status.ephemeralContainerStatuses:
                ephemerals = self._part(status.ephemeralContainerStatuses, metadata, created)
        names += apps.names + inits.names + ephemerals.names
        return Sight(head, conditions, apps, inits, ephemerals, names, marks)

    def _conditions(self, conditions: Sequence[PodCondition], created: datetime) -> int:
        told: Told = []
        for one in conditions:
            turned, probed = one.lastTransitionTime, one.lastProbeTime
            told += (
                one.type,
                one.status,
                one.reason,
                one.message,
                one.observedGeneration,
                None if turned is None else turned - created,
                None if probed is None else probed - created,
            )
        return self.numbers.of(tuple(told))

    def _part(self, statuses: Sequence[ContainerStatus], metadata: ObjectMeta, created: datetime) -> Part:
        if not statuses:
            return _NO_PART
        told: Told = []
        names: Names = []
        times: Times = []
        for one in statuses:
            told += (one.name, one.ready, one.started, one.restartCount, one.image, one.imageID)
            names.append(one.containerID)
            for state in (one.state, one.lastState):
                if state is NO_STATE:
                    told.append(0)
                    continue
                waiting, running, end = state.waiting, state.running, state.terminated
                told.append((waiting is not None) + 2 * (running is not None) + 4 * (end is not None))
                if running is not None:
                    times.append(running.startedAt)
                if end is not None:
                    times += (end.startedAt, end.finishedAt)
                    names.append(end.containerID)
                    told += (end.exitCode, end.signal, end.reason, end.message)
                if waiting is not None:
                    told += (waiting.reason, _message(waiting.message, metadata))
        told += [None if time is None else time - created for time in times]
        return Part(self.numbers.of(tuple(told)), names)


def _head(metadata: ObjectMeta, status: PodStatus, created: datetime, node: str) -> tuple[tuple[Any, ...], Names]:
    """What stands outside of lists, and the names in it."""
    names: Names = ["", node, status.nominatedNodeName]
    families: list[int] | None = None
    if status.hostIP or status.podIP or status.hostIPs or status.podIPs:
        addresses = [status.podIP, status.hostIP, *map(_address, status.podIPs), *map(_address, status.hostIPs)]
        names += addresses
        families = [len(status.podIPs), *map(family, addresses)]
    deleted, began = metadata.deletionTimestamp, status.startTime
    told = (
        status.phase,
        status.reason,
        status.message,
        status.qosClass,
        status.resize,
        status.observedGeneration,
        metadata.generation,
        metadata.deletionGracePeriodSeconds,
        None if deleted is None else deleted - created,
        None if began is None else began - created,
        None if families is None else tuple(families),
    )
    return told, names


def _message(message: str, metadata: ObjectMeta) -> str:
    """A message without the Pod's own name and uid, which the kubelet puts into that of a back-off."""
    uid = metadata.uid
    return message.replace(uid, _OWN).replace(metadata.name, _OWN) if uid and uid in message else message


def marks_told(metadata: ObjectMeta) -> Hashable:
    """What the metadata tell that seldom changes: annotations, finalizers, the kinds of the owners."""
    owners = tuple((owner.apiVersion, owner.kind, owner.controller) for owner in metadata.ownerReferences)
    return (frozenset(metadata.annotations.items()), metadata.finalizers, owners)


def spec_told(spec: PodSpec) -> bytes:
    """All that a spec says, its node and generated names left out."""
    return _GENERATED.sub(b"", msgspec.json.encode(msgspec.structs.replace(spec, nodeName="")))


def generated(spec: PodSpec) -> list[bytes]:
    """The generated names in a spec."""
    return _GENERATED.findall(msgspec.json.encode(spec))
