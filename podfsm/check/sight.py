"""A snapshot told without what differs between Pods that live alike: the date, and the names of what they are made of.

Times are counted from the Pod's creation. Names (of its node, its addresses, its instances) become places in a list, so
that two snapshots agree if the same names stand in the same places. Nothing else of a Pod's status is left out; of the
metadata and the spec see `marks_told` and `spec_told`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from datetime import datetime
from operator import attrgetter
from typing import Any

import msgspec

from podfsm.kube.addresses import family
from podfsm.kube.objects import NO_STATE, ContainerState, ObjectMeta, Pod, PodSpec, PodStatus
from podfsm.rules.instances import well_formed
from podfsm.rules.status_shape import NEVER

_GENERATED = re.compile(rb'kube-api-access-\w{5}(?=","(?:mountPath|projected)":)')
"""The volume of the service account's token, whose name is drawn for each Pod, and its mounts."""

_address = attrgetter("ip")
_marks = attrgetter("annotations", "finalizers", "ownerReferences", "creationTimestamp", "name", "namespace")

Told = list[Any]
Names = list[str]
Times = list[datetime | None]


class Sight(msgspec.Struct, frozen=True, gc=False):
    """What a snapshot shows."""

    told: Told
    """All but the names. Every list in it stands behind its length."""
    names: Names
    """The names in their order, the empty one before all others."""
    marks: tuple[Any, ...]
    """The metadata that are not told, labels left out; a step in which they change is judged for itself."""


def sight(pod: Pod) -> Sight | None:
    """What a snapshot shows; None if its times cannot be counted from the Pod's creation in whole seconds."""
    metadata, status = pod.metadata, pod.status
    created = metadata.creationTimestamp
    if created is None or created.microsecond:
        return None
    told: Told = [status.phase, status.reason, status.message, status.qosClass, status.resize]
    told += (status.observedGeneration, metadata.generation, metadata.deletionGracePeriodSeconds)
    told.append(not metadata.resourceVersion)
    names: Names = ["", pod.spec.nodeName, status.nominatedNodeName]
    times: Times = [metadata.deletionTimestamp, status.startTime]
    told.append(len(status.conditions))
    for condition in status.conditions:
        told += (condition.type, condition.status, condition.reason, condition.message, condition.observedGeneration)
        times.append(condition.lastTransitionTime)
        if condition.lastProbeTime is not None:  # so it is of resize conditions only
            told.append(len(times))
            times.append(condition.lastProbeTime)
    addresses = _addresses(status)
    names += addresses
    told += (len(status.podIPs), len(status.hostIPs), len(names))
    told += map(family, addresses)
    states: list[ContainerState] = []
    for listed in (status.containerStatuses, status.initContainerStatuses, status.ephemeralContainerStatuses):
        told.append(len(listed))
        for one in listed:
            told += (one.name, one.ready, one.started, one.restartCount, one.image, one.imageID)
            told.append(well_formed(one.containerID))
            names.append(one.containerID)
            states += (one.state, one.lastState)
    told += [None if time is None else time - created for time in times]
    _tell_states(states, metadata, created, told, names)
    return Sight(told, names, _marks(metadata))


def _addresses(status: PodStatus) -> Names:
    """The addresses of a Pod and its node, in their order; none as long as it has none."""
    if status.hostIP or status.podIP or status.hostIPs or status.podIPs:
        return [status.podIP, status.hostIP, *map(_address, status.podIPs), *map(_address, status.hostIPs)]
    return []


def _tell_states(
    states: list[ContainerState], metadata: ObjectMeta, created: datetime, told: Told, names: Names
) -> None:
    """What states say, each behind a number that tells which of its three fields are set; their times come last.

    Those that stand for none are told apart, for rules pass over them.
    """
    times: Times = []
    for state in states:
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
            told += (well_formed(end.containerID), end.exitCode, end.signal, end.reason, end.message)
        if waiting is not None:
            told += (waiting.reason, _message(waiting.message, metadata))
    told += [None if time is None else time - created if time > NEVER else (time - created,) for time in times]


def _message(message: str, metadata: ObjectMeta) -> str | list[str]:
    """A message; what stands around the Pod's own name, which the kubelet puts into that of a back-off."""
    if not metadata.uid or metadata.uid not in message:
        return message
    return message.split(f"{metadata.name}_{metadata.namespace}({metadata.uid})")


def marks_told(metadata: ObjectMeta) -> Hashable:
    """What the metadata tell that seldom changes: annotations, finalizers, the kinds of the owners.

    Labels are not among them: no rule about a Pod's life reads any.
    """
    name = metadata.name
    owners = tuple(
        (owner.apiVersion, owner.kind, owner.controller, name.startswith(f"{owner.name}-"))
        for owner in metadata.ownerReferences
    )
    return (frozenset(metadata.annotations.items()), metadata.finalizers, owners)


def spec_told(spec: PodSpec) -> bytes:
    """All that a spec says, its node and generated names left out."""
    return _GENERATED.sub(b"", msgspec.json.encode(msgspec.structs.replace(spec, nodeName="")))


def generated(spec: PodSpec) -> list[bytes]:
    """The generated names in a spec."""
    return _GENERATED.findall(msgspec.json.encode(spec))
