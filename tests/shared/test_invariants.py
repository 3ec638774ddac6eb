"""A correct cluster's recordings break no invariant."""

import json

import pytest

from tests.shared.beside import files
from tests.snapshots import broken

pytestmark = pytest.mark.shared


@pytest.mark.parametrize("path", files("traces/*/*watch.jsonl"), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_recording_keeps_every_invariant(path):
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert events
    assert broken(event for event in events if event["object"].get("kind") == "Pod") == []
