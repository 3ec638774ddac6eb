"""Scheduling gates and binding."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import ObjectMeta, Pod, PodCondition, PodSchedulingGate, PodSpec, PodStatus
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import PodFacts
from podfsm.rules.gates import gates_for
from podfsm.rules.scheduling import gated

RULES = all_rules()
names = st.sets(st.sampled_from("abc"))


def spec(gates, node=""):
    return PodSpec(nodeName=node, schedulingGates=tuple(PodSchedulingGate(name) for name in sorted(gates)))


def test_gates_hold_a_pod_back_where_they_exist():
    assert gated(spec("a"), gates_for("1.36"))
    assert not gated(spec("a"), gates_for("1.26"))
    assert not gated(spec(""), gates_for("1.36"))
    assert RULES["sched-gates"].judge(PodFacts(gated=False))
    assert not RULES["sched-gates"].judge(PodFacts(gated=True))


@given(before=names, after=names)
def test_gates_only_go(before, after):
    assert RULES["sched-gates-only-removed"](spec(before), spec(after)) == (after <= before)


@given(gates=names)
def test_no_node_beside_a_gate(gates):
    assert RULES["sched-gates-only-removed"](None, spec(gates))
    assert RULES["sched-gates-only-removed"](None, spec(gates, "n")) == (not gates)


def test_bound_once():
    once = RULES["sched-once"]
    free, bound, moved = (Pod(metadata=ObjectMeta(uid="u"), spec=spec("", node)) for node in ("", "n", "m"))
    held = Pod(metadata=ObjectMeta(uid="u"), spec=spec("a"))
    gone = Pod(metadata=ObjectMeta(uid="u", deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC)), spec=spec(""))
    assert once(free, bound)
    assert once(held, bound), "the gate went in between"
    assert not once(bound, moved)
    assert not once(bound, free)
    assert not once(gone, bound)
    assert not once(free, Pod(metadata=ObjectMeta(uid="u"), spec=spec("a", "n")))


def test_an_unschedulable_pod_stays_pending():
    condition = PodCondition(type="PodScheduled", status="False", reason="Unschedulable")
    waits = RULES["sched-pending-unschedulable"]
    for phase in ("Running", "Succeeded", "Failed"):
        assert not waits(Pod(status=PodStatus(phase=phase, conditions=(condition,))))
    assert waits(Pod(status=PodStatus(phase="Pending", conditions=(condition,))))
