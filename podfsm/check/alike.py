"""Steps that were judged before: of Pods that live alike, one is judged.

No rule knows the date, nor what a Pod, its node or an instance of a container is called. So if a step from one snapshot
to the next was in order, the same step is in order whichever Pod takes it, and whenever. A step is told by what was
shown and remembered before it, which is a number (`Memory.state`), and what is shown after it (`podfsm.check.sight`).
Only steps in which nothing was found are kept, and none if rules of others are asked (`podfsm.check.asked`), which may
go by anything; what hangs on when the recording saw an event is compared each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from datetime import datetime, timedelta

import msgspec
from attrs import frozen
from msgspec.msgpack import Encoder

from podfsm.check.clock import Tick
from podfsm.check.conditions import deadline_breaches
from podfsm.check.event import DELETED, Observation
from podfsm.check.followed import base_of
from podfsm.check.judge import Judgement
from podfsm.check.known import Known, Memory
from podfsm.check.sight import Sight, generated, marks_told, spec_told
from podfsm.check.transitions import AHEAD, WRITE, pushed_at_once, turned
from podfsm.kube.objects import Pod, PodSpec
from podfsm.rules.condition_list import NETWORK
from podfsm.rules.grace import deleted_at
from podfsm.rules.instances import pairs, statuses_of

_MOST = 4_000
"""How many steps are kept before all are forgotten: some 10 MB."""
_UNSEEN = 0
"""The state of every Pod before its first snapshot, and of those whose next step is judged for itself."""

Step = bytes
"""A step as it is told, in one string: that is quicker to look up than many values."""
_packed: Callable[[object], bytes] = Encoder().encode


def _encoded(value: object) -> bytes:
    try:
        return _packed(value)
    except OverflowError:  # an integer of more than 64 bits
        return msgspec.json.encode(value)


class Numbers:
    """Numbers for values: the same for equal ones, and none twice, also after all values are forgotten."""

    def __init__(self) -> None:
        self._given: dict[Hashable, int] = {}
        self._next = _UNSEEN + 1

    def __len__(self) -> int:
        return len(self._given)

    def of(self, value: Hashable) -> int:
        """The number of a value."""
        number = self._given.get(value)
        if number is None:
            number = self._given[value] = self._next
            self._next += 1
        return number

    def forget(self) -> None:
        """Hold no value any more."""
        self._given.clear()


@frozen
class Outcome:
    """What came of a step in which nothing was found. Times count from the Pod's creation."""

    memory: Memory
    tick: Tick
    latest: timedelta | None
    """The latest time that the snapshot shows."""
    earliest: timedelta | None
    """The earliest time of what is new in it, which cannot be earlier than the kubelet's last status."""
    network: tuple[timedelta, bool] | None
    """If the sandbox became ready: since when, and whether the status may have been written just for that."""

    def holds(self, known: Known | None, seen: Observation) -> bool:
        """Whether nothing is to be found in this step either, of another Pod or seen at another time."""
        pod, at = seen.pod, seen.at
        if (pod.spec.activeDeadlineSeconds is not None or pod.status.reason) and any(deadline_breaches(pod, at)):
            return False
        base = base_of(pod) if known is None else known.base
        if at is not None and self.latest is not None and base + self.latest - at > AHEAD:
            return False
        if known is None:
            return True
        clock = known.clock
        if self.earliest is not None and (still := clock.still) is not None and still - (base + self.earliest) > WRITE:
            return False
        if self.network is None:
            return True
        since, at_once = self.network
        return pushed_at_once(base + since, clock.of_node(at)) == at_once


