"""Every behaviour is run once, the shortest first, and what it shows can be replayed."""

import json
from itertools import product

import pytest
from attrs import define

from podfsm.errors import InputError
from podfsm.explore import KINDS, Bounds, Exploration, explore, property_of
from podfsm.explore.search import subject_of
from podfsm.kube.read import documents_of
from podfsm.simulate import prepare, simulate
from podfsm.testing.faults import faults_of, guards, planted

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  restartPolicy: %s
  initContainers:
    - {name: setup, image: "example/setup:1"}
  containers:
    - {name: app, image: "example/app:1", readinessProbe: {httpGet: {path: /, port: 80}}}
"""
SCENARIO = """
---
apiVersion: podfsm.dev/v1alpha1
kind: Scenario
metadata: {name: s}
spec: %s
"""


SERVICE = """
---
{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {selector: {a: b}, ports: [{port: 80}]}}
"""


@define
class Explored:
    """What was found, and the places of every behaviour's deviations."""

    found: Exploration
    behaviours_of: list

    def __getattr__(self, name):
        return getattr(self.found, name)


def explored(text, *properties, **bounds):
    kinds = bounds.pop("kinds", ("process", "probe", "hook", "image", "delete"))
    documents = documents_of(text)
    pod, simulation = subject_of(documents)
    asked = [property_of(mode, what, pod, simulation.model.gates) for mode, what in properties]
    chosen = []
    found = explore(
        documents,
        asked,
        kinds=kinds,
        bounds=Bounds(**bounds),
        each=lambda behaviour, _: chosen.append([one.place for one in behaviour.deviations]),
    )
    return Explored(found, chosen)


def test_the_number_of_behaviours_is_known():
    found = explored(POD % "Always")
    assert (found.behaviours, found.complete) == (118, True)
    assert found.wrong == []
    assert len(found.invariants) > 100


def test_no_deviation_is_one_good_behaviour():
    found = explored(POD % "Always", deviations=0)
    assert [(one.status, one.ready, one.count) for one in found.endings.values()] == [("Running", "1/1", 1)]
    assert str(next(iter(found.endings.values())).first) == "all goes well"


def test_nothing_is_left_out_and_nothing_run_twice():
    """Against all combinations of what three starts of one process may do, written down without any search."""
    manifest = POD.replace("%s", "OnFailure").replace(", readinessProbe: {httpGet: {path: /, port: 80}}", "")
    manifest = "\n".join(line for line in manifest.splitlines() if "setup" not in line and "initC" not in line)
    ways = ({"run": "forever"}, {"run": "5s", "exit": 0}, {"run": "5s", "exit": 1})
    traces = set()
    for attempts in product(ways, repeat=3):
        script = {"containers": [{"container": "app", "attempts": [*attempts, ways[0]]}], "duration": "2m"}
        steps = prepare(documents_of(manifest + SCENARIO % json.dumps(script)))
        traces.add(tuple((one.at, one.type, one.pod.status) for step in steps for one in step.snapshots))
    found = explored(manifest, kinds=("process",), deviations=3)
    assert found.behaviours == found.different == len(traces)


def test_the_counterexample_replays(tmp_path):
    found = explored(POD % "Never", ("never", "phase=Failed"), kinds=("process",))
    (answer,) = found.properties
    assert not answer.right
    assert len(answer.first.deviations) == 1
    file = tmp_path / "counterexample.yaml"
    file.write_text(answer.first.case.to_yaml())
    assert simulate(file).final("default/web").status.phase == "Failed"


@pytest.mark.parametrize(
    ("mode", "what", "right"),
    [
        ("always", "restarts=0", True),
        ("always", "Ready", False),
        ("never", "phase=Succeeded and app.exitCode!=0", True),
        ("sometimes", "app.reason=Completed", True),
        ("sometimes", "app.restarts>=1", False),
        ("finally", "not deleting", True),
        ("never", "app.state=running and not Initialized", True),
        ("sometimes", "setup.state=terminated and app.ready", True),
    ],
)
def test_properties(mode, what, right):
    (answer,) = explored(POD % "Never", (mode, what), kinds=("process", "probe")).properties
    assert answer.right is right, answer


