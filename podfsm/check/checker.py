"""The checker: takes in what a recording tells, remembers the Pods that live, and says what is wrong."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from podfsm.check.alike import Steps
from podfsm.check.asked import all_known
from podfsm.check.clock import before_creation
from podfsm.check.event import ADDED, DELETED, MODIFIED, SEEN, Observation, Relist
from podfsm.check.finding import NOTE, Breach, Finding, severity_of
from podfsm.check.followed import base_of
from podfsm.check.judge import Judge
from podfsm.check.known import Judged, Known, Memory
from podfsm.check.sight import Sight, sight
from podfsm.engine.rule import Registry, Rule
from podfsm.engine.versions import Gates
from podfsm.errors import InputError
from podfsm.rules.catalogue import all_rules
from podfsm.rules.watching import may_follow, may_replace, version_of

_TOMBS = 20_000
"""How many uids of deleted Pods are remembered, to notice what follows a DELETED event."""


class Checker:
    """Takes observations one by one and gives the findings of each. Holds the Pods that live, nothing else."""

    def __init__(self, gates: Gates, rules: Registry | None = None) -> None:
        self.gates = gates
        self.rules = all_rules() if rules is None else rules
        self._known: dict[str, Known] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._epoch = 0
        self._judge = Judge(gates, self.rules)
        self._steps = Steps()
        self._alike = all_known(self.rules)

    @property
    def alive(self) -> int:
        """How many Pods are remembered."""
        return len(self._known)

    def see(self, seen: Observation | Relist) -> Sequence[Finding]:
        """The findings that one observation gives. Raises InputError if it tells times that nobody can reckon with."""
        if isinstance(seen, Relist):
            self._begin_anew()
            return ()
        try:
            found = self._look(seen)
        except OverflowError:
            where, expected = seen.place, "times of this age, and seconds that lead to such"
            raise InputError(
                "a time out of range", source=where.source, line=where.line or None, expected=expected
            ) from None
        return [self._finding(breach, seen) for breach in found] if found else ()

    def _look(self, seen: Observation) -> Sequence[Breach]:
        pod = seen.pod
        key = pod.metadata.uid or f"{pod.metadata.namespace}/{pod.metadata.name}"
        known = self._known.get(key)
        version = version_of(pod)
        order: Breach | None = None
        if known is None:
            order = self._misplaced(key, seen)
            if key in self._gone:
                return () if order is None else (order,)
        elif self._seen_before(known, version, seen):
            return tuple(self._repeated(known, version, seen))
        elif known.at is not None and seen.at is not None and seen.at < known.at:
            known.clock.broken, known.shown = True, None
            words = f"received at {seen.at:%H:%M:%S}, after one of {known.at:%H:%M:%S}"
            order = Breach("watch-order", words, severity=NOTE)
        at = seen.at
        if at is not None and (before_creation(pod, at) or (known is not None and known.clock.broken)):
            seen = replace(seen, at=None)  # the clock of the recording is not that of the cluster
        found = self._breaches(key, known, version, seen)
        return found if order is None else (order, *found)

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

    def _breaches(self, key: str, known: Known | None, version: int | None, seen: Observation) -> Sequence[Breach]:
        """What a new snapshot breaks, by itself and after the one before; it is remembered from then on."""
        shown = sight(seen.pod) if self._alike and (known is None or known.shown is not None) else None
        step, outcome = self._steps.look(known, seen, shown)
        if outcome is not None:
            if known is not None and seen.at is not None:
                known.clock.take(outcome.tick, known.base, seen.at)
            self._keep(key, known, version, seen, shown, outcome.memory, None)
            return ()
        judgement = self._judge.first(seen) if known is None else self._judge.next(known, seen)
        dated_anew = known is not None and known.base != base_of(seen.pod)
        if judgement.found or judgement.judged.broken or dated_anew:
            shown = None
        memory = self._steps.remember(step, known, seen, shown, judgement)
        if known is not None and seen.at is not None:
            known.clock.take(judgement.tick, known.base, seen.at)
        self._keep(key, known, version, seen, shown, memory, judgement.judged)
        return judgement.found

    def _keep(
        self,
        key: str,
        known: Known | None,
        version: int | None,
        seen: Observation,
        shown: Sight | None,
        memory: Memory,
        judged: Judged | None,
    ) -> None:
        """Remember a Pod as it was seen, or no longer if it is gone."""
        if seen.type == DELETED:
            self._forget(key)
        elif known is None:
            pod = seen.pod
            self._name(key, pod.metadata.namespace, pod.metadata.name)
            self._known[key] = Known(pod, version, seen.at, self._epoch, base_of(pod), shown, memory, judged)
        else:
            known.pod, known.version, known.at, known.epoch = seen.pod, version, seen.at, self._epoch
            known.shown, known.memory, known.judged = shown, memory, judged

    def _name(self, key: str, namespace: str, name: str) -> None:
        """Remember who has a name; who had it before is gone, though that was not seen."""
        other = self._names.get((namespace, name))
        if other is not None and other != key:
            self._known.pop(other, None)
        self._names[namespace, name] = key

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
