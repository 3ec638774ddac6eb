"""Two other implementations behind the protocol: the machines through `transitions`, and a small one of its own."""

import subprocess
import sys

import pytest
from attrs import evolve

from podfsm.machines import machine_names, machine_spec
from podfsm.rules.gates import gates_for
from podfsm.simulate import simulate
from podfsm.testing.choose import Seeded
from podfsm.testing.cluster import SimulatedCluster, make_cluster
from podfsm.testing.drive import run_case
from podfsm.testing.report import write_counterexamples
from podfsm.testing.scenarios import case
from podfsm.testing.verify import verify
from podfsm.testing.walks import ThroughTransitions, walk_machines
from podfsm.world.model import make_model
from tests.independent import tiny

CASES = 150
FOUND_BY = {
    tiny.INITS_AT_ONCE: "init-in-order",
    tiny.NO_COUNT: "restarts-are-counted",
    tiny.GATES_IGNORED: "ready-needs-gates",
}


@pytest.fixture(scope="module")
def through_transitions():
    gates = gates_for()
    tables = {name: ThroughTransitions(machine_spec(name), gates) for name in machine_names()}
    model = evolve(make_model(gates), tables=tables)
    return lambda: SimulatedCluster(model=model)


def shown(made, factory):
    outcome = run_case(made, factory)
    assert not outcome.misbehaviours
    return [
        (history.name, [(seen.at, seen.type, seen.pod) for seen in history.seen], history.accepted)
        for history in outcome.histories
    ]


@pytest.mark.parametrize("number", range(25))
def test_pods_live_the_same_through_transitions(number, through_transitions):
    made = case(Seeded(f"same/{number}"), {"versions"})
    assert shown(made, through_transitions) == shown(made, make_cluster)


def test_the_laws_are_kept_through_transitions():
    walked = walk_machines("transitions", 600, engine_of=ThroughTransitions)
    assert walked.breaches == []
    assert walked.arrows == walk_machines("transitions", 600).arrows


def test_the_suite_has_nothing_to_say_against_transitions(through_transitions):
    report = verify(through_transitions, name="through transitions", cases=40)
    assert [line.name for line in report.failures] == []


def test_a_small_implementation_passes():
    report = verify(tiny.make_cluster, name="tiny", cases=CASES)
    assert [(line.name, line.first) for line in report.failures] == []
    assert report.invariants["init-in-order"].looked > 50
    assert report.invariants["startup-first"].verdict == "not checked"


@pytest.mark.parametrize("bug", tiny.BUGS)
def test_each_of_its_bugs_is_found_with_a_counterexample_that_replays(bug, tmp_path):
    report = verify(lambda: tiny.TinyCluster(bug), name=bug, cases=CASES)
    lines = {line.name: line for line in report.failures}
    assert FOUND_BY[bug] in lines
    files = write_counterexamples(report, tmp_path)
    path = files[FOUND_BY[bug]]
    assert lines[FOUND_BY[bug]].where.size() < 700
    assert simulate(path).snapshots
    replayed = [sys.executable, "-m", "podfsm", "simulate", path]
    assert subprocess.run(replayed, capture_output=True, check=False).returncode == 0
