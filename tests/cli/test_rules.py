"""`podfsm rules`: list, show, diff."""

import json

import pytest

from podfsm.rules.catalogue import all_rules

SIDECAR = "sidecar-definition"


def test_list_has_a_line_for_each_rule(podfsm):
    shown = podfsm("rules", "list")
    assert [line.split()[0] for line in shown.out.splitlines()] == [rule.id for rule in all_rules()]
    assert podfsm("rules").out == shown.out


def test_list_can_be_narrowed(podfsm):
    narrowed = json.loads(podfsm("rules", "list", "--area", "sidecar", "--kind", "guard", "--format", "json").out)
    assert narrowed
    assert {(rule["area"], rule["kind"]) for rule in narrowed} == {("sidecar", "guard")}
    by_machine = json.loads(podfsm("rules", "list", "--machine", "probe", "--format", "json").out)
    assert by_machine
    assert all("probe" in rule["machines"] for rule in by_machine)


def test_list_tells_what_can_be_seen_of_pods(podfsm):
    shown = {answer: podfsm("rules", "list", "--observable", answer).out for answer in ("yes", "no")}
    assert "restart-rules-first-match" in shown["yes"]
    assert "term-grace-precedence" in shown["no"]
    assert shown["yes"].count("\n") + shown["no"].count("\n") == len(all_rules())


def test_list_for_a_version_leaves_out_what_came_later(podfsm):
    assert SIDECAR in podfsm("rules", "list", "--kubernetes", "1.29").out
    assert SIDECAR not in podfsm("rules", "list", "--kubernetes", "1.27").out


def test_list_for_a_version_leaves_out_what_a_gate_has_replaced(podfsm):
    rule = "init-retry-by-pod-policy"
    assert rule in podfsm("rules", "list", "--kubernetes", "1.34").out
    assert rule not in podfsm("rules", "list", "--kubernetes", "1.35").out
    assert (
        "without feature gate ContainerRestartRules (1.34 alpha off; 1.35 beta on" in podfsm("rules", "show", rule).out
    )
    told = json.loads(podfsm("rules", "show", rule, "--format", "json").out)
    assert (told["gate"], told["withoutGate"]) == (None, "ContainerRestartRules")


def test_list_as_markdown_is_a_table(podfsm):
    lines = podfsm("rules", "list", "--format", "markdown").out.splitlines()
    assert lines[0] == "| rule | kind | area | statement |"
    assert len(lines) == 2 + len(all_rules())


def test_show_tells_everything(podfsm):
    shown = podfsm("rules", "show", SIDECAR).out
    assert shown.startswith(f"{SIDECAR}\n")
    for part in (
        "SidecarContainers (1.28 alpha off; 1.29 beta on",
        "authority     both",
        "https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/",
        "https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/",
        "examples",
    ):
        assert part in shown, part


def test_show_as_json_and_markdown(podfsm):
    told = json.loads(podfsm("rules", "show", SIDECAR, "--format", "json").out)
    assert told["id"] == SIDECAR
    assert told["gate"] == "SidecarContainers"
    assert told["statement"] in podfsm("rules", "show", SIDECAR, "--format", "markdown").out


def test_diff_shows_rules_and_gates(podfsm):
    shown = podfsm("rules", "diff", "1.27", "1.36").out
    assert "Rules in 1.36 only: " in shown
    assert SIDECAR in shown
    assert "SidecarContainers" in shown
    told = json.loads(podfsm("rules", "diff", "1.36", "1.27", "--format", "json").out)
    assert SIDECAR in {rule["id"] for rule in told["gone"]}
    assert {"name": "SidecarContainers", "old": True, "new": False} in [
        {key: gate[key] for key in ("name", "old", "new")} for gate in told["gates"]
    ]


def test_diff_of_one_version_is_empty(podfsm):
    assert json.loads(podfsm("rules", "diff", "1.30", "1.30", "--format", "json").out) == {
        "gone": [],
        "come": [],
        "gates": [],
    }


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["show", "sidecar-defintion"], f"no rule 'sidecar-defintion'; did you mean {SIDECAR}?"),
        (["list", "--area", "sidecars"], "no area 'sidecars'; did you mean sidecar?"),
        (["list", "--machine", "prob"], "no machine 'prob'; did you mean probe?"),
        (["list", "--kubernetes", "1.17"], "expected 1.18 to 1.36, found 1.17"),
        (["diff", "1.27", "1.x"], "not a version"),
        (["list", "--kind", "gard"], "invalid value for '--kind'"),
    ],
    ids=str,
)
def test_bad_arguments_are_one_line(podfsm, arguments, complaint):
    assert complaint in podfsm("rules", *arguments).complaint
