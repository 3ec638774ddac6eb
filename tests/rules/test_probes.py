"""The guards of probes, defaults, results and timing: each rule by name, told apart from its neighbours."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import (
    ContainerPort,
    ExecAction,
    GRPCAction,
    HTTPGetAction,
    HTTPHeader,
    Pod,
    PodCondition,
    PodStatus,
    Probe,
    TCPSocketAction,
)
from podfsm.rules.catalogue import all_rules
from podfsm.rules.endpoints import Endpoint
from podfsm.rules.facts import ContainerFacts, ProbeKind, ProbeResult, Role, RuntimeState, WorkerState
from podfsm.rules.kubelet_facts import ProbeFacts
from podfsm.rules.probe_defaults import defaulted, http_headers
from podfsm.rules.probe_results import ERRED, FAILED, SUCCEEDED, WARNED, CheckOutcome, Raw, settle

RULES = all_rules()
RUNS = RuntimeState.RUNNING
SUCCESS, FAILURE, UNKNOWN = ProbeResult.SUCCESS, ProbeResult.FAILURE, ProbeResult.UNKNOWN
LIVENESS, READINESS, STARTUP = ProbeKind.LIVENESS, ProbeKind.READINESS, ProbeKind.STARTUP


def judge(rule, facts):
    return RULES[rule].judge(facts)


class TestWorker:
    def test_every_kind_waits_for_the_same_initial_delay(self):
        for kind in ProbeKind:
            verdict = judge("probe-initial-delay-from-start", ProbeFacts(kind=kind, now=3.0, due_at=10.0))
            assert not verdict
            assert verdict.not_before == 10.0
            assert judge("probe-initial-delay-from-start", ProbeFacts(kind=kind, now=10.0, due_at=10.0))

    def test_exactly_one_side_of_the_startup_gate_is_open(self):
        for started in (True, False):
            asked = {
                kind: bool(judge("probe-startup-gates-others", ProbeFacts(kind=kind, started=started)))
                for kind in ProbeKind
            }
            assert asked == {STARTUP: not started, LIVENESS: started, READINESS: started}

    @given(run=st.integers(0, 10), threshold=st.integers(1, 10), outcome=st.sampled_from([SUCCESS, FAILURE]))
    def test_threshold(self, run, threshold, outcome):
        facts = ProbeFacts(run=run, threshold=threshold, outcome=outcome)
        assert bool(judge("probe-threshold-consecutive", facts)) == (run >= threshold)

    def test_an_erring_check_never_reaches_a_threshold(self):
        assert not judge("probe-threshold-consecutive", ProbeFacts(run=99, threshold=1, outcome=None))

    def test_who_goes_on_hold(self):
        held = {
            (kind, outcome)
            for kind, outcome in itertools.product(ProbeKind, (SUCCESS, FAILURE, None))
            if judge("probe-onhold-after-failure", ProbeFacts(kind=kind, outcome=outcome))
        }
        assert held == {(STARTUP, SUCCESS), (STARTUP, FAILURE), (LIVENESS, FAILURE)}

    def test_a_new_container_ends_the_hold(self):
        assert judge("probe-new-container-resets-result", ProbeFacts(same_container=False, on_hold=True))
        assert not judge("probe-new-container-resets-result", ProbeFacts(same_container=True, on_hold=True))

    def test_not_running_is_failure_unless_on_hold(self):
        failed = {
            (kind, running, hold)
            for kind, running, hold in itertools.product(ProbeKind, (True, False), (True, False))
            if judge("probe-non-running-failure", ProbeFacts(kind=kind, running=running, on_hold=hold))
        }
        assert failed == {(kind, False, False) for kind in ProbeKind}

    def test_a_terminal_pod_ends_every_worker(self):
        for kind in ProbeKind:
            assert judge("probe-stop-on-terminal", ProbeFacts(kind=kind, pod_terminal=True, on_hold=True))
            assert not judge("probe-stop-on-terminal", ProbeFacts(kind=kind, terminating=True))

    def test_what_termination_stops(self):
        ended = {
            (kind, sidecar)
            for kind, sidecar in itertools.product(ProbeKind, (True, False))
            if judge("probe-stop-liveness-on-terminate", ProbeFacts(kind=kind, sidecar=sidecar, terminating=True))
        }
        assert ended == {(LIVENESS, False), (STARTUP, False)}

    def test_targets(self):
        assert {role for role in Role if judge("probe-targets", ProbeFacts(role=role))} == {Role.APP, Role.SIDECAR}


class TestContainer:
    @pytest.mark.parametrize("rule", ["probe-liveness-failure-kills", "probe-startup-failure-kills"])
    @pytest.mark.parametrize("role", [Role.INIT, Role.EPHEMERAL])
    def test_nobody_else_is_killed_by_probes(self, rule, role):
        facts = ContainerFacts(role=role, instance=RUNS, liveness=FAILURE, startup=FAILURE)
        assert not judge(rule, facts)

    def test_a_terminating_pod_kills_for_no_probe(self):
        facts = ContainerFacts(instance=RUNS, liveness=FAILURE, startup=FAILURE, worker=WorkerState.TERMINATING)
        assert not judge("probe-liveness-failure-kills", facts)
        assert not judge("probe-startup-failure-kills", facts)

    @given(
        role=st.sampled_from([Role.APP, Role.SIDECAR]),
        liveness=st.sampled_from([None, *ProbeResult]),
        startup=st.sampled_from([None, *ProbeResult]),
    )
    def test_one_probe_is_to_blame(self, role, liveness, startup):
        facts = ContainerFacts(
            role=role, instance=RUNS, liveness=liveness, startup=startup, startup_probe=startup is not None
        )
        blamed = [bool(judge(f"probe-{kind}-failure-kills", facts)) for kind in ("liveness", "startup")]
        assert sum(blamed) <= 1
        if FAILURE not in (liveness, startup):
            assert sum(blamed) == 0

    def test_a_sidecar_that_has_not_started_is_not_killed_for_liveness(self):
        waiting = ContainerFacts(
            role=Role.SIDECAR, instance=RUNS, liveness=FAILURE, startup=UNKNOWN, startup_probe=True
        )
        assert "startup" in judge("probe-liveness-failure-kills", waiting).because
        plain = ContainerFacts(role=Role.SIDECAR, instance=RUNS, liveness=FAILURE)
        assert judge("probe-liveness-failure-kills", plain)

    def test_readiness_marks_and_never_kills(self):
        facts = ContainerFacts(instance=RUNS, readiness=FAILURE)
        assert judge("probe-readiness-failure-unready", facts)
        assert not judge("probe-liveness-failure-kills", facts)
        assert not judge("probe-startup-failure-kills", facts)

    def test_the_probes_grace_is_for_probe_kills_of_pods_that_stay(self):
        assert judge("probe-grace-override", ContainerFacts(liveness=FAILURE, probe_grace=1))
        assert not judge("probe-grace-override", ContainerFacts(liveness=SUCCESS, probe_grace=1))
        assert not judge("probe-grace-override", ContainerFacts(startup=FAILURE, probe_grace=1, deleting=True))


class TestDefaults:
    @pytest.mark.parametrize(
        ("rule", "value"),
        [
            ("probe-default-period", 10),
            ("probe-default-timeout", 1),
            ("probe-default-initial-delay", 0),
            ("probe-default-success-threshold", 1),
            ("probe-default-failure-threshold", 3),
        ],
    )
    def test_nought_is_no_answer(self, rule, value):
        assert RULES[rule](0) == value
        assert RULES[rule](7) == 7

    def test_http_names_scheme_and_path(self):
        assert RULES["probe-http-defaults"](HTTPGetAction(path="/x")) == HTTPGetAction(path="/x", scheme="HTTP")

    def test_an_empty_probe(self):
        full = defaulted(Probe(httpGet=HTTPGetAction(port=80)))
        assert (full.periodSeconds, full.timeoutSeconds, full.initialDelaySeconds) == (10, 1, 0)
        assert (full.successThreshold, full.failureThreshold) == (1, 3)
        assert (full.httpGet.scheme, full.httpGet.path) == ("HTTP", "/")

    @given(
        st.builds(
            Probe,
            periodSeconds=st.integers(1, 99),
            timeoutSeconds=st.integers(1, 99),
            failureThreshold=st.integers(1, 99),
        )
    )
    def test_what_is_said_stays(self, probe):
        full = defaulted(probe)
        assert (full.periodSeconds, full.timeoutSeconds, full.failureThreshold) == (
            probe.periodSeconds,
            probe.timeoutSeconds,
            probe.failureThreshold,
        )
        assert defaulted(full) == full

    def test_headers_of_its_own_win(self):
        own = (HTTPHeader("user-agent", "me"),)
        assert http_headers(own, "1.36") == (*own, HTTPHeader("Accept", "*/*"))
        assert http_headers((), "1.36")[0] == HTTPHeader("User-Agent", "kube-probe/1.36")

    def test_one_mechanism(self):
        handlers = {
            "exec": ExecAction(),
            "httpGet": HTTPGetAction(),
            "tcpSocket": TCPSocketAction(),
            "grpc": GRPCAction(),
        }
        for count in range(5):
            for names in itertools.combinations(handlers, count):
                probe = Probe(**{name: handlers[name] for name in names})
                assert RULES["probe-one-mechanism"](probe) is (count == 1)

    def test_named_ports_resolve_in_the_container(self):
        ports = (ContainerPort(name="web", containerPort=8080),)
        target = RULES["probe-target-pod-ip"]
        assert target(Probe(tcpSocket=TCPSocketAction(port="web")), "10.0.0.7", ports) == ("10.0.0.7", 8080)
        assert target(Probe(tcpSocket=TCPSocketAction(port="nope")), "10.0.0.7", ports) == ("10.0.0.7", None)

    def test_results_before_the_first_run(self):
        initial = RULES["probe-default-results"]
        assert {kind: initial(kind) for kind in ProbeKind} == {LIVENESS: SUCCESS, READINESS: FAILURE, STARTUP: UNKNOWN}


class TestResults:
    @given(st.integers(0, 999))
    def test_http(self, code):
        outcome = RULES["probe-http-success"](code)
        assert (outcome.seen is SUCCESS) == (200 <= code <= 399)
        assert not outcome.error

    @given(st.integers(0, 255))
    def test_exec(self, code):
        assert (RULES["probe-exec-success"](code).seen is SUCCESS) == (code == 0)

    def test_connection_trouble_is_failure_but_trouble_of_the_machinery_is_nothing(self):
        assert RULES["probe-http-success"](error="timeout").seen is FAILURE
        assert RULES["probe-tcp-success"](error="refused").seen is FAILURE
        assert RULES["probe-grpc-success"](error="UNAVAILABLE").seen is FAILURE
        assert RULES["probe-exec-success"](timed_out=True).seen is FAILURE
        assert RULES["probe-exec-success"](error="no such container").seen is None

    def test_tcp_and_grpc(self):
        assert RULES["probe-tcp-success"]() == SUCCEEDED
        answers = {s: RULES["probe-grpc-success"](s).seen for s in ("SERVING", "NOT_SERVING", "UNKNOWN", "")}
        assert [s for s, seen in answers.items() if seen is SUCCESS] == ["SERVING"]

    def test_redirects(self):
        followed = [n for n in range(1, 15) if RULES["probe-http-redirect"](n, same_host=True) is None]
        assert followed == list(range(1, 10))
        assert RULES["probe-http-redirect"](10, same_host=True) == FAILED
        assert RULES["probe-http-redirect"](10, same_host=False) == WARNED

    def test_unknown(self):
        seen = RULES["probe-unknown-without-error-is-failure"]
        assert seen(Raw.UNKNOWN, False) is FAILURE
        assert all(seen(raw, True) is None for raw in Raw)

    def test_an_erring_check_is_tried_three_times(self):
        asked = []

        def attempts(*outcomes):
            for outcome in outcomes:
                asked.append(outcome)
                yield outcome

        assert settle(attempts(ERRED, ERRED, SUCCEEDED)) == SUCCEEDED
        assert settle(attempts(FAILED, SUCCEEDED)) == FAILED
        asked.clear()
        assert settle(attempts(ERRED, ERRED, ERRED, SUCCEEDED)) == ERRED
        assert len(asked) == 3
        assert settle(()).seen is None

    def test_warning_counts_as_success(self):
        assert CheckOutcome(Raw.WARNING).seen is SUCCESS

    @given(takes=st.floats(0, 100), timeout=st.floats(0, 100))
    def test_exec_is_cut_off_at_its_timeout(self, takes, timeout):
        assert RULES["probe-exec-timeout-enforced"](takes, timeout) <= min(takes, timeout)


class TestTiming:
    @given(first=st.integers(0, 50), period=st.integers(1, 30), due=st.integers(0, 200))
    def test_first_check_is_at_most_a_period_late(self, first, period, due):
        at = RULES["probe-tick-quantised"](first, period, due)
        assert (at - first) % period == 0
        assert max(first, due) <= at < max(first, due + period) + (first >= due)

    @given(
        started_at=st.integers(0, 100),
        delay=st.integers(0, 60),
        period=st.integers(1, 30),
        threshold=st.integers(1, 5),
        phase=st.integers(0, 30),
    )
    def test_no_kill_before_its_time(self, started_at, delay, period, threshold, phase):
        first = RULES["probe-tick-quantised"](started_at - phase, period, started_at + delay)
        kill = first + (threshold - 1) * period
        earliest = RULES["probe-min-time-to-kill"](started_at, delay, period, threshold)
        assert earliest <= kill < earliest + period

    def test_an_unready_container_is_checked_as_soon_as_its_status_is_made(self):
        check = RULES["probe-readiness-manual-trigger"]
        assert check(30.0, 12.0, started=True, ready=False) == 12.0
        assert check(30.0, 12.0, started=True, ready=True) == 30.0
        assert check(30.0, 12.0, started=False, ready=False) == 30.0


class TestEndpoints:
    def test_ready_only_while_the_pod_stays(self):
        conditions = RULES["probe-endpointslice"]
        for ready, deleting in itertools.product((True, False), repeat=2):
            assert conditions(ready, deleting) == Endpoint(ready and not deleting, ready, deleting)

    def test_a_pod_without_conditions_serves_nobody(self):
        endpoint = RULES["term-endpoint"]
        assert endpoint(Pod(status=PodStatus(phase="Running", podIP="10.0.0.7"))) == Endpoint(False, False, False)
        ready = PodStatus(phase="Succeeded", podIP="10.0.0.7", conditions=(PodCondition(type="Ready", status="True"),))
        assert endpoint(Pod(status=ready)) is None
