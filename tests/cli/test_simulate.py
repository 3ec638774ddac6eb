"""`podfsm simulate` end to end: what it prints, and one located complaint for everything that cannot be simulated."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from podfsm.data import specs_folder

EXAMPLE = specs_folder() / "examples" / "crash-loop.yaml"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {containers: [{name: app, image: "example/app:1"}]}
"""
HEAD = "apiVersion: podfsm.dev/v1alpha1\nkind: Scenario\nmetadata: {name: s}\n"


def scenario(spec):
    """A manifest with a Pod and a Scenario; the spec stands in line 9."""
    return f"{POD}---\n{HEAD}spec: {spec}\n"


def step(text):
    return scenario(f"{{steps: [{{at: 1s, {text}}}]}}")


def container(text):
    return scenario(f"{{containers: [{{container: app, {text}}}]}}")


def other(text):
    return text.replace('image: "example/app:1"', "image: 3")


@pytest.fixture
def refused(podfsm, tmp_path):
    """The one complaint about a manifest, without the path of the file."""

    def run(text, *options):
        file = tmp_path / "m.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return podfsm("simulate", file, *options).complaint.replace(str(file), "m.yaml")

    return run


NOT_OBJECTS = {
    "empty": ("", "m.yaml: is empty"),
    "blank": ("\n \n", "m.yaml: is empty"),
    "comments": ("# nothing\n---\n# more\n", "m.yaml: holds no object"),
    "text": ("hello\n", "m.yaml:1:1: not a Kubernetes object"),
    "no kind": ("apiVersion: v1\n", "no kind"),
    "no version": ("kind: Pod\n", "no apiVersion"),
    "not YAML": ("a: [1, 2\nb: }", "m.yaml:2:2: not YAML"),
    "binary": (b"\x00\x01\xff" * 99, "m.yaml: binary data"),
    "not UTF-8": (b"a: \xff\xfe\n", "m.yaml"),
    "nested": ("[" * 10_000_000, "nested too deeply"),
    "nested, closed": ("[" * 5_000_000 + "]" * 5_000_000, "nested too deeply"),
    "aliases": (
        "a: &a [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
        + "kind: *i\n",
        "aliases",
    ),
    "a key twice": ("apiVersion: v1\nkind: Pod\nkind: Pod\n", "m.yaml:3:1"),
    "a list": ("[1, 2]\n", "not a Kubernetes object"),
    "a watch event": ('{"type": "ADDED", "object": {}}', "not a Kubernetes object"),
    "truncated": (POD.replace("}]}", "}"), "not YAML"),
}

NOT_PODS = {
    "StatefulSet": (
        "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: s}\n",
        "m.yaml:2:1: kind: StatefulSet is not simulated",
    ),
    "misspelt kind": (POD.replace("kind: Pod", "kind: Podd"), "did you mean Pod?"),
    "no Pod": ("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n", "nothing to simulate"),
    "Scenario alone": (HEAD + "spec: {}\n", "nothing to simulate"),
    "Deployment without template": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n",
        "spec.template",
    ),
    "wrong type": (other(POD), "m.yaml:4:33: spec.containers[0].image: wrong type; expected text, found the number 3"),
    "containers no list": (POD.replace("[{", "{").replace("}]}", "}}"), "spec.containers: wrong type"),
    "no containers": (POD.split("spec", maxsplit=1)[0] + "spec: {}\n", "m.yaml:4:1: spec.containers: no containers"),
    "no image": (POD.replace(", image", ", imagee"), "spec.containers[0].image: refused by the API server"),
    "no name": (POD.replace("{name: web}", "{}"), "metadata.name: a Pod without a name"),
    "a name twice": (POD + "---\n" + POD, "m.yaml:8:12: metadata.name: a second Pod of this name, found 'default/web'"),
    "a container twice": (POD.replace("}]}", "}, {name: app, image: b}]}"), "a second container of this name"),
    "refused": (POD.replace("{containers", "{restartPolicy: Sometimes, containers"), "refused by the API server"),
}

