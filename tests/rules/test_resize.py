"""In-place resize (rules resize-*)."""

from __future__ import annotations

import msgspec
import pytest

from podfsm.kube.objects import (
    Container,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
    ResizePolicy,
    ResourceRequirements,
)
from podfsm.kube.times import instant
from podfsm.rules.gates import gates_for
from podfsm.rules.resize import (
    changed_resources,
    ephemeral_without_resources,
    needs_restart,
    only_resources_change,
    resizable,
)
from podfsm.rules.resize_conditions import pending_reason, retry_delay, timed, well_told
from podfsm.rules.resize_pending import counted, room_for, turn


def sized(cpu=None, memory=None, **fields):
    requests = {name: value for name, value in (("cpu", cpu), ("memory", memory)) if value is not None}
    return Container("app", resources=ResourceRequirements(requests), **fields)


@pytest.mark.parametrize(
    ("wanted", "actual", "changed"),
    [
        (sized("100m"), ResourceRequirements({"cpu": "0.1"}), set()),
        (sized("200m"), ResourceRequirements({"cpu": "0.1"}), {"cpu"}),
        (sized("100m", "1Gi"), ResourceRequirements({"cpu": "100m"}), {"memory"}),
        (Container("app"), None, set()),
        (Container("app"), ResourceRequirements(limits={"memory": "1Gi"}), {"memory"}),
    ],
)
def test_only_amounts_count_not_how_they_are_written(wanted, actual, changed):
    assert changed_resources(wanted, actual) == changed


def test_a_restart_is_needed_only_for_a_changed_resource_that_asks_for_it():
    """resize-restart-policy: NotRequired is the default."""
    container = sized("1", "1Gi", resizePolicy=(ResizePolicy("memory", "RestartContainer"),))
    assert needs_restart(container, frozenset({"memory"}))
    assert not needs_restart(container, frozenset({"cpu"}))
    assert not needs_restart(sized("1", "1Gi"), frozenset({"cpu", "memory"}))


def test_a_resize_that_is_not_accepted_waits_or_never_fits():
    """resize-pending and resize-retry."""
    assert [pending_reason(False, True), pending_reason(False, False)] == ["Deferred", "Infeasible"]
    assert [retry_delay(n) for n in range(3)] == [30.0, 180.0, 180.0]


@pytest.mark.parametrize(
    ("asked", "used", "reason", "resource"),
    [
        ({"cpu": 500, "memory": 10}, {"cpu": 1500, "memory": 90}, "", ""),
        ({"cpu": 501, "memory": 11}, {"cpu": 1500, "memory": 90}, "Deferred", "cpu"),
        ({"memory": 11, "cpu": 500}, {"cpu": 1500, "memory": 90}, "Deferred", "memory"),
        ({"cpu": 100, "disk": 1}, {}, "Deferred", "disk"),
        ({"cpu": 0, "memory": 1}, {"cpu": 2500}, "", ""),
        ({"cpu": 2001, "memory": 101}, {}, "Infeasible", "memory"),
        ({"cpu": 2001, "memory": 50}, {"memory": 90}, "Infeasible", "cpu"),
    ],
)
def test_everything_a_pod_asks_for_has_to_fit(asked, used, reason, resource):
    """resize-room: what is infeasible is said first, memory before cpu; else cpu before memory before the rest."""
    said, message = room_for(asked, used, {"cpu": 2000, "memory": 100})
    assert said == reason
    assert message.partition(": ")[2].partition(",")[0] == resource


def test_an_infeasible_resize_does_not_count():
    """resize-accounting."""
    wanted, allocated, actual = {"cpu": 9}, {"cpu": 3, "memory": 2}, {"cpu": 5}
    assert counted(wanted, allocated, actual, infeasible=False) == {"cpu": 9, "memory": 2}
    assert counted(wanted, allocated, actual, infeasible=True) == {"cpu": 5, "memory": 2}


def test_the_order_of_resizes():
    """resize-order."""
    waiting = {
        "shrinks": turn(False, 0, "Burstable", None),
        "important": turn(True, 100, "Burstable", None),
        "guaranteed": turn(True, 0, "Guaranteed", 90.0),
        "old": turn(True, 0, "Burstable", 10.0),
        "newer": turn(True, 0, "Burstable", 20.0),
        "new": turn(True, 0, "Burstable", None),
    }
    assert sorted(waiting, key=waiting.get) == list(waiting)


def test_a_resize_condition_is_renewed_by_its_reason():
    """resize-condition-times, and what resize-conditions asks of it."""
    first = timed(None, PodCondition("PodResizePending", "True", "Deferred"), 10.0, 2)
    again = timed(first, PodCondition("PodResizePending", "True", "Deferred", "less"), 20.0, 2)
    other = timed(again, PodCondition("PodResizePending", "True", "Infeasible"), 30.0, 3)
    times = [(c.lastProbeTime, c.lastTransitionTime) for c in (first, again, other)]
    assert times == [(instant(10), instant(10)), (instant(20), instant(10)), (instant(30), instant(30))]
    assert all(well_told(Pod(status=PodStatus(conditions=(c,)))) for c in (first, again, other))
    late = msgspec.structs.replace(again, lastProbeTime=instant(5))
    assert not well_told(Pod(status=PodStatus(conditions=(late,))))


def test_the_subresource_changes_nothing_but_resources():
    """resize-subresource, and resize-ephemeral-none beside it."""
    before = PodSpec((sized("1"),))
    assert only_resources_change(before, PodSpec((sized("2", "1Gi"),)))
    assert not only_resources_change(before, PodSpec((msgspec.structs.replace(sized("2"), image="other"),)))
    assert not ephemeral_without_resources(sized("1"))


@pytest.mark.parametrize(
    ("version", "init", "policy", "answer"),
    [
        ("1.32", False, None, False),
        ("1.36", False, None, True),
        ("1.36", True, "Always", True),
        ("1.36", True, None, True),
        ("1.35", True, None, False),
    ],
)
def test_what_can_be_resized_depends_on_the_version(version, init, policy, answer):
    assert resizable(sized("1", restartPolicy=policy), gates_for(version), init=init) is answer
