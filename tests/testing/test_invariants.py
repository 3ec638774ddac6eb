"""The invariants: each is about rules that exist, notices what breaks it, and holds of healthy Pods."""

import inspect

import pytest

from podfsm.kube.objects import Pod
from podfsm.rules.catalogue import all_rules
from podfsm.testing.choose import Seeded
from podfsm.testing.cluster import make_cluster
from podfsm.testing.drive import run_case
from podfsm.testing.invariants import all_invariants
from podfsm.testing.protocol import CAPABILITIES
from podfsm.testing.scenarios import case, long_case
from tests.testing.breaks import BREAKS
from tests.testing.histories import CASES, history

BY_NAME = {invariant.name: invariant for invariant in all_invariants()}
WRITTEN = [name for name in BY_NAME if not name.startswith("rule/")]


@pytest.mark.parametrize("name", WRITTEN)
def test_notices_what_breaks_it(name):
    broken = BREAKS[name]()
    assert BY_NAME[name].broken(broken), "says nothing"


@pytest.mark.parametrize("name", sorted(CASES))
def test_holds_of_healthy_pods(name):
    assert {one.name: one.broken(history(name)) for one in all_invariants() if one.broken(history(name))} == {}


@pytest.mark.parametrize("number", range(40))
def test_holds_of_random_pods(number):
    choose = Seeded(f"healthy/{number}")
    outcome = run_case(case(choose) if number else long_case(choose), make_cluster)
    assert outcome.misbehaviours == []
    broken = [
        (one.name, one.broken(past)[0]) for past in outcome.histories for one in all_invariants() if one.broken(past)
    ]
    assert broken == []


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_is_about_rules_and_capabilities_that_exist(name):
    invariant = BY_NAME[name]
    assert invariant.checks
    assert all(rule in all_rules() for rule in invariant.checks), invariant.checks
    assert invariant.needs <= set(CAPABILITIES)
    assert invariant.says.endswith(".")


def test_every_invariant_rule_about_pods_is_asked():
    about_pods = {
        rule.id
        for rule in all_rules()
        if rule.kind == "invariant"
        and all(p.annotation is Pod for p in inspect.signature(rule.function, eval_str=True).parameters.values())
    }
    assert about_pods <= {name.removeprefix("rule/") for name in BY_NAME}
