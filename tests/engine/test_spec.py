import re

import pytest

from podfsm.engine.rule import Registry, derivation, example
from podfsm.engine.spec import StateSpec, load_spec
from podfsm.errors import SpecError, UnknownName
from tests.engine.parcel import RULES, SPEC, SPEC_TEXT, gates


def test_everything_in_the_file_is_in_the_spec():
    assert (SPEC.name, SPEC.initial, SPEC.instances, SPEC.visible, SPEC.omits) == (
        "parcel",
        "Ordered",
        "one per order",
        "the tracking page",
        ("customs",),
    )
    assert SPEC.says == "one parcel, from the order to the door"
    assert SPEC.actors == ("shop", "courier", "customer")
    assert SPEC.states == (
        StateSpec("Ordered", "not sent yet", (("status", "received"),)),
        StateSpec("On the way", "", (("moving", ""),)),
        StateSpec("Depot", "waiting to be collected"),
        StateSpec("Delivered", "", (("status", "delivered"),), final=True),
        StateSpec("Cancelled", final=True),
    )
    assert SPEC.state_names == ("Ordered", "On the way", "Depot", "Delivered", "Cancelled")
    assert SPEC.finals == ("Delivered", "Cancelled")
    assert SPEC.triggers == ("send", "ring", "collect", "reroute", "cancel", "lose")
    send, ring, stay = SPEC.transitions[:3]
    assert (send.trigger, send.sources, send.dest, send.by) == ("send", ("Ordered",), "On the way", "shop")
    assert send.guards == ("paid-first", "shop-open", "van-there")
    assert (ring.says, ring.index, ring.line) == ("handed over", 1, 15)
    assert stay.internal
    assert stay.target("On the way") == "On the way"
    assert not ring.internal
    collect = SPEC.transitions[4]
    assert (collect.guards, collect.cited) == (("small-print",), ("small-print", "keeps-a-week"))
    assert SPEC.transitions[-1].sources == ("Ordered", "On the way", "Depot")  # a star leaves the final states out


def test_arrows_and_successors():
    assert len(list(SPEC.arrows())) == 13
    assert SPEC.successors()["On the way"] == ["Delivered", "On the way", "Depot", "Depot", "Ordered", "Cancelled"]


def test_state_by_name():
    assert SPEC.state("Depot").says == "waiting to be collected"
    with pytest.raises(UnknownName, match="no state 'Depots'; did you mean Depot"):
        SPEC.state("Depots")


def test_gates_choose_rows_and_guards():
    old, new = SPEC.under(gates("1.9")), SPEC.under(gates("1.10"))
    assert "reroute" not in old.triggers
    assert "reroute" in new.triggers
    assert [row.index for row in old.transitions if row.trigger == "cancel"] == [6, 7]
    assert [row.index for row in new.transitions if row.trigger == "cancel"] == [6]
    assert [row.guards for row in old.transitions if row.trigger == "collect"] == [()]
    assert [row.guards for row in new.transitions if row.trigger == "collect"] == [("small-print",)]
    assert [[row.cited for row in spec.transitions if row.trigger == "collect"] for spec in (old, new)] == [
        [()],
        [("small-print", "keeps-a-week")],
    ]
    off = SPEC.under(gates("1.10", Rerouting=False))
    assert "reroute" not in off.triggers
    assert SPEC.under(None) == new  # no gates: as if every gate were on
    for setting in (old, new, off):
        assert setting.under(None) == setting  # nothing depends on a gate any more


def test_a_gate_that_the_table_lacks_is_an_error():
    spec = load_spec(SPEC_TEXT.replace("Rerouting", "Steering"), registry=RULES)
    with pytest.raises(UnknownName, match="no feature gate 'Steering'"):
        spec.under(gates("1.10"))


