"""What the real functions of Kubernetes answered, all of it: every derivation agrees on every case."""

import json

import pytest

from podfsm.evaluate import evaluate, names, same
from podfsm.rules.gates import gates_for
from tests.shared.beside import files

pytestmark = pytest.mark.shared
OLD = "vectors-1.32"
FILES = [
    path for pattern in ("vectors/*.jsonl", "vectors/upstream/*.jsonl", f"{OLD}/*.jsonl") for path in files(pattern)
]
COVERED = [path for path in FILES if path.stem in names()]


@pytest.mark.parametrize("path", COVERED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_case_agrees(path):
    gates = gates_for("1.32" if path.parent.name == OLD else "1.36")
    cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert cases
    wrong = [case["id"] for case in cases if not same(evaluate(path.stem, case["input"], gates), case["want"])]
    assert wrong == []


def test_every_derivation_is_measured():
    assert set(names()) <= {path.stem for path in FILES}
