"""Every rule of kind invariant, asked of each snapshot or of every two in a row."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from podfsm.engine.rule import Rule
from podfsm.kube.objects import Pod
from podfsm.rules.catalogue import all_rules
from podfsm.testing.history import History
from podfsm.testing.invariants.base import INVARIANTS, Invariant, Judge, unless


def _judge(rule: Rule) -> Judge | None:
    """How to ask a rule; None for one that looks at something else than Pods."""
    parameters = list(inspect.signature(rule.function, eval_str=True).parameters.values())
    if any(parameter.annotation is not Pod for parameter in parameters) or len(parameters) not in (1, 2):
        return None

    def single(history: History) -> Iterator[bool | str]:
        if rule.in_force(history.gates):
            for seen in history.seen:
                yield unless(not rule.function(seen.pod), f"at {seen.at:g} s against {rule.id}: {rule.statement}")

    def double(history: History) -> Iterator[bool | str]:
        if rule.in_force(history.gates):
            for before, after in history.pairs:
                right = rule.function(before.pod, after.pod)
                yield unless(not right, f"from {before.at:g} to {after.at:g} s against {rule.id}: {rule.statement}")

    return single if len(parameters) == 1 else double


for _rule in all_rules():
    if _rule.kind == "invariant" and (_made := _judge(_rule)) is not None:
        INVARIANTS[_rule.id] = Invariant(_rule.id, _rule.statement, (_rule.id,), frozenset(), _made)
