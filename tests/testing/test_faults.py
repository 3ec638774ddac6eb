"""How good the suite is: faults planted in every guard, few steps each, and all but a few must be noticed."""

from collections import Counter

import pytest
from attrs import evolve

from podfsm.engine.table import compile_table
from podfsm.errors import Refused
from podfsm.machines import machine_spec
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import ContainerFacts, RuntimeState
from podfsm.testing.faults import Fault, facts_near, faults_of, guards, notice, plant_all, planted
from podfsm.testing.laws import all_laws
from podfsm.testing.walks import FACTS, walk_machines

STEPS = 3000
KINDS = set(FACTS.values())
EXITED = ContainerFacts(instance=RuntimeState.EXITED)


def of_the_lifecycle(rule):
    return type(rule.allows[0]) in KINDS


@pytest.fixture(scope="module")
def found():
    return list(plant_all(steps=STEPS, cases=0, only=of_the_lifecycle))


def test_nearly_all_planted_faults_are_noticed(found):
    survivors = [(one.rule, one.kind) for one in found if not one.by]
    assert len(found) > 200
    assert 1 - len(survivors) / len(found) >= 0.95, survivors


def test_every_guard_is_made_to_hold_always_never_and_otherwise(found):
    kinds = Counter(one.kind for one in found)
    checked = sum(of_the_lifecycle(rule) for rule in guards())
    assert kinds["always holds"] == kinds["never holds"] == kinds["negated"] == checked
    assert kinds["now + 1"] == kinds["now - 1"] > 5


def test_nothing_is_noticed_where_nothing_is_planted():
    assert walk_machines("0", STEPS).breaches == []


def test_a_fault_is_in_place_only_while_it_is_planted():
    rule = all_rules()["restart-always"]
    spec = machine_spec("container")
    with planted(Fault(rule.id, "never holds", lambda _facts: False)), pytest.raises(Refused):
        compile_table(spec).fire("Exited", "restart", EXITED)
    assert compile_table(spec).fire("Exited", "restart", EXITED).dest == "Pulling"


def test_whole_pods_notice_too():
    fault = Fault("sched-gates", "never holds", lambda _facts: False)
    noticed = notice(fault, steps=0, cases=3)
    assert noticed.by == "Pods"
    assert "sched-gates" in noticed.what


def test_a_fault_that_changes_no_answer_is_none():
    rule = all_rules()["probe-startup-gates-others"]
    assert {fault.kind for fault in faults_of(rule)} == {"always holds", "never holds", "negated"}
    assert all(rule.judge(facts) == rule.judge(evolve(facts, run=facts.run + 1)) for facts in facts_near(rule))


@pytest.mark.parametrize("law", all_laws(), ids=lambda law: law.name)
def test_laws_are_about_rules_that_exist_and_say_what_they_mean(law):
    assert law.checks
    assert all(rule in all_rules() for rule in law.checks)
    assert law.says.endswith(".")


def test_every_guard_of_the_lifecycle_has_a_law():
    checked = {rule for law in all_laws() for rule in law.checks}
    assert {rule.id for rule in guards() if of_the_lifecycle(rule)} - checked == set()