NOT_SCENARIOS = {
    "two": (scenario("{}") + "---\n" + HEAD, "a second Scenario"),
    "version": (scenario("{}").replace("v1alpha1", "v1"), "expected podfsm.dev/v1alpha1, found podfsm.dev/v1"),
    "unknown key": (scenario("{durations: 1m}"), "m.yaml:9:8: spec.durations: unknown key; did you mean duration?"),
    "unknown key of an attempt": (
        container("attempts: [{runs: 3s}]"),
        "attempts[0].runs: unknown key; did you mean run?",
    ),
    "unknown key of a window": (
        container("readinessProbe: [{form: 3s}]"),
        "readinessProbe[0].form: unknown key; did you mean from?",
    ),
    "unknown key of an image": (
        scenario("{images: {'example/app:1': {eror: NotFound}}}"),
        "eror: unknown key; did you mean error?",
    ),
    "unknown key of a sandbox": (
        scenario("{pods: [{pod: web, sandbox: {dieAfter: 3s}}]}"),
        "dieAfter: unknown key; did you mean diesAfter?",
    ),
    "unknown key of a step": (
        step("delete: pods/web, gracePeriod: 3"),
        "gracePeriod: unknown key; did you mean gracePeriodSeconds?",
    ),
    "key of another action": (step("delete: pods/web, body: {}"), "steps[0].body: unknown key"),
    "no such container": (
        scenario("{containers: [{container: ap}]}"),
        "no container of this name, found 'ap'; did you mean app?",
    ),
    "no such Pod": (
        scenario("{containers: [{pod: wbe, container: app}]}"),
        "no Pod of this name, found 'wbe'; did you mean web?",
    ),
    "no such Pod for a sandbox": (
        scenario("{pods: [{pod: wbe, sandbox: {}}]}"),
        "m.yaml:9:16: spec.pods[0].pod: no Pod of this name",
    ),
    "no such image": (scenario("{images: {'example/ap:1': {absent: true}}}"), "did you mean example/app:1?"),
    "no container named": (
        scenario("{containers: [{attempts: []}]}"),
        "no container; expected the name of a container",
    ),
    "negative time": (step("delete: pods/web").replace("1s", "-1s"), "steps[0].at: a negative duration"),
    "negative run": (container("attempts: [{run: -3s}]"), "attempts[0].run: a negative duration"),
    "negative grace": (step("delete: pods/web, gracePeriodSeconds: -7"), "gracePeriodSeconds: wrong value"),
    "number for a duration": (
        container("attempts: [{run: 3}]"),
        "not a duration; expected a duration such as 300ms, 10s or 1h30m, or forever, found the number 3; 3s?",
    ),
    "endless duration": (scenario("{duration: forever}"), "spec.duration: not a duration"),
    "ages": (scenario("{duration: 99999999h}"), "a duration too long"),
    "exit code": (
        container("attempts: [{exit: 256}]"),
        "exit: wrong value; expected a whole number from 0 to 255, found the number 256",
    ),
    "exit code in words": (container("attempts: [{exit: one}]"), "exit: wrong value"),
    "exit code true": (container("attempts: [{exit: true}]"), "exit: wrong value"),
    "result": (
        container("readinessProbe: [{result: fail}]"),
        "expected success, failure, error, found 'fail'; did you mean failure?",
    ),
    "image error": (
        scenario("{images: {'example/app:1': {error: NotThere}}}"),
        "expected NotFound, Unauthorized, Unavailable, found 'NotThere'",
    ),
    "mapping for a list": (
        scenario("{containers: {container: app}}"),
        "m.yaml:9:8: spec.containers: wrong type; expected a list, found an object",
    ),
    "list for a mapping": (scenario("{images: [a]}"), "spec.images: wrong type; expected an object, found a list"),
    "number for a mapping": (container("attempts: [{stop: 3}]"), "attempts[0].stop: wrong type"),
    "text for a flag": (
        scenario("{images: {'example/app:1': {absent: 'yes'}}}"),
        "absent: wrong type; expected true or false",
    ),
    "number for a name": (scenario("{containers: [{container: 3}]}"), "container: wrong type; expected text"),
    "spec a list": (scenario("[]"), "m.yaml:9:1: spec: wrong type"),
    "version a number": (scenario("{kubernetes: 1.30}"), "found the number 1.3; put it in quotes"),
    "version unknown": (
        scenario("{kubernetes: '1.99'}"),
        "m.yaml:9:8: spec.kubernetes: Kubernetes version not modelled; expected 1.18 to 1.36",
    ),
    "version a word": (scenario("{kubernetes: latest}"), "spec.kubernetes: not a version"),
    "gate unknown": (
        scenario("{featureGates: {SidecarContainer: true}}"),
        "no feature gate of this name, found 'SidecarContainer'; did you mean SidecarContainers?",
    ),
    "gate no flag": (scenario("{featureGates: {SidecarContainers: 3}}"), "spec.featureGates: wrong type"),
    "gates a list": (scenario("{featureGates: [SidecarContainers]}"), "spec.featureGates: wrong type"),
}

