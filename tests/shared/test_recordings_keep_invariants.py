"""The suite's invariants hold of what a real cluster did, so that they ask nothing of others that it does not do."""

import json

import pytest

from podfsm.testing.history import histories
from podfsm.testing.invariants import all_invariants
from tests.shared.beside import files

pytestmark = pytest.mark.shared
RECORDINGS = [*files("traces/pod/*watch.jsonl"), *files("traces/fuzz/*watch.jsonl")]


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_recording_keeps_every_invariant(path):
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    found = list(histories(events))
    assert found
    broken = [(one.name, one.broken(past)[0]) for past in found for one in all_invariants() if one.broken(past)]
    assert broken == []
