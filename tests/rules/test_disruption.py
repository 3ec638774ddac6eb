"""PodDisruptionBudgets, and the eviction API that asks them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.cluster import Condition, PodDisruptionBudget, PodDisruptionBudgetSpec, PodDisruptionBudgetStatus
from podfsm.kube.objects import LabelSelector, ObjectMeta, OwnerReference, Pod, PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.disruption_budget import Controller, budget_status
from podfsm.rules.disruption_target import Cause
from podfsm.rules.eviction import after_grant, condition_before_deletion, evict
from podfsm.rules.gates import gates_for

RULES = all_rules()
NOW = gates_for()
WEB = LabelSelector({"app": "web"})
READY = (PodCondition(type="Ready", status="True"),)
FAILED = Condition("DisruptionAllowed", "False", "SyncFailed", "why")
DELETED = datetime(2026, 1, 1, tzinfo=UTC)


def pod(name="p", *, owner=None, ready=True, deleting=False, phase="Running"):
    references = (OwnerReference("apps/v1", owner.kind, owner.name, owner.uid, controller=True),) if owner else ()
    metadata = ObjectMeta(
        name=name,
        labels={"app": "web"},
        ownerReferences=references,
        deletionTimestamp=DELETED if deleting else None,
    )
    return Pod(metadata=metadata, status=PodStatus(phase=phase, conditions=READY if ready else ()))


def budget(allowed=0, current=0, desired=0, *, selector=WEB, generation=1, conditions=(), granted=None, **spec):
    return PodDisruptionBudget(
        metadata=ObjectMeta(name="b", generation=generation),
        spec=PodDisruptionBudgetSpec(selector=selector, **spec),
        status=PodDisruptionBudgetStatus(1, granted or {}, allowed, current, desired, conditions=conditions),
    )


SET = Controller("ReplicaSet", "web-1", "u1", 4, "web")
DEPLOYMENT = Controller("Deployment", "web", "u2", 3)


def test_a_replicaset_counts_with_its_deployment():
    pods = [pod("a", owner=SET), pod("b", owner=SET), pod("c", ready=False, owner=SET)]
    status = budget_status(budget(maxUnavailable=1), pods, [SET, DEPLOYMENT], 0.0)
    assert (status.expected, status.desired, status.current, status.allowed) == (3, 2, 2, 0)
    assert (status.condition, status.reason) == ("False", "InsufficientPods")


@pytest.mark.parametrize("known", [[], [SET], [DEPLOYMENT], [Controller("ReplicaSet", "web-1", "other", 4)]])
def test_a_missing_owner_stops_everything(known):
    status = budget_status(budget(maxUnavailable="50%"), [pod(owner=SET)], known, 0.0)
    assert (status.allowed, status.condition, status.reason) == (0, "False", "SyncFailed")
    assert status.expected is None


def test_a_number_as_minimum_needs_no_owner():
    status = budget_status(budget(minAvailable=1), [pod("a", owner=SET), pod("b")], [], 0.0)
    assert (status.expected, status.desired, status.allowed) == (2, 1, 1)


def test_a_budget_without_selector_or_limit_allows_nothing():
    assert budget_status(budget(selector=None, minAvailable=0), [pod()], [], 0.0).allowed == 0
    assert budget_status(budget(selector=LabelSelector(), minAvailable=0), [pod()], [], 0.0).allowed == 1
    assert budget_status(budget(), [pod()], [], 0.0).allowed == 0


@pytest.mark.parametrize(("now", "current", "kept"), [(119.0, 0, True), (120.0, 1, True), (121.0, 1, False)])
def test_a_granted_eviction_hides_its_pod_for_two_minutes(now, current, kept):
    status = budget_status(budget(minAvailable=0, granted={"p": instant(0), "gone": instant(0)}), [pod()], [], now)
    assert status.current == current
    assert set(status.disrupted) == ({"p"} if kept else set())


@given(minimum=st.integers(0, 5) | st.sampled_from(["0%", "30%", "50%", "100%"]), total=st.integers(0, 6))
def test_allowed_evictions_leave_what_is_desired(minimum, total):
    owner = Controller("ReplicaSet", "r", "u", total)
    status = budget_status(
        budget(minAvailable=minimum), [pod(f"p{i}", owner=owner) for i in range(total)], [owner], 0.0
    )
    assert status.allowed == max(0, total - status.desired)
    assert RULES["pdb-fields"](PodDisruptionBudgetSpec(minAvailable=minimum))


@pytest.mark.parametrize("given_pod", [pod(phase="Pending"), pod(phase="Succeeded"), pod(deleting=True)])
def test_some_pods_ask_nobody(given_pod):
    assert RULES["pdb-ignored-states"](given_pod)
    assert evict(given_pod, [budget(), budget()], NOW).allowed


def test_without_a_budget_all_are_evicted():
    assert evict(pod(), [budget(selector=LabelSelector({"app": "db"})), budget(selector=None)], NOW).code == 201


@pytest.mark.parametrize(
    ("given_budget", "code", "says"),
    [
        (budget(1), 201, ""),
        (budget(0, 1, 2), 429, "needs 2 healthy pods and has 1 currently"),
        (budget(0, 3, 2), 429, "b does not allow evicting pods currently"),
        (budget(1, generation=2), 429, "still being processed"),
        (budget(-1), 403, ""),
        (budget(1, granted={str(i): DELETED for i in range(2001)}), 403, ""),
        (
            budget(0, conditions=(Condition("DisruptionAllowed", "False", "SyncFailed", "why"),)),
            429,
            "failed sync: why",
        ),
    ],
)
def test_answers(given_budget, code, says):
    answer = evict(pod(), [given_budget], NOW)
    assert answer.code == code
    assert says in answer.cause
    assert answer.spends == answer.allowed
    assert (condition_before_deletion(answer) is not None) == answer.allowed
    assert RULES["pdb-evict-codes"]([given_budget]) == code


@pytest.mark.parametrize(
    ("version", "given_budget", "allowed"),
    [
        ("1.36", budget(0, 1, 2, unhealthyPodEvictionPolicy="AlwaysAllow"), True),
        ("1.26", budget(0, 1, 2, unhealthyPodEvictionPolicy="AlwaysAllow"), False),
        ("1.36", budget(0, 2, 2, unhealthyPodEvictionPolicy="IfHealthyBudget"), True),
        ("1.36", budget(0, 1, 2), False),
        ("1.36", budget(0, 0, 0), False),
    ],
)
def test_unready_pods(version, given_budget, allowed):
    answer = evict(pod(ready=False), [given_budget], gates_for(version))
    assert answer.allowed is allowed
    assert not answer.spends
    assert not evict(pod(), [given_budget], gates_for(version)).allowed


def test_a_grant_is_noted():
    after = after_grant(budget(2).status, "p", 5.0)
    assert after.disruptionsAllowed == 1
    assert after.disruptedPods == {"p": instant(5)}


def test_only_the_eviction_api_asks():
    assert [cause for cause in Cause if RULES["pdb-limits-voluntary"](cause)] == [Cause.EVICTION_API]
    assert RULES["pdb-fail-safe"](None)[1] == "SyncFailed"
