"""A trigger through the compiled table against the same trigger through `transitions`, over every machine."""

from types import SimpleNamespace

from podfsm.engine.machine import build_machine
from podfsm.engine.table import compile_table
from podfsm.errors import PodfsmError
from podfsm.machines import machine_names, machine_spec
from podfsm.rules.gates import gates_for
from tests.benchmarks.measure import Row, best


def moves(table):
    """(state, trigger, facts) that fire: facts are taken from the examples of the rules on the way."""
    for source, _, row in table.spec.arrows():
        candidates = [facts for rule in row.rules for facts in rule.allows] or [None]
        for facts in candidates:
            try:
                if table.fire(source, row.trigger, facts).transition is row:
                    yield source, row.trigger, facts
                    break
            except PodfsmError:
                continue


def through_table(table, found):
    fire = table.fire

    def run():
        for state, trigger, facts in found:
            fire(state, trigger, facts)

    return run


def through_transitions(machine, found):
    model = SimpleNamespace()
    machine.add_model(model)

    def run():
        for state, trigger, facts in found:
            model.state = state
            model.trigger(trigger, facts)

    return run


def rows():
    gates = gates_for()
    of_table = of_transitions = count = 0
    for name in machine_names():
        table = compile_table(machine_spec(name), gates)
        found = list(moves(table))
        of_table += best(through_table(table, found))
        of_transitions += best(through_transitions(build_machine(machine_spec(name), gates), found), repeat=3)
        count += len(found)
    yield Row(
        f"a trigger through the table ({count} transitions of {len(machine_names())} machines)",
        of_table / count,
        "the same through transitions",
        of_transitions / count,
        20,
        faster=True,
    )