NOT_STEPS = {
    "nothing": (scenario("{steps: [{at: 1s}]}"), "exactly one of create, delete, patch"),
    "two": (step("delete: pods/web, evict: pods/web"), "found delete, evict"),
    "misspelt": (step("delet: pods/web"), "found at, delet"),
    "no list": (scenario("{steps: 3}"), "spec.steps: wrong type"),
    "no target": (step("delete: web"), "m.yaml:9:25: spec.steps[0].delete: not a target"),
    "no such Pod": (
        step("delete: pods/wbe"),
        "spec.steps[0].delete: no Pod of this name, found 'pods/wbe'; did you mean web?",
    ),
    "no such Pod to patch": (step("patch: pods/wbe/status, body: {}"), "no Pod of this name"),
    "no such number": (step('delete: "pods[7]"'), "no Pod of this number; expected less than 1"),
    "no such resource": (step("delete: pod/web"), "pod cannot be acted on, found 'pod/web'; did you mean pods?"),
    "no such node": (step("kubelet: stop, node: a"), "steps[0].node: no Node of this name, found 'a'; known: node-1"),
    "kubelet": (
        step("kubelet: restart, node: node-1"),
        "no such state of a kubelet, found 'restart'; did you mean start?",
    ),
    "no such subresource": (step("patch: pods/web/stauts, body: {}"), "found 'stauts'; did you mean status?"),
    "created later": (
        scenario(
            "{steps: [{at: 1s, delete: pods/b}, {at: 2s, create: {apiVersion: v1, kind: Pod, metadata: {name: b},"
            " spec: {containers: [{name: c, image: d}]}}}]}"
        ),
        "no Pod of this name",
    ),
    "created wrongly": (
        step("create: {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: 3}}"),
        "m.yaml:9:89: spec.containers: wrong type",
    ),
    "created without image": (
        step("create: {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: a}]}}"),
        "refused by the API server",
    ),
    "created of no kind": (step("create: {metadata: {name: b}}"), "m.yaml:9"),
    "created of another kind": (
        step("create: {apiVersion: v1, kind: Ingress, metadata: {name: b}}"),
        "Ingress is not simulated",
    ),
    "created a number": (step("create: 3"), "steps[0].create: wrong type"),
    "no body": (step("patch: pods/web"), "no body; expected the patch"),
    "body a number": (
        step("patch: pods/web, body: 3"),
        "steps[0].body: wrong type; expected an object, found the number 3",
    ),
    "body no operations": (step("patch: pods/web, type: json, body: {}"), "expected a list of operations"),
    "type": (step("patch: pods/web, type: stratgic, body: {}"), "did you mean strategic?"),
    "body of wrong type": (
        step("patch: pods/web, body: {spec: {containers: 3}}"),
        "steps[0].patch: refused by the API server",
    ),
    "immutable": (step("patch: pods/web, body: {spec: {restartPolicy: Never}}"), "update-spec-immutable"),
    "another name": (
        step("patch: pods/web, type: merge, body: {metadata: {name: other}}"),
        "update-metadata-immutable",
    ),
    "a longer deadline": (
        scenario(
            "{steps: [{at: 1s, patch: pods/web, body: {spec: {activeDeadlineSeconds: 5}}},"
            " {at: 2s, patch: pods/web, body: {spec: {activeDeadlineSeconds: 9}}}]}"
        ),
        "m.yaml:9:94: spec.steps[1].patch: refused",
    ),
    "ephemeral without its way": (
        step("patch: pods/web, body: {spec: {ephemeralContainers: [{name: e, image: f}]}}"),
        "ephemeralcontainers",
    ),
}


def table(cases):
    return pytest.mark.parametrize(("text", "complaint"), cases.values(), ids=cases.keys())


