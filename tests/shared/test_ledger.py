"""Every rule of the ledger is a rule here, or left out with a reason."""

import pytest
import yaml

from podfsm.rules.catalogue import all_rules, omitted
from tests.shared.beside import BESIDE

pytestmark = pytest.mark.shared
LEDGER = BESIDE / "rules" / "ledger.yaml"


def test_no_rule_of_the_ledger_is_forgotten():
    known = {rule.id for rule in all_rules()} | set(omitted())
    listed = [each["id"] for each in yaml.safe_load(LEDGER.read_text(encoding="utf-8"))]
    assert len(listed) > 300
    assert [name for name in listed if name not in known] == []


def test_sections_agree_with_the_ledger():
    """Where a rule says which section of the notes it is from, it says what the ledger says."""
    seeds = {each["id"]: each["seed"] for each in yaml.safe_load(LEDGER.read_text(encoding="utf-8"))}
    rules = {rule.id: rule.seed for rule in all_rules() if rule.id in seeds}
    wrong = {name: (seed, seeds[name]) for name, seed in rules.items() if seed not in (seeds[name], None)}
    assert wrong == {}
