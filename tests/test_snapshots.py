"""Simulated Pods keep every invariant; broken ones are noticed."""

import json
import subprocess
import sys

import pytest

from podfsm.data import specs_folder
from podfsm.rules.gates import gates_for
from tests.snapshots import broken, invariants

EXAMPLES = sorted((specs_folder() / "examples").glob("*.yaml"))


def watch(*arguments):
    command = [sys.executable, "-m", "podfsm", "simulate", *map(str, arguments), "-o", "watch"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in shown.stdout.splitlines()]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_keep_every_invariant(path):
    events = watch(path)
    assert len(events) > 2
    assert broken(events) == []


def test_every_invariant_looks_at_one_snapshot_or_two():
    assert {looks_at for _, looks_at in invariants(gates_for())} == {1, 2}


def test_a_broken_run_is_noticed():
    def pod(phase):
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "uid": "u"}, "status": {"phase": phase}}

    events = [{"type": "ADDED", "object": pod("Succeeded")}, {"type": "MODIFIED", "object": pod("Running")}]
    assert "phase-terminal-sticky" in {rule for rule, _, _ in broken(events)}
