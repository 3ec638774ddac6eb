"""How far a Deployment's rollout may go in one step: surge, unavailability, and sharing out a change of size.

The Deployment controller only sizes ReplicaSets; which Pods come and go is their business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil, floor

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source

_AREA = "controllers"
_PAGE = "concepts/workloads/controllers/deployment.md"
_ROLLING = "pkg/controller/deployment/rolling.go"
_UTIL = "pkg/controller/deployment/util/deployment_util.go"


@frozen
class Limits:
    """How many Pods are wanted, how many more there may be, and how many of them may be unavailable."""

    wanted: int
    surge: int
    unavailable: int


@frozen
class Sized:
    """A ReplicaSet as a rollout sees it. `age` is greater for younger ones; `total` the Deployment's size it knows."""

    name: str
    size: int
    available: int = 0
    age: int = 0
    total: int | None = None


@derivation(
    "ctl-scaled-number",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#rolling-update-deployment"),
        source("staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go", "GetScaledValueFromIntOrPercent"),
    ],
    seed=7,
    observable="how many Pods there are during a rollout",
    examples=[
        example(3, 10, gives=3, up=True),
        example("25%", 10, gives=3, up=True),
        example("25%", 10, gives=2, up=False),
        example("0%", 10, gives=0, up=True),
    ],
)
def scaled(value: int | str, total: int, *, up: bool) -> int:
    """A limit is a number of Pods or a percentage of those wanted, rounded up for a surge and down for unavailability.

    For maxUnavailable of a DaemonSet it is rounded up as well.
    """
    if isinstance(value, str):
        share = int(value.removesuffix("%")) * total / 100
        return ceil(share) if up else floor(share)
    return value


@derivation(
    "ctl-rollout-limits",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PAGE}#rolling-update-deployment"), source(_UTIL, "ResolveFenceposts"), source(_UTIL, "MaxSurge")],
    seed=7,
    observable="Deployment status.replicas and status.availableReplicas during a rollout",
    examples=[
        example(10, "25%", "25%", gives=Limits(10, 3, 2)),
        example(1, "25%", "25%", gives=Limits(1, 1, 0)),
        example(1, 0, "25%", gives=Limits(1, 0, 1)),
        example(2, 0, 5, gives=Limits(2, 0, 2)),
    ],
)
def rolling_limits(wanted: int, surge: int | str, unavailable: int | str) -> Limits:
    """A rolling update keeps wanted - maxUnavailable Pods available and makes at most wanted + maxSurge.

    Never more than all may be unavailable; and if rounding leaves neither, one Pod may be, or nothing would move.
    """
    more = scaled(surge, wanted, up=True)
    fewer = min(scaled(unavailable, wanted, up=False), wanted)
    return Limits(wanted, more, fewer or (0 if more else 1))


@derivation(
    "ctl-rollout-grow",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PAGE}#max-surge"), source(_UTIL, "NewRSNewReplicas")],
    seed=7,
    observable="ReplicaSet spec.replicas",
    examples=[
        example(Limits(10, 3, 2), 0, 10, gives=3),
        example(Limits(10, 3, 2), 3, 13, gives=3),
        example(Limits(10, 3, 2), 9, 10, gives=10),
        example(Limits(2, 1, 0), 4, 4, gives=2),
    ],
)
def grown(limits: Limits, size: int, total: int) -> int:
    """The new ReplicaSet grows from its `size` as long as all together (`total`) keep within the surge."""
    if size >= limits.wanted:
        return limits.wanted
    room = limits.wanted + limits.surge - total
    return size + min(room, limits.wanted - size) if room > 0 else size


def _both(new: Sized, *old: Sized) -> tuple[Sized, tuple[Sized, ...]]:
    """Arguments of examples."""
    return new, old


