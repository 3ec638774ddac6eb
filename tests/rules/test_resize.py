"""In-place resize (rules resize-*)."""

from __future__ import annotations

import msgspec
import pytest

from podfsm.kube.objects import Container, PodSpec, ResizePolicy, ResourceRequirements
from podfsm.rules.gates import gates_for
from podfsm.rules.resize import (
    changed_resources,
    ephemeral_without_resources,
    needs_restart,
    only_resources_change,
    resizable,
)
from podfsm.rules.resize_pending import pending_reason, retry_delay


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
