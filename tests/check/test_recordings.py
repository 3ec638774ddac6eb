"""A correct kubelet's recordings give no finding: whole, seen late, with gaps, twice, without times."""

import random

import pytest

from podfsm.check import Checker, Observation
from podfsm.check.finding import NOTE
from podfsm.check.readers import Trouble, observations
from podfsm.rules.gates import gates_for
from tests.check.traces import FOLDER, RECORDINGS, events, findings, seen
from tests.shared.beside import files

GAPS = {
    "one in three": lambda watched, dice: [one for one in watched if dice.random() < 0.33],
    "two in three": lambda watched, dice: [one for one in watched if dice.random() < 0.67],
    "from the middle": lambda watched, dice: watched[dice.randrange(len(watched)) :],
    "some twice": lambda watched, dice: [one for one in watched for _ in range(dice.choice((1, 1, 2)))],
    "without times": lambda watched, dice: [Observation(one.type, one.pod, one.place) for one in watched],
    "as lists": lambda watched, dice: [Observation("SEEN", one.pod) for one in watched if one.type != "DELETED"],
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_recording_gives_nothing(name):
    assert findings(seen(events(name))) == []


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_recording_with_gaps_gives_nothing(name, gap):
    watched = seen(events(name))
    for number in range(4):
        found = findings(GAPS[gap](watched, random.Random(number)))
        assert [one for one in found if one.severity != NOTE or gap != "some twice"] == []


@pytest.mark.parametrize("name", ["kubectl-get.json", "kubectl-list.json.gz"])
def test_what_kubectl_prints_is_read(name):
    found = list(observations([str(FOLDER / name)]))
    assert found
    assert not [one for one in found if isinstance(one, Trouble)]
    assert findings(found) == []


@pytest.mark.shared
@pytest.mark.parametrize("path", [*files("traces/*/*watch*.json*"), *files("traces/formats/kubectl-[gl]*")], ids=str)
def test_every_recording_gives_nothing(path):
    checker = Checker(gates_for())
    for one in observations([str(path)]):
        assert not isinstance(one, Trouble)
        assert [found for found in checker.see(one) if found.severity != NOTE] == []


def test_memory_is_of_live_pods_only():
    watched = seen(events("delete-grace"))
    checker = Checker(gates_for())
    for one in watched[:-1]:
        list(checker.see(one))
    assert checker.alive == 1
    list(checker.see(watched[-1]))
    assert watched[-1].type == "DELETED"
    assert checker.alive == 0
