"""Questions about a machine, for tests and pages: what it reaches, what it uses, and where it is ambiguous."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from podfsm.engine import graph
from podfsm.engine.spec import MachineSpec, TransitionSpec
from podfsm.engine.table import Table, compile_table
from podfsm.engine.versions import Gates


@frozen
class Conflict:
    """Two or more transitions with the same trigger that the same facts enable in the same state."""

    machine: str
    state: str
    trigger: str
    transitions: tuple[TransitionSpec, ...]

    def __str__(self) -> str:
        rows = " and ".join(f"transitions[{row.index}]" for row in self.transitions)
        return f"{self.machine}: {rows} are both enabled by {self.trigger!r} in {self.state}"


def both_enabled(machine: MachineSpec | Table, facts: Any, gates: Gates | None = None) -> tuple[Conflict, ...]:
    """Every conflict that these facts bring about; none in a well-made machine, whatever the facts.

    Give a compiled table to ask many times. `gates` are those a spec is compiled under.
    """
    table = machine if isinstance(machine, Table) else compile_table(machine, gates)
    found = []
    for state in table.spec.state_names:
        enabled = table.enabled(state, facts)
        for trigger in table.triggers(state):
            rows = tuple(row for row in enabled if row.trigger == trigger)
            if len(rows) > 1:
                found.append(Conflict(table.spec.name, state, trigger, rows))
    return tuple(found)


def reachable(spec: MachineSpec, gates: Gates | None = None) -> frozenset[str]:
    """The states that transitions lead to from the initial one, taking every guard for granted."""
    return graph.reachable_from([spec.initial], spec.under(gates).successors())


def arrow_count(spec: MachineSpec, gates: Gates | None = None) -> int:
    """How many transitions there are, counting each source state of a row."""
    return sum(1 for _ in spec.under(gates).arrows())


def rules_used(spec: MachineSpec) -> tuple[str, ...]:
    """The ids of the rules that guard or explain any transition, sorted."""
    return tuple(sorted({rule for row in spec.transitions for rule in row.cited}))


def dead_ends(spec: MachineSpec, gates: Gates | None = None) -> tuple[str, ...]:
    """Reachable states that these gates leave without a way on or without a way to a final state, in the spec's order.

    Loading finds those of the whole machine; a machine may still lose its only way out when a gate is off.
    """
    edges = spec.under(gates).successors()
    reached = graph.reachable_from([spec.initial], edges)
    stuck = {*graph.traps(reached, spec.finals, edges), *graph.without_end(reached, spec.finals, edges)}
    return tuple(name for name in spec.state_names if name in stuck)
