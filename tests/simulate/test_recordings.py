"""Runs show what was recorded of a real cluster."""

import pytest

from tests.simulate.recordings import differences, recorded, simulated
from tests.world.runs import DATA

SCENARIOS = sorted((DATA / "traces").glob("*.scenario.yaml"))


def recording_of(path):
    return recorded(path.with_name(path.name.replace(".scenario.yaml", ".watch.jsonl.gz")))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name.removesuffix(".scenario.yaml"))
def test_a_run_shows_what_was_recorded(path):
    assert differences(recording_of(path), simulated(path)) == []


def test_recordings_are_there():
    assert len(SCENARIOS) == 12


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name.removesuffix(".scenario.yaml"))
def test_another_scenarios_run_is_told_apart(path):
    other = SCENARIOS[SCENARIOS.index(path) - 1]
    assert differences(recording_of(path), simulated(other))


def test_a_missing_event_is_noticed():
    path = next(path for path in SCENARIOS if path.name.startswith("crashloop"))
    run = simulated(path)
    loops = [event for event in run if "CrashLoopBackOff" not in str(event["object"].get("status"))]
    assert len(loops) < len(run)
    assert differences(recording_of(path), loops)
