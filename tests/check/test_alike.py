"""Of Pods that live alike one is judged: what counts as alike, and what has to be compared each time all the same."""

import json
import random
import re
from datetime import UTC, datetime, timedelta

import pytest

from podfsm.check import Checker, alike
from podfsm.check.judge import Judge
from podfsm.check.reads import names_in
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from tests.check.breakages import BREAKAGES
from tests.check.traces import RECORDINGS, events, seen

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
NAMES = re.compile(r"(?<=://)[0-9a-f]{8,}|\b10\.\d+\.\d+\.\d+\b")
"""What instances and addresses are called."""


def elsewhere(name, days):
    """A recording as if other Pods had done the same on another day, on another node."""
    text = json.dumps(events(name))
    for uid in sorted({event["object"]["metadata"]["uid"] for event in events(name)}):
        text = text.replace(uid, uid[::-1])
    for node in sorted({event["object"]["spec"].get("nodeName") or "" for event in events(name)} - {""}):
        text = text.replace(f'odeName": "{node}"', f'odeName": "{node}-{days}"')
    return json.loads(NAMES.sub(another, TIME.sub(lambda found: later(found[0], days), text)))


def another(found):
    old = found[0]
    return f"10.99.{sum(old.encode()) % 200}.{old.rpartition('.')[2]}" if "." in old else old[::-1]


def later(stamp, days):
    moved = datetime.fromisoformat(stamp) + timedelta(days=days)
    return moved.astimezone(UTC).isoformat().replace("+00:00", "Z")


def found_in(checker, observations):
    return [finding for one in observations for finding in checker.see(one)]


def tell(findings):
    return [(one.rule, one.place.number, one.seen, one.allowed, one.severity, one.path) for one in findings]


@pytest.mark.parametrize("name", RECORDINGS)
def test_what_lives_alike_is_not_judged_again(name, monkeypatch):
    checker = Checker(gates_for())
    assert found_in(checker, seen(events(name))) == []
    monkeypatch.setattr(Judge, "first", None)
    monkeypatch.setattr(Judge, "next", None)
    assert found_in(checker, seen(elsewhere(name, 9))) == []


@pytest.mark.parametrize("name", RECORDINGS)
def test_times_that_lie_after_the_recording_are_found_in_what_lives_alike(name):
    checker = Checker(gates_for())
    found_in(checker, seen(events(name)))
    early = elsewhere(name, 1)
    for event in early:
        created = event["object"]["metadata"]["creationTimestamp"]
        event["receivedAt"] = (datetime.fromisoformat(created) - timedelta(seconds=100)).isoformat()
    fresh = found_in(Checker(gates_for()), seen(early))
    assert tell(found_in(checker, seen(early))) == tell(fresh)


def test_a_late_recording_of_what_lives_alike_is_judged_by_its_own_clock():
    """Each event arrives ten minutes after the one before, as if the kubelet's status had stood still."""
    for name in RECORDINGS:
        checker = Checker(gates_for())
        found_in(checker, seen(events(name)))
        slow = elsewhere(name, 2)
        for number, event in enumerate(slow):
            created = datetime.fromisoformat(event["object"]["metadata"]["creationTimestamp"])
            event["receivedAt"] = (created + timedelta(minutes=10 * number + 1)).isoformat()
        assert tell(found_in(checker, seen(slow))) == tell(found_in(Checker(gates_for()), seen(slow)))


def test_what_is_forgotten_is_judged_anew(monkeypatch):
    """With room for a single step the same is found as with plenty."""
    monkeypatch.setattr(alike, "_MOST", 1)
    checker = Checker(gates_for())
    names = sorted(BREAKAGES)[::9]
    for name in names:
        for recording in RECORDINGS[::5]:
            watched = elsewhere(recording, len(name))
            if BREAKAGES[name][0](watched, random.Random(1)):
                for event in watched:
                    event["object"]["metadata"]["uid"] += name
                    event["object"]["metadata"]["namespace"] = name
                assert tell(found_in(checker, seen(watched))) == tell(found_in(Checker(gates_for()), seen(watched)))


def test_no_invariant_reads_what_is_not_told():
    """Labels are in no sight; a rule that reads them would be answered for other Pods."""
    for rule in all_rules():
        if rule.kind == "invariant":
            assert "labels" not in (names_in(rule.function) or ()), rule.id