def test_what_a_scenario_says_is_kept():
    script = "{duration: 30s, containers: [{container: app, attempts: [{run: 2s, exit: 3}]}]}"
    found = explored(POD % "Never" + SCENARIO % script, ("finally", "app.exitCode=3"), kinds=("process",), deviations=1)
    assert [str(one.first) for one in found.endings.values()] == ["all goes well", "setup hangs", "setup exits with 1"]
    assert found.properties[0].count == 2


def test_a_limit_is_told():
    found = explored(POD % "Always", behaviours=10)
    assert (found.behaviours, found.complete) == (10, False)


def test_what_a_scenario_says_is_added_to():
    """A probe's answers stay beside deviations of the process; images and sandboxes that are told do not vary."""
    script = """{
      containers: [{container: app, readinessProbe: [{result: failure}]}],
      images: {"example/app:1": {pullTakes: 1s}},
      pods: [{pod: web, sandbox: {takes: 1s}}],
    }"""
    found = explored(POD % "OnFailure" + SCENARIO % script, ("never", "Ready"), kinds=tuple(KINDS), deviations=1)
    said = {one.kind for behaviour in found.behaviours_of for one in behaviour}
    assert found.wrong == []
    assert said == {"process", "delete", "image"}


def test_other_pods_are_let_alone():
    steps = SCENARIO % (
        "{duration: 30s, steps: [{at: 1s, create: "
        "{apiVersion: v1, kind: Pod, metadata: {name: other}, spec: {containers: [{name: x, image: y}]}}}]}"
    )
    alone, beside = explored(POD % "Always", duration=30.0), explored(POD % "Always" + steps)
    assert (alone.behaviours, alone.different) == (beside.behaviours, beside.different)


def test_how_long_it_goes_on():
    crashes = "{duration: 20s, containers: [{container: app, attempts: [{run: 1s, exit: 1}]}]}"
    text = POD % "Always" + SCENARIO % crashes
    for duration, right in ((None, True), (200.0, False)):
        (answer,) = explored(text, ("never", "app.restarts>=4"), deviations=0, duration=duration).properties
        assert answer.right is right


EVERYTHING = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - name: app
      image: example/app:1
      lifecycle: {postStart: {httpGet: {path: /, port: 80}}}
      livenessProbe: {httpGet: {path: /, port: 80}}
"""


def test_every_kind_of_deviation():
    found = explored(EVERYTHING, kinds=tuple(KINDS), attempts=2)
    assert {one.kind for behaviour in found.behaviours_of for one in behaviour} == set(KINDS)
    assert found.wrong == []


def test_a_planted_fault_is_found_with_one_deviation():
    (rule,) = (rule for rule in guards() if rule.id == "restart-onfailure")
    with planted(next(fault for fault in faults_of(rule) if fault.kind == "never holds")):
        found = explored(POD % "OnFailure", kinds=("process",), deviations=2)
    (answer,) = found.wrong
    assert (answer.name, str(answer.first)) == ("every-trigger-is-legal", "app exits with 1")


@pytest.mark.parametrize(
    ("mode", "what", "says"),
    [
        ("never", "phse=Failed", "did you mean phase?"),
        ("always", "app.restart>1", "app.restarts"),
        ("always", "other.ready", "nothing of this name"),
        ("always", "app.restarts>many", "whole number"),
        ("always", "Ready=maybe", "true or false"),
        ("always", "", "not a property"),
        ("always", "phase = ", "not a property"),
    ],
)
def test_what_cannot_be_asked(mode, what, says):
    with pytest.raises(InputError, match=says.replace("?", r"\?")) as told:
        explored(POD % "Always", (mode, what))
    assert str(told.value).startswith(f"--{mode}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (POD % "Always" + "---" + (POD % "Always").replace("name: web", "name: other"), "found Pod"),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}", "at least one Pod"),
        (POD % "Always" + SERVICE, "found Service"),
    ],
)
def test_what_cannot_be_explored(text, says):
    with pytest.raises(InputError, match=says):
        explored(text)
