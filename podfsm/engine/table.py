"""A machine compiled to look-ups: what `transitions` does in microseconds, done in tenths of one, for bulk work.

A table is a pure function of state, trigger and facts; it keeps no state of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Never

from attrs import field, frozen

from podfsm.engine.rule import Rule
from podfsm.engine.spec import MachineSpec, TransitionSpec
from podfsm.engine.verdict import HOLDS, Verdict
from podfsm.engine.versions import Gates
from podfsm.errors import GuardCrashed, Refused, UnknownName

NO_TRANSITION = Verdict(False, because="no such transition")
"""What `ask` answers for a trigger that nothing in the state accepts, whatever the facts."""


@frozen
class Fired:
    """One transition that happened, from `source` to `dest`.

    `rules` are the ids of the rules behind it: the guards, all of which held, then those that explain it.
    """

    machine: str
    trigger: str
    source: str
    dest: str
    transition: TransitionSpec = field(repr=False)
    rules: tuple[str, ...]


Check = tuple[Callable[[Any], Any], Rule]
Alternative = tuple[Fired, tuple[Check, ...]]


class Table:
    """The transitions of one machine under one set of gates, by state and trigger. Made by `compile_table`."""

    __slots__ = ("_moves", "_triggers", "spec")

    def __init__(self, spec: MachineSpec) -> None:
        self.spec = spec
        self._triggers = frozenset(spec.triggers)
        moves: dict[str, dict[str, list[Alternative]]] = {name: {} for name in spec.state_names}
        for source, target, row in spec.arrows():
            fired = Fired(spec.name, row.trigger, source, target, row, row.cited)
            checks = tuple((rule.function, rule) for rule in row.rules)
            moves[source].setdefault(row.trigger, []).append((fired, checks))
        self._moves: Mapping[str, Mapping[str, Sequence[Alternative]]] = moves

    def fire(self, state: str, trigger: str, facts: Any = None) -> Fired:
        """The first transition whose guards all hold.

        Raises Refused with the verdict of the rule that refused (None when no transition has this trigger here),
        GuardCrashed when a guard raised, UnknownName for a state or trigger that the machine does not have.
        """
        try:
            alternatives = self._moves[state][trigger]
        except KeyError:
            self._nothing(state, trigger)
        for fired, checks in alternatives:
            for function, rule in checks:
                try:
                    answer = function(facts)
                except Exception as crash:
                    raise _crashed(rule, crash) from crash
                if answer is not True and not _holds(rule, answer):
                    break
            else:
                return fired
        raise Refused(self.spec.name, trigger, state, self._refusal(alternatives, facts))

    def ask(self, state: str, trigger: str, facts: Any = None) -> Verdict:
        """Whether the trigger would fire: HOLDS, or the verdict that `fire` would raise.

        NO_TRANSITION when nothing here has this trigger. Raises GuardCrashed and UnknownName as `fire` does.
        """
        alternatives = self._moves[state].get(trigger) if state in self._moves else None
        if alternatives is None:
            self._check_names(state, trigger)
            return NO_TRANSITION
        return self._refusal(alternatives, facts)

    def enabled(self, state: str, facts: Any = None) -> tuple[TransitionSpec, ...]:
        """Every transition that could fire now, in the spec's order; a well-made machine has at most one a trigger."""
        self._check_names(state)
        found = [
            fired.transition
            for alternatives in self._moves[state].values()
            for fired, _ in alternatives
            if judge_all(fired.transition.rules, facts).holds
        ]
        return tuple(sorted(found, key=lambda row: row.index))

    def triggers(self, state: str) -> tuple[str, ...]:
        """The triggers that some transition out of `state` has, in the spec's order."""
        self._check_names(state)
        return tuple(self._moves[state])

    def _refusal(self, alternatives: Sequence[Alternative], facts: Any) -> Verdict:
        return best(judge_all(fired.transition.rules, facts) for fired, _ in alternatives)

    def _nothing(self, state: str, trigger: str) -> Never:
        self._check_names(state, trigger)
        raise Refused(self.spec.name, trigger, state)

    def _check_names(self, state: str, trigger: str | None = None) -> None:
        if state not in self._moves:
            raise UnknownName(f"state of {self.spec.name}", state, self._moves)
        if trigger is not None and trigger not in self._triggers:
            raise UnknownName(f"trigger of {self.spec.name}", trigger, self._triggers)


def compile_table(spec: MachineSpec, gates: Gates | None = None) -> Table:
    """The table of a machine under these gates; rows and guards that are not in force are left out.

    Without gates every guard counts, and rows exist as if every gate were on.
    """
    return Table(spec.under(gates))


def judge_all(rules: Iterable[Rule], facts: Any) -> Verdict:
    """Whether all rules hold. If not: the first outright refusal, else the longest wait."""
    longest: Verdict = HOLDS
    for rule in rules:
        verdict = rule.judge(facts)
        if verdict.holds:
            continue
        if verdict.not_before is None:
            return verdict
        if longest.not_before is None or verdict.not_before > longest.not_before:
            longest = verdict
    return longest


def best(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on several alternatives: one that holds, else the shortest wait, else the first refusal."""
    found: Verdict | None = None
    for verdict in verdicts:
        if verdict.holds:
            return HOLDS
        if found is None or _waits_less(verdict, found):
            found = verdict
    return found if found is not None else NO_TRANSITION


def _waits_less(one: Verdict, other: Verdict) -> bool:
    return one.not_before is not None and (other.not_before is None or one.not_before < other.not_before)


def _holds(rule: Rule, answer: Any) -> bool:
    if isinstance(answer, Verdict):
        return answer.holds
    if answer is not False:
        raise GuardCrashed(f"guard {rule.id} answered {answer!r}; expected a bool or a Verdict")
    return False


def _crashed(rule: Rule, crash: Exception) -> GuardCrashed:
    return GuardCrashed(f"guard {rule.id} raised {type(crash).__name__}: {crash}")
