"""Recordings broken on purpose, one rule each: nearly all are found, and the rule that was broken is named."""

import random
from collections import Counter

import pytest

from tests.check.breakages import BREAKAGES
from tests.check.traces import RECORDINGS, events, findings, seen
from tests.shared.beside import files


def broken(breakage, watched, dice):
    """Whether the breakage found something to break; the rules that are named then."""
    if not breakage(watched, dice):
        return None
    return {finding.rule for finding in findings(seen(watched)) if finding.severity != "note"}


def test_there_are_many_kinds():
    assert len(BREAKAGES) >= 30


@pytest.mark.parametrize("name", BREAKAGES)
def test_breakage_is_found_and_named(name):
    breakage, rules = BREAKAGES[name]
    tried = 0
    for recording in RECORDINGS:
        for number in range(2):
            named = broken(breakage, events(recording), random.Random(number))
            if named is not None:
                tried += 1
                assert named & set(rules), (recording, number, named)
    assert tried, "no recording to break"


@pytest.mark.shared
def test_of_all_recordings_at_least_97_in_100_are_found():
    import json

    found, named = Counter(), Counter()
    paths = files("traces/*/*.watch.jsonl")
    assert len(paths) > 100
    for number, path in enumerate(paths[::3]):
        text = path.read_text(encoding="utf-8")
        for breakage, rules in BREAKAGES.values():
            rules_named = broken(breakage, [json.loads(line) for line in text.splitlines()], random.Random(number))
            if rules_named is not None:
                found[bool(rules_named)] += 1
                named[bool(rules_named & set(rules))] += 1
    assert found[True] / found.total() >= 0.97
    assert named[True] / named.total() >= 0.97
