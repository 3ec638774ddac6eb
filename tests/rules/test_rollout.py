"""Rollouts of Deployments, and how far Jobs have come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.workloads import SuccessPolicy, SuccessPolicyRule
from podfsm.rules.catalogue import all_rules
from podfsm.rules.job_progress import Failures, indexes_of
from podfsm.rules.rollout import Limits, Sized

RULES = all_rules()
SIZES = st.integers(0, 12)
LIMITS = SIZES | st.integers(0, 100).map("{}%".format)


def test_surge_and_unavailability_are_rounded_apart():
    assert RULES["ctl-rollout-limits"](5, "25%", "25%") == Limits(5, 2, 1)
    assert RULES["ctl-rollout-limits"](3, 0, "10%") == Limits(3, 0, 1)
    assert RULES["ctl-scaled-number"]("10%", 3, up=True) == 1


def test_the_new_set_grows_within_the_surge():
    grown = RULES["ctl-rollout-grow"]
    assert [grown(Limits(3, 1, 0), *sizes) for sizes in ((0, 3), (1, 4), (5, 5))] == [1, 1, 3]


@given(wanted=SIZES, surge=LIMITS, unavailable=LIMITS, sizes=st.tuples(SIZES, SIZES, SIZES), broken=SIZES)
def test_a_step_keeps_to_the_limits(wanted, surge, unavailable, sizes, broken):
    limits = RULES["ctl-rollout-limits"](wanted, surge, unavailable)
    total = sum(sizes)
    grown = RULES["ctl-rollout-grow"](limits, sizes[0], total)
    assert total - sizes[0] + grown <= max(total, wanted + limits.surge)
    new, *old = (Sized(str(n), size, max(0, size - broken)) for n, size in enumerate(sizes))
    shrunk = RULES["ctl-rollout-shrink"](limits, new, old)
    left = new.available + sum(min(each.available, shrunk.get(each.name, each.size)) for each in old)
    before = new.available + sum(each.available for each in old)
    assert left >= min(before, wanted - limits.unavailable)


@given(wanted=SIZES, surge=st.integers(0, 4), sizes=st.lists(st.integers(1, 12), min_size=2, max_size=4))
def test_a_new_size_is_shared_without_rest(wanted, surge, sizes):
    known = max(1, sum(sizes) - surge)
    *old, new = (Sized(str(age), size, 0, age, known) for age, size in enumerate(sizes))
    shared = RULES["ctl-rollout-proportional"](Limits(wanted, surge, 1), new, old)
    after = sum(shared.get(each.name, each.size) for each in (*old, new))
    assert after == (wanted + surge if wanted else 0)
    assert all(size >= 0 for size in shared.values())


def test_recreate_shares_nothing():
    shared = RULES["ctl-rollout-proportional"]
    assert shared(Limits(9, 0, 0), Sized("new", 1), [Sized("old", 3)], rolling=False) == {}


@pytest.mark.parametrize(
    ("indexes", "text"), [((), ""), ((1,), "1"), ((0, 1), "0,1"), ((0, 1, 2, 5, 7, 8), "0-2,5,7,8")]
)
def test_indexes_are_written_in_runs(indexes, text):
    assert RULES["ctl-job-indexes-text"](indexes) == text


@given(st.frozensets(st.integers(0, 30)))
def test_written_indexes_are_read_again(indexes):
    assert indexes_of(RULES["ctl-job-indexes-text"](indexes)) == indexes


def test_a_success_starts_the_count_of_failures_anew():
    count = RULES["ctl-job-failures-in-a-row"]
    assert count(count(Failures(), [], [1.0, 2.0]), [3.0], [2.5]) == Failures()


def test_any_rule_of_a_success_policy_will_do():
    policy = SuccessPolicy((SuccessPolicyRule("0"), SuccessPolicyRule(succeededCount=2)))
    met = RULES["ctl-job-success-policy"]
    assert [met(policy, frozenset(done)) for done in ((), (1,), (0,), (1, 2))] == [False, False, True, True]
