"""What the checker remembers of one Pod between two of its snapshots."""

from __future__ import annotations

from datetime import datetime

from attrs import define, field, frozen

from podfsm.check.clock import Clock
from podfsm.check.followed import Restarts
from podfsm.check.past import Past
from podfsm.check.sight import Sight
from podfsm.kube.objects import Pod


@frozen
class Memory:
    """What earlier snapshots told, counted from the Pod's creation: so Pods that live alike share it."""

    state: int
    """All of it and what was shown last, as a number (see `podfsm.check.alike`)."""
    past: Past
    restarts: Restarts
    kind: tuple[int, int] | None = None
    """The numbers of what its spec and its marks tell."""


@frozen
class Judged:
    """What the judgement of a snapshot leaves for that of the next."""

    spec: int
    """The number of the spec's shape."""
    shape: int
    """The number of the snapshot's shape."""
    broken: frozenset[tuple[str, str]] = frozenset()
    """What it broke by itself: rules, and what they allow."""


@define
class Known:
    """What is remembered of one Pod."""

    pod: Pod
    version: int | None
    """Its resourceVersion."""
    at: datetime | None
    """When it was seen last."""
    epoch: int
    """The watch in which that was."""
    base: datetime
    """When it was created."""
    shown: Sight | None
    """The last snapshot as it is told; None if the next step is to be judged for itself."""
    memory: Memory
    judged: Judged | None
    """None if the last snapshot was not judged, because one like it had been."""
    clock: Clock = field(factory=Clock)
