"""What every rule owes: examples that hold, totality, a source, a use. Parametrised over the registry."""

import ast
from functools import lru_cache
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import podfsm
from podfsm.engine.rule import KINDS
from podfsm.engine.verdict import Verdict
from podfsm.engine.versions import Version
from podfsm.machines import machine_names, machine_spec
from podfsm.rules.catalogue import all_rules, omitted
from podfsm.rules.describe import as_data, as_markdown, as_text
from podfsm.rules.gates import NEWEST, OLDEST, all_gates, gates_for

RULES = list(all_rules())
YES_OR_NO = ("guard", "invariant", "validation")
MACHINES = {
    "pod",
    "container",
    "init_container",
    "sidecar_container",
    "ephemeral_container",
    "probe",
    "pod_worker",
    "sandbox",
    "image",
    "scheduling",
    "node",
    "job",
    "namespace",
    "eviction",
    "preset_admission",
    "resize",
}


def of(*kinds):
    """Parametrises over the rules of these kinds."""
    chosen = [rule for rule in RULES if rule.kind in kinds]
    return pytest.mark.parametrize("rule", chosen, ids=[rule.id for rule in chosen])


def asked(rule, given):
    return rule(*given) if isinstance(given, tuple) else rule(given)


@of(*YES_OR_NO)
def test_holds_and_does_not_hold_as_its_examples_say(rule):
    assert rule.allows, "no example that it holds for"
    assert rule.refuses, "no example that it does not hold for"
    wrong = [one for one in rule.allows if not asked(rule, one)] + [one for one in rule.refuses if asked(rule, one)]
    assert not wrong


@of(*(kind for kind in KINDS if kind not in YES_OR_NO))
def test_gives_what_its_examples_say(rule):
    assert rule.examples, "no example"
    got = [(one, rule(*one.given, **one.also)) for one in rule.examples]
    assert [(one.given, answer) for one, answer in got if answer != one.gives] == []


@lru_cache
def facts_of(kind):
    """Arbitrary facts: every field varies, those with defaults too."""
    attrs.resolve_types(kind)
    return st.builds(kind, **{field.name: st.from_type(field.type) for field in attrs.fields(kind)})


@of("guard")
@given(data=st.data())
def test_guard_is_total_and_repeatable(rule, data):
    facts = data.draw(facts_of(type(rule.allows[0])))
    verdict = rule.judge(facts)
    assert isinstance(verdict, Verdict)
    assert verdict == rule.judge(facts)
    if not verdict:
        assert verdict.rule == rule.id
        assert verdict.because
        assert verdict.not_before is None or verdict.not_before > facts.now


@of("guard")
def test_guard_reads_one_kind_of_facts_and_belongs_to_machines(rule):
    assert len({type(one) for one in (*rule.allows, *rule.refuses)}) == 1
    assert rule.machines
    assert set(rule.machines) <= MACHINES


@of(*KINDS)
def test_is_cited(rule):
    assert rule.cites
    for cite in rule.cites:
        if cite.kind == "docs":
            assert cite.where.split("#")[0].endswith(".md"), cite
        else:
            assert " " not in cite.where, cite
            assert cite.where.rsplit(".", 1)[-1] in ("go", "proto", "yaml", "json"), cite


@of(*KINDS)
def test_is_written_out(rule):
    assert rule.statement.endswith(".")
    first = rule.statement.split()[0]
    assert first[0].isupper() or not first[0].isalpha() or "." in first or first != first.lower() or first in rule.id
    assert rule.area == rule.area.lower().replace("_", "-")
    assert len(rule.statement) < 600


@of(*KINDS)
def test_is_shown_in_every_form(rule):
    assert rule.statement.split()[0] in as_text(rule, all_gates())
    assert as_markdown(rule, all_gates()).startswith(f"# {rule.id}\n")
    assert as_data(rule)["id"] == rule.id


@of(*KINDS)
def test_versions_and_gates_exist(rule):
    for gate in (rule.gate, rule.without_gate):
        assert gate is None or gate in all_gates()
    for text in filter(None, (rule.since, rule.until)):
        assert Version.parse(text) <= NEWEST
    in_force = [rule.in_force(gates_for(f"1.{minor}")) for minor in range(OLDEST.minor, NEWEST.minor + 1)]
    switchable = rule.gate is not None and rule.in_force(
        gates_for("1.36", {rule.gate: True}) if _free(rule.gate) else gates_for()
    )
    assert any(in_force) or switchable, "never in force"


def test_a_rule_that_only_rows_without_a_gate_name_says_so_itself():
    rows = {}
    for row in (row for name in machine_names() for row in machine_spec(name).transitions):
        for rule in (*row.rules, *row.because):
            rows.setdefault(rule, set()).add(row.without_gate or None)
    assert any(rule.without_gate for rule in rows)
    assert [rule.id for rule, gates in rows.items() if None not in gates and gates != {rule.without_gate}] == []


def _free(gate):
    stage = all_gates()[gate].stage_at(NEWEST) if gate else None
    return stage is not None and not stage.locked and stage.stage != "removed"


ROOT = Path(__file__).parent.parent


@lru_cache
def cited_by_machines():
    return {cited for name in machine_names() for row in machine_spec(name).transitions for cited in row.cited}


@lru_cache
def names_used():
    """Every identifier that some module of the package reads (not those it only defines)."""
    used = set()
    for path in Path(podfsm.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name):
                used.add(node.id)
            elif isinstance(node, ast.Attribute):
                used.add(node.attr)
    return used


@lru_cache
def text_of_tests():
    here = Path(__file__).parent
    files = [path for path in here.rglob("*") if path.suffix in (".py", ".yaml") and path.is_file()]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


@of(*(kind for kind in KINDS if kind != "invariant"))  # tests/snapshots.py asks those of every snapshot
def test_is_used_by_a_machine_or_a_reader_or_named_in_a_test(rule):
    used = rule.id in cited_by_machines() or rule.function.__name__ in names_used() or rule.id in text_of_tests()
    assert used, "nobody asks it"


def test_what_is_left_out_is_not_there_and_has_a_reason():
    assert not {rule.id for rule in RULES} & set(omitted())
    assert all(reason.endswith(".") for reason in omitted().values())
