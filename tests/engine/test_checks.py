import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.engine import graph
from podfsm.engine.checks import arrow_count, both_enabled, dead_ends, reachable, rules_used
from podfsm.engine.clock import VirtualClock
from podfsm.engine.spec import load_spec
from podfsm.engine.table import compile_table
from tests.engine.parcel import HOME, READY, RULES, SPEC, SPEC_TEXT, Parcel, gates


def test_counts():
    assert reachable(SPEC) == set(SPEC.state_names)
    assert arrow_count(SPEC) == 11
    assert arrow_count(SPEC, gates("1.9")) == 11
    assert rules_used(SPEC) == (
        *(
            "keeps-a-week",
            "nobody-home",
            "paid-first",
            "shop-open",
            "small-print",
            "someone-home",
            "tries-used-up",
            "van-there",
        ),
    )


def test_no_conflicts_in_a_good_machine():
    for facts in (Parcel(), READY, HOME, Parcel(tries=3), Parcel(tries=10, at_home=True)):
        assert both_enabled(SPEC, facts) == ()
        assert both_enabled(SPEC, facts, gates("1.9")) == ()


def test_conflicts_are_found_with_their_place():
    text = SPEC_TEXT.replace("[tries-used-up]", "[paid-first]")
    spec = load_spec(text, registry=RULES)
    for machine in (spec, compile_table(spec)):
        (conflict,) = both_enabled(machine, HOME)
        assert (conflict.machine, conflict.state, conflict.trigger) == ("parcel", "On the way", "ring")
        assert [row.index for row in conflict.transitions] == [1, 3]
        assert str(conflict) == "parcel: transitions[1] and transitions[3] are both enabled by 'ring' in On the way"
    assert both_enabled(spec, Parcel(at_home=True)) == ()


def test_a_gate_may_take_the_only_way_out():
    text = """\
machine: m
initial: A
states: {A: , B: , C: {final: true}}
transitions:
  - {trigger: go, source: A, dest: B, by: user}
  - {trigger: end, source: B, dest: C, by: user, gate: Rerouting}
"""
    spec = load_spec(text)
    assert dead_ends(spec) == dead_ends(spec, gates("1.10")) == ()
    assert dead_ends(spec, gates("1.9")) == ("A", "B")
    assert reachable(spec, gates("1.9")) == {"A", "B"}


def walks(edges, start, length):
    """All states within so many steps, the slow way."""
    found = {start}
    for _ in range(length):
        found |= {following for state in found for following in edges.get(state, ())}
    return found


EDGES = st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), max_size=6)


@given(EDGES, st.sampled_from("abcdef"))
def test_reachability_is_what_walking_finds(edges, start):
    assert graph.reachable_from([start], edges) == walks(edges, start, 6)
    back = graph.reversed_edges(edges)
    assert sorted((b, a) for a, nexts in edges.items() for b in nexts) == sorted(
        (a, b) for a, nexts in back.items() for b in nexts
    )
    endless = set(graph.without_end("abcdef", "ab", edges))
    assert endless == {state for state in "abcdef" if not walks(edges, state, 6) & {"a", "b"}}
    assert graph.without_end("abcdef", "", edges) == ()
    assert set(graph.traps("abcdef", "a", edges)) == {s for s in "bcdef" if not set(edges.get(s, ())) - {s}}


def test_the_clock_never_goes_back():
    clock = VirtualClock()
    later = clock.advance_to(5.0).advance_by(2.5)
    assert (clock.now, later.now) == (0.0, 7.5)
    assert later.advance_to(7.5) == later > clock
    for move in (lambda: later.advance_to(7.0), lambda: later.advance_by(-1), lambda: later.advance_to(float("nan"))):
        with pytest.raises(ValueError, match="time never goes back"):
            move()
