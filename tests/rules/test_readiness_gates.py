"""Readiness gates: gate-* rules, asked of the Ready condition of whole Pods."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import PodCondition, PodReadinessGate, PodStatus
from podfsm.rules.catalogue import all_rules
from podfsm.rules.condition_list import by_type
from podfsm.rules.condition_parts import TRUE
from podfsm.rules.conditions import containers_ready, ready
from tests.rules.statuses import NEW, ends, pod, runs, shown, spec

RULES = all_rules()
LB, DNS = "example.com/lb", "example.com/dns"
GATED = spec("app", readinessGates=(PodReadinessGate(LB), PodReadinessGate(DNS)))


def ready_of(given, *conditions, containers=TRUE):
    return ready(given, containers, by_type(conditions))


def test_every_gate_has_to_be_true():
    """gate-ready-requires-all, gate-missing-is-false and gate-reason together; the message has one part a gate."""
    assert ready_of(GATED, PodCondition(LB, "True"), PodCondition(DNS, "True")) == TRUE
    assert ready_of(GATED, PodCondition(LB, "Unknown")) == (
        "False",
        "ReadinessGatesNotReady",
        (
            'the status of pod readiness gate "example.com/lb" is not "True", but Unknown, '
            'corresponding condition of pod readiness gate "example.com/dns" does not exist.'
        ),
    )


def test_without_gates_other_conditions_do_not_matter():
    assert ready_of(spec("app"), PodCondition(LB, "False")) == TRUE


def test_gates_wait_for_the_containers():
    down = containers_ready(GATED, (shown("app", runs(), ready=False),), "Running", NEW)
    assert ready_of(GATED, PodCondition(LB, "False"), containers=down) == down
    over = containers_ready(GATED, (shown("app", ends(1), ready=True),), "Failed", NEW)
    assert ready_of(GATED, PodCondition(LB, "False"), containers=over) == ("False", "PodFailed", "")


def test_a_gate_never_touches_containers():
    """gate-no-container-effect: ContainersReady stays as the containers are."""
    statuses = (shown("app", runs(), ready=True),)
    containers = containers_ready(GATED, statuses, "Running", NEW)
    assert containers == TRUE
    gated = ready_of(GATED, containers=containers)
    status = PodStatus(
        phase="Running",
        conditions=(PodCondition("Ready", *gated), PodCondition("ContainersReady", *containers)),
        containerStatuses=statuses,
    )
    assert RULES["gate-no-container-effect"](pod(GATED, status))


@given(st.lists(st.sampled_from(["True", "False", "Unknown", None]), min_size=2, max_size=2))
def test_ready_exactly_when_all_are_true(states):
    conditions = [PodCondition(name, state) for name, state in zip((LB, DNS), states, strict=True) if state is not None]
    assert (ready_of(GATED, *conditions)[0] == "True") == (states == ["True", "True"])
    shut = RULES["gate-ready-requires-all"](GATED.readinessGates, by_type(conditions))
    assert shut == tuple(name for name, state in zip((LB, DNS), states, strict=True) if state != "True")


@pytest.mark.parametrize(
    ("shown_now", "derived", "asked"),
    [
        (PodCondition("Ready", "False", "ReadinessGatesNotReady", "x"), TRUE, True),
        (PodCondition("Ready", "False", "ReadinessGatesNotReady", "x"), ("False", "ReadinessGatesNotReady", "y"), True),
        (PodCondition("Ready", "False", "a", "x"), ("False", "b", "x"), False),
        (None, TRUE, False),
    ],
)
def test_a_written_condition_makes_the_kubelet_look_again(shown_now, derived, asked):
    assert RULES["gate-status-write"](True, shown_now, derived) is asked
    assert RULES["gate-status-write"](False, shown_now, derived) is False


@pytest.mark.parametrize(
    ("name", "valid"),
    [
        ("example.com/lb", True),
        ("lb_1.x", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("-a", False),
        ("a-", False),
        ("a/b/c", False),
        ("x" * 250 + ".abc/a", False),
        ("UPPER.example/a", False),
    ],
)
def test_gate_name_format(name, valid):
    assert RULES["gate-name-format"](PodReadinessGate(name)) is valid
