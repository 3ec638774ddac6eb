"""How far a Deployment may go in one step: the arithmetic of surge, unavailability and proportional scaling.

Functions from values to values. Source: pkg/controller/deployment/rolling.go, util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import ceil, floor
from typing import Any

from attrs import frozen

from podfsm.kube.times import seconds_of
from podfsm.world.cluster.state import Thing

DESIRED = "deployment.kubernetes.io/desired-replicas"


@frozen
class Limits:
    """How many Pods are wanted, how many more there may be, and how many of them may be unavailable."""

    wanted: int
    surge: int
    unavailable: int


def limits(spec: Mapping[str, Any]) -> Limits:
    """The limits of a Deployment. Percentages of the surge are rounded up, of unavailability down; not both are 0."""
    wanted = int(spec.get("replicas") or 0)
    rolling = (spec.get("strategy") or {}).get("rollingUpdate")
    if rolling is None:
        return Limits(wanted, 0, 0)
    surge = scaled(rolling.get("maxSurge", "25%"), wanted, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return Limits(wanted, surge, min(unavailable, wanted) or (0 if surge else 1))


def scaled(value: int | str, total: int, *, up: bool) -> int:
    """A number, or a percentage of `total`."""
    if isinstance(value, str):
        share = int(value.removesuffix("%")) * total / 100
        return ceil(share) if up else floor(share)
    return int(value)


def sizes(sets: Iterable[Thing]) -> dict[str, int]:
    """spec.replicas of ReplicaSets, by key."""
    return {each.key: int(each.spec.get("replicas") or 0) for each in sets}


def counted(sets: Iterable[Thing], name: str) -> int:
    """The sum of a figure in the statuses of ReplicaSets."""
    return sum(int(each.status.get(name, 0)) for each in sets)


def new_size(given: Limits, now: int, total: int) -> int:
    """How large the new ReplicaSet may be; `now` is its size and `total` that of all."""
    if now >= given.wanted:
        return given.wanted
    room = given.wanted + given.surge - total
    return now + min(room, given.wanted - now) if room > 0 else now


def old_sizes(given: Limits, new: Thing, old: Sequence[Thing]) -> dict[str, int]:
    """What the old ReplicaSets shrink to: first by what is not available in them, then by what can be spared."""
    size = sizes((*old, new))
    least = given.wanted - given.unavailable
    unready = size[new.key] - counted((new,), "availableReplicas")
    spare = sum(size.values()) - least - unready
    if not sum(size[each.key] for each in old) or spare <= 0:
        return {}
    left = {each.key: size[each.key] for each in old}
    for each in old:
        broken = left[each.key] - counted((each,), "availableReplicas")
        cut = min(spare, max(0, broken))
        left[each.key] -= cut
        spare -= cut
    surplus = counted((*old, new), "availableReplicas") - least
    for each in old:
        cut = min(max(0, surplus), left[each.key])
        left[each.key] -= cut
        surplus -= cut
    return {key: smaller for key, smaller in left.items() if smaller != size[key]}


def shared(spec: Mapping[str, Any], new: Thing | None, old: Sequence[Thing]) -> dict[str, int]:
    """What a changed size of the Deployment makes of its ReplicaSets.

    The only one with Pods, or the newest, takes all; when the new one has all it needs the old ones get none; otherwise
    the change is shared in proportion to the sizes, larger ones first, and the first takes what is left over.
    """
    given = limits(spec)
    every = [*old, *([new] if new is not None else [])]
    size = sizes(every)
    busy = [each for each in every if size[each.key]]
    if len(busy) <= 1:
        only = busy[0] if busy else new
        return {only.key: given.wanted} if only is not None and size[only.key] != given.wanted else {}
    if new is not None and size[new.key] == given.wanted == counted((new,), "availableReplicas"):
        return {each.key: 0 for each in old if size[each.key]}
    if (spec.get("strategy") or {}).get("type") == "Recreate":
        return {}
    total = sum(size.values())
    target = given.wanted + given.surge if given.wanted else 0
    return _proportional(busy, size, target - total, given)


def _proportional(busy: Sequence[Thing], size: Mapping[str, int], change: int, given: Limits) -> dict[str, int]:
    newest_first = change > 0
    order = sorted(busy, key=lambda each: (-size[each.key], -each.number if newest_first else each.number))
    result, left = {}, change
    for each in order:
        share = _fraction(each, size[each.key], given) if left else 0
        share = max(min(share, left), 0) if change > 0 else min(max(share, left), 0)
        result[each.key] = max(0, size[each.key] + share)
        left -= share
    first = order[0].key
    result[first] = max(0, result[first] + left)
    return {key: new for key, new in result.items() if new != size[key]}


def _fraction(each: Thing, size: int, given: Limits) -> int:
    """A ReplicaSet's part of the change: what its size would be by the old proportions, less its size."""
    known = (each.metadata.get("annotations") or {}).get(DESIRED)
    before = (int(known) if known is not None else given.wanted) + given.surge
    target = given.wanted + given.surge
    return floor(size * target / before + 0.5) - size if before else target - size


def seconds(text: str) -> float:
    """A timestamp of an object's status on podfsm's clock."""
    return seconds_of(datetime.fromisoformat(text))
