"""Pod garbage collection."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.cluster import Node, NodeCondition, NodeSpec, NodeStatus, Taint
from podfsm.kube.objects import ObjectMeta, Pod, PodSpec, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.deletion_gc import collect, finished, first_missed
from podfsm.rules.gates import gates_for

RULES = all_rules()
NOW = gates_for()
DELETED = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name, phase="Running", *, node="n", deleting=False, created=0, reason=""):
    return Pod(
        metadata=ObjectMeta(
            name=name, creationTimestamp=instant(created), deletionTimestamp=DELETED if deleting else None
        ),
        spec=PodSpec(nodeName=node),
        status=PodStatus(phase=phase, reason=reason),
    )


def node(ready="True", *taints):
    return Node(
        spec=NodeSpec(tuple(Taint(key) for key in taints)),
        status=NodeStatus(conditions=(NodeCondition(type="Ready", status=ready),)),
    )


def names(removed):
    return [each.name for each in removed]


def test_only_the_surplus_goes_oldest_first():
    pods = [pod("new", "Failed", created=9), pod("old", "Succeeded", created=1), pod("busy"), pod("odd", "", created=5)]
    assert names(collect(pods, {"n": node()}, {}, 1, NOW)) == ["old", "odd"]
    assert collect(pods, {"n": node()}, {}, 3, NOW) == ()
    assert collect(pods, {"n": node()}, {}, None, NOW) == ()


def test_an_unset_phase_is_finished_and_becomes_failed():
    (removed,) = collect([pod("odd", "")], {"n": node()}, {}, 0, NOW)
    assert removed.marked_failed
    assert not removed.disruption_target


@pytest.mark.parametrize(("missing", "gone"), [({}, []), ({"n": 39.9}, []), ({"n": 40.0}, ["p"])])
def test_orphans_wait_for_the_quarantine(missing, gone):
    removed = collect([pod("p")], {}, missing, None, NOW)
    assert names(removed) == gone
    assert all(each.marked_failed and each.disruption_target for each in removed)


def test_a_node_that_comes_back_starts_anew():
    pods = [pod("p"), pod("q", node="")]
    since = first_missed(pods, {}, {}, 10.0)
    assert since == {"n": 10.0}
    assert first_missed(pods, {}, since, 30.0) == {"n": 10.0}
    assert first_missed(pods, {"n"}, since, 30.0) == {}


@pytest.mark.parametrize(
    ("version", "ready", "taint", "gone"),
    [
        ("1.36", "Unknown", "node.kubernetes.io/out-of-service", True),
        ("1.36", "True", "node.kubernetes.io/out-of-service", False),
        ("1.36", "Unknown", "node.kubernetes.io/unreachable", False),
        ("1.24", "Unknown", "node.kubernetes.io/out-of-service", False),
    ],
)
def test_out_of_service(version, ready, taint, gone):
    removed = collect([pod("p", deleting=True)], {"n": node(ready, taint)}, {}, None, gates_for(version))
    assert bool(removed) is gone
    assert collect([pod("p")], {"n": node(ready, taint)}, {}, None, gates_for(version)) == ()


def test_nobody_else_ends_a_pod_without_a_node():
    assert names(collect([pod("p", "Pending", node="", deleting=True)], {}, {}, None, NOW)) == ["p"]


@given(
    phases=st.lists(st.sampled_from(["Succeeded", "Failed", "Running", "Pending", "Unknown"]), max_size=8),
    limit=st.none() | st.integers(0, 4),
)
def test_finished_pods_stay_up_to_the_threshold(phases, limit):
    pods = [pod(f"p{index}", phase, created=index) for index, phase in enumerate(phases)]
    removed = collect(pods, {"n": node()}, {}, limit, NOW)
    ended = sum(map(finished, pods))
    assert ended - len(removed) == (ended if limit is None else min(limit, ended))
    assert not any(each.marked_failed for each in removed)


def test_figures():
    assert RULES["gc-threshold-default"](None) == 12500
    assert RULES["gc-period"](5.0) == 25.0
    assert RULES["gc-container-records"]("cba") == "c"
    assert not RULES["gc-bare-pod-not-recreated"](ObjectMeta())
