"""Counting the Pods of each owner as they change, so that a controller need not look at all of them each time."""

from __future__ import annotations

from typing import TypeVar

from attrs import evolve, frozen
from immutables import Map

from podfsm.kube.objects import Pod
from podfsm.rules.disruption_budget import ready
from podfsm.rules.phase_counts import TERMINAL
from podfsm.world.cluster.state import ClusterDraft, Tally

K = TypeVar("K")
NOTHING = Tally()


@frozen
class Counted:
    """How one Pod counts for the object that controls it."""

    owner: str = ""
    active: bool = False
    ready: bool = False
    terminating: bool = False
    labels: frozenset[tuple[str, str]] = frozenset()
    node: str = ""
    stays: bool = False
    """It is not being deleted; it may have finished."""


_NOT = Counted()


def counted(pod: Pod | None) -> Counted:
    """How a Pod counts; not at all without a controller, or if it does not exist (None)."""
    owner = next((o.uid for o in pod.metadata.ownerReferences if o.controller), "") if pod is not None else ""
    if pod is None or not owner:
        return _NOT
    if pod.status.phase in TERMINAL:
        stays = pod.metadata.deletionTimestamp is None
        return Counted(owner, node=pod.spec.nodeName if stays else "", stays=stays)
    if pod.metadata.deletionTimestamp is not None:
        return Counted(owner, terminating=True)
    labels = frozenset(pod.metadata.labels.items())
    return Counted(owner, True, ready(pod), False, labels, pod.spec.nodeName, stays=True)


def count(c: ClusterDraft, before: Pod | None, after: Pod | None) -> None:
    """Note that a Pod has changed."""
    old, new = counted(before), counted(after)
    if old == new:
        return
    for each, sign in ((old, -1), (new, 1)):
        if each.owner:
            c.tallies = c.tallies.set(each.owner, _added(c.tallies.get(each.owner, NOTHING), each, sign))
    if old.owner and c.tallies[old.owner] == NOTHING:
        c.tallies = c.tallies.delete(old.owner)


def _added(tally: Tally, pod: Counted, sign: int) -> Tally:
    placed = _changed(tally.placed, pod.node, sign) if pod.stays else tally.placed
    if not pod.active:
        terminating = tally.terminating + sign * pod.terminating
        return evolve(tally, terminating=terminating, placed=placed)
    labels, nodes = _changed(tally.labels, pod.labels, sign), _changed(tally.nodes, pod.node, sign)
    return Tally(tally.active + sign, tally.ready + sign * pod.ready, tally.terminating, labels, nodes, placed)


def _changed(counts: Map[K, int], key: K, sign: int) -> Map[K, int]:
    number = counts.get(key, 0) + sign
    return counts.set(key, number) if number else counts.delete(key)