def test_from_a_file(tmp_path):
    path = tmp_path / "parcel.yaml"
    path.write_text(SPEC_TEXT, encoding="utf-8")
    assert load_spec(path, registry=RULES) == SPEC
    assert load_spec(str(path), registry=RULES).source == str(path)
    path.write_text(SPEC_TEXT.replace("dest: Depot, by: courier", "dest: Depott, by: courier"))
    with pytest.raises(SpecError) as caught:
        load_spec(path, registry=RULES, source="mine.yaml")
    assert str(caught.value) == "mine.yaml:17:47: transitions[3].dest: no state 'Depott'; did you mean Depot?"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        # names that do not exist
        ("initial: Ordered", "initial: Orderd", "parcel.yaml:6:10: initial: no state 'Orderd'; did you mean Ordered?"),
        ("source: Ordered, dest: On", "source: Orders, dest: On", "14:29: transitions[0].source: no state 'Orders'"),
        (
            "[On the way, Depot]",
            "[On the way, Depo]",
            "19:45: transitions[5].source[1]: no state 'Depo'; did you mean Depot?",
        ),
        ("by: shop", "by: shops", "transitions[0].by: no actor 'shops'; did you mean shop?"),
        ("paid-first", "payed-first", "transitions[0].guards[0]: no rule 'payed-first'; did you mean paid-first?"),
        ("gate: Rerouting", "gate: Routing", "transitions[5].gate: no feature gate 'Routing'; did you mean Rerouting?"),
        ("keeps-a-week", "keep-a-week", "transitions[4].because[0]: no rule 'keep-a-week'; did you mean keeps-a-week?"),
        ("keeps-a-week", "small-print", "transitions[4].because[0]: rule 'small-print' is a guard of this row already"),
        # keys
        ("initial:", "inital:", "6:1: inital: unknown key 'inital'; did you mean initial?"),
        ("final: true", "finale: true", "states.Delivered.finale: unknown key 'finale'; did you mean final?"),
        (
            "guards: [someone-home]",
            "guard: [someone-home]",
            "transitions[1].guard: unknown key 'guard'; did you mean guards?",
        ),
        ("dest: Delivered, by: courier", "by: courier", "15:5: transitions[1]: key 'dest' is missing"),
        ("initial: Ordered\n", "", "key 'initial' is missing"),
        # shapes
        ("final: true", "final: yes", "states.Delivered.final: not a truth value; expected true or false, found 'yes'"),
        ("{shows: moving}", "7", 'states["On the way"]: not a map; expected a map with shows, says, final, found 7'),
        ("{shows: moving}", "{shows: [a]}", 'states["On the way"].shows: not a text'),
        (
            "trigger: send",
            "trigger: 5",
            "14:15: transitions[0].trigger: not a text; expected text (in quotes if need be), found 5",
        ),
        ("source: Ordered, dest: On", "source: [], dest: On", "transitions[0].source: no source"),
        ("omits: [customs]", "omits: customs", "omits: not a list; expected a list of texts, found text 'customs'"),
        ("omits: [customs]", "omits: [[customs]]", "omits[0]: not a text"),
        ("says: one parcel,", "says: [one parcel],", "not YAML: "),
        ("machine: parcel", "machine: ''", "machine: not a name for a machine"),
        ("machine: parcel", 'machine: "a\\tb"', "machine: not a name for a machine"),
        # names given twice, names that cannot be
        ("  Depot:  ", "  Ordered:  ", "10:3: states.Ordered: key 'Ordered' given twice; first on line 8"),
        ("[On the way, Depot], dest: Depot", "[Depot, Depot], dest: Depot", "source[1]: state 'Depot' given twice"),
        ("[paid-first, shop-open", "[paid-first, paid-first", "guards[1]: guard 'paid-first' given twice"),
        ("[shop, courier, customer]", "[shop, shop]", "actors[1]: actor 'shop' given twice"),
        ("trigger: send", "trigger: send off", "trigger 'send off' is no Python name"),
        ("trigger: send", "trigger: class", "trigger 'class' is no Python name"),
        ("trigger: send", "trigger: history", "trigger 'history' has a name that models use themselves"),
        ("trigger: send", "trigger: may_send", "trigger 'may_send' has a name that models use themselves"),
        ("  Depot:  ", "  '*':  ", 'states["*"]: not a name for a state'),
        # the graph
        ("  Depot:  ", "  Attic: {}\n  Depot:  ", "10:3: states.Attic: state 'Attic' cannot be reached from 'Ordered'"),
        ('"*", dest: Cancelled, by: courier', "On the way, dest: Attic, by: courier", "no state 'Attic'"),
        (
            "source: [Depot], dest: Delivered",
            "source: [Delivered], dest: Depot",
            "source[0]: state 'Delivered' is final, so nothing leaves it",
        ),
        # rows that cannot be told apart
        (
            "guards: [nobody-home]}",
            "guards: [nobody-home, someone-home]}",
            (
                "16:5: transitions[2]: 'ring' from 'On the way' cannot be told apart from transitions[1]; expected "
                "guards of which neither row's include the other's, found [someone-home] and "
                "[nobody-home, someone-home]"
            ),
        ),
        (
            ", guards: [tries-used-up]",
            "",
            "transitions[3]: 'ring' from 'On the way' cannot be told apart from transitions[1]",
        ),
        (
            "gate: Rerouting}",
            "gate: Rerouting, without_gate: Rerouting}",
            "transitions[5]: never exists: gate Rerouting",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(old, new, complaint):
    assert old in SPEC_TEXT
    text = SPEC_TEXT.replace(old, new, 1)
    with pytest.raises(SpecError) as caught:
        load_spec(text, registry=RULES, source="parcel.yaml", gates=["Rerouting"])
    assert re.match(r"parcel\.yaml:\d+:\d+: ", str(caught.value))
    assert complaint in str(caught.value)


def test_rows_that_only_a_gate_keeps_apart():
    both = """\
machine: m
initial: A
states: {A: , B: , C: {final: true}}
transitions:
  - {trigger: go, source: A, dest: B, by: user, gate: New}
  - {trigger: go, source: A, dest: C, by: user, without_gate: New}
  - {trigger: end, source: B, dest: C, by: user}
"""
    assert len(load_spec(both).transitions) == 3
    for gate in ("gate: New", "gate: Newer", "says: ungated"):
        apart = both.replace("without_gate: New", gate)
        with pytest.raises(SpecError, match="cannot be told apart"):
            load_spec(apart)


def small(states, rows, initial="A"):
    lines = [f"  - {{trigger: {t}, source: {a}, dest: {b}, by: user}}" for t, a, b in rows]
    return "\n".join(["machine: m", f"initial: {initial}", f"states: {{{states}}}", "transitions:", *lines])


def test_traps():
    with pytest.raises(SpecError, match="state 'B' is a trap: not final, and nothing leads out of it"):
        load_spec(small("A: , B: ", [("go", "A", "B"), ("stay", "B", '"="')]))


def test_no_way_to_an_end():
    circle = [("go", "A", "B"), ("back", "B", "A")]
    assert load_spec(small("A: , B: ", circle)).finals == ()  # a machine without an end at all is fine
    rows = [*circle, ("end", "A", "E"), ("leave", "A", "C"), ("on", "C", "D"), ("off", "D", "C")]
    with pytest.raises(SpecError, match=r"no way from state 'C' to a final state \(E\)"):
        load_spec(small("A: , B: , C: , D: , E: {final: true}", rows))


def test_guards_have_to_be_guards_of_this_machine():
    with pytest.raises(SpecError, match="no rule 'paid'; no guard is registered for machine parcel"):
        load_spec(SPEC_TEXT.replace("paid-first", "paid"), registry=Registry())
    with pytest.raises(SpecError, match="guard 'paid-first' belongs to parcel, not to letter"):
        load_spec(SPEC_TEXT.replace("machine: parcel", "machine: letter"), registry=RULES)

    registry = Registry()

    @derivation("half", cites=[], examples=[example(2, gives=1.0)], registry=registry)
    def half(number):
        """Half of it."""
        return number / 2

    text = small("A: , B: {final: true}", [("go", "A", "B")])[:-1] + ", guards: half}"
    with pytest.raises(
        SpecError, match="rule 'half' guards nothing; expected a guard, found a rule of kind derivation"
    ):
        load_spec(text, registry=registry)


def test_actors_are_those_of_the_caller_unless_the_spec_names_its_own():
    text = small("A: , B: {final: true}", [("go", "A", "B")])
    assert load_spec(text).actors[0] == "user"
    assert load_spec(text, actors=["user"]).actors == ("user",)
    with pytest.raises(SpecError, match="no actor 'user'; known: robot"):
        load_spec(text, actors=["robot"])
    with pytest.raises(SpecError, match="no actor 'user'; known: robot"):
        load_spec("actors: [robot]\n" + text)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.mkdir(), "cannot be read: Is a directory"),
        (lambda path: path.write_bytes(b"a: \xff"), "not UTF-8 at byte 3"),
        (lambda path: path.write_bytes(b"#" * 4_000_001), "too long; expected at most 4000000 bytes"),
        (lambda path: path.write_bytes(b"#" * 1_000_001), "too long; expected at most 1000000 characters"),
        (lambda path: path.write_bytes(b""), "not a map; expected a map with machine, says"),
    ],
)
def test_unreadable_files(tmp_path, make, complaint):
    path = tmp_path / "x.yaml"
    make(path)
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    assert str(caught.value).startswith(str(path))
    assert complaint in str(caught.value)


def test_a_path_that_cannot_be_one():
    with pytest.raises(SpecError, match="not a file name"):
        load_spec("a\0b")
