"""The page of sections says what is there: rules, examples that run, and tests that ask the rules."""

import importlib.util
from pathlib import Path

import pytest

from podfsm.machines import machine_names
from podfsm.rules.catalogue import all_rules, omitted
from tests.world.runs import EXAMPLES

ROOT = Path(__file__).parent.parent


def load():
    spec = importlib.util.spec_from_file_location("sections", ROOT / "docs" / "sections.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SECTIONS = load().sections()
EACH = pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)


def test_there_are_fifteen_and_every_rule_with_a_number_is_in_its_section():
    assert [section.number for section in SECTIONS] == list(range(1, 16))
    numbered = {rule.id for rule in all_rules() if rule.seed is not None}
    assert numbered <= {rule.id for section in SECTIONS for rule in section.rules}


@EACH
def test_it_has_rules_an_example_and_tests(section):
    assert section.rules
    assert len({rule.id for rule in section.rules}) == len(section.rules)
    assert section.examples
    assert section.tests
    assert set(section.machines) <= set(machine_names())
    assert set(section.left_out) <= set(omitted())


@EACH
def test_its_examples_run_with_the_others(section):
    assert set(section.examples) <= {path.stem for path in EXAMPLES}


def test_every_example_belongs_to_a_section():
    assert {path.stem for path in EXAMPLES} == {name for section in SECTIONS for name in section.examples}


@EACH
def test_its_tests_ask_its_rules_or_run_its_examples(section):
    for name in section.tests:
        text = (ROOT / name).read_text(encoding="utf-8")
        asked = [rule.id for rule in section.rules if rule.id in text or f"{rule.function.__name__}(" in text]
        run = [example for example in section.examples if f'"{example}"' in text]
        assert asked or run, f"{name} names no rule and no example of this section"
