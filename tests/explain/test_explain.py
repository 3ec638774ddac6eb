"""Explanations: of everything recorded, and of statuses that no recording has."""

import pytest

from podfsm import explain, kubectl_columns
from podfsm.engine.rule import REGISTRY
from podfsm.explain.words import as_data, as_text
from podfsm.kube.objects import (
    Container,
    PodSpec,
)
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.container_state import START_ERRORS
from podfsm.rules.reasons import DISRUPTED, ENDED, WAITING, ended_because
from tests.check.traces import RECORDINGS, events, seen
from tests.explain.pods import BOUND, CASES, DELETED, READY, WAITING_FOR_APP, condition, crashed, deleted, pod, resized
from tests.rules.statuses import runs, shown, waits


@pytest.mark.parametrize("name", CASES)
def test_state_and_rule(name):
    given, state, rule = CASES[name]
    explained = explain(given, now=instant(120))
    assert (explained.state, explained.rule) == (state, rule)
    text = as_text(explained, instant(120))
    assert text.startswith(f"{explained.pod}: {state}\n")
    assert f"STATUS {kubectl_columns(given, now=instant(120)).status}" in text
    assert f"podfsm rules show {rule}" in text
    assert as_data(explained)["rule"] == rule


def test_when_a_deferred_resize_is_looked_at_again():
    """resize-retry, resize-accounting."""
    explained = explain(resized("PodResizePending", "Deferred"), now=instant(120))
    assert [one.latest for one in explained.next] == [None, instant(280)]
    assert "waits for room on n: no cpu" in explained.holds[0].text
    assert explained.holds[1].rule == "resize-accounting"


def test_a_resize_that_waits_is_told_beside_what_else_holds_the_pod():
    said = condition("PodResizePending", reason="Deferred")
    explained = explain(pod(crashed(), conditions=(said, *WAITING_FOR_APP)))
    assert (explained.state, explained.rule) == ("crash-looping", "backoff-sequence")
    assert "resize-pending" in [one.rule for one in explained.holds]
    leaving = pod(shown("app", runs()), metadata=DELETED, conditions=(said, *READY))
    assert "resize-pending" not in [one.rule for one in explain(leaving).holds]


def test_every_rule_named_exists():
    named = {meaning.rule for meaning in WAITING.values()} | {rule for rule, _ in ENDED.values()}
    for given, _, _ in CASES.values():
        explained = explain(given)
        named |= {one.rule for one in (*explained.holds, *explained.next)}
    assert all_rules() is REGISTRY
    assert [rule for rule in named if rule not in all_rules()] == []


def test_every_reason_of_the_kubelet_has_a_meaning():
    assert set(WAITING) >= START_ERRORS
    assert {"ContainerCreating", "PodInitializing", "RestartingAllContainers", ""} <= set(WAITING)


@pytest.mark.parametrize("reason", [*ENDED, "OutOfcpu", "OutOfmemory"])
def test_failed_pods_say_why(reason):
    explained = explain(pod(phase="Failed", reason=reason, message="the message"))
    assert explained.rule == ended_because(reason)[0]
    assert "the message" in explained.holds[0].text


@pytest.mark.parametrize("reason", sorted(DISRUPTED))
def test_announced_disruptions_are_told(reason):
    conditions = (*READY, condition("DisruptionTarget", reason=reason))
    explained = explain(pod(shown("app", runs(), ready=True, started=True), conditions=conditions))
    assert explained.holds[-1].rule == "cond-disruptiontarget-reasons"


@pytest.mark.parametrize("recording", RECORDINGS)
def test_every_recorded_sight_is_explained(recording):
    for one in seen(events(recording)):
        explained = explain(one.pod, now=one.at)
        assert explained.holds or explained.unknown
        assert explained.columns == kubectl_columns(one.pod, now=one.at)
        assert as_text(explained, one.at)
        assert all(rule.rule in all_rules() for rule in (*explained.holds, *explained.next))


def test_the_next_restart_is_told_to_the_second():
    explained = explain(pod(crashed()))
    (restart,) = explained.next
    assert restart.earliest == instant(140)
    assert "not before 2026-01-01T00:02:20Z (in 20s)" in as_text(explained, instant(120))
    assert "(1s ago)" in as_text(explained, instant(141))


def test_what_a_message_does_not_say_is_not_guessed():
    explained = explain(pod(crashed("")))
    assert explained.next[0].earliest == instant(110)
    assert "exact delay" in explained.unknown[0]


def test_deadlines_and_evictions_are_told():
    limited = PodSpec(containers=BOUND.containers, nodeName="n", activeDeadlineSeconds=60)
    explained = explain(pod(shown("app", runs(), ready=True, started=True), spec=limited, conditions=READY))
    assert (explained.next[-1].rule, explained.next[-1].earliest) == ("deadline-enforced", instant(61))
    lost = explain(CASES["lost node"][0])
    assert lost.next[0].earliest == instant(350)


def test_finalizers_are_named():
    assert any("example.com/keep" in reason.text for reason in explain(CASES["held by a finalizer"][0]).holds)


def test_an_overdue_end_is_said_to_be_one():
    running = pod(shown("app", runs()), conditions=READY, metadata=deleted(100))
    assert explain(running, now=instant(110)).unknown == ()
    assert "6m38s after the end of its grace" in explain(running, now=instant(500)).unknown[0]
    assert explain(running).unknown == ()


def test_a_deleted_pod_without_a_node_waits_for_its_finalizers_only():
    spec = PodSpec(containers=(Container("app"),))
    told = explain(pod(spec=spec, phase="Pending", metadata=deleted(100, "a/b"), startTime=None), now=instant(500))
    assert [one.rule for one in told.next] == ["term-finalizers-hold"]
    assert "term-immediate-cases" in {one.rule for one in told.holds}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (pod(phase="Unknown"), "phase-unknown-deprecated"),
        (pod(phase="Failed", reason="Novel"), "phase-failed"),
        (pod(), "phase-missing-status-is-unknown-count"),
        (pod(shown("app", waits("Dreaming"))), "cstate-waiting-reasons"),
        (pod(shown("app", waits("ImagePullBackOff")), phase="Pending"), "backoff-image-pull"),
    ],
)
def test_it_says_when_it_does_not_know(given, rule):
    told = explain(given)
    assert told.rule == rule
    assert told.unknown
    assert "becomes terminal" not in str(told.next)
