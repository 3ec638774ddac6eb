"""Every scenario of tests/data and specs/examples, in every version, timing and format: it runs, and the laws hold."""

import json
import os
import subprocess
import sys
from itertools import pairwise

import pytest

from podfsm.engine.versions import Version
from podfsm.errors import NotModelled
from podfsm.kube.read import read_documents
from podfsm.rules.gates import NEWEST, OLDEST
from podfsm.rules.pod_preset import LAST
from podfsm.simulate import prepare, simulate
from podfsm.simulate.output import FORMATS, object_of, writer
from podfsm.world.timing import PROFILES
from tests.snapshots import broken
from tests.world.history import wrong
from tests.world.runs import DATA, EVERY, EXAMPLES, steps_of

VERSIONS = [str(Version(1, minor)) for minor in range(OLDEST.minor, NEWEST.minor + 1)]
EACH = pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)


def watched(steps):
    return [{"type": one.type, "object": object_of(one)} for step in steps for one in step.snapshots]


@EACH
def test_every_law_holds(path):
    steps = steps_of(path)
    assert wrong(steps) == []
    assert broken(watched(steps), prepare(read_documents(path)).model.gates) == []


@EACH
@pytest.mark.parametrize("timing", sorted(PROFILES))
@pytest.mark.parametrize("seed", [None, 1])
def test_every_law_holds_under_every_timing(path, timing, seed):
    steps = list(prepare(read_documents(path), timing=timing, seed=seed))
    assert wrong(steps) == []


@EACH
def test_it_says_what_it_is_about_and_how_long_it_takes(path):
    assert path.read_text(encoding="utf-8").startswith("# ")
    simulation = prepare(read_documents(path))
    assert simulation.setup.scenario.name == path.stem
    assert simulation.setup.scenario.duration


@pytest.mark.parametrize("version", VERSIONS)
@EACH
def test_every_version_runs(path, version):
    """Whatever a version knows of the manifest, it runs, and what it prints can be read."""
    if path.stem == "pod-preset" and Version.parse(version) > LAST:
        with pytest.raises(NotModelled, match="PodPreset was removed"):
            prepare(read_documents(path), kubernetes=version)
        return
    lines = list(writer("watch")(prepare(read_documents(path), kubernetes=version), False))
    events = [json.loads(line) for line in lines]
    assert events[0]["type"] == "ADDED"
    assert {event["object"]["status"].get("phase") for event in events} <= {
        "Pending", "Running", "Succeeded", "Failed",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_same_run_is_the_same_to_the_byte(path, name):
    def run(**options):
        return list(writer(name)(prepare(read_documents(path), **options), True))

    assert run() == run()
    assert run(seed=5) == run(seed=5)
    assert run(timing="ideal") == run(timing="ideal")


PRINT_ALL = """
import sys
from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import json
for path in sys.argv[1:]:
    print(*json(prepare(read_documents(path)), True))
"""


def test_another_process_prints_the_same():
    """Whatever seed Python's own hashes have there, on which the order of its sets depends."""

    def printed(seed):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PRINT_ALL, *map(str, EVERY)]
        return subprocess.run(command, capture_output=True, env=environment, check=True).stdout

    assert printed("1") == printed("2")


@pytest.mark.parametrize("path", [path for path in EXAMPLES if path.stem in ("crash-loop", "slow-start", "late-image")])
def test_another_seed_is_another_run(path):
    def instants(**options):
        return [one.at for one in simulate(path, **options).fired]

    runs = [instants(seed=seed) for seed in range(4)]
    assert all(one != other for one, other in pairwise([*runs, instants()]))


def test_ideal_timing_has_no_latencies():
    """A crash loop of one second: the restarts lie exactly 0, 10, 20, 40 ... after the exits."""
    run = simulate(DATA / "scenarios/back-off.yaml", timing="ideal")
    assert next(one.at for one in run.fired if one.trigger == "start") == 0.0
    exits = [one.at for one in run.fired if one.trigger == "exit"]
    starts = [one.at for one in run.fired if one.trigger == "start"]
    assert [after - before for before, after in zip(exits, starts[1:], strict=False)] == [
        0, 10, 20, 40, 80, 160, 300, 300,
    ]  # fmt: skip


def test_back_off_begins_anew_after_a_long_run():
    """More than twice the cap between the last restart and the exit: the next restart is immediate, then 10 s again."""
    run = simulate(DATA / "scenarios/back-off-reset.yaml", timing="ideal")
    exits = [one.at for one in run.fired if one.trigger == "exit"]
    starts = [one.at for one in run.fired if one.trigger == "start"]
    assert [after - before for before, after in zip(exits, starts[1:], strict=False)] == [0, 10, 0, 10]
