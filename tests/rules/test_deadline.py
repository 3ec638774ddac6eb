"""activeDeadlineSeconds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import Pod, PodSpec, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.deadline import deadline_at, exceeded
from podfsm.rules.facts import PodFacts

RULES = all_rules()
values = st.none() | st.integers(-2, 2**31 + 1)


def pod(seconds=10, start=100):
    return Pod(
        spec=PodSpec(activeDeadlineSeconds=seconds),
        status=PodStatus(startTime=None if start is None else instant(start)),
    )


def test_it_passes_at_the_very_second():
    assert deadline_at(pod()) == 110.0
    assert not exceeded(pod(), 109.9)
    assert exceeded(pod(), 110.0)


@pytest.mark.parametrize("endless", [pod(None), pod(start=None), pod(None, None)])
def test_without_a_start_or_a_deadline_never(endless):
    assert deadline_at(endless) is None
    assert not exceeded(endless, 1e12)


@given(start=st.integers(0, 1000), seconds=st.integers(0, 1000), now=st.floats(0, 3000))
def test_guard_and_predicate_agree(start, seconds, now):
    ends = RULES["deadline-clock-start"](float(start), seconds)
    verdict = RULES["deadline-enforced"].judge(PodFacts(deadline_at=ends, now=now))
    assert bool(verdict) == exceeded(pod(seconds, start), now)
    if not verdict:
        assert verdict.not_before == ends


@given(ends=st.floats(0, 500), ticked=st.floats(0, 500))
def test_noticed_within_a_second(ends, ticked):
    at = RULES["deadline-check-period"](ends, ticked)
    assert -1e-6 <= at - ends < 1 + 1e-6


@given(phase=st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]))
def test_it_overrides_every_phase(phase):
    assert RULES["deadline-no-disruption"](phase, True)[:2] == ("Failed", "DeadlineExceeded")
    assert RULES["deadline-no-disruption"](phase, False) == (phase, "", "")


@given(before=values, after=values)
def test_updates_only_shorten(before, after):
    accepted = RULES["deadline-field"](PodSpec(activeDeadlineSeconds=before), PodSpec(activeDeadlineSeconds=after))
    if accepted and before is not None and before <= 2**31 - 1:
        assert after is not None
        assert 0 <= after <= before
    if before is None and after is not None:
        assert accepted == (0 <= after <= 2**31 - 1)


@given(values)
def test_creation(value):
    accepted = RULES["deadline-field"](None, PodSpec(activeDeadlineSeconds=value))
    assert accepted == (value is None or 1 <= value <= 2147483647)


def test_no_deadline_in_templates_of_controllers():
    assert RULES["deadline-not-in-controllers"](PodSpec())
    assert not RULES["deadline-not-in-controllers"](PodSpec(activeDeadlineSeconds=1))
