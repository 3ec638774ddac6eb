"""Every way through every machine is taken by some scenario."""

import pytest

from podfsm.machines import machine_names, machine_spec
from podfsm.rules.gates import gates_for
from tests.world.coverage import fired_by_file, missing, shown, table


@pytest.fixture(scope="module")
def fired():
    return fired_by_file()


def test_every_transition_fires_from_every_source(fired):
    print("\n" + shown(table(fired)))
    assert missing(fired) == []


@pytest.mark.parametrize("name", machine_names())
def test_every_state_is_reached(fired, name):
    reached = {machine_spec(name).initial} | {dest for machine, _, _, dest, _ in fired if machine == name}
    assert reached == set(machine_spec(name).state_names)


def test_a_way_that_nothing_takes_is_noticed(fired):
    way = next(key for key in fired if key[:3] == ("container", "Running", "exit"))
    rest = {key: files for key, files in fired.items() if key != way}
    assert missing(rest) == ["container: exit from Running to Exited (no guard)"]


def test_nothing_fires_that_no_machine_has(fired):
    known = {
        (name, source, row.trigger, dest, row.cited)
        for gates in (None, gates_for("1.19"))  # the versions that the scenarios choose
        for name in machine_names()
        for source, dest, row in machine_spec(name).under(gates).arrows()
    }
    assert set(fired) <= known
