"""Delays between restarts and between image pulls: backoff-* rules and the entries that carry the delays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import Container, ResourceRequirements
from podfsm.rules import backoff, crash_backoff, image_backoff
from podfsm.rules.catalogue import all_rules
from podfsm.rules.crash_backoff import BackOffEntry
from podfsm.rules.facts import ContainerFacts, Role, RuntimeContainer, RuntimeState
from podfsm.rules.gates import gates_for

RULES = all_rules()

KUBELET = {"initial": 10.0, "maximum": 300.0, "expiry": 600.0}


def crash_at_once(times, **limits):
    """The waits of a container that runs for one second each time and is restarted as soon as it may be."""
    entry, now, waits = None, 0.0, []
    for _ in range(times):
        finished_at = now = now + 1.0
        entry, retry_at = crash_backoff.check(entry, finished_at=finished_at, now=now, **{**KUBELET, **limits})
        if retry_at is not None:
            now = retry_at
            entry, again = crash_backoff.check(entry, finished_at=finished_at, now=now, **{**KUBELET, **limits})
            assert again is None
        waits.append(now - finished_at)
    return waits


def test_backoff_sequence():
    assert crash_at_once(9) == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_smaller_cap():
    assert crash_at_once(5, maximum=30.0) == [0, 10, 20, 30, 30]


@pytest.mark.parametrize(("ran", "starts_over"), [(599.0, False), (600.0, False), (600.5, True)])
def test_backoff_reset_after_more_than_ten_minutes(ran, starts_over):
    entry, retry_at = crash_backoff.check(
        BackOffEntry(40.0, 100.0), finished_at=100.0 + ran, now=100.0 + ran, **KUBELET
    )
    assert (retry_at is None) == starts_over
    assert entry.delay == (10.0 if starts_over else 40.0)


def test_reset_does_not_shrink_with_the_cap():
    assert not RULES["backoff-reset"](500.0, 0.0)
    entry, _ = crash_backoff.check(
        BackOffEntry(5.0, 0.0), finished_at=500.0, now=510.0, initial=5.0, maximum=5.0, expiry=600.0
    )
    assert entry == BackOffEntry(5.0, 510.0)


def test_clean_up_ends_a_long_delay_early():
    entry = BackOffEntry(300.0, 0.0)
    _, retry_at = crash_backoff.check(entry, finished_at=400.0, now=401.0, **KUBELET)
    assert retry_at == 700.0
    assert crash_backoff.collect(entry, now=600.0, expiry=600.0) is entry
    left = crash_backoff.collect(entry, now=601.0, expiry=600.0)
    assert left is None
    assert crash_backoff.check(left, finished_at=400.0, now=601.0, **KUBELET) == (BackOffEntry(10.0, 601.0), None)
    assert crash_backoff.collect(None, now=0.0, expiry=600.0) is None


@given(
    delay=st.sampled_from([10.0, 20.0, 40.0, 300.0]),
    last=st.integers(0, 1000),
    ran=st.integers(0, 700),
    wait=st.integers(0, 400),
)
def test_an_attempt_is_let_through_exactly_from_the_instant_named(delay, last, ran, wait):
    entry, finished_at = BackOffEntry(delay, last), last + ran
    after, retry_at = crash_backoff.check(entry, finished_at=finished_at, now=finished_at + wait, **KUBELET)
    if retry_at is None:
        assert after.last_update == finished_at + wait
    else:
        assert after is entry
        assert finished_at + wait < retry_at == finished_at + delay
        assert crash_backoff.check(entry, finished_at=finished_at, now=retry_at, **KUBELET)[1] is None


@pytest.mark.parametrize(
    ("version", "overrides", "node_max", "expected"),
    [
        ("1.36", {}, None, (10.0, 300.0)),
        ("1.36", {}, 60.0, (10.0, 60.0)),
        ("1.36", {}, 5.0, (5.0, 5.0)),
        ("1.32", {}, 60.0, (10.0, 300.0)),
        ("1.33", {"ReduceDefaultCrashLoopBackOffDecay": True}, None, (1.0, 60.0)),
        ("1.36", {"ReduceDefaultCrashLoopBackOffDecay": True}, 120.0, (1.0, 120.0)),
    ],
)
def test_limits_by_gate(version, overrides, node_max, expected):
    assert crash_backoff.limits(gates_for(version, overrides), node_max) == expected


def test_expiry_is_ten_minutes():
    assert crash_backoff.expiry() == 600.0


@pytest.mark.parametrize("name", ["backoff-sequence", "backoff-init-and-sidecar", "backoff-exit-zero-too"])
def test_guards_name_the_instant_to_wait_for(name):
    role = Role.SIDECAR if name == "backoff-init-and-sidecar" else Role.APP
    facts = ContainerFacts(role=role, instance=RuntimeState.EXITED, now=5.0, retry_at=12.0)
    verdict = RULES[name].judge(facts)
    assert not verdict
    assert verdict.not_before == 12.0
    assert verdict.rule == name
    assert RULES[name].judge(ContainerFacts(role=role, instance=RuntimeState.EXITED, now=12.0, retry_at=12.0))


def test_backoff_first_immediate_only_without_a_delay_in_force():
    judge = RULES["backoff-first-immediate"].judge
    assert judge(ContainerFacts(instance=RuntimeState.EXITED))
    assert not judge(ContainerFacts(instance=RuntimeState.EXITED, now=12.0, retry_at=12.0))


def test_backoff_key_changes_with_image_and_resources():
    container = Container(name="a", image="a:1")
    with_limits = Container(name="a", image="a:1", resources=ResourceRequirements(limits={"cpu": "1"}))
    assert backoff.key("u", container) != backoff.key("u", Container(name="a", image="a:2"))
    assert backoff.key("u", container) != backoff.key("u", with_limits)
    assert backoff.key("u", container, resources=False) == backoff.key("u", with_limits, resources=False)
    assert RULES["backoff-key"]("u", container) != RULES["backoff-key"]("v", container)


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (10, "10s"), (60, "1m0s"), (300, "5m0s"), (3605, "1h0m5s")])
def test_durations_as_go_prints_them(seconds, text):
    assert backoff.go_duration(seconds) == text


def test_figures():
    assert RULES["backoff-base"]() == 10
    assert RULES["backoff-cap"]() == 300
    assert RULES["backoff-reduced"]() == (1, 60)
    assert RULES["backoff-node-max"](10.0, 20.0) == (10.0, 20.0)


def test_requeue_never_later_than_the_resync_and_half():
    requeue = RULES["backoff-requeue-jitter"]
    assert [requeue(remaining, jitter=1.0) for remaining in (0.0, 20.0, 300.0)] == [0.0, 30.0, 90.0]
    assert RULES["backoff-sync-error"]("failed") == 10.0


def test_backoff_liveness_kill_immediate_looks_at_the_run_before():
    counted_from = RULES["backoff-liveness-kill-immediate"]
    killed = RuntimeContainer("a-1", "a", RuntimeState.RUNNING)
    before = RuntimeContainer("a-0", "a", RuntimeState.EXITED, finished_at=7.0)
    assert counted_from((killed,)) is None
    assert counted_from((killed, before)) == 7.0


def test_backoff_reason_names_the_delay():
    assert RULES["backoff-reason"](300.0, "app", "p_ns(u)") == (
        "CrashLoopBackOff",
        "back-off 5m0s restarting failed container=app pod=p_ns(u)",
    )


def test_image_pulls_wait_10_20_40_seconds_from_the_failure():
    entry, now, waits = None, 0.0, []
    for _ in range(7):
        entry = image_backoff.failed(entry, now=now)
        retry_at = image_backoff.retry_at(entry, now=now)
        waits.append(retry_at - now)
        assert image_backoff.retry_at(entry, now=retry_at) is None
        now = retry_at
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert image_backoff.key("u", "a:1") != image_backoff.key("u", "a:2")


def test_image_entry_is_forgotten_after_twice_the_longest_delay():
    entry = BackOffEntry(160.0, 0.0)
    assert image_backoff.collect(entry, now=600.0) is entry
    assert image_backoff.collect(entry, now=601.0) is None
    assert image_backoff.failed(entry, now=601.0) == BackOffEntry(10.0, 601.0)
    assert image_backoff.retry_at(None, now=0.0) is None
    assert RULES["backoff-image-pull"](None) == 10.0


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.25", "IfNotPresent"),
        ("localhost:5000/nginx", "Always"),
        ("localhost:5000/team/nginx:2", "IfNotPresent"),
        ("nginx@sha256:00ff", "IfNotPresent"),
        ("nginx:1@sha256:00ff", "IfNotPresent"),
    ],
)
def test_pull_policy_default(image, policy):
    assert backoff.pull_policy_default(image) == policy
    assert RULES["backoff-pull-policy-default"](image) == policy
