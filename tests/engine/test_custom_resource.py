"""The how-to's Database: its rules, its machine, and that the page shows what the files say."""

import re
import sys
from pathlib import Path

import pytest
from attrs import evolve, fields, resolve_types
from hypothesis import given
from hypothesis import strategies as st

from podfsm.engine.checks import arrow_count, both_enabled, dead_ends, reachable, rules_used
from podfsm.engine.machine import machine_class
from podfsm.engine.spec import load_spec
from podfsm.engine.table import compile_table
from podfsm.errors import Refused
from podfsm.render import render

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
sys.path.append(str(HOWTO / "custom-resource"))
from database_rules import RULES, DatabaseFacts  # noqa: E402  (the folder is no package)

SPEC = load_spec(HOWTO / "custom-resource" / "database.yaml", registry=RULES)
TABLE = compile_table(SPEC)
Database = machine_class(SPEC)
resolve_types(DatabaseFacts)
FACTS = st.builds(DatabaseFacts, **{field.name: ... for field in fields(DatabaseFacts)})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_examples_of_every_rule(rule):
    assert rule.allows
    assert rule.refuses
    assert all(rule.judge(facts).holds for facts in rule.allows)
    assert not any(rule.judge(facts).holds for facts in rule.refuses)


def test_the_whole_machine_is_in_use():
    assert reachable(SPEC) == set(SPEC.state_names)
    assert dead_ends(SPEC) == ()
    assert arrow_count(SPEC) == 16
    assert rules_used(SPEC) == tuple(rule.id for rule in RULES)


@given(FACTS, st.sampled_from(SPEC.state_names))
def test_never_two_at_once_and_the_table_agrees_with_the_machine(facts, state):
    assert both_enabled(TABLE, facts) == ()
    for trigger in SPEC.triggers:
        assert TABLE.ask(state, trigger, facts) == Database(initial=state).ask(trigger, facts)


def test_a_database_from_request_to_removal():
    database = Database()
    facts = DatabaseFacts(volume_bound=True, replicas_ready=3, replicas_wanted=3, backup_at=0.0)
    database.provision(facts)
    database.sync(facts)
    database.sync(evolve(facts, replicas_ready=2))
    assert database.state == "Degraded"
    database.sync(facts)
    with pytest.raises(Refused, match="fresh-backup"):
        database.upgrade(evolve(facts, now=3601.0))
    database.upgrade(facts)
    database.fail()
    with pytest.raises(Refused) as caught:
        database.provision(evolve(facts, now=5.0, failures=3, failed_at=2.0))
    assert caught.value.verdict.not_before == 42.0
    database.delete()
    with pytest.raises(Refused, match="nobody-connected"):
        database.remove(DatabaseFacts(connections=2))
    assert database.remove(DatabaseFacts()).dest == "Gone"


def test_the_page_shows_the_files():
    page = (HOWTO / "custom-resource.md").read_text(encoding="utf-8")
    rules = (HOWTO / "custom-resource" / "database_rules.py").read_text(encoding="utf-8")
    spec = (HOWTO / "custom-resource" / "database.yaml").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shown = code[code.index("@guard") :]
    assert shown in rules
    rows = [
        line.strip() for line in page.splitlines() if line.startswith(("      - {", "      Requested", "    initial"))
    ]
    assert len(rows) == 4
    assert all(row in spec for row in rows)


def test_it_can_be_drawn():
    drawn = render(SPEC, "mermaid", with_guards=True)
    assert "Failed --> Provisioning : provision [volume-first, retry-later] (operator)" in drawn
