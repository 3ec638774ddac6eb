import pytest
from attrs import evolve
from attrs.exceptions import FrozenInstanceError

from podfsm.engine.rule import Registry, guard
from podfsm.engine.spec import load_spec
from podfsm.engine.table import NO_TRANSITION, best, compile_table, judge_all
from podfsm.engine.verdict import HOLDS, Verdict, refuse, wait_until
from podfsm.errors import GuardCrashed, Refused, UnknownName
from tests.engine.parcel import HOME, READY, SPEC, Parcel, gates

TABLE = compile_table(SPEC)


def refusal(state, trigger, facts):
    with pytest.raises(Refused) as caught:
        TABLE.fire(state, trigger, facts)
    return caught.value


def test_fired_says_everything():
    fired = TABLE.fire("Ordered", "send", READY)
    assert (fired.machine, fired.trigger, fired.source, fired.dest) == ("parcel", "send", "Ordered", "On the way")
    assert fired.transition == SPEC.transitions[0]
    assert fired.rules == ("paid-first", "shop-open", "van-there")
    assert TABLE.fire("Ordered", "send", READY) is fired  # made once
    with pytest.raises(FrozenInstanceError):
        fired.dest = "Depot"


def test_alternatives_are_chosen_by_their_guards():
    assert TABLE.fire("On the way", "ring", HOME).dest == "Delivered"
    assert TABLE.fire("On the way", "ring", READY).dest == "On the way"
    assert TABLE.fire("On the way", "ring", evolve(READY, tries=3)).dest == "Depot"


def test_facts_may_be_left_out_where_nothing_reads_them():
    assert TABLE.fire("Ordered", "cancel").dest == "Cancelled"
    assert TABLE.ask("Ordered", "cancel") is HOLDS


def test_a_refusal_names_the_rule():
    refused = refusal("Ordered", "send", Parcel())
    assert refused.verdict == Verdict(False, rule="paid-first", because="A parcel is sent only after it has been paid.")
    text = "parcel: 'send' refused in Ordered by paid-first: A parcel is sent only after it has been paid."
    assert str(refused) == text


def test_a_refusal_outright_counts_more_than_a_wait_and_of_waits_the_longest():
    both = Parcel(paid=True, opens_at=10.0, van_at=20.0)
    assert refusal("Ordered", "send", both).verdict == Verdict(False, "van-there", 20.0, "no van")
    assert TABLE.ask("Ordered", "send", evolve(both, opens_at=30.0)).rule == "shop-open"
    assert TABLE.ask("Ordered", "send", evolve(both, paid=False)).rule == "paid-first"
    assert TABLE.ask("Ordered", "send", evolve(both, now=20.0)) is HOLDS


def test_of_several_alternatives_the_shortest_wait_is_reported():
    waits = [refuse("a").by("a"), wait_until(9, "b").by("b"), wait_until(7, "c").by("c"), refuse("d").by("d")]
    assert best(waits).rule == "c"
    assert best([waits[0], waits[3]]).rule == "a"
    assert best([*waits, HOLDS]) is HOLDS
    assert best([]) is NO_TRANSITION
    assert judge_all([], None) is HOLDS


def test_no_such_transition():
    refused = refusal("Depot", "ring", HOME)
    assert refused.verdict is None
    assert str(refused) == "parcel: 'ring' refused in Depot: no such transition"
    assert TABLE.ask("Depot", "ring", HOME) is NO_TRANSITION
    assert not TABLE.ask("Delivered", "lose")


@pytest.mark.parametrize("ask", [TABLE.fire, TABLE.ask])
def test_names_that_do_not_exist(ask):
    with pytest.raises(UnknownName, match="no trigger of parcel 'rings'; did you mean ring"):
        ask("Ordered", "rings")
    with pytest.raises(UnknownName, match="no state of parcel 'Depots'; did you mean Depot"):
        ask("Depots", "ring")


def test_enabled_and_triggers():
    assert [row.index for row in TABLE.enabled("On the way", HOME)] == [1, 5, 8]
    assert [row.index for row in TABLE.enabled("Ordered", Parcel())] == [6, 8]
    assert TABLE.enabled("Delivered", HOME) == ()
    assert TABLE.triggers("On the way") == ("ring", "reroute", "lose")
    for ask in (TABLE.triggers, TABLE.enabled):
        with pytest.raises(UnknownName):
            ask("Nowhere")


def test_gates():
    old, new = compile_table(SPEC, gates("1.9")), compile_table(SPEC, gates("1.10"))
    many = Parcel(tries=10)
    assert old.fire("Depot", "collect", many).rules == ()
    assert new.ask("Depot", "collect", many).rule == "small-print"
    assert old.fire("Depot", "cancel").dest == "Ordered"
    with pytest.raises(Refused, match="no such transition"):
        new.fire("Depot", "cancel")
    with pytest.raises(UnknownName):
        old.fire("Depot", "reroute")
    assert new.fire("Depot", "reroute").dest == "Depot"


def broken(answer):
    registry = Registry()

    @guard("broken", machine="m", cites=[], registry=registry)
    def rule(facts):
        """Breaks."""
        return answer(facts)

    text = (
        "machine: m\ninitial: A\nstates: {A: , B: {final: true}}\n"
        "transitions: [{trigger: go, source: A, dest: B, by: user, guards: broken}]\n"
    )
    return compile_table(load_spec(text, registry=registry))


@pytest.mark.parametrize("method", ["fire", "ask"])
def test_a_crash_is_not_a_refusal(method):
    with pytest.raises(GuardCrashed, match="guard broken raised ZeroDivisionError: division by zero") as caught:
        getattr(broken(lambda facts: 1 / facts), method)("A", "go", 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    for answer in (1, 0, None, "yes"):
        with pytest.raises(GuardCrashed, match=r"guard broken answered .*; expected a bool or a Verdict"):
            getattr(broken(lambda facts, answer=answer: answer), method)("A", "go")


def test_any_verdict_that_holds_counts():
    table = broken(lambda facts: Verdict(True, because="well"))
    assert table.fire("A", "go").dest == "B"
    assert table.ask("A", "go") is HOLDS
