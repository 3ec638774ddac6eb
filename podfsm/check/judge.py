"""One snapshot of a Pod judged by every rule: by itself, and by how it came from the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from attrs import frozen

from podfsm.check.asked import asked
from podfsm.check.clock import NO_TICK, Tick, tick
from podfsm.check.conditions import (
    address_breaches,
    condition_breaches,
    deadline_breaches,
    end_breaches,
    first_breaches,
    gate_breaches,
    gone_breaches,
)
from podfsm.check.derived import derived_breaches
from podfsm.check.event import DELETED, Observation
from podfsm.check.finding import Breach
from podfsm.check.followed import Restarts, base_of
from podfsm.check.known import Judged, Known
from podfsm.check.ladder import message_breaches
from podfsm.check.past import Past, pasts
from podfsm.check.paths import path_between
from podfsm.check.reads import APPS, CONDITIONS, EVERYTHING, INIT, METADATA, OTHER, SPEC, changed
from podfsm.check.restarts import restart_breaches, uncounted_breaches
from podfsm.check.shapes import Shapes
from podfsm.check.snapshot import snapshot_breaches
from podfsm.check.specs import spec_breaches
from podfsm.check.stated import stated_breaches
from podfsm.check.steps import write_breaches
from podfsm.check.transitions import (
    future_breaches,
    left_breaches,
    transition_breaches,
    turned,
    unwritten_breaches,
)
from podfsm.check.words import change_words, snapshot_words
from podfsm.engine.rule import Registry
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Pod
from podfsm.rules.condition_list import lost_mark
from podfsm.rules.container_invariants import leaves_terminated
from podfsm.rules.phase import TERMINAL, is_static
from podfsm.rules.qos import qos_class

_NOTHING: frozenset[tuple[str, str]] = frozenset()


@frozen
class Judgement:
    """What was found, and what is to be remembered for the next snapshot."""

    found: Sequence[Breach]
    judged: Judged
    past: Past
    restarts: Restarts
    tick: Tick


class Judge:
    """The rules in force, and the shapes that they were asked about."""

    def __init__(self, gates: Gates, rules: Registry) -> None:
        self.gates = gates
        self._asked = asked(rules, gates)
        self._shapes = Shapes()

    def first(self, seen: Observation) -> Judgement:
        """What the first snapshot of a Pod breaks."""
        pod = seen.pod
        spec = self._shapes.spec(pod.spec)
        shape = self._shapes.number(pod, spec)
        past, after = pasts(None, None, pod, EVERYTHING)
        broken = self._snapshot_breaches(seen, EVERYTHING, shape, past, _NOTHING)
        broken += first_breaches(pod)
        found = [*broken, *self._seen_breaches(None, seen, EVERYTHING)]
        restarts = Restarts(base_of(pod), marked=lost_mark(pod.status.conditions) is not None)
        return Judgement(found, Judged(spec, shape, _told(broken)), after, restarts, NO_TICK)

    def next(self, known: Known, seen: Observation) -> Judgement:
        """What a later snapshot breaks. What it goes on breaking is not found again."""
        before, pod = known.pod, seen.pod
        was = known.judged or self._as_judged(before)
        parts = changed(before, pod)
        spec = self._shapes.spec(pod.spec) if parts & SPEC else was.spec
        shape = self._shapes.number(pod, spec) if parts else was.shape
        past, after = pasts(known.memory.past, before, pod, parts)
        restarts = known.memory.restarts.copy(known.base)
        broken = self._snapshot_breaches(seen, parts, shape, past, was.broken)
        if before.status.phase and not pod.status.phase:
            broken += first_breaches(pod)
        found = [breach for breach in broken if (breach.rule, breach.allowed) not in was.broken]
        found += self._step_breaches(known, seen, parts, restarts)
        found += self._shape_breaches(before, was.shape, pod, shape)
        found += self._seen_breaches(before, seen, parts)
        told = tick(before, pod, parts, known.base)
        return Judgement(found, Judged(spec, shape, _told(broken)), after, restarts, told)

    def _as_judged(self, pod: Pod) -> Judged:
        """What is left of a snapshot that was not judged, for one like it had been: it broke nothing."""
        spec = self._shapes.spec(pod.spec)
        return Judged(spec, self._shapes.number(pod, spec))

    def _snapshot_breaches(
        self, seen: Observation, parts: int, shape: int, past: Past, earlier: frozenset[tuple[str, str]]
    ) -> list[Breach]:
        """What one snapshot breaks by itself; `earlier` is what the one before broke."""
        pod = seen.pod
        found = []
        for rule, holds in self._asked.one(parts):
            if not holds(pod):
                found.append(Breach(rule, snapshot_words(pod)))
        for rule, _, about in self._asked.one_timed if earlier else ():
            if not about & parts and (rule, "") in earlier:
                found.append(Breach(rule, ""))
        shaped = (shape, past.was_initialized, past.gate_views, past.deleting, past.overdue)
        if shaped not in self._shapes.fine or is_static(pod.metadata):
            broken = [Breach(rule, snapshot_words(pod)) for rule, holds in self._asked.one_shaped if not holds(pod)]
            broken += derived_breaches(pod, past, self.gates)
            broken += snapshot_breaches(pod, self.gates)
            if not broken:
                self._shapes.fine.add(shaped)
            found += broken
        if parts & SPEC:
            found += self._class_breaches(pod)
            found += spec_breaches(pod, self.gates)
        found += stated_breaches(pod, self.gates)
        found += address_breaches(pod)
        if parts & (APPS | INIT):
            found += message_breaches(pod, self.gates)
        if pod.spec.activeDeadlineSeconds is not None or pod.status.reason:
            found += deadline_breaches(pod, seen.at)
        return found

    def _class_breaches(self, pod: Pod) -> Iterator[Breach]:
        """A class that does not follow from the spec: no update of the resources may change it."""
        given, wanted = pod.status.qosClass, qos_class(pod.spec, self.gates)
        if given and given != wanted:
            yield Breach(f"qos-{wanted.lower()}", f"qosClass {given}", f"qosClass {wanted}")

    def _step_breaches(self, known: Known, seen: Observation, parts: int, restarts: Restarts) -> Iterator[Breach]:
        """What a snapshot breaks after the one before; `restarts` are followed on the way."""
        before, after = known.pod, seen.pod
        for rule, holds in self._asked.two(parts):
            if not holds(before, after):
                yield Breach(rule, change_words(before, after))
        if parts & (METADATA | CONDITIONS | APPS | INIT):
            yield from write_breaches(before, after)
        if parts & (INIT | APPS):
            yield from self._container_breaches(known, after, restarts)
        elif parts & (METADATA | SPEC | CONDITIONS | OTHER):
            restarts.notice(before, after)
        if parts & (CONDITIONS | INIT | APPS):
            yield from _condition_breaches(known, after, seen.at)
            if lost_mark(after.status.conditions) is not None:
                restarts.marked = True

    def _shape_breaches(self, before: Pod, was: int, after: Pod, shape: int) -> list[Breach]:
        """What two snapshots break by their shapes (`was` and `shape`), judged once for all that look like them."""
        if was == shape or (was, shape) in self._shapes.fine:
            return []
        broken = [rule for rule, holds in self._asked.two_shaped if not holds(before, after)]
        if not broken:
            self._shapes.fine.add((was, shape))
        return [Breach(rule, change_words(before, after)) for rule in broken]

    @staticmethod
    def _seen_breaches(before: Pod | None, seen: Observation, parts: int) -> Iterator[Breach]:
        """What a snapshot breaks by when and as what it was seen, and what was written together."""
        after = seen.pod
        if after.spec.readinessGates and parts & CONDITIONS and parts & APPS:
            yield from gate_breaches(before, after)
        if seen.at is not None and parts & (METADATA | CONDITIONS | INIT | APPS):
            yield from future_breaches(after, seen.at)
        if seen.type == DELETED:
            yield from gone_breaches(after)

    def _container_breaches(self, known: Known, after: Pod, restarts: Restarts) -> Iterator[Breach]:
        before = known.pod
        name = leaves_terminated(after.spec, before.status, after.status, self.gates)
        if name:
            path = path_between(before, after, name)
            yield Breach("cstate-no-leave-terminated", change_words(before, after), container=name, path=path)
        if known.memory.past.counts_exactly:
            yield from uncounted_breaches(before, after)
        yield from restart_breaches(restarts, before, after, self.gates, exactly=known.memory.past.counts_exactly)
        if known.clock.still is not None:
            yield from end_breaches(before, after, known.clock.still)


def _condition_breaches(known: Known, after: Pod, at: datetime | None) -> Iterator[Breach]:
    before = known.pod
    turns = turned(before, after)
    if turns:
        yield from condition_breaches(before, after)
        yield from transition_breaches(before, after, turns, known.clock.still, known.clock.of_node(at))
        if after.status.phase in TERMINAL:
            yield from left_breaches(turns, after)
    lost = lost_mark(after.status.conditions)
    if lost is not None:
        yield from unwritten_breaches(before, after, lost)


def _told(broken: Sequence[Breach]) -> frozenset[tuple[str, str]]:
    return frozenset([(breach.rule, breach.allowed) for breach in broken]) if broken else _NOTHING
