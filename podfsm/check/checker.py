"""The checker: what is remembered of the Pods that live, and the checks of all three levels asked of each event."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import datetime

from attrs import define, field
from msgspec.structs import replace

from podfsm.check.asked import asked
from podfsm.check.clock import Clock, before_creation
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
from podfsm.check.event import ADDED, DELETED, MODIFIED, SEEN, Observation, Relist
from podfsm.check.finding import NOTE, Breach, Finding, severity_of
from podfsm.check.past import Past, pasts
from podfsm.check.paths import path_between
from podfsm.check.reads import APPS, CONDITIONS, EVERYTHING, INIT, METADATA, OTHER, SPEC, changed
from podfsm.check.restarts import Restarts, restart_breaches, uncounted_breaches
from podfsm.check.shapes import Shapes
from podfsm.check.snapshot import snapshot_breaches
from podfsm.check.transitions import (
    future_breaches,
    left_breaches,
    transition_breaches,
    turned,
    unwritten_breaches,
)
from podfsm.check.words import change_words, snapshot_words
from podfsm.engine.rule import Registry, Rule
from podfsm.engine.versions import Gates
from podfsm.errors import InputError
from podfsm.kube.objects import Pod
from podfsm.rules.catalogue import all_rules
from podfsm.rules.condition_list import lost_mark
from podfsm.rules.container_invariants import leaves_terminated
from podfsm.rules.phase import TERMINAL, is_static
from podfsm.rules.qos import qos_class
from podfsm.rules.watching import may_follow, may_replace, version_of

_NOTHING: frozenset[tuple[str, str]] = frozenset()

_TOMBS = 20_000
"""How many uids of deleted Pods are remembered, to notice what follows a DELETED event."""


@define
class Known:
    """What is remembered of one Pod."""

    pod: Pod
    version: int | None
    at: datetime | None
    epoch: int
    past: Past
    spec: int
    """The number of the spec's shape."""
    shape: int
    broken: frozenset[tuple[str, str]]
    restarts: Restarts = field(factory=Restarts)
    clock: Clock = field(factory=Clock)


