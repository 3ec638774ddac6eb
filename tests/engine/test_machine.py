import subprocess
import sys

import pytest
from transitions import Machine, MachineError
from transitions.extensions import GraphMachine

from podfsm.engine.machine import Lifecycle, build_machine, machine_class
from podfsm.engine.reading import RESERVED
from podfsm.engine.rule import Registry, guard
from podfsm.engine.spec import load_spec
from podfsm.engine.table import NO_TRANSITION
from podfsm.engine.verdict import HOLDS
from podfsm.errors import GuardCrashed, Refused, UnknownName
from tests.engine.parcel import HOME, READY, SPEC, Parcel, gates

ParcelMachine = machine_class(SPEC)


def test_triggers_are_methods():
    parcel = ParcelMachine()
    assert parcel.state == "Ordered"
    assert parcel.may_send(READY)
    fired = parcel.send(READY)
    assert (fired.source, fired.dest, parcel.state) == ("Ordered", "On the way", "On the way")
    parcel.ring(READY)
    assert parcel.state == "On the way"
    assert parcel.ring(facts=HOME).rules == ("someone-home",)
    assert [step.trigger for step in parcel.history] == ["send", "ring", "ring"]
    assert parcel.history[0] is fired
    assert repr(parcel) == "<parcel in Delivered>"


def test_a_refusal_raises_and_changes_nothing():
    parcel = ParcelMachine()
    assert not parcel.may_send(Parcel())
    with pytest.raises(Refused) as caught:
        parcel.send(Parcel())
    assert caught.value.verdict == parcel.ask("send", Parcel())
    assert caught.value.verdict.rule == "paid-first"
    with pytest.raises(Refused, match="'ring' refused in Ordered: no such transition"):
        parcel.ring(HOME)
    assert parcel.ask("ring", HOME) is NO_TRANSITION
    assert (parcel.state, parcel.history) == ("Ordered", ())


def test_one_does_not_touch_the_other():
    one, other = ParcelMachine(), ParcelMachine(initial="Depot")
    one.cancel()
    other.collect(HOME)
    assert (one.state, other.state) == ("Cancelled", "Delivered")
    assert [len(parcel.history) for parcel in (one, other)] == [1, 1]
    assert one.machine is other.machine


def test_names_that_do_not_exist():
    with pytest.raises(UnknownName, match="no state 'Attic'"):
        ParcelMachine(initial="Attic")
    with pytest.raises(UnknownName, match="no trigger of parcel 'wring'; did you mean ring"):
        ParcelMachine().fire("wring")
    with pytest.raises(AttributeError):
        ParcelMachine().wring()


def test_no_trigger_skips_the_guards():
    assert not [name for name in dir(ParcelMachine()) if name.startswith("to_")]
    assert set(ParcelMachine.machine.events) == {"send", "ring", "collect", "reroute", "cancel", "lose"}


def test_reserved_names_are_those_in_use():
    public = {name for name in [*dir(Lifecycle), *Lifecycle.__annotations__, *vars(ParcelMachine())] if name[0] != "_"}
    assert public | {"trigger"} == set(RESERVED)


def test_gates():
    old = machine_class(SPEC, gates("1.9"))
    assert not hasattr(old, "reroute")
    assert old(initial="Depot").collect(Parcel(tries=10)).rules == ()
    assert old.spec == SPEC.under(gates("1.9"))


def test_a_crash_is_not_a_refusal():
    registry = Registry()

    @guard("broken", machine="m", cites=[], registry=registry)
    def broken(facts):
        """Breaks."""
        return 1 / facts

    text = (
        "machine: m-1\ninitial: A\nstates: {A: , B: {final: true}}\n"
        "transitions: [{trigger: go, source: A, dest: B, by: user, guards: broken}]\n"
    )
    broken_machine = machine_class(load_spec(text.replace("m-1", "m"), registry=registry))()
    with pytest.raises(GuardCrashed, match="guard broken raised ZeroDivisionError"):
        broken_machine.go(0)
    assert broken_machine.state == "A"


@pytest.mark.parametrize(
    ("name", "expected"), [("init_container", "InitContainer"), ("x", "X"), ("9", "Machine"), ("é", "Machine")]
)
def test_class_names(name, expected):
    text = (
        f"machine: '{name}'\ninitial: A\nstates: {{A: , B: {{final: true}}}}\n"
        "transitions: [{trigger: go, source: A, dest: B, by: user, says: it goes}]\n"
    )
    made = machine_class(load_spec(text))
    assert made.__name__ == expected
    assert made.go.__doc__ == "Fire `go`. Raises Refused."
    assert made().go().dest == "B"


class Plain:
    """A model that knows nothing of podfsm."""


def test_a_plain_transitions_machine():
    machine = build_machine(SPEC)
    assert type(machine) is Machine
    model = Plain()
    machine.add_model(model)
    assert model.state == "Ordered"
    assert model.may_send(READY)
    assert not model.may_send(Parcel())
    assert model.send(Parcel()) is False
    assert model.send(facts=READY) is True
    assert model.state == "On the way"
    with pytest.raises(MachineError):
        model.send(READY)


def test_callbacks_of_transitions_work_on_a_lifecycle():
    made = machine_class(SPEC)
    seen = []

    def go_on(event):
        seen.append((event.model.state, event.transition.dest))
        if event.model.state == "On the way" and len(seen) == 1:
            event.model.ring(HOME)  # a trigger pulled from inside another

    made.machine.after_state_change = go_on
    parcel = made()
    assert parcel.send(READY).trigger == "send"
    assert [step.trigger for step in parcel.history] == ["send", "ring"]
    assert seen == [("On the way", "On the way"), ("Delivered", "Delivered")]


def test_triggers_pulled_while_entering_a_state_do_not_confuse_the_outer_one():
    made = machine_class(SPEC)
    made.machine.get_state("On the way").add_callback("enter", lambda event: event.model.lose())
    parcel = made()
    assert parcel.send(READY).trigger == "send"
    assert [step.trigger for step in parcel.history] == ["lose", "send"]
    assert parcel.state == "Cancelled"


def test_a_lifecycle_added_as_a_model_keeps_its_own_methods():
    made = machine_class(SPEC)
    parcel = made()
    made.machine.add_model(parcel)
    assert parcel.send(READY).dest == "On the way"
    assert parcel.trigger("ring", HOME) is True
    assert len(parcel.history) == 2


def test_graph_machines():
    machine = build_machine(SPEC, base=GraphMachine, model=Plain(), graph_engine="mermaid", show_conditions=True)
    drawn = machine.models[0].get_graph().source
    assert "Depot --> Delivered: collect [small-print]" in drawn
    assert "someone-home" in drawn


def test_transitions_is_loaded_only_when_needed():
    code = (
        "import sys, podfsm.engine.table, podfsm.engine.spec, podfsm.engine.checks; print('transitions' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_holding_is_a_singleton():
    assert ParcelMachine().ask("cancel") is HOLDS
