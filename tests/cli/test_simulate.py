"""`podfsm simulate` end to end: what it prints, in every form, and how it ends."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from podfsm.data import specs_folder
from tests.cli.manifests import DEPLOYMENT, POD, scenario, step

EXAMPLE = specs_folder() / "examples" / "crash-loop.yaml"


def test_what_exists_already_and_what_is_gone_is_noted(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    again = POD.replace("\n", ", ").strip(", ")
    file.write_text(
        scenario(
            f"{{steps: [{{at: 1s, create: {{{again}}}}}, {{at: 2s, delete: pods/web, gracePeriodSeconds: 0}},"
            " {at: 9s, delete: pods/web}]}"
        )
    )
    shown = podfsm("simulate", file)
    assert (shown.status, shown.err) == (0, "")
    assert "note: at 1 s: create of default/web, which exists already" in shown.out
    assert "note: at 9 s: delete of default/web, which is gone" in shown.out


def test_timeline(podfsm):
    shown = podfsm("simulate", EXAMPLE)
    assert (shown.status, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0].startswith("Kubernetes 1.36")
    restarts = [line for line in lines if ", restart " in line]
    assert len(restarts) >= 4
    assert any("backoff-sequence" in line for line in restarts)
    assert lines[-1].split()[0] == "180.000"


def test_watch_and_json(podfsm):
    shown = podfsm("simulate", EXAMPLE, "-o", "watch", "--until", "30s")
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert events[0]["type"] == "ADDED"
    assert {event["type"] for event in events[1:]} == {"MODIFIED"}
    assert [int(event["object"]["metadata"]["resourceVersion"]) for event in events] == sorted(
        int(event["object"]["metadata"]["resourceVersion"]) for event in events
    )
    whole = json.loads(podfsm("simulate", EXAMPLE, "-o", "json", "--until", "30s").out)
    assert whole["at"] == 30.0
    assert whole["pods"][0]["status"] == events[-1]["object"]["status"]
    assert {one["machine"] for one in whole["transitions"]} >= {"pod", "container", "sandbox", "image"} - {"image"}


def test_events_are_printed_when_asked_for(podfsm):
    plain = podfsm("simulate", EXAMPLE, "--until", "30s").out
    more = podfsm("simulate", EXAMPLE, "--until", "30s", "--events").out
    assert "Event BackOff" in more
    assert "Event" not in plain
    watched = podfsm("simulate", EXAMPLE, "--until", "30s", "--events", "-o", "watch").out
    kinds = [json.loads(line)["object"]["kind"] for line in watched.splitlines()]
    assert {"Pod", "Event"} == set(kinds)
    assert json.loads(podfsm("simulate", EXAMPLE, "--events", "-o", "json").out)["events"]


def test_standard_input(podfsm):
    assert podfsm("simulate", "-", given=EXAMPLE.read_text()).out == podfsm("simulate", EXAMPLE).out
    assert "<stdin>: is empty" in podfsm("simulate", "-").complaint


def test_manifest_and_scenario_apart(podfsm, tmp_path):
    pod, script = EXAMPLE.read_text().split("---\n")
    (tmp_path / "pod.yaml").write_text(pod)
    (tmp_path / "script.yaml").write_text(script)
    together = podfsm("simulate", EXAMPLE).out
    assert podfsm("simulate", tmp_path / "pod.yaml", "--scenario", tmp_path / "script.yaml").out == together
    assert podfsm("simulate", tmp_path / "pod.yaml", tmp_path / "script.yaml").out == together


def test_json_list_and_gzip(podfsm, tmp_path):
    listed = {"apiVersion": "v1", "kind": "List", "items": []}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}}
    listed["items"] = [{**pod, "spec": {"containers": [{"name": "app", "image": "example/app:1"}]}}]
    (tmp_path / "list.json.gz").write_bytes(gzip.compress(json.dumps(listed).encode()))
    (tmp_path / "pod.yaml").write_text(POD)
    assert podfsm("simulate", tmp_path / "list.json.gz").out == podfsm("simulate", tmp_path / "pod.yaml").out


def test_the_same_command_prints_the_same_bytes_in_any_process(process):
    runs = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = ("simulate", str(EXAMPLE), "-o", "watch", "--events", "--seed", "7")
        with process(*command, stdout=subprocess.PIPE, env=environment) as running:
            runs.append(running.stdout.read())
    assert runs[0] == runs[1]
    assert runs[0].count(b"\n") > 10


def test_a_closed_pipe_is_141_without_a_word(process):
    command = ("simulate", str(EXAMPLE), "--until", "24h", "-o", "watch")
    with process(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.readline()
        running.stdout.close()
        assert running.wait(timeout=60) == 141
        assert running.stderr.read() == b""


def test_an_interrupt_is_130(process, tmp_path):
    file = tmp_path / "many.yaml"
    file.write_text("---\n".join(POD.replace("web", f"web-{n}") for n in range(3000)))
    with process("simulate", str(file), "-o", "watch", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.readline()
        time.sleep(0.1)
        running.send_signal(signal.SIGINT)
        running.stdout.close()
        assert running.wait(timeout=60) in (130, 141)
        assert b"Traceback" not in running.stderr.read()


def test_a_real_process_complains_in_one_line(tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(step("delete: pods/wbe"))
    command = [sys.executable, "-m", "podfsm", "simulate", str(file)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert shown.stderr.count("\n") == 1


def test_help_names_every_option(podfsm):
    shown = podfsm("simulate", "--help").out
    for option in (
        "--scenario",
        "--until",
        "--output",
        "--events",
        "--timing",
        "--seed",
        "--kubernetes",
        "--feature-gates",
    ):
        assert option in shown


def test_what_a_pod_asks_of_nodes_is_told_if_there_are_none(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(POD.replace("{containers", "{nodeSelector: {disk: ssd}, containers"))
    assert "spec.nodeSelector: taken as met: there is no Node object" in podfsm("simulate", file).err
    node = "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n---\n"
    file.write_text(node + file.read_text())
    shown = podfsm("simulate", file, "--until", "1m")
    assert shown.err == ""
    assert "Unschedulable" in shown.out


@pytest.mark.parametrize(("text", "named"), [(POD, False), (DEPLOYMENT, True)])
def test_pods_are_named_where_there_may_be_several(text, named, podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(text)
    assert ("default/web" in podfsm("simulate", file, "--until", "10s").out) == named
