"""Lifecycle hooks, rule by rule."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import ExecAction, HTTPGetAction, LifecycleHandler, SleepAction, TCPSocketAction
from podfsm.rules.catalogue import all_rules, omitted
from podfsm.rules.facts import ContainerFacts, HookState, RuntimeState

RULES = all_rules()
RUNS, EXITED = RuntimeState.RUNNING, RuntimeState.EXITED


def judge(rule, **facts):
    return bool(RULES[rule].judge(ContainerFacts(**facts)))


def test_one_handler_of_four():
    handlers = {
        "exec": ExecAction(),
        "httpGet": HTTPGetAction(),
        "tcpSocket": TCPSocketAction(),
        "sleep": SleepAction(1),
    }
    for count in range(5):
        for names in itertools.combinations(handlers, count):
            hook = LifecycleHandler(**{name: handlers[name] for name in names})
            assert RULES["hook-types"](hook) is (count == 1)


@pytest.mark.parametrize(
    ("seconds", "grace", "zero", "accepted"),
    [(0, 0, True, True), (0, 30, False, False), (1, 30, False, True), (30, 30, True, True), (31, 30, True, False)],
)
def test_sleep_fits_into_the_grace(seconds, grace, zero, accepted):
    assert RULES["hook-sleep"](seconds, grace, zero) is accepted


@given(start=st.integers(0, 9), hooks=st.lists(st.none() | st.integers(0, 30), max_size=5))
def test_poststart_holds_up_those_after_it_and_only_those(start, hooks):
    starts = RULES["hook-poststart-blocks"](start, hooks)
    assert len(starts) == len(hooks)
    assert list(starts) == sorted(starts)
    for (one, hook), following in zip(zip(starts, hooks, strict=True), starts[1:], strict=False):
        assert following == RULES["hook-poststart-async"](one, hook)
        assert following - one == (hook or 0)


def test_a_failed_poststart_stops_a_container_that_runs():
    assert judge("hook-poststart-failure-kills", instance=RUNS, poststart_failed=True)
    assert not judge("hook-poststart-failure-kills", instance=None, poststart_failed=True)
    assert not judge("hook-poststart-failure-kills", instance=EXITED, poststart_failed=True)


def test_one_that_exits_by_itself_gets_no_prestop():
    assert not judge("hook-prestop-when", instance=EXITED, prestop=HookState.PENDING)
    assert judge("hook-prestop-when", instance=RUNS, prestop=HookState.PENDING)


def test_no_grace_no_hook():
    assert not judge("hook-prestop-zero-grace", grace=0)
    assert not judge("hook-prestop-zero-grace", grace=-1)
    assert judge("hook-prestop-zero-grace", grace=1)


@given(prestop=st.none() | st.sampled_from(HookState), grace=st.integers(-1, 3))
def test_a_stop_either_runs_the_hook_or_waits_for_it_or_signals(prestop, grace):
    facts = {"instance": RUNS, "prestop": prestop, "grace": grace}
    runs_hook = judge("hook-prestop-when", **facts) and judge("hook-prestop-zero-grace", **facts)
    signals = judge("hook-prestop-failure", **facts)
    waits = prestop is HookState.RUNNING
    assert [runs_hook, waits, signals].count(True) == 1
    if prestop is HookState.FAILED:
        assert signals


@given(began=st.integers(0, 99), hook=st.integers(0, 60), grace=st.integers(1, 60))
def test_prestop_ends_with_the_grace_at_the_latest(began, hook, grace):
    over = RULES["hook-prestop-sync"](began, hook, grace)
    assert over == min(began + hook, began + grace)


@pytest.mark.parametrize("code", [200, 302, 404, 500])
def test_http_hooks_do_not_look_at_the_status(code):
    assert RULES["hook-http-status-ignored"](code)
    assert not RULES["hook-http-status-ignored"](code, error="connection reset")


def test_at_least_once_is_left_out_knowingly():
    assert "second delivery" in omitted()["hook-at-least-once"]
