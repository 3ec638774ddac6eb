"""SCXML and XState JSON: nothing is missing in them, and run by XState they do what the machine does."""

import json
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.engine.table import compile_table
from podfsm.render import render
from podfsm.render.parts import clean, identifiers, shown
from podfsm.render.scxml import NAMESPACE
from tests.engine.parcel import SPEC, Parcel
from tests.render.machines import specs

W3 = "{http://www.w3.org/2005/07/scxml}"
OWN = f"{{{NAMESPACE}}}"


def first_open(spec, state, trigger, rules):
    """Where the trigger leads when just these rules hold; the state itself when it is refused."""
    for source, target, row in spec.arrows():
        if (source, row.trigger) == (state, trigger) and all(rules[guard] for guard in row.guards):
            return target
    return state


@st.composite
def walks(draw):
    """A machine, some events (each with the rules that hold), and the states they lead through."""
    spec = draw(specs() | st.just(SPEC))
    guards = sorted({guard for row in spec.transitions for guard in row.guards})
    holding = st.fixed_dictionaries({guard: st.booleans() for guard in guards})
    pulls = draw(st.lists(st.tuples(st.sampled_from(spec.triggers), holding), max_size=8))
    state, states = spec.initial, []
    for trigger, rules in pulls:
        state = first_open(spec, state, trigger, rules)
        states.append(identifiers(spec)[state])
    return spec, [{"type": trigger, "rules": rules} for trigger, rules in pulls], states


@pytest.mark.npm
@given(walk=walks())
def test_xstate_runs_the_json(readers, walk):
    spec, events, states = walk
    assert readers.ask("xstate", render(spec, "xstate"), events=events) == states


@pytest.mark.npm
@given(walk=walks())
def test_xstate_runs_the_scxml(readers, walk):
    spec, events, states = walk
    assert readers.ask("scxml", render(spec, "scxml"), events=events) == states


@pytest.mark.npm
@pytest.mark.parametrize("form", ["xstate", "scxml"])
def test_the_parcel_goes_the_same_way_as_in_the_table(readers, form):
    table, names = compile_table(SPEC), identifiers(SPEC)
    facts = [("send", Parcel()), ("send", Parcel(paid=True)), ("ring", Parcel(tries=2)), ("ring", Parcel(tries=3))]
    facts += [("ring", Parcel()), ("collect", Parcel()), ("lose", Parcel())]
    state, states, events = SPEC.initial, [], []
    for trigger, seen in facts:
        rules = {rule.id: rule.judge(seen).holds for row in SPEC.transitions for rule in row.rules}
        events.append({"type": trigger, "rules": rules})
        state = table.fire(state, trigger, seen).dest if table.ask(state, trigger, seen) else state
        states.append(names[state])
    assert states == ["Ordered", "S1", "S1", "Depot", "Depot", "Delivered", "Delivered"]
    assert readers.ask(form, render(SPEC, form), events=events) == states


@given(specs())
def test_scxml_is_complete(spec):
    document = ET.fromstring(render(spec, "scxml").encode())
    names = identifiers(spec)
    assert document.get("initial") == names[spec.initial]
    assert document.get(f"{OWN}machine") == clean(spec.name)
    assert [(node.get(f"{OWN}state"), node.get("id")) for node in document] == [(clean(n), i) for n, i in names.items()]
    for node, state in zip(document, spec.states, strict=True):
        assert (node.tag == f"{W3}final") == state.final
        assert node.get(f"{OWN}shows", "") == shown(state)
        assert node.get(f"{OWN}says", "") == clean(state.says)
        rows = [(row, target) for source, target, row in spec.arrows() if source == state.name]
        for element, (row, target) in zip(node, rows, strict=True):
            assert element.get("event") == row.trigger
            assert element.get(f"{OWN}by") == clean(row.by)
            assert element.get("target") == (None if row.internal else names[target])
            assert (element.get("cond") is None) == (not row.rules)


@given(specs())
def test_xstate_is_complete(spec):
    machine = json.loads(render(spec, "xstate"))
    names = identifiers(spec)
    assert machine["initial"] == names[spec.initial]
    assert machine["meta"]["machine"] == spec.name
    assert list(machine["states"]) == list(names.values())
    for state in spec.states:
        node = machine["states"][names[state.name]]
        assert (node["type"] == "final", node["description"]) == (state.final, state.says)
        assert node["meta"] == {"state": state.name, "shows": dict(state.shows)}
        rows = [row for source, _, row in spec.arrows() if source == state.name]
        drawn = [move for moves in node.get("on", {}).values() for move in moves]
        assert sorted(move["meta"]["by"] for move in drawn) == sorted(row.by for row in rows)
        found = sorted((move["eventType"], move.get("guard", {}).get("params", {}).get("all", [])) for move in drawn)
        assert found == sorted((row.trigger, list(row.guards)) for row in rows)


def test_rules_that_explain_are_named():
    assert 'podfsm:because="keeps-a-week"' in render(SPEC, "scxml")
    collect = json.loads(render(SPEC, "xstate"))["states"]["Depot"]["on"]["collect"]
    assert [move["meta"]["because"] for move in collect] == [["keeps-a-week"]]


@pytest.mark.parametrize("current", SPEC.state_names)
def test_the_current_state_is_marked(current):
    machine = json.loads(render(SPEC, "xstate", current=current))
    assert [node["meta"]["state"] for node in machine["states"].values() if node["tags"] == ["current"]] == [current]
    document = ET.fromstring(render(SPEC, "scxml", current=current).encode())
    assert [node.get(f"{OWN}state") for node in document if node.get(f"{OWN}current")] == [current]
