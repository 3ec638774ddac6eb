"""Measured answers of the real functions of Kubernetes, a sample of them: every derivation agrees on every case."""

import json
from pathlib import Path

import pytest

from podfsm.evaluate import evaluate, names, same
from podfsm.rules.gates import gates_for

DATA = Path(__file__).parent / "data"
FOLDERS = {"vectors": "1.36", "vectors-1.32": "1.32"}
FILES = [path for folder in FOLDERS for path in sorted((DATA / folder).glob("*.jsonl"))]


def cases_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def disagreement(name, case, gates):
    """What is answered and what was measured, if they differ."""
    got = evaluate(name, case["input"], gates)
    if same(got, case["want"]):
        return ""
    return f"{name} {case['id']}\n  answered {json.dumps(got, default=str)}\n  measured {json.dumps(case['want'])}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_case_agrees(path):
    gates = gates_for(FOLDERS[path.parent.name])
    cases = cases_of(path)
    assert len(cases) >= 3
    assert next(filter(None, (disagreement(path.stem, case, gates) for case in cases)), "") == ""


def test_every_file_has_a_derivation_and_every_derivation_a_file():
    assert {path.stem for path in FILES} == set(names())


@pytest.mark.parametrize("name", ["pod-phase", "restart-decision", "crash-backoff", "termination-order"])
def test_a_wrong_answer_is_noticed(name):
    cases = cases_of(DATA / "vectors" / f"{name}.jsonl")
    answers = {json.dumps(case["want"], sort_keys=True) for case in cases}
    assert len(answers) > 1
    other = next(case["want"] for case in cases if not same(case["want"], cases[0]["want"]))
    assert disagreement(name, {**cases[0], "want": other}, gates_for()) != ""