@derivation(
    "ctl-rollout-shrink",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PAGE}#max-unavailable"), source(_ROLLING, "reconcileOldReplicaSets")],
    seed=7,
    observable="ReplicaSet spec.replicas",
    examples=[
        example(Limits(10, 3, 2), *_both(Sized("new", 3), Sized("old", 10, 10)), gives={"old": 8}),
        example(Limits(10, 3, 2), *_both(Sized("new", 3, 3), Sized("old", 8, 8)), gives={"old": 5}),
        example(Limits(10, 3, 2), *_both(Sized("new", 3), Sized("old", 10, 7)), gives={"old": 8}),
        example(Limits(10, 3, 2), *_both(Sized("new", 5), Sized("old", 8, 8)), gives={}),
    ],
)
def shrunk(limits: Limits, new: Sized, old: Sequence[Sized]) -> dict[str, int]:
    """The old ReplicaSets shrink by what is not available in them first, then by what can be spared of the rest.

    New Pods that are not available yet are counted as missing. Gives the new sizes of those that change, by name; old
    ones are given the oldest first.
    """
    least = limits.wanted - limits.unavailable
    spare = new.available + sum(each.size for each in old) - least
    if spare <= 0:
        return {}
    left = {each.name: each.size for each in old}
    for each in old:
        cut = min(spare, max(0, left[each.name] - each.available))
        left[each.name] -= cut
        spare -= cut
    surplus = new.available + sum(each.available for each in old) - least
    for each in old:
        cut = min(max(0, surplus), left[each.name])
        left[each.name] -= cut
        surplus -= cut
    return _changed(left, old)


@derivation(
    "ctl-rollout-proportional",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PAGE}#proportional-scaling"),
        source("pkg/controller/deployment/sync.go", "scale"),
        source(_UTIL, "GetReplicaSetProportion"),
    ],
    seed=7,
    observable="spec.replicas of the ReplicaSets of a Deployment that is scaled during a rollout",
    examples=[
        example(Limits(15, 3, 2), Sized("new", 5, 5, 1, 10), [Sized("old", 8, 8, 0, 10)], gives={"old": 11, "new": 7}),
        example(Limits(5, 2, 1), Sized("new", 3, 3, 1, 3), [], gives={"new": 5}),
        example(Limits(5, 2, 1), Sized("new", 5, 5, 1, 5), [Sized("old", 2, 2, 0, 5)], gives={"old": 0}),
        example(Limits(0, 1, 0), Sized("new", 1, 1, 1, 3), [Sized("old", 2, 2, 0, 3)], gives={"old": 0, "new": 0}),
    ],
)
def shared(limits: Limits, new: Sized | None, old: Sequence[Sized], *, rolling: bool = True) -> dict[str, int]:
    """A new size of a Deployment goes to its ReplicaSets in proportion to their sizes, larger ones first.

    The only one with Pods, or else the new one, takes all; once the new one has all it needs, the old ones get none.
    Shares are rounded, and what is left over goes to the first. Without `rolling` (Recreate) nothing is shared. Gives
    the new sizes of those that change, by name.
    """
    every = [*old, *([new] if new is not None else [])]
    busy = [each for each in every if each.size]
    if len(busy) <= 1:
        only = busy[0] if busy else new
        return {only.name: limits.wanted} if only is not None and only.size != limits.wanted else {}
    if new is not None and new.size == limits.wanted == new.available:
        return {each.name: 0 for each in old if each.size}
    if not rolling:
        return {}
    target = limits.wanted + limits.surge if limits.wanted else 0
    return _proportional(busy, target - sum(each.size for each in every), limits)


def _proportional(busy: Sequence[Sized], change: int, limits: Limits) -> dict[str, int]:
    order = sorted(busy, key=lambda each: (-each.size, -each.age if change > 0 else each.age))
    sizes, left = {}, change
    for each in order:
        share = _fraction(each, limits) if left else 0
        share = max(min(share, left), 0) if change > 0 else min(max(share, left), 0)
        sizes[each.name] = max(0, each.size + share)
        left -= share
    first = order[0].name
    sizes[first] = max(0, sizes[first] + left)
    return _changed(sizes, order)


def _fraction(each: Sized, limits: Limits) -> int:
    """A ReplicaSet's part of the change: what its size would be by the old proportions, less its size."""
    if not limits.wanted:
        return -each.size
    before = (each.total if each.total is not None else limits.wanted) + limits.surge
    target = limits.wanted + limits.surge
    return floor(each.size * target / before + 0.5) - each.size if before else target - each.size


def _changed(sizes: Mapping[str, int], sets: Iterable[Sized]) -> dict[str, int]:
    """Only the sizes that differ from what they were."""
    return {each.name: sizes[each.name] for each in sets if sizes[each.name] != each.size}
