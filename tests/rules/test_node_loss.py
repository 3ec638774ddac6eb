"""Lost nodes, taints that evict, and what a kubelet does for its node's sake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.cluster import NodeCondition, Taint
from podfsm.kube.objects import PodCondition, Toleration
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from podfsm.rules.node_loss import grace_period
from podfsm.rules.node_trouble import SYSTEM_CRITICAL, Usage
from podfsm.rules.taint_eviction import Plan, replan

RULES = all_rules()
LOST = Taint("node.kubernetes.io/unreachable", "", "NoExecute")
GPU = Taint("gpu", "", "NoExecute")


def tolerates(key, seconds=None):
    return Toleration(key, "Exists", tolerationSeconds=seconds)


def test_a_silent_node_is_noticed_and_its_pods_go():
    grace = grace_period(gates_for())
    assert RULES["node-grace-50s"](10.0, 0.0, grace) == 60.0
    assert RULES["node-lifetime-total"](10.0, grace) == 360.0
    assert grace_period(gates_for("1.31")) == 40.0


def test_only_ready_is_touched():
    before = (PodCondition(type="PodScheduled", status="True"), PodCondition(type="Ready", status="True", reason="x"))
    after = RULES["node-pods-unready"](before, instant(7))
    assert after[0] is before[0]
    assert (after[1].status, after[1].reason, after[1].lastTransitionTime) == ("False", "x", instant(7))


def test_taints_follow_conditions():
    conditions = (NodeCondition(type="Ready", status="Unknown"), NodeCondition(type="PIDPressure", status="True"))
    found = [(taint.key.split("/")[1], taint.effect) for taint in RULES["node-taints"](conditions, True)]
    assert found == [
        ("unreachable", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
        ("unreachable", "NoExecute"),
    ]


def test_default_tolerations_last_300_seconds():
    added = RULES["node-default-toleration-300"]([])
    taint = Taint("node.kubernetes.io/not-ready", "", "NoExecute")
    assert RULES["node-eviction-time"]((taint,), tuple(Toleration(**each) for each in added)) == 300.0


@pytest.mark.parametrize(
    ("nodes", "unready", "rate"), [(100, 0, 0.1), (100, 55, 0.01), (100, 54, 0.1), (50, 40, 0.0), (5, 2, 0.1)]
)
def test_tainting_slows_down(nodes, unready, rate):
    assert RULES["node-eviction-rate"](nodes, unready) == rate
    assert RULES["node-eviction-rate"](nodes, unready, True) == 0


def test_four_ways_out():
    ways = ("kubelet_back", "node_deleted", "out_of_service", "forced")
    assert all(RULES["node-unreachable-stuck-terminating"](**{way: True}) for way in ways)
    assert not RULES["node-unreachable-stuck-terminating"]()


def test_a_plan_does_not_move():
    planned = replan(None, (LOST,), (tolerates(LOST.key, 300),), 5.0)
    assert planned == Plan(5.0, 305.0)
    assert replan(planned, (LOST,), (tolerates(LOST.key, 10),), 20.0) == planned
    assert replan(planned, (LOST, GPU), (tolerates("", 600),), 20.0) == planned
    assert replan(planned, (LOST,), (tolerates(LOST.key, -1),), 20.0) == planned
    assert replan(planned, (LOST, GPU), (tolerates(LOST.key, 300),), 20.0) == Plan(20.0, 20.0)


def test_a_plan_is_called_off_and_starts_anew():
    tolerations = (tolerates(LOST.key, 300),)
    planned = replan(None, (LOST,), tolerations, 0.0)
    assert replan(planned, (), tolerations, 100.0) is None
    assert replan(planned, (LOST,), (tolerates(""),), 100.0) is None
    assert replan(None, (LOST,), tolerations, 200.0).due_at == 500.0


@given(
    seconds=st.lists(st.none() | st.integers(-3, 400), max_size=4),
    taints=st.lists(st.sampled_from([LOST, GPU, Taint("x", "", "NoSchedule")]), max_size=3),
)
def test_the_first_toleration_counts(seconds, taints):
    stays = RULES["node-eviction-time"](tuple(taints), tuple(tolerates("", each) for each in seconds))
    if not any(taint.effect == "NoExecute" for taint in taints):
        assert stays is None
    elif not seconds:
        assert stays == 0
    else:
        assert stays == (None if seconds[0] is None else max(0, seconds[0]))


def test_evictions_are_announced():
    assert RULES["node-eviction-condition"]().reason == "DeletionByTaintManager"


@given(
    st.lists(
        st.builds(
            Usage,
            st.text("abc", max_size=2),
            st.integers(0, 9),
            st.integers(0, 9),
            st.sampled_from([0, 5, SYSTEM_CRITICAL]),
            st.booleans(),
        ),
        unique_by=lambda usage: usage.pod,
    )
)
def test_pressure_takes_the_greedy_first_and_spares_the_critical(pods):
    order = RULES["node-pressure-eviction"](pods)
    by_name = {pod.pod: pod for pod in pods}
    assert set(order) == {pod.pod for pod in pods if pod.priority < SYSTEM_CRITICAL and not pod.static}
    over = [by_name[name].used > by_name[name].requested for name in order]
    assert over == sorted(over, reverse=True)


def test_how_the_kubelet_marks_pods():
    reason = RULES["node-admission-reject"]("NodeAffinity", "no").reason
    assert reason == "NodeAffinity"
    assert RULES["node-kubelet-preemption"](SYSTEM_CRITICAL, 5).reason == "Preempting"
    grace, status = RULES["node-shutdown"]("Pending", 10.0, 30.0)
    assert (grace, status.phase, status.reason) == (10.0, "Failed", "Terminated")
    assert RULES["node-pressure-grace"](False, 90.0, 30.0) == 1.0
