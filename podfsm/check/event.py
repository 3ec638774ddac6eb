"""What a recording tells: one Pod as it was seen once, or that it is gone."""

from __future__ import annotations

from datetime import datetime

import msgspec
from attrs import frozen

from podfsm.check.finding import Place
from podfsm.kube.objects import Pod

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
SEEN = "SEEN"
"""A Pod out of a list or on its own: no event, just how it was."""

CHANGES = (ADDED, MODIFIED, DELETED, SEEN)


_NOWHERE = Place()


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One sight of a Pod. `at` is when it was seen, if the recording says so."""

    type: str
    pod: Pod
    place: Place = _NOWHERE
    at: datetime | None = None


@frozen
class Relist:
    """The watch was broken off and begins anew (ERROR 410, or the end of a list): Pods may have gone unseen."""

    place: Place = _NOWHERE
