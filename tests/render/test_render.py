import re

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.render import FORMS, render
from podfsm.render.parts import arrows, awaited, clean, colours, identifiers, tint
from tests.engine.parcel import SPEC, gates
from tests.render.machines import specs

TEXTS = [form for form in FORMS if form not in ("svg", "png")]


def test_forms():
    assert FORMS == ("mermaid", "dot", "svg", "png", "plantuml", "scxml", "xstate")


def test_unknown_names():
    with pytest.raises(InputError, match="no form 'mermiad'; did you mean mermaid"):
        render(SPEC, "mermiad")
    for form in FORMS:
        with pytest.raises(InputError, match="machine parcel has no state 'Depott'; did you mean Depot"):
            render(SPEC, form, current="Depott")


@pytest.mark.parametrize("form", TEXTS)
def test_guards_are_written_when_asked_for(form):
    plain, guarded = render(SPEC, form), render(SPEC, form, with_guards=True)
    assert "someone-home" in re.sub("#45;", "-", guarded)
    if form in ("scxml", "xstate"):
        assert plain == guarded
    else:
        assert "someone" not in plain
        assert "without gate Rerouting" in guarded


@pytest.mark.parametrize("form", TEXTS)
def test_the_current_state_is_marked(form):
    plain = render(SPEC, form)
    marked = {state: render(SPEC, form, current=state) for state in SPEC.state_names}
    assert len({plain, *marked.values()}) == len(SPEC.states) + 1


@pytest.mark.parametrize("form", TEXTS)
@given(spec=specs(), with_guards=st.booleans())
def test_the_same_spec_gives_the_same_text(form, spec, with_guards):
    text = render(spec, form, with_guards=with_guards)
    assert text == render(spec, form, with_guards=with_guards)
    assert text.endswith("\n")
    assert form == "xstate" or all(line.isprintable() for line in text.split("\n"))  # JSON carries anything


@pytest.mark.parametrize("form", TEXTS)
def test_gates_choose_what_is_drawn(form):
    assert "reroute" in render(SPEC, form)
    assert "reroute" not in render(SPEC.under(gates("1.9")), form)


def test_one_arrow_for_all_triggers_of_an_actor_between_two_states():
    bare = {(arrow.source, arrow.target, arrow.by): arrow.labels for arrow in arrows(SPEC, with_guards=False)}
    assert len(bare) == 13
    assert bare["On the way", "On the way", "courier"] == ("ring",)
    guarded = {(arrow.source, arrow.target, arrow.by): arrow.labels for arrow in arrows(SPEC, with_guards=True)}
    assert guarded["Ordered", "On the way", "shop"] == ("send [paid-first, shop-open, van-there]",)
    assert guarded["Depot", "Ordered", "customer"] == ("cancel [without gate Rerouting]",)
    twice = evolve(SPEC, transitions=(*SPEC.transitions, evolve(SPEC.transitions[1], trigger="leave", rules=())))
    merged = {(arrow.source, arrow.target): arrow.labels for arrow in arrows(twice, with_guards=True)}
    assert merged["On the way", "Delivered"] == ("ring [someone-home]", "leave")


def test_colours():
    used = colours(SPEC)
    assert list(used) == ["shop", "courier", "customer"]
    assert len(set(used.values())) == 3
    assert awaited(SPEC, "Ordered") == ""
    assert awaited(SPEC, "Delivered") == ""
    assert (tint("#000000"), tint("#ffffff"), tint("#0072b2")) == ("#cccccc", "#ffffff", "#cce2ef")


@given(specs())
def test_identifiers_are_words_of_their_own(spec):
    found = identifiers(spec)
    assert list(found) == list(spec.state_names)
    assert len(set(found.values())) == len(found)
    for name, given_name in found.items():
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", given_name)
        assert given_name == name or given_name.rstrip("_")[0] == "S"


def test_plain_names_stay():
    assert identifiers(SPEC) == {
        "Ordered": "Ordered",
        "On the way": "S1",
        "Depot": "Depot",
        "Delivered": "Delivered",
        "Cancelled": "Cancelled",
    }


def test_clean():
    assert clean(" a\n b\tc\x07 ") == "a b c\ufffd"
