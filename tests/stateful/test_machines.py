"""Each of podfsm's own machines three times: compiled table, `transitions` machine, and the rows of the spec.

Whatever is pulled, with whatever facts, the three do the same.
"""

import pytest
from attrs import resolve_types
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from podfsm.engine.table import NO_TRANSITION, compile_table
from podfsm.errors import Refused
from podfsm.machines import machine, machine_names, machine_spec
from podfsm.rules.gates import gates_for


def facts_of(name):
    """The facts that a machine's guards read; None if it has no guard."""
    kinds = {type(given) for row in machine_spec(name).transitions for guard in row.rules for given in guard.allows}
    assert len(kinds) < 2, f"{name} reads {kinds}"
    return kinds.pop() if kinds else None


KINDS = {name: facts_of(name) for name in machine_names()}
TIMES = st.sampled_from([0.0, 5.0, 10.0])
CODES = st.sampled_from([0, 1, 42, 137])
SETTINGS = [gates_for(), gates_for("1.33"), gates_for("1.18"), gates_for("1.36", {"ContainerRestartRules": False})]


def any_facts(kind):
    """Facts of a kind, every field of them varied."""
    resolve_types(kind)
    special = {"now": TIMES, "due_at": TIMES, "exit_code": CODES, "grace": st.sampled_from([0, 1, 30])}
    return st.builds(
        kind,
        **{
            field.name: special.get(field.name, st.none() | TIMES if field.name.endswith("_at") else ...)
            for field in kind.__attrs_attrs__
        },
    )


FACTS = {name: any_facts(kind) if kind is not None else st.none() for name, kind in KINDS.items()}


def near(name):
    """Facts that let something happen: those of the guards' own examples."""
    found = [given for row in machine_spec(name).transitions for guard in row.rules for given in guard.allows]
    return st.sampled_from(found) if found else FACTS[name]


def plainly(spec, state, trigger, given_facts, gates):
    """(next state, refusing verdict), from the rows themselves."""
    refusals = []
    for row in spec.transitions:
        off = (row.gate and not gates.on(row.gate)) or (row.without_gate and gates.on(row.without_gate))
        if row.trigger != trigger or state not in row.sources or off:
            continue
        verdicts = [guard.judge(given_facts) for guard in row.rules if guard.in_force(gates)]
        denied = [verdict for verdict in verdicts if not verdict]
        if not denied:
            return row.target(state), None
        outright = [verdict for verdict in denied if verdict.not_before is None]
        refusals.append(outright[0] if outright else max(denied, key=lambda verdict: verdict.not_before))
    if not refusals:
        return state, NO_TRANSITION
    return state, min(refusals, key=lambda v: float("inf") if v.not_before is None else v.not_before)


def suite(name):
    """The stateful suite of one machine."""
    spec = machine_spec(name)
    made = {gates: (compile_table(spec, gates), machine(name, gates)) for gates in SETTINGS}

    class Suite(RuleBasedStateMachine):
        @initialize(gates=st.sampled_from(SETTINGS))
        def start(self, gates):
            self.gates, (self.table, kind) = gates, made[gates]
            self.thing, self.state, self.steps = kind(), spec.initial, []

        @rule(trigger=st.sampled_from(spec.triggers), given_facts=FACTS[name] | near(name))
        def pull(self, trigger, given_facts):
            if trigger not in self.table.spec.triggers:
                return
            expected, refusal = plainly(spec, self.state, trigger, given_facts, self.gates)
            assert bool(self.table.ask(self.state, trigger, given_facts)) == (refusal is None)
            if refusal is None:
                fired = self.table.fire(self.state, trigger, given_facts)
                assert fired.dest == expected
                assert getattr(self.thing, trigger)(given_facts) == fired
                self.steps.append(fired)
                self.state = fired.dest
            else:
                self.refused(trigger, given_facts, refusal)

        def refused(self, trigger, given_facts, refusal):
            with pytest.raises(Refused) as by_table:
                self.table.fire(self.state, trigger, given_facts)
            with pytest.raises(Refused) as by_machine:
                getattr(self.thing, trigger)(given_facts)
            verdict = by_table.value.verdict
            assert (NO_TRANSITION if verdict is None else verdict) == refusal
            assert str(by_machine.value) == str(by_table.value)

        @rule(state=st.sampled_from(spec.state_names))
        def elsewhere(self, state):
            """Walks seldom get far: begin anew in any state."""
            self.thing, self.state, self.steps = made[self.gates][1](initial=state), state, []

        @invariant()
        def same(self):
            assert self.thing.state == self.state
            assert list(self.thing.history) == self.steps

    Suite.__name__ = Suite.__qualname__ = f"{name}_suite"
    return Suite.TestCase


globals().update({f"Test_{name}": suite(name) for name in KINDS})


def test_every_machine_has_a_suite():
    assert {name.removeprefix("Test_") for name in globals() if name.startswith("Test_")} == set(machine_names())
    assert None not in [KINDS[name] for name in ("container", "pod", "probe", "image", "sandbox", "pod_worker")]


@pytest.mark.parametrize("name", sorted(KINDS))
@given(data=st.data())
def test_never_two_transitions_at_once(name, data):
    """From any state, for any facts and at any version, a trigger has at most one way to go."""
    gates = data.draw(st.sampled_from(SETTINGS))
    spec = machine_spec(name)
    table = compile_table(spec, gates)
    given_facts = data.draw(FACTS[name] | near(name))
    for state in spec.state_names:
        enabled = table.enabled(state, given_facts)
        ways = {(row.trigger, row.target(state)) for row in enabled}
        assert len(ways) == len({trigger for trigger, _ in ways}), (state, ways)


@pytest.mark.parametrize("name", sorted(name for name, kind in KINDS.items() if kind is not None))
def test_facts_vary_in_every_field(name):
    kind = KINDS[name]
    seen = {field.name: set() for field in kind.__attrs_attrs__}

    @settings(max_examples=200)
    @given(FACTS[name])
    def collect(given_facts):
        for field, values in seen.items():
            values.add(getattr(given_facts, field))

    collect()
    assert {field for field, values in seen.items() if len(values) < 2} == set()
