"""The table, the `transitions` machine and a third, plain reading of the spec do the same, whatever is pulled."""

import pytest
from attrs import fields, resolve_types
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from podfsm.engine.machine import machine_class
from podfsm.engine.table import NO_TRANSITION, compile_table
from podfsm.errors import Refused
from tests.engine.parcel import SPEC, Parcel, gates

resolve_types(Parcel)
TIMES = st.sampled_from([0.0, 5.0, 10.0])
FACTS = st.builds(
    Parcel,
    now=TIMES,
    paid=st.booleans(),
    at_home=st.booleans(),
    opens_at=TIMES,
    van_at=TIMES,
    tries=st.sampled_from([0, 2, 3, 9, 10]),
)
GATES = [None, gates("1.9"), gates("1.10"), gates("1.10", Rerouting=False)]
MADE = {setting: (compile_table(SPEC, setting), machine_class(SPEC, setting)) for setting in GATES}
TRIGGERS = st.sampled_from(SPEC.triggers)


def plainly(state, trigger, facts, setting):
    """(next state, refusing verdict) by reading the rows one after the other, from their definition."""
    refusals = []
    for row in SPEC.transitions:
        if row.trigger != trigger or state not in row.sources:
            continue
        rerouting = setting is None or setting.on("Rerouting")
        if (row.gate and not rerouting) or (row.without_gate and rerouting):
            continue
        verdicts = [rule.judge(facts) for rule in row.rules if setting is None or rule.in_force(setting)]
        denied = [verdict for verdict in verdicts if not verdict]
        if not denied:
            return row.target(state), None
        outright = [verdict for verdict in denied if verdict.not_before is None]
        refusals.append(outright[0] if outright else max(denied, key=lambda verdict: verdict.not_before))
    if not refusals:
        return state, NO_TRANSITION
    return state, min(refusals, key=lambda v: float("inf") if v.not_before is None else v.not_before)


class SameSteps(RuleBasedStateMachine):
    @initialize(setting=st.sampled_from(GATES))
    def start(self, setting):
        self.setting = setting
        self.table, made = MADE[setting]
        self.thing = made()
        self.state = SPEC.initial
        self.steps = []

    @rule(trigger=TRIGGERS, facts=FACTS)
    def pull(self, trigger, facts):
        if trigger not in self.table.spec.triggers:
            return
        expected, refusal = plainly(self.state, trigger, facts, self.setting)
        try:
            fired = self.table.fire(self.state, trigger, facts)
        except Refused as refused:
            verdict = NO_TRANSITION if refused.verdict is None else refused.verdict
            assert verdict == refusal == self.table.ask(self.state, trigger, facts) == self.thing.ask(trigger, facts)
            self.refused(trigger, facts, refused)
        else:
            assert refusal is None
            assert self.table.ask(self.state, trigger, facts)
            assert getattr(self.thing, f"may_{trigger}")(facts)
            assert getattr(self.thing, trigger)(facts) == fired
            assert fired.transition in self.table.enabled(self.state, facts)
            assert (fired.source, fired.dest) == (self.state, expected)
            self.steps.append(fired)
            self.state = fired.dest

    def refused(self, trigger, facts, by_table):
        assert not getattr(self.thing, f"may_{trigger}")(facts)
        with pytest.raises(Refused) as caught:
            getattr(self.thing, trigger)(facts)
        assert (caught.value.verdict, str(caught.value)) == (by_table.verdict, str(by_table))

    @rule()
    def again(self):
        self.thing = MADE[self.setting][1]()
        self.state = SPEC.initial
        self.steps = []

    @invariant()
    def same_state_and_history(self):
        assert self.thing.state == self.state
        assert list(self.thing.history) == self.steps


TestSameSteps = SameSteps.TestCase


@given(st.sampled_from(SPEC.state_names), TRIGGERS, FACTS, st.sampled_from(GATES))
def test_same_from_any_state(state, trigger, facts, setting):
    """Walks seldom get far; this asks every state."""
    table, made = MADE[setting]
    if trigger in table.spec.triggers:
        expected, refusal = plainly(state, trigger, facts, setting)
        asked = table.ask(state, trigger, facts)
        assert asked == made(initial=state).ask(trigger, facts) == (asked if refusal is None else refusal)
        assert asked.holds == (refusal is None)
        if asked:
            assert table.fire(state, trigger, facts).dest == expected == made(initial=state).fire(trigger, facts).dest


def test_facts_vary():
    assert {field.name for field in fields(Parcel)} == {"now", "paid", "at_home", "opens_at", "van_at", "tries"}
