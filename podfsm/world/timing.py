"""Latencies and jitter: what lies between a cause and its visible effect, as a profile the caller chooses.

The constants that Kubernetes fixes come from specs/timing.yaml; what depends on machines (how long a write or a
container start takes, where in its second a node's relist falls) is a property of the profile. All in seconds.
"""

from __future__ import annotations

import random
from functools import lru_cache
from math import ceil, floor
from zlib import crc32

from attrs import frozen

from podfsm.errors import UnknownName
from podfsm.rules.timings import timing_constant
from podfsm.world.nodes import ANY_NODE


@frozen
class Profile:
    """One timing profile. `jitter` says whether the kubelet's random additions are drawn (by seed) or left out."""

    name: str
    schedule: float = 0.006
    """From creation to binding."""
    notice: float = 0.010
    """Until the kubelet sees a change made through the API."""
    sandbox: float = 0.012
    """Creating a sandbox with its network."""
    start: float = 0.006
    """Creating and starting one container, its image present."""
    look: float = 0.003
    """A relist of one Pod on request."""
    mount_poll: float = 0.1
    """How soon the volume manager first tries to mount."""
    relist: float = timing_constant("pleg-relist")
    relist_phase: float = 0.0
    """Where in the relist period the node-wide relist falls."""
    tick: float = timing_constant("sync-loop-tick")
    tick_phase: float = 0.0
    probe_phase: float = 0.0
    """A worker sleeps this part of its period before its first probe when no jitter is drawn."""
    watch: float = 0.005
    """Until a controller hears of a change and has acted on it."""
    heartbeat_phase: float = 0.0
    """Where in their period the nodes' heartbeats fall."""
    monitor_phase: float = 0.0
    """Where in its period the node controller's look at all nodes falls."""
    gc_phase: float = 0.0
    """Where in its period PodGC's pass falls."""
    names: int = 0
    """Which of the possible draws of random names and uids is taken; with 0 names count down (`cluster.naming`)."""
    jitter_part: float = 0.0
    """The part of the greatest jitter that is added when none is drawn."""
    jitter: bool = False
    seed: int = 0

    def jittered(self, period: float, most: float, *, who: str, draw: int) -> float:
        """`period` lengthened by up to `most` of itself; draws are a function of seed, Pod and count only."""
        part = random.Random(f"{self.seed}/{who}/{draw}").random() if self.jitter else self.jitter_part  # noqa: S311
        return period * (1.0 + most * part)

    def probe_offset(self, period: float, *, who: str, draw: int) -> float:
        """How long a probe worker sleeps before its first tick."""
        part = random.Random(f"{self.seed}/{who}/{draw}").random() if self.jitter else self.probe_phase  # noqa: S311
        return period * part

    def next_relist(self, after: float, node: str = ANY_NODE) -> float:
        """The first relist of a whole node later than `after`. Each kubelet has its own rhythm."""
        return _next_on_grid(after, self.relist, self.relist_phase + self._offset(node))

    def last_relist(self, now: float, node: str = ANY_NODE) -> float:
        """The last relist of a whole node up to `now`."""
        if self.relist <= 0:
            return now
        start = ((self.relist_phase + self._offset(node)) % 1.0) * self.relist
        return start + floor((now - start) / self.relist + _CLOSE) * self.relist

    def _offset(self, node: str) -> float:
        """By which share of the period a node's rhythm differs from that of the node of a run without Nodes."""
        return 0.0 if node == ANY_NODE else drawn_share(f"{self.names}/{node}")

    def next_tick(self, due: float) -> float:
        """The first tick of the sync loop at or after `due`."""
        if self.tick <= 0:
            return due
        start = self.tick_phase * self.tick
        return max(due, start + ceil((due - start) / self.tick - _CLOSE) * self.tick)


_CLOSE = 1e-9


@lru_cache(maxsize=65536)
def drawn_share(what: str) -> float:
    """A number from 0 to 1 that looks random and depends on nothing but `what`."""
    return crc32(what.encode()) / 2**32


def next_on_grid(after: float, period: float, phase: float) -> float:
    """The first instant later than `after` of something that repeats; `phase` is a share of the period."""
    return _next_on_grid(after, period, phase)


def _next_on_grid(after: float, period: float, phase: float) -> float:
    if period <= 0:
        return after
    start = (phase % 1.0) * period
    return start + (floor((after - start) / period + _CLOSE) + 1) * period


KUBELET = Profile(
    "kubelet",
    relist_phase=0.75,
    tick_phase=0.3,
    heartbeat_phase=0.8,
    monitor_phase=0.3,
    gc_phase=0.4,
)
IDEAL = Profile(
    "ideal", schedule=0.0, notice=0.0, sandbox=0.0, start=0.0, look=0.0, mount_poll=0.0, watch=0.0, relist=0.0, tick=0.0
)
PROFILES = {"kubelet": KUBELET, "ideal": IDEAL}


def profile(name: str) -> Profile:
    """The profile of that name. Raises UnknownName."""
    if name not in PROFILES:
        raise UnknownName("timing profile", name, PROFILES)
    return PROFILES[name]
