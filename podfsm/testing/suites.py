"""Stateful suites to subclass: hypothesis chooses what happens next, and every invariant is asked after each step.

    class TestMine(PodSuite.TestCase): ...

or, over an implementation of one's own:

    class MySuite(PodSuite):
        make_cluster = staticmethod(my_factory)

    TestMySuite = MySuite.TestCase
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from podfsm.engine.table import compile_table
from podfsm.errors import UnknownName
from podfsm.machines import machine_names, machine_spec
from podfsm.rules.gates import gates_for
from podfsm.testing import cluster, scenarios
from podfsm.testing.case import Case
from podfsm.testing.choose import Drawn
from podfsm.testing.drive import Run, Stopped
from podfsm.testing.invariants import all_invariants
from podfsm.testing.laws import laws_of
from podfsm.testing.protocol import lacking
from podfsm.testing.walks import FACTS, ROLES, Engine, Walked, some_facts
from podfsm.testing.walks import offer as offer_trigger

STEPS = (0.1, 0.5, 1, 2, 5, 12, 30, 90)


class PodSuite(RuleBasedStateMachine):
    """One Pod of any shape, with users who delete it, satisfy its gates and let time pass.

    `make_cluster` makes the implementation: a new Cluster with each call; podfsm's own unless overridden. `limit` is
    what one call may take in seconds. Fails with what is broken as soon as something is.
    """

    make_cluster: ClassVar[Callable[[], Any]] = staticmethod(cluster.make_cluster)
    limit: ClassVar[float] = 10.0

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None

    @initialize(data=st.data())
    def create(self, data: st.DataObject) -> None:
        """A Pod comes to be."""
        made = scenarios.case(Drawn(data.draw), lacking(type(self).make_cluster()))
        spec = {key: value for key, value in made.spec.items() if key != "steps"}
        self.run = Run(Case(made.pods[:1], spec), type(self).make_cluster, self.limit)
        self._go(self.run.begin)

    @rule(seconds=st.sampled_from(STEPS))
    def advance(self, seconds: float) -> None:
        """Time passes."""
        assert self.run is not None
        self._go(self.run.wait, self.run.now + seconds)

    @precondition(lambda self: self.run is not None and "termination" not in self.run.lacks)
    @rule(grace=st.sampled_from((None, 0, 1, 3, 30)))
    def delete(self, grace: int | None) -> None:
        """A user deletes the Pod."""
        step: dict[str, Any] = {"delete": "pods/p"}
        self._act(step if grace is None else {**step, "gracePeriodSeconds": grace})

    @precondition(lambda self: self.run is not None and self._gates())
    @rule(status=st.sampled_from(("True", "False")), number=st.integers(0, 3))
    def write_gate(self, status: str, number: int) -> None:
        """Somebody says of a readiness gate whether it is satisfied."""
        gates = self._gates()
        written = {"type": gates[number % len(gates)], "status": status}
        self._act({"patch": "pods/p/status", "type": "strategic", "body": {"status": {"conditions": [written]}}})

    @invariant()
    def nothing_is_broken(self) -> None:
        """Every invariant holds of what was seen so far."""
        if self.run is None:
            return
        outcome = self.run.outcome()
        assert not outcome.misbehaviours, str(outcome.misbehaviours[0])
        for history in outcome.histories:
            for one in all_invariants():
                wrong = one.broken(history)
                assert not wrong, f"{one.name}: {wrong[0]} (rules: {', '.join(one.checks)})"

    def _gates(self) -> list[str]:
        assert self.run is not None
        gates = self.run.case.pods[0]["spec"].get("readinessGates", ())
        return [gate["conditionType"] for gate in gates]

    def _act(self, step: dict[str, Any]) -> None:
        """Carry out a step now, and make it part of the case, so that invariants know who did what."""
        assert self.run is not None
        told = {"at": self.run.now, **step}
        spec = self.run.case.spec
        self.run.case = Case(self.run.case.pods, {**spec, "steps": [*spec.get("steps", ()), told]})
        self._go(self.run.act, told)

    def _go(self, what: Callable[..., None], *arguments: Any) -> None:
        try:
            what(*arguments)
        except Stopped:
            self.nothing_is_broken()


class MachineSuite(RuleBasedStateMachine):
    """One machine, offered triggers with facts of every kind, held against the laws; `machine_suite` makes them."""

    machine: ClassVar[str] = "container"
    engine: ClassVar[Engine | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.spec = machine_spec(self.machine).under(gates_for())
        self.state = self.spec.initial
        self.walked = Walked()
        self.laws = laws_of(self.machine, gates_for())
        self.fires = self.engine or compile_table(self.spec)

    @rule(data=st.data())
    def offer(self, data: st.DataObject) -> None:
        """A trigger comes, possible or not."""
        trigger = data.draw(st.sampled_from(self.spec.triggers))
        possible = any(row.trigger == trigger for source, _, row in self.spec.arrows() if source == self.state)
        law = self.laws.get(trigger)
        fixed = {"role": ROLES[self.machine]} if self.machine in ROLES else {}
        typical = law.typical if law is not None else ({},)
        facts = some_facts(Drawn(data.draw), FACTS[self.machine], typical, fixed)
        self.state = offer_trigger(self.machine, self.fires, law, possible, self.state, trigger, facts, self.walked)

    @precondition(lambda self: self.state in self.spec.finals)
    @rule()
    def begin_anew(self) -> None:
        """What has ended makes room for another."""
        self.state = self.spec.initial

    @invariant()
    def the_laws_are_kept(self) -> None:
        """What was accepted and refused agrees with the laws."""
        assert not self.walked.breaches, self.walked.breaches[0]


def machine_suite(name: str, engine: Engine | None = None) -> type[MachineSuite]:
    """The suite of one machine, run by `engine` (its compiled table). Raises UnknownName."""
    if name not in FACTS:
        raise UnknownName("machine", name, [known for known in machine_names() if known in FACTS])
    title = "".join(part.capitalize() for part in name.split("_")) + "Suite"
    return type(title, (MachineSuite,), {"machine": name, "engine": engine, "__doc__": MachineSuite.__doc__})


__all__ = ["MachineSuite", "PodSuite", "machine_suite"]
