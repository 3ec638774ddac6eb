"""Recordings of a real cluster against runs of their scenarios, by the comparison that lies beside them."""

import json
import re
import subprocess
import sys

import pytest

from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import watch
from tests.shared.beside import BESIDE, files
from tests.snapshots import broken
from tests.world.history import wrong

pytestmark = pytest.mark.shared
LEAST = {"pod": {"phase": 68, "parts": 68, "full": 68}, "fuzz": {"phase": 119, "parts": 114, "full": 107}}
"""What is reached; what was asked for is 68 in parts and 62 in full, and 110 and 90."""
NODES = BESIDE / "traces/nodes.yaml"


def scenarios(group):
    return files(f"traces/{group}/*.scenario.yaml")


def documents(path):
    """A scenario, with the nodes that were there if it speaks of nodes."""
    text = path.read_text(encoding="utf-8")
    return (read_documents(NODES) if "nodeSelector" in text else []) + read_documents(path)


@pytest.fixture(scope="module", params=sorted(LEAST))
def compared(request, tmp_path_factory):
    """(group, what the comparison prints: a line a scenario, then the totals)."""
    folder = tmp_path_factory.mktemp(request.param)
    for path in scenarios(request.param):
        run = folder / path.name.replace(".scenario.yaml", ".jsonl")
        run.write_text("".join(f"{line}\n" for line in watch(prepare(documents(path)), events=False)), encoding="utf-8")
    command = [sys.executable, BESIDE / "tools/compare_traces.py", "--dir", BESIDE / "traces" / request.param]
    shown = subprocess.run([*command, "--sim", folder], capture_output=True, text=True, check=False)
    return request.param, shown.stdout


def test_runs_agree_with_recordings(compared):
    group, text = compared
    print(text)
    total = text.splitlines()[-1]
    assert total.startswith(f"{len(scenarios(group))} traces")
    for depth, least in LEAST[group].items():
        assert int(re.search(rf"{depth}\D*(\d+)", total)[1]) >= least, text


@pytest.mark.parametrize("path", scenarios("pod") + scenarios("fuzz"), ids=lambda path: path.name.split(".")[0])
def test_every_law_holds(path):
    steps = list(prepare(documents(path)))
    assert wrong(steps) == []
    lines = watch(prepare(documents(path)), events=False)
    assert broken(map(json.loads, lines)) == []