class Checker:
    """Takes observations one by one and gives the findings of each. Holds the Pods that live, nothing else."""

    def __init__(self, gates: Gates, rules: Registry | None = None) -> None:
        self.gates = gates
        self.rules = all_rules() if rules is None else rules
        self._known: dict[str, Known] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._epoch = 0
        self._asked = asked(self.rules, gates)
        self._shapes = Shapes()

    @property
    def alive(self) -> int:
        """How many Pods are remembered."""
        return len(self._known)

    def see(self, seen: Observation | Relist) -> Iterator[Finding]:
        """The findings that one observation gives. Raises InputError if it tells times that nobody can reckon with."""
        if isinstance(seen, Relist):
            self._begin_anew()
            return
        try:
            yield from self._look(seen)
        except OverflowError:
            where, expected = seen.place, "times of this age, and seconds that lead to such"
            raise InputError(
                "a time out of range", source=where.source, line=where.line or None, expected=expected
            ) from None

    def _look(self, seen: Observation) -> Iterator[Finding]:
        pod = seen.pod
        key = pod.metadata.uid or f"{pod.metadata.namespace}/{pod.metadata.name}"
        known = self._known.get(key)
        version = version_of(pod)
        if known is None:
            misplaced = self._misplaced(key, seen)
            if misplaced is not None:
                yield self._finding(misplaced, seen)
            if key in self._gone:
                return
        elif self._seen_before(known, version, seen):
            for breach in self._repeated(known, version, seen):
                yield self._finding(breach, seen)
            return
        elif known.at is not None and seen.at is not None and seen.at < known.at:
            known.clock.broken = True
            words = f"received at {seen.at:%H:%M:%S}, after one of {known.at:%H:%M:%S}"
            yield self._finding(Breach("watch-order", words, severity=NOTE), seen)
        for breach in self._breaches(key, known, version, self._timed(known, seen)):
            yield self._finding(breach, seen)

    @staticmethod
    def _timed(known: Known | None, seen: Observation) -> Observation:
        """The observation without its time, if the clock of the recording is known not to be that of the cluster."""
        broken = before_creation(seen.pod, seen.at) or (known is not None and known.clock.broken)
        return replace(seen, at=None) if broken else seen

    @staticmethod
    def _seen_before(known: Known, version: int | None, seen: Observation) -> bool:
        """Whether an event is a repetition, or older than the last one: then it tells nothing new."""
        if known.version is not None and version is not None:
            same = version == known.version
            return version < known.version or (same and (known.pod != seen.pod or seen.type != DELETED))
        return known.pod == seen.pod and seen.type != DELETED

    def _repeated(self, known: Known, version: int | None, seen: Observation) -> Iterator[Breach]:
        """What is wrong with an event that tells nothing new."""
        if known.pod == seen.pod:
            known.epoch, known.at = self._epoch, seen.at or known.at
            if seen.type == MODIFIED:  # ADDED and SEEN come with a new list
                yield Breach("watch-order", f"resourceVersion {version} once more, as it was", severity=NOTE)
        elif seen.type not in (ADDED, SEEN):  # those may come out of a cache that lags behind
            yield Breach("watch-order", f"resourceVersion {version}, not after {known.version}")

    def _misplaced(self, key: str, seen: Observation) -> Breach | None:
        """The event of a Pod not known that a watch does not show in this place."""
        if key in self._gone:
            return (
                None if may_follow(DELETED, seen.type) else Breach("watch-deleted-last", f"{seen.type} after DELETED")
            )
        metadata = seen.pod.metadata
        other = self._names.get((metadata.namespace, metadata.name))
        known = self._known.get(other) if other is not None else None
        if known is None or known.pod.metadata.creationTimestamp != metadata.creationTimestamp:
            return None  # a newer Pod; that the old one went away was not seen
        if may_replace(seen.type):
            return None
        words = f"uid {metadata.uid} in place of {other}, which was not deleted"
        return Breach("watch-one-uid-a-name", words)

    def _breaches(self, key: str, known: Known | None, version: int | None, seen: Observation) -> list[Breach]:
        """What a new snapshot breaks, by itself and after the one before; it is remembered from then on."""
        pod = seen.pod
        if known is None:
            parts, earlier, spec = EVERYTHING, _NOTHING, self._shapes.spec(pod.spec)
        else:
            parts, earlier, spec = changed(known.pod, pod), known.broken, known.spec
            if parts & SPEC:
                spec = self._shapes.spec(pod.spec)
        shape = self._shapes.number(pod, spec) if parts else known.shape if known is not None else 0
        was = known.pod if known is not None else pod
        past, after = pasts(known.past, was, pod, parts) if known is not None else pasts(None, None, pod, parts)
        broken = self._snapshot_breaches(known, seen, parts, shape, past)
        found = [breach for breach in broken if (breach.rule, breach.allowed) not in earlier]
        found += self._step_breaches(known, seen, parts, shape)
        still = frozenset([(breach.rule, breach.allowed) for breach in broken]) if broken else _NOTHING
        if seen.type == DELETED:
            self._forget(key)
        elif known is None:
            self._name(key, pod)
            restarts = Restarts(marked=lost_mark(pod.status.conditions) is not None)
            self._known[key] = Known(pod, version, seen.at, self._epoch, after, spec, shape, still, restarts)
        else:
            known.pod, known.version, known.at, known.epoch = pod, version, seen.at, self._epoch
            known.past, known.spec, known.shape, known.broken = after, spec, shape, still
        if known is not None and seen.at is not None:
            known.clock.tick(was, pod, parts, seen.at)
        return found

    def _snapshot_breaches(
        self, known: Known | None, seen: Observation, parts: int, shape: int, past: Past
    ) -> list[Breach]:
        """What one snapshot breaks by itself. What it goes on breaking is not reported again."""
        pod = seen.pod
        earlier = known.broken if known is not None else _NOTHING
        found = []
        for rule, holds in self._asked.one(parts):
            if not holds(pod):
                found.append(Breach(rule, snapshot_words(pod)))
        for rule, _, about in self._asked.one_timed if earlier else ():
            if not about & parts and (rule, "") in earlier:
                found.append(Breach(rule, ""))
        judged = (shape, past.was_initialized, past.gate_views, past.deleting, past.overdue)
        if judged not in self._shapes.fine or is_static(pod.metadata):
            shaped = [Breach(rule, snapshot_words(pod)) for rule, holds in self._asked.one_shaped if not holds(pod)]
            shaped += derived_breaches(pod, past, self.gates)
            shaped += snapshot_breaches(pod, self.gates)
            if not shaped:
                self._shapes.fine.add(judged)
            found += shaped
        if parts & SPEC:
            found += self._class_breaches(pod)
        found += address_breaches(pod)
        if known is None or (not pod.status.phase and known.pod.status.phase):
            found += first_breaches(pod)
        if pod.spec.activeDeadlineSeconds is not None or pod.status.reason:
            found += deadline_breaches(pod, seen.at)
        return found

    def _class_breaches(self, pod: Pod) -> Iterator[Breach]:
        """A class that does not follow from the spec: no update of the resources may change it."""
        given, wanted = pod.status.qosClass, qos_class(pod.spec, self.gates)
        if given and given != wanted:
            yield Breach(f"qos-{wanted.lower()}", f"qosClass {given}", f"qosClass {wanted}")

    def _step_breaches(self, known: Known | None, seen: Observation, parts: int, shape: int) -> list[Breach]:
        after = seen.pod
        before = known.pod if known is not None else None
        found: list[Breach] = []
        if known is not None and before is not None:
            for rule, holds in self._asked.two(parts):
                if not holds(before, after):
                    found.append(Breach(rule, change_words(before, after)))
            found += self._shape_breaches(known, after, shape)
            if parts & (INIT | APPS):
                found += self._container_breaches(known, after)
            elif parts & (METADATA | SPEC | CONDITIONS | OTHER):
                known.restarts.notice(before, after)
            if parts & (CONDITIONS | INIT | APPS):
                found += self._condition_breaches(known, after, seen.at)
        if after.spec.readinessGates and parts & CONDITIONS and parts & APPS:
            found += gate_breaches(before, after)
        if seen.at is not None and parts & (METADATA | CONDITIONS | INIT | APPS):
            found += future_breaches(after, seen.at)
        if seen.type == DELETED:
            found += gone_breaches(after)
        return found

    def _shape_breaches(self, known: Known, after: Pod, shape: int) -> list[Breach]:
        """What two snapshots break by their shapes, judged once for all that look like them."""
        if known.shape == shape or (known.shape, shape) in self._shapes.fine:
            return []
        before = known.pod
        broken = [rule for rule, holds in self._asked.two_shaped if not holds(before, after)]
        if not broken:
            self._shapes.fine.add((known.shape, shape))
        return [Breach(rule, change_words(before, after)) for rule in broken]

    def _container_breaches(self, known: Known, after: Pod) -> Iterator[Breach]:
        before = known.pod
        name = leaves_terminated(after.spec, before.status, after.status, self.gates)
        if name:
            path = path_between(before, after, name)
            yield Breach("cstate-no-leave-terminated", change_words(before, after), container=name, path=path)
        if known.past.counts_exactly:
            yield from uncounted_breaches(before, after)
        yield from restart_breaches(known.restarts, before, after, self.gates)
        if known.clock.still is not None:
            yield from end_breaches(before, after, known.clock.still)

    def _condition_breaches(self, known: Known, after: Pod, at: datetime | None) -> Iterator[Breach]:
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
            known.restarts.marked = True

    def _name(self, key: str, pod: Pod) -> None:
        """Remember who has a name; who had it before is gone, though that was not seen."""
        name = (pod.metadata.namespace, pod.metadata.name)
        other = self._names.get(name)
        if other is not None and other != key:
            self._known.pop(other, None)
        self._names[name] = key

    def _forget(self, key: str) -> None:
        known = self._known.pop(key, None)
        self._gone[key] = None
        if known is not None:
            self._names.pop((known.pod.metadata.namespace, known.pod.metadata.name), None)
        while len(self._gone) > _TOMBS:
            self._gone.popitem(last=False)

    def _begin_anew(self) -> None:
        """A new list follows: Pods that the last one did not show are forgotten."""
        for key in [key for key, known in self._known.items() if known.epoch < self._epoch]:
            known = self._known.pop(key)
            self._names.pop((known.pod.metadata.namespace, known.pod.metadata.name), None)
        self._epoch += 1

    def _finding(self, breach: Breach, seen: Observation) -> Finding:
        rule: Rule = self.rules[breach.rule]
        metadata = seen.pod.metadata
        place = replace(
            seen.place,
            pod=f"{metadata.namespace or 'default'}/{metadata.name}",
            uid=metadata.uid,
            container=breach.container,
            at=seen.at,
        )
        allowed = breach.allowed or rule.statement
        return Finding(
            rule.id, breach.severity or severity_of(rule), rule.authority, place, breach.seen, allowed, breach.path
        )