@table(NOT_OBJECTS | NOT_PODS)
def test_bad_manifests(refused, text, complaint):
    assert complaint in refused(text)


@table(NOT_SCENARIOS | NOT_STEPS)
def test_bad_scenarios(refused, text, complaint):
    said = refused(text)
    assert complaint in said
    assert said.startswith("m.yaml:")


@pytest.mark.parametrize("output", ["watch", "json"])
@table(NOT_STEPS)
def test_bad_steps_leave_nothing_half_written(refused, text, complaint, output):
    assert complaint in refused(text, "-o", output)


OPTIONS = {
    "until": (["--until", "-3s"], "--until: a negative duration"),
    "until a number": (["--until", "3"], "--until: not a duration"),
    "output": (["-o", "yaml"], "'yaml' is not one of"),
    "timing": (["--timing", "fast"], "'fast' is not one of"),
    "seed": (["--seed", "one"], "'one' is not a valid integer"),
    "kubernetes": (["--kubernetes", "1.99"], "expected 1.18 to 1.36, found 1.99"),
    "kubernetes a word": (["--kubernetes", "latest"], "found 'latest'"),
    "gate": (["--feature-gates", "SidecarContainer=true"], "did you mean SidecarContainers?"),
    "gate without value": (["--feature-gates", "SidecarContainers"], "expected NAME=true or NAME=false"),
    "no such option": (["--untill", "3s"], "no such option"),
    "scenario missing": (["--scenario", "nowhere.yaml"], "nowhere.yaml: no such file"),
}


@pytest.mark.parametrize(("options", "complaint"), OPTIONS.values(), ids=OPTIONS.keys())
def test_bad_options(refused, options, complaint):
    assert complaint in refused(POD, *options)


def test_no_manifest(podfsm):
    assert "MANIFEST" in podfsm("simulate").complaint


def test_a_folder(podfsm, tmp_path):
    (tmp_path / "pods.yaml").write_text(POD)
    assert "is a folder" in podfsm("simulate", tmp_path).complaint


def test_a_missing_file(podfsm, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    said = podfsm("simulate", tmp_path / "pods.yaml").complaint
    assert said.startswith(f"{tmp_path / 'pods.yaml'}: no such file; did you mean ")
    assert said.endswith("pod.yaml?")


def test_an_unreadable_file(podfsm, tmp_path):
    file = tmp_path / "broken.yaml.gz"
    file.write_bytes(gzip.compress(POD.encode())[:-9])
    assert str(file) in podfsm("simulate", file).complaint


def test_a_scenario_file_that_holds_no_scenario(podfsm, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    assert "Scenario" in podfsm("simulate", tmp_path / "pod.yaml", "--scenario", tmp_path / "pod.yaml").complaint


def test_a_scenario_file_with_two(podfsm, tmp_path):
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "two.yaml").write_text(f"{HEAD}---\n{HEAD}")
    shown = podfsm("simulate", tmp_path / "pod.yaml", "--scenario", tmp_path / "two.yaml")
    assert "two.yaml:5:1: a second Scenario" in shown.complaint


def test_a_patch_that_only_the_run_finds_impossible(podfsm, tmp_path):
    """What stands in the way is known when it happens; the output so far is there, and the complaint says where."""
    file = tmp_path / "m.yaml"
    file.write_text(step("patch: pods/web, type: json, body: [{op: remove, path: /spec/schedulingGates}]"))
    shown = podfsm("simulate", file)
    assert shown.status == 2
    assert "m.yaml:9:25: spec.steps[0].patch: refused by the API server" in shown.err
    assert shown.err.count("\n") == 1
    assert "bound to node-1" in shown.out


def test_a_field_that_no_pod_has_is_told_and_ignored(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(POD.replace("{containers", "{restartPolcy: Never, containers"))
    shown = podfsm("simulate", file)
    assert shown.status == 0
    assert "spec.restartPolcy: no such field, so it is ignored; did you mean restartPolicy?" in shown.err


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


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: app, image: "example/app:1"}]}}
"""


def test_a_field_that_no_deployment_has_is_told_and_ignored(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(DEPLOYMENT.replace("replicas", "replicaz"))
    assert "spec.replicaz: no such field, so it is ignored; did you mean replicas?" in podfsm("simulate", file).err


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
