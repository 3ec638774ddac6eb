"""The checker: what is remembered of the Pods that live, and the checks of all three levels asked of each event."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import lru_cache

from attrs import define, evolve, field

from podfsm.check.conditions import condition_breaches, deadline_breaches, end_breaches, gate_breaches, gone_breaches
from podfsm.check.derived import Past, derived_breaches
from podfsm.check.event import ADDED, DELETED, SEEN, Observation, Relist
from podfsm.check.finding import Breach, Finding, severity_of
from podfsm.check.paths import path_between
from podfsm.check.reads import APPS, CONDITIONS, EVERYTHING, INIT, METADATA, SPEC, changed, reads
from podfsm.check.restarts import Restarts, restart_breaches
from podfsm.check.words import change_words, snapshot_words
from podfsm.engine.rule import Registry, Rule
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Pod, PodCondition
from podfsm.rules.catalogue import all_rules
from podfsm.rules.condition_list import by_type
from podfsm.rules.container_invariants import leaves_terminated
from podfsm.rules.qos import qos_class
from podfsm.rules.readiness_gates import shut_gates
from podfsm.rules.watching import may_follow, may_replace, version_of

ASKED_OTHERWISE = frozenset({"cstate-no-leave-terminated", "watch-order"})
"""Invariants that are not asked as they stand: by the gates in force, and before all others."""

_NOTHING: frozenset[tuple[str, str]] = frozenset()

_TOMBS = 20_000
"""How many uids of deleted Pods are remembered, to notice what follows a DELETED event."""


@define
class Known:
    """What is remembered of one Pod."""

    pod: Pod
    at: datetime | None
    epoch: int
    past: Past
    broken: frozenset[tuple[str, str]]
    restarts: Restarts = field(factory=Restarts)


class Checker:
    """Takes observations one by one and gives the findings of each. Holds the Pods that live, nothing else."""

    def __init__(self, gates: Gates, rules: Registry | None = None) -> None:
        self.gates = gates
        self.rules = all_rules() if rules is None else rules
        self._known: dict[str, Known] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._epoch = 0
        self._one, self._two = _asked(self.rules, gates)

    @property
    def alive(self) -> int:
        """How many Pods are remembered."""
        return len(self._known)

    def see(self, seen: Observation | Relist) -> Iterator[Finding]:
        """The findings that one observation gives."""
        if isinstance(seen, Relist):
            self._begin_anew()
            return
        key = _key(seen.pod)
        known = self._known.get(key)
        if known is not None and self._again(known, seen):
            return
        misplaced = self._misplaced(key, known, seen)
        if misplaced is not None:
            yield self._finding(misplaced, seen)
        if (known is None and key in self._gone) or (known is not None and _older(known.pod, seen.pod)):
            return
        parts = EVERYTHING if known is None else changed(known.pod, seen.pod)
        broken = self._snapshot_breaches(known, seen, parts)
        earlier = known.broken if known is not None else _NOTHING
        for breach in broken:
            if (breach.rule, breach.allowed) not in earlier:
                yield self._finding(breach, seen)
        for breach in self._step_breaches(known, seen, parts):
            yield self._finding(breach, seen)
        self._remember(key, known, seen, frozenset((b.rule, b.allowed) for b in broken) if broken else _NOTHING)

    def _again(self, known: Known, seen: Observation) -> bool:
        """Whether this is the state seen before once more: a duplicate, or the watch began anew."""
        if known.pod != seen.pod:
            return False
        known.epoch, known.at = self._epoch, seen.at or known.at
        return seen.type != DELETED

    def _misplaced(self, key: str, known: Known | None, seen: Observation) -> Breach | None:
        """An event that a watch does not show in this place."""
        if known is not None:
            if not _older(known.pod, seen.pod) or seen.type in (ADDED, SEEN):
                return None  # those may come out of a cache that lags behind
            words = f"resourceVersion {seen.pod.metadata.resourceVersion}, not after {version_of(known.pod)}"
            return Breach("watch-order", words)
        if key in self._gone:
            return (
                None if may_follow(DELETED, seen.type) else Breach("watch-deleted-last", f"{seen.type} after DELETED")
            )
        return self._replaced(seen)

    def _replaced(self, seen: Observation) -> Breach | None:
        metadata = seen.pod.metadata
        other = self._names.get((metadata.namespace, metadata.name))
        known = self._known.get(other) if other is not None else None
        if known is None or known.pod.metadata.creationTimestamp != metadata.creationTimestamp:
            return None  # a newer Pod; that the old one went away was not seen
        if may_replace(seen.type):
            return None
        words = f"uid {metadata.uid} in place of {other}, which was not deleted"
        return Breach("watch-one-uid-a-name", words)

    def _snapshot_breaches(self, known: Known | None, seen: Observation, parts: int) -> list[Breach]:
        """What one snapshot breaks by itself. What it goes on breaking is not reported again."""
        pod = seen.pod
        earlier = known.broken if known is not None else _NOTHING
        found = []
        for rule, holds, about in self._one:
            if about & parts:
                if not holds(pod):
                    found.append(Breach(rule, snapshot_words(pod)))
            elif earlier and (rule, "") in earlier:
                found.append(Breach(rule, ""))
        found += derived_breaches(pod, _past(known, pod), self.gates)
        if known is None:
            found += self._first_breaches(pod)
        if pod.spec.activeDeadlineSeconds is not None or pod.status.reason:
            found += deadline_breaches(pod, seen.at)
        return found

    def _first_breaches(self, pod: Pod) -> Iterator[Breach]:
        given, wanted = pod.status.qosClass, qos_class(pod.spec, self.gates)
        if given and given != wanted:
            yield Breach(f"qos-{wanted.lower()}", f"qosClass {given}", f"qosClass {wanted}")

    def _step_breaches(self, known: Known | None, seen: Observation, parts: int) -> Iterator[Breach]:
        after = seen.pod
        if known is not None:
            before = known.pod
            for rule, holds, about in self._two:
                if about & parts and not holds(before, after):
                    yield Breach(rule, change_words(before, after))
            if parts & (INIT | APPS):
                yield from self._container_breaches(known, after)
            elif parts & (METADATA | SPEC):
                known.restarts.notice(before, after)
            if parts & CONDITIONS:
                yield from condition_breaches(before, after, known.at, seen.at)
        if after.spec.readinessGates and parts & CONDITIONS and parts & APPS:
            yield from gate_breaches(known.pod if known is not None else None, after)
        if seen.type == DELETED:
            yield from gone_breaches(after)

    def _container_breaches(self, known: Known, after: Pod) -> Iterator[Breach]:
        before = known.pod
        name = leaves_terminated(after.spec, before.status, after.status, self.gates)
        if name:
            path = path_between(before, after, name)
            yield Breach("cstate-no-leave-terminated", change_words(before, after), container=name, path=path)
        yield from restart_breaches(known.restarts, before, after, self.gates)
        yield from end_breaches(before, after, known.at)

    def _remember(self, key: str, known: Known | None, seen: Observation, broken: frozenset[tuple[str, str]]) -> None:
        if seen.type == DELETED:
            self._forget(key)
            return
        pod = seen.pod
        name = (pod.metadata.namespace, pod.metadata.name)
        other = self._names.get(name)
        if other is not None and other != key:
            self._known.pop(other, None)
        self._names[name] = key
        past = _past(known, pod, after=True)
        if known is None:
            self._known[key] = Known(pod, seen.at, self._epoch, past, broken)
            return
        known.pod, known.at, known.epoch, known.past, known.broken = pod, seen.at, self._epoch, past, broken

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
        place = evolve(
            seen.place,
            pod=f"{metadata.namespace or 'default'}/{metadata.name}",
            uid=metadata.uid,
            container=breach.container,
            at=seen.at,
        )
        allowed = breach.allowed or rule.statement
        return Finding(rule.id, severity_of(rule), rule.authority, place, breach.seen, allowed, breach.path)


Asked = tuple[str, Callable[..., bool], int]
"""The id of an invariant, its function, and the parts of a Pod that it may read."""


@lru_cache(maxsize=16)
def _asked(rules: Registry, gates: Gates) -> tuple[tuple[Asked, ...], tuple[Asked, ...]]:
    """The invariants in force that look at one snapshot, and those that look at two."""
    asked = [rule for rule in rules if rule.kind == "invariant" and rule.in_force(gates)]
    found: dict[int, list[Asked]] = {1: [], 2: []}
    for rule in asked:
        if rule.id not in ASKED_OTHERWISE:
            sights = len(inspect.signature(rule.function).parameters)
            found[sights].append((rule.id, rule.function, reads(rule.function)))
    return tuple(found[1]), tuple(found[2])


def _key(pod: Pod) -> str:
    return pod.metadata.uid or f"{pod.metadata.namespace}/{pod.metadata.name}"


def _older(known: Pod, pod: Pod) -> bool:
    """Whether a state is not newer than the one known: from it nothing can be told."""
    old, new = version_of(known), version_of(pod)
    return old is not None and new is not None and (new < old or (new == old and known != pod))


def _past(known: Known | None, pod: Pod, *, after: bool = False) -> Past:
    """What is known of the time before a snapshot; with `after` of the time up to it, it included."""
    was = known.past if known is not None else Past()
    if known is None and not after:
        return was
    views = was.gate_views
    if known is None:
        views = views if any(c.type == "Ready" for c in pod.status.conditions) else frozenset()
    elif pod.spec.readinessGates and known.pod.status.conditions != pod.status.conditions:
        moved = _gate_statuses(known.pod) != _gate_statuses(pod)
        views = views if not after else frozenset()
        if moved:  # with Ready changed as well there may have been views in between
            same = _ready(known.pod) == _ready(pod)
            views = views | {_all_open(known.pod)} if same else frozenset({True, False})
    if not after:
        return evolve(was, gate_views=views) if views != was.gate_views else was
    initialized = any(c.type == "Initialized" and c.status == "True" for c in pod.status.conditions)
    now = Past(initialized, views, was.deleting or pod.metadata.deletionTimestamp is not None)
    return was if now == was else now


def _ready(pod: Pod) -> PodCondition | None:
    return next((condition for condition in pod.status.conditions if condition.type == "Ready"), None)


def _all_open(pod: Pod) -> bool:
    return not shut_gates(pod.spec.readinessGates, by_type(pod.status.conditions))


def _gate_statuses(pod: Pod) -> list[tuple[str, str]]:
    names = {gate.conditionType for gate in pod.spec.readinessGates}
    return [(c.type, c.status) for c in pod.status.conditions if c.type in names]
