"""`podfsm verify`: the same bytes for a seed, reports that others read, exit statuses, counterexamples that replay."""

import json
import os
import subprocess
import sys
import textwrap
from xml.etree import ElementTree as ET

import pytest

from podfsm.errors import UnknownName
from podfsm.simulate import simulate
from podfsm.testing.case import Case
from podfsm.testing.report import data, junit, text, write_counterexamples
from podfsm.testing.shrink import shrink
from podfsm.testing.verify import PROFILES, verify
from tests.independent import tiny

ODD = """
    from podfsm.testing import SimulatedCluster

    class Odd(SimulatedCluster):
        def read(self, pod):
            raise RuntimeError("gone & <away>")

    def make():
        return Odd(lacks=frozenset({"watch"}))

    def hangs():
        while True:
            pass

    not_callable = 3
"""


def podfsm(*arguments, cwd, seed="0", **more):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "NO_COLOR": "1"}
    command = [sys.executable, "-m", "podfsm", "verify", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment, **more)


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "odd.py").write_text(textwrap.dedent(ODD))
    return tmp_path


@pytest.fixture(scope="module")
def buggy():
    return verify(tiny.ignoring_gates, name="tiny", cases=120)


def test_two_runs_with_one_seed_give_the_same_bytes(tmp_path):
    one = podfsm("--cases", "40", "--seed", "3", "--junit", "a.xml", cwd=tmp_path, seed="1")
    two = podfsm("--cases", "40", "--seed", "3", "--junit", "b.xml", cwd=tmp_path, seed="2")
    assert one.returncode == two.returncode == 0, one.stderr
    assert one.stdout == two.stdout
    assert (tmp_path / "a.xml").read_bytes() == (tmp_path / "b.xml").read_bytes()
    assert "--seed" not in one.stdout
    assert podfsm("--cases", "40", "--seed", "4", cwd=tmp_path).stdout != one.stdout


def test_nothing_is_written_when_nothing_is_broken(tmp_path):
    podfsm("--cases", "10", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_report_says_how_much_was_looked_at_and_covered(tmp_path):
    shown = podfsm("--cases", "60", cwd=tmp_path).stdout
    assert "ready-needs-gates" in shown
    assert "decision hook-prestop-when" in shown
    assert "never fired by a Pod:" in shown
    assert "rules asked:" in shown
    assert shown.splitlines()[-1].endswith("no misbehaviour")


def test_what_raises_is_reported_with_a_counterexample(odd):
    shown = podfsm("--implementation", "odd:make", "--cases", "4", "--junit", "out.xml", "-o", "summary", cwd=odd)
    assert shown.returncode == 1
    assert "BROKEN raised in read" in shown.stdout
    assert "Traceback" not in shown.stderr
    assert simulate(odd / "counterexamples" / "raised-in-read.yaml").snapshots
    tree = ET.parse(odd / "out.xml")
    assert any("gone & <away>" in failure.get("message") for failure in tree.iter("failure"))


def test_what_hangs_is_reported_in_time(odd):
    shown = podfsm("--implementation", "odd:hangs", "--cases", "2", "--time-limit", "0.1", cwd=odd, timeout=60)
    assert shown.returncode == 1
    assert "hung in the factory" in shown.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("odd", "expected MODULE:FACTORY"),
        ("nothing.of.the.kind:make", "ModuleNotFoundError"),
        ("odd:made", "AttributeError"),
        ("odd:not_callable", "not callable"),
    ],
)
def test_what_cannot_be_loaded_is_one_error(odd, name, says):
    shown = podfsm("--implementation", name, cwd=odd)
    assert shown.returncode == 2
    assert says in shown.stderr
    assert shown.stdout == ""
    assert len(shown.stderr.splitlines()) == 1


def test_an_unknown_profile_is_named():
    with pytest.raises(UnknownName, match="quick"):
        verify(profile="fast")
    assert PROFILES["quick"].cases < PROFILES["ci"].cases < PROFILES["deep"].cases


def test_json_and_junit_hold_what_the_text_does(buggy, tmp_path):
    files = write_counterexamples(buggy, tmp_path)
    told = "\n".join(text(buggy, files))
    found = json.loads(json.dumps(data(buggy, files)))
    broken = [line["name"] for line in found["invariants"] if line["verdict"] == "broken"]
    assert broken
    assert all(f"BROKEN {name}" in told for name in broken)
    suites = {suite.get("name"): suite for suite in ET.fromstring(junit(buggy, files))}
    failed = [case.get("name") for case in suites["podfsm.invariants"] if case.find("failure") is not None]
    assert failed == broken
    assert int(suites["podfsm.invariants"].get("failures")) == len(broken)
    skipped = {case.get("name"): case.find("skipped") for case in suites["podfsm.invariants"]}
    assert skipped["startup-first"].get("message") == "lacks probes"


def test_what_is_lacking_and_therefore_not_checked_is_listed(buggy):
    told = "\n".join(text(buggy))
    assert "probes: startup, readiness and liveness probes" in told
    assert "startup-first" in told


def test_shrinking_leaves_only_what_matters():
    made = Case(
        ({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"},
          "spec": {"terminationGracePeriodSeconds": 9,
                   "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]}},),
        {"duration": 60, "containers": [{"pod": "p", "container": "b", "attempts": [{"run": 3, "exit": 1}]}],
         "steps": [{"at": 3, "delete": "pods/p"}]},
    )  # fmt: skip
    smallest = shrink(made, lambda case: any(c["name"] == "b" for c in case.pods[0]["spec"]["containers"]))
    assert smallest.pods[0]["spec"] == {"containers": [{"name": "b", "image": "b:1"}]}
    assert smallest.spec == {"duration": 1}
    assert smallest == shrink(made, lambda case: any(c["name"] == "b" for c in case.pods[0]["spec"]["containers"]))
