"""The conditions: cond-* rules, asked of statuses and sandboxes, and of lists of conditions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules import conditions
from podfsm.rules.catalogue import all_rules
from podfsm.rules.condition_list import by_type, gated_types, make_condition, owned, put
from podfsm.rules.condition_parts import FALSE, TRUE
from podfsm.rules.disruption_target import Cause
from podfsm.rules.facts import Sandbox
from tests.rules.statuses import (
    NEW,
    OLD,
    containers,
    ends,
    pod,
    pods_with_statuses,
    runs,
    shown,
    spec,
    waits,
)

RULES = all_rules()
MIXED = spec("b", "a", init=(*containers("init"), *containers("side", policy="Always")))


def initialized(given, statuses, phase="Pending", *, was=False, gates=NEW):
    return conditions.initialized(given, statuses, phase, gates, was_initialized=was)


def test_containers_ready_names_sidecars_then_apps_in_spec_order():
    statuses = (shown("a", runs()), shown("side", runs()), shown("init", ends(0), ready=True))
    assert conditions.containers_ready(MIXED, statuses, "Running", NEW) == (
        "False",
        "ContainersNotReady",
        "containers with unknown status: [b], containers with unready status: [side a]",
    )


def test_containers_ready_ignores_regular_init_containers():
    statuses = (
        shown("a", runs(), ready=True),
        shown("b", runs(), ready=True),
        shown("side", runs(), ready=True),
        shown("init", ends(1)),
    )
    assert conditions.containers_ready(MIXED, statuses, "Running", NEW) == TRUE


@pytest.mark.parametrize(
    ("phase", "statuses", "reason"),
    [
        ("Failed", (shown("app", runs(), ready=True),), "PodFailed"),
        ("Failed", (), "PodFailed"),
        ("Succeeded", (shown("app", ends(0), ready=True),), "PodCompleted"),
        ("Succeeded", (), "ContainersNotReady"),
        ("Failed", None, "UnknownContainerStatuses"),
        ("Running", None, "UnknownContainerStatuses"),
        ("Running", (), "ContainersNotReady"),
    ],
)
def test_why_containers_are_not_ready(phase, statuses, reason):
    """cond-containersready-terminal and cond-unknown-statuses: no list beats the phase, the phase beats ready."""
    found = conditions.containers_ready(spec("app"), statuses, phase, NEW)
    assert found[:2] == ("False", reason)
    assert conditions.ready(spec("app"), found, {}) == found


@pytest.mark.parametrize(
    ("init", "side", "incomplete"),
    [
        (shown("init", runs(), started=True), shown("side", waits()), "[init side]"),
        (shown("init", ends(1)), shown("side", runs(), started=True), "[init]"),
        (shown("init", ends(0), ready=True), shown("side", runs(), started=False), "[side]"),
    ],
)
def test_initialized_names_what_is_incomplete(init, side, incomplete):
    assert initialized(MIXED, (init, side)) == (
        "False",
        "ContainersNotInitialized",
        f"containers with incomplete status: {incomplete}",
    )


def test_initialized_when_inits_are_done_and_sidecars_have_started():
    assert initialized(MIXED, (shown("init", ends(0), ready=True), shown("side", runs(), started=True))) == TRUE


def test_without_init_containers_initialized_is_true_at_once():
    assert initialized(spec("app"), None) == TRUE
    assert initialized(spec("app"), (), "Succeeded") == ("True", "PodCompleted", "")


def test_initialized_needs_a_list_if_there_are_init_containers():
    assert initialized(MIXED, None)[1] == "UnknownContainerStatuses"
    assert initialized(MIXED, ())[2] == "containers with unknown status: [init side]"


@pytest.mark.parametrize("app", [runs(), ends(1)])
def test_initialized_once_an_app_has_started(app):
    """cond-initialized-sticky-after-app-start: whatever the init containers look like."""
    statuses = (shown("init", ends(1)), shown("side", waits()), shown("a", app))
    assert initialized(MIXED, statuses) == TRUE


def test_initialized_stays_while_init_containers_run_again():
    """cond-initialized-sticky-inplace-restart; 1.32 takes it back."""
    statuses = (shown("init", runs()), shown("side", waits()), shown("a", waits()))
    assert initialized(MIXED, statuses, was=True) == TRUE
    assert initialized(MIXED, statuses, was=True, gates=OLD)[0] == "False"


def test_in_phase_succeeded_initialized_says_so_only_if_all_are_known():
    init = shown("init", ends(1))
    assert initialized(MIXED, (init, shown("side", ends(0))), "Succeeded") == ("True", "PodCompleted", "")
    assert initialized(MIXED, (init,), "Succeeded")[0] == "False"


@given(pods_with_statuses(), st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]), st.booleans())
def test_ready_is_never_true_without_containers_ready_nor_in_a_terminal_phase(made, phase, was):
    given, init, apps = made
    statuses = (*init, *apps)
    containers_ready = conditions.containers_ready(given, statuses, phase, NEW)
    ready = conditions.ready(given, containers_ready, {})
    assert ready == containers_ready
    assert containers_ready[0] == "False" or phase not in ("Succeeded", "Failed")
    found = initialized(given, statuses, phase, was=was)
    status = PodStatus(phase=phase, conditions=(PodCondition("Initialized", *found),), containerStatuses=apps)
    assert RULES["cond-initialized-sticky-after-app-start"](pod(given, status))
    assert not was or found[0] == "True"


READY = Sandbox("s", ip="10.0.0.1")


@pytest.mark.parametrize(
    ("sandboxes", "host", "expected"),
    [
        ((), False, FALSE),
        ((READY,), False, TRUE),
        ((Sandbox("s", ready=False, ip="10.0.0.1"),), False, FALSE),
        ((Sandbox("s", ip=""),), False, FALSE),
        ((Sandbox("t", ip="10.0.0.2"), READY), False, FALSE),
        ((READY, Sandbox("r", ready=False)), False, TRUE),
        ((Sandbox("s", ready=False), READY), False, FALSE),
        ((Sandbox("s", host_network=True),), True, TRUE),
        ((READY,), True, FALSE),
    ],
)
def test_pod_ready_to_start_containers(sandboxes, host, expected):
    assert conditions.network(spec("app", hostNetwork=host), sandboxes) == expected


def test_the_network_is_reported_before_images_are_pulled():
    assert RULES["cond-podreadytostart-early"](1.0, 40.0, True) == 1.0
    assert RULES["cond-podreadytostart-early"](1.0, 40.0, False) == 40.0
    assert RULES["cond-podreadytostart-early"].in_force(NEW)
    assert not RULES["cond-podreadytostart-early"].in_force(OLD)


def test_restarting_all_goes_from_the_match_to_the_last_removal():
    assert conditions.restarting_all("Running", False, False) == FALSE
    assert conditions.restarting_all("Running", True, False)[:2] == ("True", "RestartAllContainersStarted")
    assert conditions.restarting_all("Running", True, True) == FALSE
    assert conditions.restarting_all("Succeeded", True, False)[1] == "PodCompleted"


def test_the_kubelets_own_conditions_by_version():
    """cond-kubelet-owned-set: two types are its own only while their gates are on."""
    assert set(gated_types(NEW)) == {"PodReadyToStartContainers", "AllContainersRestarting"}
    assert gated_types(OLD) == ("PodReadyToStartContainers",)
    assert all(owned(kind, ()) for kind in ("PodScheduled", "Ready", "Initialized", "ContainersReady"))
    assert not owned("DisruptionTarget", gated_types(NEW))


def test_a_condition_keeps_its_time_while_its_status_stays():
    """cond-lasttransition-only-on-status-change, and the same value back when nothing changed."""
    first = make_condition("Ready", ("False", "a", ""), None, 3.7, 1)
    assert first.lastTransitionTime == instant(3)
    other = make_condition("Ready", ("False", "b", "text"), first, 9.0, 2)
    assert (other.lastTransitionTime, other.reason, other.observedGeneration) == (instant(3), "b", 2)
    assert make_condition("Ready", ("False", "b", "text"), other, 12.0, 2) is other
    assert make_condition("Ready", TRUE, other, 12.0, 2).lastTransitionTime == instant(12)


def test_conditions_are_replaced_in_their_place_or_added_at_the_end():
    a, b = PodCondition("a", "True"), PodCondition("b", "True")
    assert put((a, b), PodCondition("a", "False")) == (PodCondition("a", "False"), b)
    assert put((a,), b) == (a, b)
    assert by_type((a, PodCondition("a", "False")))["a"] is a


@pytest.mark.parametrize(
    ("gated", "failed", "reason"),
    [(False, False, "Unschedulable"), (False, True, "SchedulerError"), (True, True, "SchedulingGated")],
)
def test_why_a_pod_is_not_scheduled(gated, failed, reason):
    assert RULES["cond-podscheduled-unschedulable"](gated, failed) == reason


def test_being_scheduled_is_said_again_and_again():
    first = RULES["cond-podscheduled-true-on-bind"](PodCondition("PodScheduled", "False", "Unschedulable"), 8.0, 1)
    assert (first.status, first.reason, first.lastTransitionTime) == ("True", "", instant(8))
    assert RULES["cond-podscheduled-true-on-bind"](first, 99.0, 1) is first


@pytest.mark.parametrize("cause", list(Cause))
def test_who_announces_a_disruption(cause):
    """cond-disruptiontarget-reasons and cond-disruptiontarget-not-for-self-inflicted say the same thing."""
    reason = RULES["cond-disruptiontarget-reasons"](cause)
    assert bool(reason) == RULES["cond-disruptiontarget-not-for-self-inflicted"](cause)
    of_the_kubelet = cause in (Cause.NODE_PRESSURE, Cause.NODE_SHUTDOWN, Cause.KUBELET_PREEMPTION)
    assert (reason == "TerminationByKubelet") == of_the_kubelet


def test_a_disruption_that_does_not_come_goes_stale_after_two_minutes():
    stale = RULES["cond-disruptiontarget-stale-2m"]
    assert stale(60.0, "EvictionByEvictionAPI", False, False) == 180.0
    assert stale(60.0, "TerminationByKubelet", False, False) is None
    assert stale(60.0, "PreemptionByScheduler", True, False) is None
    assert stale(60.0, "DeletionByPodGC", False, True) is None


def test_transition_times_over_snapshots():
    """cond-lasttransition-only-on-status-change allows changes that fell between two writes, never a step back."""

    def at(kind, second, status="True"):
        return pod(spec("app"), PodStatus(conditions=(PodCondition(kind, status, lastTransitionTime=instant(second)),)))

    holds = RULES["cond-lasttransition-only-on-status-change"]
    assert holds(at("Ready", 1), at("Ready", 5))
    assert not holds(at("Ready", 5), at("Ready", 1))
    assert not holds(at("PodScheduled", 1), at("PodScheduled", 5))
    assert holds(at("PodScheduled", 1, "False"), at("PodScheduled", 5))
    assert holds(at("example.com/x", 5), at("example.com/x", 1))
