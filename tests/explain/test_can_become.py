"""What a Pod can still become, and the rule that stands in the way of what it cannot."""

import pytest

from podfsm import can_become
from podfsm.errors import UnknownName
from podfsm.kube.objects import (
    Pod,
    PodSpec,
)
from podfsm.rules.catalogue import all_rules
from tests.explain.pods import BOUND, CASES, DELETED, pod
from tests.rules.statuses import ends, runs, shown, waits

NEVER = PodSpec(containers=BOUND.containers, nodeName="n", restartPolicy="Never")


@pytest.mark.parametrize(
    ("given", "wanted", "rule"),
    [
        (CASES["ready"][0], "Ready", ""),
        (CASES["crash loop"][0], "Ready", ""),
        (CASES["unschedulable"][0], "Ready", ""),
        (CASES["failed"][0], "Ready", "cond-containersready-terminal"),
        (CASES["failed"][0], "Running", "phase-terminal-sticky"),
        (CASES["failed"][0], "Failed", ""),
        (CASES["crash loop"][0], "Succeeded", "restart-always"),
        (pod(shown("app", runs()), spec=NEVER), "Succeeded", ""),
        (pod(shown("app", ends(2)), spec=NEVER), "Succeeded", "phase-failed"),
        (pod(shown("app", ends(2)), spec=NEVER), "Ready", "restart-never"),
        (pod(shown("app", waits()), metadata=DELETED), "Running", ""),
        (pod(shown("app", waits()), metadata=DELETED, phase="Pending"), "Running", "restart-not-when-deleting"),
        (pod(shown("app", waits()), metadata=DELETED), "Ready", "restart-not-when-deleting"),
        (CASES["deadline under way"][0], "Ready", "term-worker-one-way"),
        (CASES["unschedulable"][0], "Scheduled", ""),
        (CASES["first init container"][0], "Initialized", ""),
    ],
)
def test_what_a_pod_can_become(given, wanted, rule):
    verdict = can_become(given, wanted)
    assert (bool(verdict), verdict.rule) == (not rule, rule)
    assert rule == "" or (rule in all_rules() and verdict.because)


def test_what_is_no_state_is_said():
    with pytest.raises(UnknownName, match="did you mean Ready"):
        can_become(Pod(), "Redy")