class Steps:
    """The steps that were judged, and what is remembered of a Pod after each."""

    def __init__(self) -> None:
        self._outcomes: dict[Step, Outcome] = {}
        self._states = Numbers()
        self._kinds = Numbers()

    def look(self, known: Known | None, seen: Observation, shown: Sight | None) -> tuple[Step | None, Outcome | None]:
        """The step to what is shown, and what came of it before, if nothing was found in it then, nor is to be now.

        None for a step that does not tell all of the change.
        """
        step = None
        if shown is not None:
            step = self._first(seen, shown) if known is None else self._next(known, seen, shown)
        if step is None:
            return None, None
        outcome = self._outcomes.get(step)
        return step, outcome if outcome is not None and outcome.holds(known, seen) else None

    def _first(self, seen: Observation, shown: Sight) -> Step:
        names = shown.names
        return _encoded((_UNSEEN, seen.type == DELETED, self._kind(seen.pod), shown.told, [*map(names.index, names)]))

    def _next(self, known: Known, seen: Observation, shown: Sight) -> Step | None:
        names, last, old, new = shown.names, known.shown, known.pod.spec, seen.pod.spec
        spec = 0 if old is new or old == new else self._change(old, new)
        if last is None or spec is None or last.marks != shown.marks:
            return None
        labelled = known.pod.metadata.labels != seen.pod.metadata.labels  # that somebody wrote them is told, not what
        places = None if names == last.names else [*map((last.names + names).index, names)]
        return _encoded((known.memory.state, seen.type == DELETED, spec, labelled, shown.told, places))

    def remember(
        self, step: Step | None, known: Known | None, seen: Observation, shown: Sight | None, judgement: Judgement
    ) -> Memory:
        """What is remembered of a Pod after a step; if it is told, and so is the snapshot, the step is kept.

        A snapshot in which something was found is not to be given as `shown`.
        """
        past, restarts = judgement.past, judgement.restarts
        if shown is None:
            return Memory(_UNSEEN, past, restarts)
        if max(len(self._outcomes), len(self._states), len(self._kinds)) >= _MOST:
            self._forget()
        names, kind = shown.names, self._kind_after(known, seen, shown)
        told = _encoded((shown.told, [*map(names.index, names)]))
        state = self._states.of((kind, told, past, restarts.told(seen.pod.spec)))
        memory = Memory(state, past, restarts, kind)
        if step is not None:
            self._outcomes[step] = _outcome(known, seen, memory, judgement.tick)
        return memory

    def _kind_after(self, known: Known | None, seen: Observation, shown: Sight) -> tuple[int, int]:
        """The kind of a Pod, which is told anew only if its spec or its marks have changed."""
        if known is None or known.shown is None or known.memory.kind is None:
            return self._kind(seen.pod)
        same = known.shown.marks == shown.marks and known.pod.spec is seen.pod.spec
        return known.memory.kind if same else self._kind(seen.pod)

    def _kind(self, pod: Pod) -> tuple[int, int]:
        """The numbers of what a Pod's spec and marks tell."""
        return self._kinds.of(spec_told(pod.spec)), self._kinds.of(marks_told(pod.metadata))

    def _change(self, old: PodSpec, new: PodSpec) -> int | None:
        """The number of what a changed spec tells; None if that does not tell all of the change."""
        moved = old.nodeName and old.nodeName != new.nodeName
        return None if moved or generated(old) != generated(new) else self._kinds.of(spec_told(new))

    def _forget(self) -> None:
        self._outcomes.clear()
        self._states.forget()
        self._kinds.forget()


def _outcome(known: Known | None, seen: Observation, memory: Memory, tick: Tick) -> Outcome:
    pod, base = seen.pod, memory.restarts.base
    latest = _since(max(_times(pod), default=None), base)
    if known is None:
        return Outcome(memory, tick, latest, None, None)
    turns = [(was, now) for was, now in turned(known.pod, pod) if was.status != now.status]
    new = [now.lastTransitionTime for _, now in turns]
    for was, now in pairs(known.pod, pod):
        if was.state.running is not None and now.state.terminated is not None:
            new.append(now.state.terminated.finishedAt)
    earliest = _since(min((time for time in new if time is not None), default=None), base)
    up = next((now.lastTransitionTime for _, now in turns if now.type == NETWORK and now.status == "True"), None)
    network = None if up is None else (up - base, pushed_at_once(up, known.clock.of_node(seen.at)))
    return Outcome(memory, tick, latest, earliest, network)


def _since(time: datetime | None, base: datetime) -> timedelta | None:
    return None if time is None else time - base


def _times(pod: Pod) -> Iterator[datetime]:
    """Every time of a Pod that lies in the past when it is seen."""
    found = [deleted_at(pod.metadata), *(condition.lastTransitionTime for condition in pod.status.conditions)]
    for one in statuses_of(pod):
        running, end = one.state.running, one.state.terminated
        found.append(None if running is None else running.startedAt)
        found.append(None if end is None else end.finishedAt)
    return (time for time in found if time is not None)
