"""`podfsm eval`: JSON lines in, JSON lines out, agreement, and bad cases among good ones."""

import json

import pytest

from podfsm.evaluate import names

CASE = {
    "id": "a",
    "input": {"httpGet": {"statusCode": 200}},
    "want": {"raw": "success", "error": False, "worker": "Success"},
}
WRONG = {**CASE, "id": "b", "want": {"raw": "failure", "worker": "Failure"}}


def lines(*cases):
    return "".join(case if isinstance(case, str) else json.dumps(case) + "\n" for case in cases)


def test_list_prints_every_name(podfsm):
    shown = podfsm("eval", "--list")
    assert shown.out.split() == names()
    assert "pod-phase" in names()


def test_answers_each_case_with_its_id(podfsm):
    shown = podfsm("eval", "probe-result", given=lines(CASE, WRONG))
    assert shown.status == 0
    assert [json.loads(line) for line in shown.out.splitlines()] == [
        {"id": "a", "got": CASE["want"]},
        {"id": "b", "got": CASE["want"]},
    ]


def test_reads_files_and_standard_input(podfsm, tmp_path):
    file = tmp_path / "cases.jsonl"
    file.write_text(lines(CASE))
    shown = podfsm("eval", "probe-result", file, "-", given=lines(WRONG))
    assert [json.loads(line)["id"] for line in shown.out.splitlines()] == ["a", "b"]


def test_check_counts_agreement(podfsm):
    shown = podfsm("eval", "probe-result", "--check", given=lines(CASE))
    assert (shown.status, shown.out) == (0, "<stdin>: probe-result: 1 of 1 agree (100.0 %)\n")


def test_check_shows_disagreements_and_ends_with_1(podfsm):
    shown = podfsm("eval", "probe-result", "--check", given=lines(CASE, WRONG))
    head, case = shown.out.splitlines()
    assert shown.status == 1
    assert head == "<stdin>: probe-result: 1 of 2 agree (50.0 %)"
    assert json.loads(case) == {"id": "b", "got": CASE["want"], "want": WRONG["want"]}
    assert len(podfsm("eval", "probe-result", "--check", "--show", "0", given=lines(WRONG)).out.splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{bad\n", "<stdin>:1:2: not JSON"),
        ("[1]\n", "<stdin>:1: not a case"),
        ('{"id": 1}\n', "<stdin>:1: not a case"),
        ('{"input": 1}\n', "<stdin>:1: not a case"),
        ("[" * 100_000 + "\n", "<stdin>:1: not JSON"),
        ('{"id": 1, "input": {"httpGet": {"statusCode": "x"}}}\n', "<stdin>:1:"),
    ],
)
def test_a_bad_case_is_located_and_the_rest_still_answered(podfsm, line, complaint):
    shown = podfsm("eval", "probe-result", given=lines(line, CASE))
    assert shown.status == 2
    assert json.loads(shown.out)["id"] == "a"
    first, last = shown.err.splitlines()
    assert first.startswith(f"podfsm: {complaint}")
    assert last == "podfsm: <stdin>: 1 of 2 cases could not be answered"


def test_check_needs_a_want(podfsm):
    shown = podfsm("eval", "probe-result", "--check", given=lines({"id": 1, "input": CASE["input"]}))
    assert shown.status == 2
    assert "could not be checked" in shown.err


@pytest.mark.parametrize("given", ["", "\n\n"])
def test_nothing_given_is_an_error(podfsm, given):
    assert "empty" in podfsm("eval", "probe-result", given=given).complaint


def test_binary_is_an_error(podfsm):
    shown = podfsm("eval", "probe-result", given=b"\x80\x81\xff\n")
    assert shown.status == 2
    assert shown.out == ""


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["pod-fase"], "no derivation 'pod-fase'; did you mean pod-phase?"),
        (["pod-phase", "missing.jsonl"], "missing.jsonl: No such file or directory"),
        (["pod-phase", "."], ".: Is a directory"),
        (["pod-phase", "--kubernetes", "1.99"], "expected 1.18 to 1.36, found 1.99"),
        (["pod-phase", "--kubernetes", "new"], "not a version"),
        (["pod-phase", "--feature-gates", "SidecarContainer=true"], "did you mean SidecarContainers?"),
        (["pod-phase", "--feature-gates", "SidecarContainers"], "--feature-gates: not a feature gate setting"),
        (["pod-phase", "--kubernetes", "1.18", "--feature-gates", "SidecarContainers=true"], "does not exist in 1.18"),
    ],
    ids=str,
)
def test_bad_arguments_are_one_line(podfsm, arguments, complaint):
    assert complaint in podfsm("eval", *arguments).complaint


def test_versions_and_gates_reach_the_rules(podfsm):
    container = {"name": "a", "restartPolicy": "Never"}
    case = {
        "container": "a",
        "pod": {"spec": {"restartPolicy": "Always", "containers": [container]}},
        "runtimeStatuses": [{"name": "a", "state": "exited", "exitCode": 1}],
    }

    def restarts(*arguments):
        shown = podfsm("eval", "restart-decision", *arguments, given=lines({"id": 1, "input": case}))
        return bool(json.loads(shown.out)["got"].get("shouldContainerBeRestarted"))

    assert not restarts()
    assert restarts("--kubernetes", "1.32")
    assert restarts("--feature-gates", "ContainerRestartRules=false,RestartAllContainersOnContainerExits=false")
