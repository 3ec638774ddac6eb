"""`podfsm lint`."""

import json

import pytest

POD = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: app, image: %s}]}}"
FINE, BAD = POD % "i", POD % "' i'"


def test_notes_are_no_failure_unless_asked(podfsm):
    shown = podfsm("lint", "-", given=FINE)
    assert shown.status == 0
    assert shown.out.startswith("<stdin>:1:1: Pod/p: note: ")
    assert shown.out.endswith("[advice-bare-pod]\n")
    assert shown.err == "podfsm: 1 object: 1 note\n"
    assert podfsm("lint", "--strict", "-", given=FINE).status == 1


def test_refusals_are(podfsm):
    shown = podfsm("lint", "-", given=BAD)
    assert shown.status == 1
    assert "error: has blanks before or after the name (Invalid) [valid-fields]" in shown.out


def test_rules_can_be_ignored(podfsm):
    shown = podfsm("lint", "-", "--ignore", "valid-fields", "--ignore", "advice-bare-pod", given=BAD)
    assert (shown.status, shown.out) == (0, "")
    assert "no rule 'valid-field'; did you mean" in podfsm("lint", "-", "--ignore", "valid-field", given=BAD).complaint


def test_json(podfsm):
    (refusal, note) = json.loads(podfsm("lint", "-", "--format", "json", given=BAD).out)
    assert refusal == {
        "severity": "error",
        "rule": "valid-fields",
        "authority": "both",
        "type": "Invalid",
        "source": "<stdin>",
        "line": 1,
        "column": refusal["column"],
        "object": "Pod/p",
        "path": "spec.containers[0].image",
        "why": "has blanks before or after the name",
    }
    assert note["severity"] == "note"


def test_the_version_decides(podfsm):
    sleepless = FINE.replace("image: i", "image: i, lifecycle: {preStop: {sleep: {seconds: 0}}}")
    assert podfsm("lint", "-", given=sleepless).status == 0
    assert podfsm("lint", "-", "--kubernetes", "1.32", given=sleepless).status == 1


def test_what_was_not_looked_at_is_said(podfsm):
    shown = podfsm("lint", "-", given="{apiVersion: v1, kind: Secret, metadata: {name: s}}")
    assert (shown.status, shown.out) == (0, "")
    assert shown.err == "podfsm: not looked at: Secret\npodfsm: 0 objects: nothing to say\n"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("", "is empty"),
        ("{", "<stdin>"),
        ("a: 1", "not a Kubernetes object"),
        (FINE.replace("[{name: app, image: i}]", "7"), "spec.containers: wrong type"),
        (FINE.replace("image: i", "image: 7"), "spec.containers[0].image: wrong type"),
        ("\x00\xff", "<stdin>"),
    ],
)
def test_bad_input_is_one_located_complaint(podfsm, given, says):
    assert says in podfsm("lint", "-", given=given).complaint


def test_missing_files(podfsm, tmp_path):
    assert "no-such.yaml" in podfsm("lint", tmp_path / "no-such.yaml").complaint
    assert str(tmp_path) in podfsm("lint", tmp_path).complaint
