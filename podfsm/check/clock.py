"""The clock of a Pod's node, as far as a recording tells: needed to say that something was still so at some time."""

from __future__ import annotations

from datetime import datetime, timedelta

from attrs import define, frozen

from podfsm.check.reads import CONDITIONS, METADATA, SPEC
from podfsm.check.transitions import AHEAD, newest, others
from podfsm.kube.objects import Pod


def before_creation(pod: Pod, at: datetime | None) -> bool:
    """Whether a Pod is said to have been seen before it was created: then the recording has a clock of its own."""
    created = pod.metadata.creationTimestamp
    return at is not None and created is not None and at < created - AHEAD


@define
class Clock:
    """What the arrival times of one Pod's events tell of the kubelet's clock."""

    lead: timedelta | None = None
    """How far the recording's clock is ahead of the node's, at most: no status arrives before it was written."""
    written: datetime | None = None
    """When the last status that can only be the kubelet's arrived."""
    broken: bool = False
    """The recording's clock was set back, so that nothing can be told from it."""

    @property
    def still(self) -> datetime | None:
        """A time of the node's clock at which the last status was what the kubelet had written; None if unknown."""
        return None if self.broken or self.lead is None or self.written is None else self.written - self.lead

    def of_node(self, at: datetime | None) -> datetime | None:
        """The earliest time that the node's clock may have shown at a time of the recording; None if unknown."""
        return None if self.broken or self.lead is None or at is None else at - self.lead

    def take(self, tick: Tick, base: datetime, at: datetime) -> None:
        """Take in what one event tells, of a Pod created at `base`."""
        lead = at - (base + tick.stamp) if tick.stamp is not None else None
        if lead is not None and lead > -AHEAD and (self.lead is None or lead < self.lead):
            self.lead = lead
        if tick.dates is not None:
            self.written = at if tick.dates else None


@frozen
class Tick:
    """What one event tells of the kubelet's clock.

    Only what nobody else writes dates the kubelet's own status: while it cannot reach the API server, others go on.
    """

    stamp: timedelta | None = None
    """The latest time the kubelet has written into it, since the Pod's creation."""
    dates: bool | None = None
    """Whether it dates the kubelet's status, or takes away what did; None: neither."""


NO_TICK = Tick()


def tick(before: Pod, after: Pod, parts: int, base: datetime) -> Tick:
    """What an event tells that has changed these parts of a Pod created at `base`."""
    if not parts:
        return NO_TICK
    stamp = newest(after) if parts & CONDITIONS else None
    dates: bool | None = None
    if not parts & (METADATA | SPEC) and (not parts & CONDITIONS or others(before) == others(after)):
        dates = True
    elif parts & CONDITIONS:
        dates = False
    return Tick(stamp - base if stamp is not None else None, dates)
