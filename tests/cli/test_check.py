"""`podfsm check` end to end: what it prints in each format, its statuses, and what it leaves out when asked."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

DATA = Path(__file__).parents[1] / "data"
GOOD = DATA / "recordings" / "init3.jsonl.gz"
BAD = DATA / "kwok" / "chaos-failed.jsonl"


def test_nothing_found(podfsm):
    shown = podfsm("check", GOOD)
    assert (shown.status, shown.out) == (0, "")
    assert "nothing found" in shown.err


def test_findings_as_text(podfsm):
    shown = podfsm("check", BAD)
    assert shown.status == 1
    assert f"{BAD}:3: error: phase-terminal-after-containers-stop: default/chaos at 2026-" in shown.out
    assert "seen:" in shown.out
    assert "allowed:" in shown.out
    assert "pkg/kubelet/status/status_manager.go:mergePodStatus" in shown.out
    assert "errors" in shown.err


def test_standard_input_and_several_recordings(podfsm):
    shown = podfsm("check", "-", GOOD, given=BAD.read_bytes())
    assert shown.status == 1
    assert "<stdin>:3: error" in shown.out
    assert "2 recordings" in shown.err


def test_findings_as_json(podfsm):
    shown = podfsm("check", BAD, "-o", "json")
    found = json.loads(shown.out)["findings"]
    assert len(found) > 4
    assert {"rule", "severity", "authority", "place", "seen", "allowed", "statement", "cites"} <= set(found[0])
    assert found[0]["place"]["line"] == 2
    assert json.loads(podfsm("check", GOOD, "-o", "json").out) == {"findings": []}


def test_findings_as_sarif_fit_the_schema(podfsm):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((DATA / "schemas" / "sarif-core.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for recording in (BAD, GOOD):
        document = json.loads(podfsm("check", recording, "-o", "sarif").out)
        jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())
    document = json.loads(podfsm("check", BAD, "-o", "sarif").out)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert {result["level"] for result in run["results"]} == {"error", "warning"}


def test_findings_as_junit(podfsm):
    suites = ET.fromstring(podfsm("check", BAD, "-o", "junit").out)
    (suite,) = suites
    cases = suite.findall("testcase")
    failures = [case for case in cases if case.find("failure") is not None]
    assert suites.tag == "testsuites"
    assert int(suite.get("tests")) == len(cases)
    assert int(suite.get("failures")) == len(failures) > 3
    assert all(case.get("classname") and case.get("name") for case in cases)
    assert all(failure.find("failure").get("message") for failure in failures)
    whole = ET.fromstring(podfsm("check", GOOD, "-o", "junit").out)
    assert whole.get("failures") == "0"


def test_rules_can_be_left_out(podfsm):
    rules = {one["rule"] for one in json.loads(podfsm("check", BAD, "-o", "json").out)["findings"]}
    ignored = [word for rule in rules for word in ("--ignore", rule)]
    shown = podfsm("check", BAD, *ignored)
    assert (shown.status, shown.out) == (0, "")
    assert "left out as asked" in shown.err
    assert "did you mean phase-running" in podfsm("check", BAD, "--ignore", "phase-runing").complaint


def test_known_findings_are_accepted_by_a_baseline(podfsm, tmp_path):
    path = tmp_path / "known.json"
    assert podfsm("check", BAD, "--write-baseline", path).status == 1
    assert podfsm("check", BAD, "--baseline", path).status == 0
    other = DATA / "kwok" / "general-init.jsonl"
    assert podfsm("check", other, "--baseline", path).status == 1


def test_a_baseline_that_is_none(podfsm, tmp_path):
    path = tmp_path / "known.json"
    path.write_text("[]")
    assert "not a baseline" in podfsm("check", BAD, "--baseline", path).complaint
    assert "No such file" in podfsm("check", BAD, "--baseline", tmp_path / "none").complaint


def test_unreadable_input_is_status_2_and_the_rest_is_checked(podfsm, tmp_path):
    path = tmp_path / "run.jsonl"
    lines = BAD.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{broken", *lines[1:]]))
    shown = podfsm("check", path)
    assert shown.status == 2
    assert "phase-terminal-after-containers-stop" in shown.out
    assert f"{path}:2:" in shown.err
    assert "1 part could not be read" in shown.err


@pytest.mark.parametrize("name", ["nothing", "empty", "binary"])
def test_bad_files_are_said(podfsm, tmp_path, name):
    path = tmp_path / name
    if name != "nothing":
        path.write_bytes(b"" if name == "empty" else b"\x00\x01")
    shown = podfsm("check", path)
    assert (shown.status, shown.out) == (2, "")
    assert shown.err.startswith(f"podfsm: {path}: ")
    assert "Traceback" not in shown.err


def test_a_folder_is_one_recording(podfsm, tmp_path):
    shutil.copy(BAD, tmp_path / "one.jsonl")
    shutil.copy(GOOD, tmp_path / "two.jsonl.gz")
    shown = podfsm("check", tmp_path)
    assert shown.status == 1
    assert "1 recording;" in shown.err


def test_processes_give_the_same_findings_in_the_same_order(podfsm):
    paths = [*sorted((DATA / "kwok").glob("*.jsonl")), GOOD]
    alone, together = (podfsm("check", *paths, "-o", "json", "--workers", number) for number in (1, 3))
    assert alone == together
    assert alone.status == 1


def test_versions_and_gates_are_checked_before_anything_is_read(podfsm):
    assert "1.18 to 1.36" in podfsm("check", "--kubernetes", "1.99", GOOD).complaint
    assert "no feature gate" in podfsm("check", "--feature-gates", "Nope=true", GOOD).complaint


def test_what_simulate_prints_is_checked(podfsm):
    example = Path(__file__).parents[2] / "specs" / "examples" / "crash-loop.yaml"
    watched = podfsm("simulate", example, "-o", "watch").out
    shown = podfsm("check", "-", given=watched)
    assert (shown.status, shown.out) == (0, "")


def test_a_closed_pipe_is_no_traceback(process):
    import subprocess

    started = process("check", str(BAD), "-o", "text", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    started.stdout.close()
    assert b"Traceback" not in started.stderr.read()
    assert started.wait() in (1, 141)
    started.stderr.close()


def test_a_dask_cluster_gives_the_same_findings_in_the_same_order(podfsm):
    distributed = pytest.importorskip("distributed")
    paths = [*sorted((DATA / "kwok").glob("*.jsonl")), GOOD]
    alone = podfsm("check", *paths, "-o", "json")
    with distributed.LocalCluster(n_workers=2, processes=False, dashboard_address=None) as cluster:
        together = podfsm("check", *paths, "-o", "json", "--dask", cluster.scheduler_address)
    assert (together.status, together.out) == (alone.status, alone.out)


def test_without_dask_it_says_what_to_install(podfsm, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    assert "pip install 'podfsm[scale]'" in podfsm("check", GOOD, "--dask", "tcp://127.0.0.1:1").complaint
    assert "standard input" in podfsm("check", "-", "--dask", "tcp://127.0.0.1:1", given="{}").complaint
