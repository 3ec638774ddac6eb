"""The pytest plugin, as a project uses it: the example of the how-to, and fixtures with what they refuse."""

import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from podfsm.errors import InputError, UnknownName
from podfsm.testing.conformance import assert_conforms
from podfsm.testing.simulation import PodSimulation, SharedClock

OPERATOR = Path(__file__).parents[2] / "docs" / "howto" / "operator"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "a:1"}]},
}


def run_pytest(folder, *arguments):
    # Where podfsm is installed the entry point loads the plugin; asking for it again does no harm.
    command = [sys.executable, "-m", "pytest", "-p", "podfsm.testing.plugin", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)


def in_a_project(tmp_path, code):
    (tmp_path / "test_it.py").write_text(code)
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--strict-markers'\n")
    return run_pytest(tmp_path, "-q")


@pytest.fixture
def simulation():
    made = PodSimulation()
    made.apply(POD)
    return made


def test_the_example_project_passes(tmp_path):
    shutil.copytree(OPERATOR, tmp_path / "operator")
    ran = run_pytest(tmp_path / "operator")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout


def test_the_entry_point_names_the_plugin():
    found = [entry.value for entry in entry_points(group="pytest11") if entry.value.startswith("podfsm")]
    assert found == ["podfsm.testing.plugin"]


def test_fixtures_and_markers_are_documented(tmp_path):
    shown = run_pytest(tmp_path, "--fixtures", "--markers").stdout
    assert "@pytest.mark.podfsm(kubernetes=" in shown
    shown = run_pytest(tmp_path, "--fixtures").stdout
    for fixture in ("pod_simulation", "virtual_clock", "assert_trace_conforms"):
        assert fixture in shown
    assert "no docstring available" not in shown.partition("podfsm.testing.plugin")[2].partition("---")[0]


@pytest.mark.parametrize(
    ("marker", "says"),
    [
        ("kubernets='1.30'", "unknown kubernets"),
        ("'1.30'", "1 without a name"),
        ("kubernetes='1.99'", "1.99"),
        ("timing='fast'", "kubelet"),
        ("feature_gates={'Sidecars': True}", "SidecarContainers"),
    ],
)
def test_a_marker_that_makes_no_sense_is_an_error(tmp_path, marker, says):
    ran = in_a_project(tmp_path, f"import pytest\n@pytest.mark.podfsm({marker})\ndef test_it(pod_simulation): pass\n")
    assert ran.returncode == 1
    assert says in ran.stdout


def test_markers_add_up_and_the_nearest_wins(tmp_path):
    code = """
import pytest
pytestmark = pytest.mark.podfsm(kubernetes="1.30", timing="ideal")

@pytest.mark.podfsm(kubernetes="1.28", seed=4)
def test_it(pod_simulation):
    cluster = pod_simulation.cluster
    assert (cluster.kubernetes, cluster.profile.name, cluster.profile.seed) == ("1.28", "ideal", 4)
"""
    ran = in_a_project(tmp_path, code)
    assert ran.returncode == 0, ran.stdout


def test_the_clock_moves_pods_and_pods_wait_for_it(simulation):
    assert simulation.pod("web")["status"]["phase"] == "Pending"
    assert simulation.advance("2s")
    assert simulation.pod("web")["status"]["phase"] == "Running"
    assert simulation.clock.now == 2
    simulation.clock.sleep(3)
    assert simulation.cluster.now == 5
    assert simulation.clock.datetime().isoformat() == "2026-01-01T00:00:05+00:00"


@pytest.mark.parametrize("duration", [-1, "-3s", "soon", "forever", float("inf")])
def test_time_does_not_go_back_nor_for_ever(duration):
    with pytest.raises(InputError):
        SharedClock().advance(duration)


def test_until_gives_the_pod_or_says_what_it_is(simulation):
    assert simulation.until("web", "Ready")["status"]["phase"] == "Running"
    with pytest.raises(AssertionError, match=r"web is not Succeeded after 5 s; it is .*Running"):
        simulation.until("web", "Succeeded", within="5s")
    with pytest.raises(AssertionError, match="it is None"):
        simulation.until("other", "Running", within=1)


def test_processes_end_when_told_to(simulation):
    simulation.until("web", "Running")
    simulation.exits("web", "app", 3)
    restarted = simulation.until("web", lambda pod: pod["status"]["containerStatuses"][0]["restartCount"] == 1)
    assert restarted["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"] == 3
    with pytest.raises(UnknownName, match="app"):
        simulation.exits("web", "apq", 3)


def test_what_cannot_be_applied_is_refused(simulation):
    with pytest.raises(InputError):
        simulation.apply("kind: Pod\nmetadata: [\n")
    with pytest.raises(InputError, match="attempt"):
        simulation.apply(
            "apiVersion: podfsm.dev/v1alpha1\nkind: Scenario\nspec: {containers: [{container: app, atempts: []}]}\n"
        )


def test_a_trace_that_conforms_passes(simulation):
    simulation.until("web", "Ready")
    simulation.delete("web")
    simulation.advance("60s")
    assert simulation.read("web") is None
    assert_conforms(simulation)
    assert_conforms(simulation.seen)


def test_a_trace_that_does_not_is_told_with_its_rule(simulation):
    simulation.until("web", "Ready")
    simulation.advance("20s")
    last = simulation.seen[-1]["object"]
    back = {**last, "status": {**last["status"], "phase": "Succeeded"}}
    with pytest.raises(AssertionError, match=r"the trace departs from the Pod lifecycle:\n.*phase-") as raised:
        assert_conforms([*simulation.seen, {"type": "MODIFIED", "at": 21, "object": back}])
    rules = {line.split()[0] for line in str(raised.value).splitlines()[1:] if line.startswith("  ")}
    assert_conforms([*simulation.seen, {"type": "MODIFIED", "at": 21, "object": back}], ignore=rules)
