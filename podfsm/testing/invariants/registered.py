"""Every rule of kind invariant, asked of each snapshot or of every two in a row."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from podfsm.engine.rule import Rule
from podfsm.kube.objects import Pod
from podfsm.rules.catalogue import all_rules
from podfsm.testing.history import History
from podfsm.testing.invariants.base import INVARIANTS, Invariant, Judge, unless

STEADY = frozenset({"instance-counted", "order-network-first", "status-ready-runs"})
"""Rules that are asked only of Pods that keep their records: with those of a lost sandbox go what they rely on."""


def _judge(rule: Rule) -> Judge | None:
    """How to ask a rule; None for one that looks at something else than Pods."""
    parameters = list(inspect.signature(rule.function, eval_str=True).parameters.values())
    if any(parameter.annotation is not Pod for parameter in parameters) or len(parameters) not in (1, 2):
        return None

    def single(history: History) -> Iterator[bool | str]:
        if asked_of(rule, history):
            for seen in history.seen:
                yield unless(not rule.function(seen.pod), f"at {seen.at:g} s against {rule.id}: {rule.statement}")

    def double(history: History) -> Iterator[bool | str]:
        if asked_of(rule, history):
            for before, after in history.pairs:
                right = rule.function(before.pod, after.pod)
                yield unless(not right, f"from {before.at:g} to {after.at:g} s against {rule.id}: {rule.statement}")

    return single if len(parameters) == 1 else double


def asked_of(rule: Rule, history: History) -> bool:
    """Whether the rule says anything about this history."""
    known = rule.id not in STEADY or history.case is None or history.steady
    return known and rule.in_force(history.gates)


for _rule in all_rules():
    if _rule.kind == "invariant" and (_made := _judge(_rule)) is not None:
        _name = f"rule/{_rule.id}"
        INVARIANTS[_name] = Invariant(_name, _rule.statement, (_rule.id,), frozenset(), _made)
