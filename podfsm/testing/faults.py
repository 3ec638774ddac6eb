"""Planting faults in guards, one at a time, to see whether the suite notices: how good is it?

Each guard is made to hold always, never, and the other way round; and where its answer depends on a number or an
instant, that is moved by one, up and down. A fault that changes no answer is none.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Union, get_args, get_origin

import attrs
from attrs import evolve, frozen

from podfsm.engine.rule import Rule
from podfsm.engine.versions import Gates
from podfsm.machines import machine_names, machine_spec
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import NEWEST, OLDEST, gates_for
from podfsm.testing.choose import Seeded
from podfsm.testing.cluster import make_cluster, model_of
from podfsm.testing.drive import run_case
from podfsm.testing.invariants import all_invariants
from podfsm.testing.laws import all_laws
from podfsm.testing.scenarios import case
from podfsm.testing.walks import some_facts, walk_machines

SAMPLES = 300
"""Facts that are tried to find out what a guard's answer depends on."""


@frozen
class Fault:
    """One fault: the guard, what was done to it, and the function that answers in its place."""

    rule: str
    kind: str
    function: Callable[[Any], Any]


@frozen
class Found:
    """What came of a planted fault: who noticed, and what; both empty if nobody did."""

    rule: str
    kind: str
    by: str = ""
    what: str = ""


def guards() -> list[Rule]:
    """Every guard, sorted by id."""
    return [rule for rule in all_rules() if rule.kind == "guard"]


def faults_of(rule: Rule) -> Iterator[Fault]:
    """The faults that can be planted in a guard."""
    asks = rule.function
    yield Fault(rule.id, "always holds", lambda _facts: True)
    yield Fault(rule.id, "never holds", lambda _facts: False)
    yield Fault(rule.id, "negated", lambda facts: not asks(facts))
    sample = facts_near(rule)
    moved = [name for name in _numbers(type(rule.allows[0])) if _matters(asks, sample, name)]
    if "now" in moved:
        moved = [name for name in moved if name not in ("retry_at", "deadline_at", "due_at")]
    for name in moved:
        for by in (1, -1):
            yield Fault(rule.id, f"{name} {'+' if by > 0 else '-'} 1", _moved(asks, name, by))


def facts_near(rule: Rule) -> list[Any]:
    """Facts of the kind that a guard reads, near where its answer changes."""
    choose, kind = Seeded(rule.id), type(rule.allows[0])
    examples = [attrs.asdict(one, recurse=False) for one in (*rule.allows, *rule.refuses)]
    typical = [known for law in all_laws() if rule.id in law.checks for known in law.typical] + examples
    return [some_facts(choose, kind, typical, {}) for _ in range(SAMPLES)]


def _numbers(kind: type) -> list[str]:
    attrs.resolve_types(kind)
    return [f.name for f in attrs.fields(kind) if {int, float} & set(_kinds(f.type))]


def _kinds(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)


def _moved(asks: Callable[[Any], Any], name: str, by: int) -> Callable[[Any], Any]:
    def function(facts: Any) -> Any:
        value = getattr(facts, name)
        return asks(facts if value is None else evolve(facts, **{name: value + by}))

    return function


def _matters(asks: Callable[[Any], Any], sample: list[Any], name: str) -> bool:
    return any(bool(_moved(asks, name, by)(facts)) != bool(asks(facts)) for facts in sample for by in (1, -1))


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """The guard answers wrongly while inside; compiled models are made anew before and after."""
    rule = all_rules()[fault.rule]
    usual = rule.function
    object.__setattr__(rule, "function", fault.function)
    model_of.cache_clear()
    try:
        yield
    finally:
        object.__setattr__(rule, "function", usual)
        model_of.cache_clear()


def notice(fault: Fault, *, steps: int, cases: int, seed: str = "0") -> Found:
    """Run the suite with the fault in place until something notices it: the laws first, then whole Pods."""
    users = [
        name for name in machine_names() if any(fault.rule in row.guards for row in machine_spec(name).transitions)
    ]
    with planted(fault):
        walked = walk_machines(seed, steps, names=users, decisions=[fault.rule], gates=gates_asking(fault.rule, users))
        breaches = walked.breaches
        if breaches:
            return Found(fault.rule, fault.kind, "laws", f"{breaches[0].law}: {breaches[0].what}")
        return _by_pods(fault, cases, seed)


def gates_asking(rule: str, machines: list[str]) -> Gates:
    """The newest version in which one of these machines asks the rule; the newest of all if none does."""
    for minor in range(NEWEST.minor, OLDEST.minor - 1, -1):
        gates = gates_for(f"1.{minor}")
        if any(rule in row.guards for name in machines for row in machine_spec(name).under(gates).transitions):
            return gates
    return gates_for()


def _by_pods(fault: Fault, cases: int, seed: str) -> Found:
    for number in range(cases):
        outcome = run_case(case(Seeded(f"{seed}/{number}")), make_cluster, limit=0)
        if outcome.misbehaviours:
            return Found(fault.rule, fault.kind, "Pods", str(outcome.misbehaviours[0]))
        for history in outcome.histories:
            for invariant in all_invariants():
                if wrong := invariant.broken(history):
                    return Found(fault.rule, fault.kind, "Pods", f"{invariant.name}: {wrong[0]}")
    return Found(fault.rule, fault.kind)


def plant_all(
    *, steps: int, cases: int, seed: str = "0", only: Callable[[Rule], bool] = lambda _rule: True
) -> Iterator[Found]:
    """Plant every fault of every guard, one after another."""
    for rule in guards():
        if only(rule):
            for fault in faults_of(rule):
                yield notice(fault, steps=steps, cases=cases, seed=seed)
