"""The phase: phase-* rules, asked of whole sets of container statuses and of one kubelet's decisions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import Container, ContainerRestartRule, ExitCodes, PodCondition, PodStatus
from podfsm.rules import phase, phase_invariants
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import PodFacts
from podfsm.rules.phase_counts import Standing
from tests.rules.statuses import (
    NEW,
    OLD,
    containers,
    ends,
    pod,
    pods_with_statuses,
    runs,
    shown,
    spec,
    waits,
)

RULES = all_rules()
SIDECAR = containers("side", policy="Always")
INIT = containers("init")


def of(given, apps, init=(), *, terminal=False, initialized=True, static=False, gates=NEW):
    return phase.pod_phase(given, init, apps, terminal=terminal, initialized=initialized, static=static, gates=gates)


CRASHED = shown("app", waits("CrashLoopBackOff"), ends(1))


@pytest.mark.parametrize(
    ("policy", "status", "expected"),
    [
        ("Always", shown("app", waits()), "Pending"),
        ("Always", shown("app", runs()), "Running"),
        ("Always", CRASHED, "Running"),
        ("Always", shown("app", ends(0)), "Running"),
        ("OnFailure", shown("app", ends(0)), "Succeeded"),
        ("OnFailure", shown("app", ends(1)), "Running"),
        ("Never", shown("app", ends(0)), "Succeeded"),
        ("Never", shown("app", ends(1)), "Failed"),
        ("Never", shown("app", ends(137, "RestartingAllContainers")), "Running"),
        ("", shown("app", ends(0)), "Running"),
    ],
)
def test_one_container(policy, status, expected):
    assert of(spec("app", policy=policy), (status,)) == expected


@pytest.mark.parametrize("apps", [(), (shown("app", ends(0)),), (shown("app", runs()), shown("b", ends(0)))])
def test_phase_missing_status_is_unknown_count(apps):
    """A container nobody reports keeps the Pod Pending, whether the others run or are done."""
    assert of(spec("app", "b", "c", policy="Never"), apps) == "Pending"


def test_waiting_beats_running():
    assert of(spec("a", "b"), (shown("a", runs()), shown("b", waits()))) == "Pending"


def test_one_restartable_container_keeps_the_pod_running():
    """phase-mixed-restart-rules: the one that failed for good does not end the Pod while the other may restart."""
    again = Container(name="b", restartPolicy="OnFailure")
    statuses = (shown("a", ends(1)), shown("b", ends(1)))
    assert of(spec("a", again, policy="Never"), statuses) == "Running"
    assert of(spec("a", again, policy="Never"), (shown("a", ends(1)), shown("b", ends(0)))) == "Failed"


def test_a_restart_rule_counts_by_exit_code():
    rule = ContainerRestartRule("Restart", ExitCodes("In", (42,)))
    container = Container(name="a", restartPolicy="Never", restartPolicyRules=(rule,))
    assert of(spec(container, policy="Never"), (shown("a", ends(42)),)) == "Running"
    assert of(spec(container, policy="Never"), (shown("a", ends(1)),)) == "Failed"
    assert of(spec(container, policy="Never"), (shown("a", ends(42)),), gates=OLD) == "Failed"


def test_what_is_shown_waiting_has_not_succeeded():
    """All stopped with exit 0 under OnFailure, one shown waiting: Failed now, Running before container policies."""
    statuses = (shown("a", ends(0)), shown("b", waits("ErrImagePull"), ends(0)))
    assert of(spec("a", "b", policy="OnFailure"), statuses) == "Failed"
    assert of(spec("a", "b", policy="OnFailure"), statuses[1:] + statuses[:1]) == "Failed"
    assert of(spec("a", "b", policy="Always"), statuses, gates=OLD) == "Running"


@pytest.mark.parametrize(("code", "expected"), [(0, "Succeeded"), (143, "Failed")])
def test_a_terminal_pod_ends_whatever_its_policy(code, expected):
    assert of(spec("app"), (shown("app", ends(code)),), terminal=True) == expected
    assert of(spec("app"), (shown("app", ends(code)),), terminal=True, static=True) == "Running"


@pytest.mark.parametrize(
    ("policy", "status", "expected"),
    [
        ("Never", shown("init", ends(1)), "Failed"),
        ("Never", shown("init", waits("CrashLoopBackOff"), ends(1)), "Failed"),
        ("OnFailure", shown("init", ends(1)), "Pending"),
        ("Always", shown("init", runs()), "Pending"),
        ("Never", shown("init", ends(0)), "Pending"),
    ],
)
def test_init_container_before_the_app(policy, status, expected):
    assert of(spec("app", init=INIT, policy=policy), (shown("app", waits("PodInitializing")),), (status,)) == expected


def test_a_failed_init_container_fails_the_pod_though_apps_run():
    assert of(spec("app", init=INIT, policy="Never"), (shown("app", runs()),), (shown("init", ends(1)),)) == "Failed"


def test_an_init_container_with_its_own_policy_may_try_again():
    own = containers("init", policy="OnFailure")
    statuses = (shown("app", waits("PodInitializing")),)
    assert of(spec("app", init=own, policy="Never"), statuses, (shown("init", ends(1)),)) == "Pending"
    assert of(spec("app", init=own, policy="Never"), statuses, (shown("init", ends(1)),), gates=OLD) == "Failed"


@pytest.mark.parametrize(
    ("side", "initialized", "expected"),
    [
        (shown("side", runs(), started=False), False, "Pending"),
        (shown("side", runs(), started=False), True, "Running"),
        (shown("side", runs(), started=True), False, "Running"),
        (shown("side", waits()), True, "Pending"),
        (shown("side", waits("CrashLoopBackOff"), ends(1)), False, "Running"),
        (shown("side", ends(3)), False, "Running"),
    ],
)
def test_sidecar_beside_a_running_app(side, initialized, expected):
    given = spec("app", init=SIDECAR)
    assert of(given, (shown("app", runs()),), (side,), initialized=initialized) == expected


@pytest.mark.parametrize(("side", "expected"), [(runs(), "Running"), (ends(1), "Succeeded"), (ends(0), "Succeeded")])
def test_a_sidecar_delays_the_end_but_does_not_decide_it(side, expected):
    """phase-running-while-sidecar-runs and phase-sidecar-exit-ignored."""
    given = spec("app", init=SIDECAR, policy="Never")
    assert of(given, (shown("app", ends(0)),), (shown("side", side, started=True),)) == expected


def test_old_kubelets_asked_the_statuses_whether_the_pod_had_initialized():
    side = (shown("side", runs(), started=False),)
    crashed = (shown("app", waits("CrashLoopBackOff"), ends(1)),)
    assert of(spec("app", init=SIDECAR), crashed, side, gates=OLD) == "Pending"
    assert of(spec("app", init=SIDECAR), crashed, side, gates=NEW) == "Running"
    assert of(spec("app", init=SIDECAR), (shown("app", runs()),), side, initialized=False, gates=OLD) == "Running"


@given(pods_with_statuses(), st.booleans(), st.booleans(), st.sampled_from([NEW, OLD]))
def test_what_the_phase_says_is_so(made, terminal, initialized, gates):
    given, init, apps = made
    found = of(given, apps, init, terminal=terminal, initialized=initialized, gates=gates)
    states = [status.state for status in apps]
    if found == "Succeeded":
        assert len(apps) == 2
        assert all(state.terminated is not None and state.terminated.exitCode == 0 for state in states)
    if found in ("Succeeded", "Running"):
        first_time = [s for s in apps if s.state.running is None and phase.ended(s) is None]
        assert first_time == []
    if found == "Running" and terminal:
        assert any(s.state.running is not None for s in (*apps, *init))
    assert phase_invariants.declared_phase(pod(given, PodStatus(phase=found)))
    assert phase_invariants.never_unknown(pod(given, PodStatus(phase=found)))


@given(pods_with_statuses(), st.booleans())
def test_a_sidecars_exit_code_changes_nothing(made, terminal):
    given, init, apps = made
    other = tuple(shown(s.name, ends(9)) if s.name == "s" and s.state.terminated is not None else s for s in init)
    assert of(given, apps, init, terminal=terminal) == of(given, apps, other, terminal=terminal)


@given(pods_with_statuses(), st.permutations(["a", "b"]))
def test_the_order_of_statuses_does_not_matter(made, order):
    given, init, apps = made
    shuffled = tuple(sorted(apps, key=lambda status: order.index(status.name)))
    assert of(given, apps, init) == of(given, shuffled, tuple(reversed(init)))


def test_a_new_pod_is_pending_whatever_the_client_sent():
    sent = PodStatus(phase="Succeeded", podIP="10.0.0.9", message="hello")
    assert RULES["phase-initial-pending"](sent, "Guaranteed") == PodStatus(phase="Pending", qosClass="Guaranteed")


def test_ephemeral_containers_are_not_asked():
    app, debug = shown("app", ends(0)), shown("debug", runs())
    status = PodStatus(containerStatuses=(app,), ephemeralContainerStatuses=(debug,))
    assert RULES["phase-ephemeral-ignored"](status) == (app,)


@pytest.mark.parametrize("found", ["Pending", "Running", "Succeeded", "Failed", ""])
def test_the_last_phase_is_terminal_unless_the_pod_is_static(found):
    last = RULES["phase-deleted-while-pending-failed"](found, False)
    assert last in phase.TERMINAL
    assert last == found or last == "Failed"
    assert RULES["phase-deleted-while-pending-failed"](found, True) == found


@given(
    st.builds(
        PodFacts,
        phase=st.sampled_from(["Pending", "Running", "Succeeded", "Failed"]),
        bound=st.booleans(),
        static=st.booleans(),
        grace=st.sampled_from([None, 0, 30]),
        deleting=st.just(True),
    )
)
def test_phase_deleted_terminal_first(facts):
    """Of a bound Pod that is not forced away, only a terminal phase lets the object go."""
    verdict = RULES["phase-deleted-terminal-first"].judge(facts)
    exempt = facts.static or not facts.bound or facts.grace == 0
    assert bool(verdict) == (exempt or facts.phase in phase.TERMINAL)


def test_static_pods_are_known_by_where_they_come_from():
    known = [("file", True), ("http", True), ("api", False)]
    for where, static in known:
        assert phase.is_static(pod(spec("a"), annotations={"kubernetes.io/config.source": where}).metadata) == static
    assert not phase.is_static(pod(spec("a")).metadata)


def test_standing_tells_a_first_wait_from_a_later_one():
    assert RULES["phase-missing-status-is-unknown-count"](shown("a", waits())) is Standing.WAITING
    assert RULES["phase-missing-status-is-unknown-count"](shown("a", waits(), ends(0))) is Standing.ENDED
    assert RULES["phase-missing-status-is-unknown-count"](shown("a", runs(), ends(0))) is Standing.RUNNING


def test_running_turns_pending_only_for_a_fresh_start():
    """phase-forward-only, as seen when a sandbox is lost: the init container runs again."""
    given = spec("app", init=INIT)
    before = pod(given, PodStatus(phase="Running", containerStatuses=(shown("app", runs()),)))
    again = PodStatus(
        phase="Pending",
        initContainerStatuses=(shown("init", runs(), ends(0)),),
        containerStatuses=(shown("app", ends(137)),),
    )
    crashed = PodStatus(
        phase="Pending",
        initContainerStatuses=(shown("init", ends(0)),),
        containerStatuses=(CRASHED,),
    )
    assert RULES["phase-forward-only"](before, pod(given, again))
    assert not RULES["phase-forward-only"](before, pod(given, crashed))


def test_a_lost_node_leaves_the_phase_to_others():
    """phase-node-loss-not-failed-directly and phase-terminal-after-containers-stop agree on what PodGC may write."""
    lost = PodCondition("Ready", "False")
    collected = PodCondition("DisruptionTarget", "True", "DeletionByPodGC")
    app = (shown("app", runs()),)
    before = pod(spec("app"), PodStatus(phase="Running", conditions=(lost,), containerStatuses=app))
    by_gc = pod(spec("app"), PodStatus(phase="Failed", conditions=(lost, collected), containerStatuses=app))
    by_magic = pod(spec("app"), PodStatus(phase="Failed", conditions=(lost,), containerStatuses=app))
    assert RULES["phase-node-loss-not-failed-directly"](before, by_gc)
    assert RULES["phase-terminal-after-containers-stop"](by_gc)
    assert not RULES["phase-node-loss-not-failed-directly"](before, by_magic)
