"""What a run of the suite came by: states and transitions of the machines, and rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from podfsm.engine.rule import Rule
from podfsm.machines import AROUND_PODS, machine_names, machine_spec
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for

Arrow = tuple[str, str, str, str, tuple[str, ...]]
"""Machine, source, trigger, destination, and the rules cited."""
RARE = 3


@define
class Coverage:
    """How often each arrow fired, and which rules were asked."""

    arrows: Counter[Arrow] = field(factory=Counter)
    rules: set[str] = field(factory=set)

    def note(self, arrow: Arrow) -> None:
        """One transition happened."""
        self.arrows[arrow] += 1
        self.rules.update(arrow[4])


def all_arrows() -> dict[str, list[Arrow]]:
    """Every arrow of every machine that Pods alone go through, at the newest version, by machine."""
    gates = gates_for()
    return {
        name: [
            (name, source, row.trigger, dest, row.cited)
            for source, dest, row in machine_spec(name).under(gates).arrows()
        ]
        for name in machine_names()
        if name not in AROUND_PODS
    }


def unreached(fired: Mapping[Arrow, int]) -> list[Arrow]:
    """The arrows that never fired."""
    return [arrow for arrows in all_arrows().values() for arrow in arrows if not fired.get(arrow)]


def rare(fired: Mapping[Arrow, int]) -> list[tuple[Arrow, int]]:
    """The arrows that fired, but hardly ever, with how often."""
    found = [(arrow, fired.get(arrow, 0)) for arrows in all_arrows().values() for arrow in arrows]
    return [(arrow, times) for arrow, times in found if 0 < times < RARE]


def states_reached(fired: Mapping[Arrow, int]) -> dict[str, set[str]]:
    """The states that each machine was in; the initial one counts as reached."""
    found = {name: {machine_spec(name).initial} for name in machine_names()}
    for machine, source, _, dest, _ in fired:
        if machine in found:
            found[machine] |= {source, dest}
    return found


def rules_unreached(reached: set[str]) -> dict[str, list[str]]:
    """The rules that nothing asked, by area."""
    found: dict[str, list[str]] = {}
    for rule in all_rules():
        if rule.id not in reached:
            found.setdefault(rule.area, []).append(rule.id)
    return dict(sorted(found.items()))


@contextmanager
def noting_rules(into: set[str]) -> Iterator[None]:
    """Note the id of every rule that is called as a function while inside."""
    usual = Rule.__call__

    def noted(self: Rule, *args: Any, **kwargs: Any) -> Any:
        into.add(self.id)
        return usual(self, *args, **kwargs)

    setattr(Rule, "__call__", noted)  # noqa: B010 - a method of a class that is not ours to change for long
    try:
        yield
    finally:
        setattr(Rule, "__call__", usual)  # noqa: B010
