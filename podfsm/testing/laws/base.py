"""What a law of the suite is: when a machine may, and must, accept a trigger; in words of its own.

Whole Pods show what a guard lets through only where the simulation pulls the trigger at a doubtful moment. The machines
are therefore also driven by themselves: every trigger is offered in every state with facts of every kind, and what is
accepted is held against these laws. A law reads the facts, never a guard; it is written from the documentation.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any

from attrs import frozen

Expects = Callable[[Any, str], bool | str]
"""From facts and state: whether the trigger is accepted, or the state that it leads to."""


@frozen(eq=False)
class Law:
    """One law. `machine` is "" for a decision, whose `trigger` is then the id of the guard that is asked.

    `typical` holds facts (as changes to the defaults) near which the answer changes; facts vary around them.
    """

    machine: str
    trigger: str
    says: str
    checks: tuple[str, ...]
    typical: tuple[dict[str, Any], ...]
    expects: Expects
    without: str = ""
    """The feature gate without which this law stands in the place of the usual one."""

    @property
    def name(self) -> str:
        """As reports name it."""
        told = f"{self.machine} {self.trigger}" if self.machine else f"decision {self.trigger}"
        return f"{told} without {self.without}" if self.without else told


LAWS: dict[str, Law] = {}


def law(
    machines: str | Iterable[str],
    trigger: str,
    *,
    checks: Iterable[str],
    typical: Iterable[dict[str, Any]] = ({},),
    without: str = "",
) -> Callable[[Expects], Expects]:
    """Register the decorated function for one machine or several; its docstring is what the law says."""

    def register(expects: Expects) -> Expects:
        says = " ".join(inspect.cleandoc(expects.__doc__ or "").partition("\n\n")[0].split())
        for machine in (machines,) if isinstance(machines, str) else machines:
            made = Law(machine, trigger, says, tuple(checks), tuple(typical), expects, without)
            if made.name in LAWS:
                raise ValueError(f"law {made.name} is registered twice")
            LAWS[made.name] = made
        return expects

    return register


def decision(rule: str, *, typical: Iterable[dict[str, Any]] = ({},)) -> Callable[[Expects], Expects]:
    """A law about a guard that no machine asks, because the decision lies within a transition."""
    return law("", rule, checks=[rule], typical=typical)
