"""`podfsm explore`: the table, properties, counterexamples, mistakes."""

import json

import pytest

POD = """
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
    - {name: app, image: "example/app:1", livenessProbe: {httpGet: {path: /, port: 80}}}
"""


@pytest.fixture
def web(tmp_path):
    file = tmp_path / "web.yaml"
    file.write_text(POD)
    return str(file)


def test_the_table_says_how_a_pod_may_end(podfsm, web):
    shown = podfsm("explore", web, "--deviations", "1")
    first, _, head, *lines = shown.out.splitlines()
    assert first.startswith("Kubernetes 1.36: ")
    assert head.split() == ["ends", "as", "in", "first", "when"]
    assert any("Running 1/1" in line and line.endswith("all goes well") for line in lines)
    assert any("ErrImagePull 0/1" in line or "ImagePullBackOff 0/1" in line for line in lines)
    assert lines[-1].endswith("invariants hold in every behaviour")
    assert shown.status == 0


def test_a_broken_property_has_a_file_that_replays(podfsm, web, tmp_path):
    folder = tmp_path / "found"
    shown = podfsm("explore", web, "--never", "app.restarts>=1", "--counterexamples", str(folder))
    assert shown.status == 1
    assert "never app.restarts>=1: BROKEN in" in shown.out
    (file,) = folder.iterdir()
    assert f"podfsm simulate {file}" in shown.out
    assert "restart 1" in podfsm("simulate", str(file)).out


def test_json_holds_everything(podfsm, web):
    shown = podfsm("explore", web, "--sometimes", "deleting", "--vary", "process", "-o", "json")
    told = json.loads(shown.out)
    assert told["complete"]
    assert told["properties"] == [
        {"name": "sometimes deleting", "holds": False, "count": 0, "first": None, "what": "", "file": None}
    ]
    assert sum(ending["count"] for ending in told["endings"]) == told["behaviours"]
    assert shown.status == 1


def test_a_limit_is_said(podfsm, web):
    assert "there are more" in podfsm("explore", web, "--limit", "3").out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--vary", "proces"], "did you mean process?"),
        (["--never", "phase"], ""),
        (["--never", "app.restarts=many"], "--never: not a number; expected a whole number"),
        (["--always", "appp.ready"], "did you mean app.ready?"),
        (["--until", "soon"], "--until"),
        (["--kubernetes", "1.99"], "1.99"),
    ],
)
def test_mistakes(podfsm, web, options, says):
    shown = podfsm("explore", web, *options)
    assert says in shown.err
    assert shown.status == (2 if says else 1)
