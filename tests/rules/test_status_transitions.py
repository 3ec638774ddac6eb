"""Which status changes are accepted: measured cases, and the differences between who is asked."""

import json
from pathlib import Path

import pytest

from podfsm.evaluate import evaluate, same
from podfsm.kube.objects import Container, ContainerRestartRule, ExitCodes, PodStatus
from podfsm.rules.status_transitions import refused_by_api, refused_by_kubelet
from tests.rules.statuses import NEW, OLD, containers, ends, runs, shown, spec, waits

DATA = Path(__file__).parents[1] / "data"
NAMES = ("kubectl-columns", "status-transition-api", "status-transition-kubelet")


@pytest.mark.parametrize(("folder", "gates"), [("vectors", NEW), ("vectors-1.32", OLD)])
@pytest.mark.parametrize("name", NAMES)
def test_measured_cases_agree(folder, gates, name):
    cases = [json.loads(line) for line in (DATA / folder / f"{name}.jsonl").read_text().splitlines()]
    assert len(cases) > 15
    assert [case["id"] for case in cases if not same(evaluate(name, case["input"], gates), case["want"])] == []


def apps(*statuses):
    return PodStatus(containerStatuses=statuses)


DEAD, BACK = apps(shown("a", ends(1))), apps(shown("a", waits()))


def test_the_policy_decides():
    assert refused_by_api(spec("a", policy="Never"), DEAD, BACK, NEW) == ("status.containerStatuses[0].state",)
    assert refused_by_api(spec("a", policy="OnFailure"), DEAD, BACK, NEW) == ()
    assert "container a" in refused_by_kubelet(spec("a", policy="Never"), DEAD, BACK, NEW)


def test_phases_are_not_looked_at():
    assert refused_by_api(spec("a"), PodStatus("Succeeded"), PodStatus("Running"), NEW) == ()


def test_a_rule_that_restarts_all_frees_the_whole_pod_but_not_ephemeral_containers():
    rule = ContainerRestartRule("RestartAllContainers", ExitCodes("In", (9,)))
    one = Container("b", restartPolicy="Never", restartPolicyRules=(rule,))
    given = spec("a", one, policy="Never")
    assert refused_by_api(given, DEAD, BACK, NEW) == ()
    assert refused_by_kubelet(given, DEAD, BACK, NEW) == ""
    old, new = (PodStatus(ephemeralContainerStatuses=(shown("d", state),)) for state in (ends(0), runs()))
    assert refused_by_api(given, old, new, NEW) == ("status.ephemeralContainerStatuses[0].state",)


def test_a_status_that_is_gone_leaves_nothing():
    assert refused_by_api(spec("a", policy="Never"), DEAD, apps(), NEW) == ()


def test_only_the_kubelet_compares_places_with_the_spec():
    given = spec("a", init=containers("i", "j"))
    misplaced = PodStatus(initContainerStatuses=(shown("j", runs()),))
    assert refused_by_api(given, misplaced, misplaced, NEW) == ()
    assert refused_by_kubelet(given, misplaced, misplaced, NEW).endswith("container: j")
    assert refused_by_kubelet(given, misplaced, misplaced, OLD) == ""
