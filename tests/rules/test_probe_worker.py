"""The probe worker against stories of a container's life."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodSpec,
    Probe,
)
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import ProbeKind, ProbeResult
from podfsm.rules.gates import gates_for
from podfsm.rules.probe_worker import missing_workers, new_worker, outlives_exit, tick

RULES = all_rules()
SUCCESS, FAILURE, UNKNOWN = ProbeResult.SUCCESS, ProbeResult.FAILURE, ProbeResult.UNKNOWN
LIVENESS, READINESS, STARTUP = ProbeKind.LIVENESS, ProbeKind.READINESS, ProbeKind.STARTUP
NOW = gates_for("1.36")
FIELD = {LIVENESS: "livenessProbe", READINESS: "readinessProbe", STARTUP: "startupProbe"}


def running(container_id="c0", *, since=0, started=True):
    state = ContainerState(running=ContainerStateRunning(instant(since)))
    return ContainerStatus("app", state, containerID=container_id, started=started)


def exited(code=1, container_id="c0"):
    return ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(code)), containerID=container_id)


class Watched:
    """One worker and what it is shown."""

    def __init__(self, kind, *, policy="Always", sidecar=False, gates=NOW, kubelet=None, **numbers):
        numbers = {"periodSeconds": 1, "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3} | numbers
        self.container = Container(
            "app", **{FIELD[kind]: Probe(**numbers)}, restartPolicy="Always" if sidecar else None
        )
        self.spec = PodSpec(containers=(self.container,), restartPolicy=policy)
        self.worker = new_worker(kind, "app")
        self.rest = {"gates": gates, "sidecar": sidecar, "kubelet_started_at": kubelet}
        self.asked = 0

    def see(self, status, outcome=SUCCESS, *, now=100.0, phase="Running", deleting=False):
        def answer():
            self.asked += 1
            return outcome

        done = tick(
            self.worker,
            now=now,
            phase=phase,
            status=status,
            container=self.container,
            spec=self.spec,
            outcome=answer,
            deleting=deleting,
            **self.rest,
        )
        self.worker = done.worker
        return done


def test_readiness_story():
    w = Watched(READINESS, successThreshold=2, failureThreshold=2)
    assert w.see(None).worker.cached is None
    assert w.see(running(), SUCCESS).published  # the initial Failure
    assert w.worker.cached is FAILURE
    assert w.see(running(), SUCCESS).published
    assert w.worker.cached is SUCCESS
    assert not w.see(running(), FAILURE).published
    assert not w.see(running(), None).published  # an error neither counts nor resets
    assert w.see(running(), FAILURE).published
    assert w.worker.cached is FAILURE
    assert w.asked == 5


def test_liveness_kill_puts_the_worker_on_hold_until_a_new_container():
    w = Watched(LIVENESS, failureThreshold=1)
    assert w.see(running()).worker.cached is SUCCESS
    assert w.see(running(), FAILURE).worker.on_hold
    asked = w.asked
    w.see(running(), SUCCESS)
    w.see(exited(), SUCCESS)
    assert w.asked == asked
    assert w.worker.cached is FAILURE
    done = w.see(running("c1"), SUCCESS)
    assert done.published
    assert not w.worker.on_hold
    assert w.worker.cached is SUCCESS


def test_startup_success_holds_too_and_gates_nothing_afterwards():
    w = Watched(STARTUP)
    w.see(running(started=False))
    assert w.worker.on_hold
    assert w.worker.cached is SUCCESS


@pytest.mark.parametrize(("kind", "initial"), [(LIVENESS, SUCCESS), (READINESS, FAILURE), (STARTUP, UNKNOWN)])
def test_a_new_container_begins_at_the_initial_value(kind, initial):
    w = Watched(kind, initialDelaySeconds=30)
    done = w.see(running(since=95), now=100.0)
    assert not done.probed
    assert w.worker.cached is initial
    assert initial is RULES["probe-default-results"](kind)


@pytest.mark.parametrize("kind", [LIVENESS, READINESS])
def test_others_wait_for_started_and_startup_does_not(kind):
    assert not Watched(kind).see(running(started=False)).probed
    assert Watched(kind).see(running(started=True)).probed
    assert not Watched(STARTUP).see(running(started=True)).probed


def test_the_delay_counts_whole_seconds_from_the_start():
    w = Watched(READINESS, initialDelaySeconds=5)
    assert not w.see(running(since=95), now=99.99).probed
    assert w.see(running(since=95), now=100.0).probed


def test_probe_run_counter_carries_over():
    w = Watched(READINESS, successThreshold=3)
    for _ in range(3):
        w.see(running())
    assert w.worker.cached is SUCCESS
    assert w.see(exited()).worker.cached is FAILURE
    w.see(running("c1"))
    assert w.worker.cached is SUCCESS, "one success of the new container was enough"


@given(
    run=st.integers(0, 9),
    threshold=st.integers(1, 9),
    last=st.sampled_from(ProbeResult),
    result=st.sampled_from(ProbeResult),
)
def test_counting(run, threshold, last, result):
    counted = RULES["probe-run-counter-carries-over"](last, run, result, threshold)
    assert 1 <= counted <= max(threshold, 1)
    assert (counted >= threshold) == ((run + 1 if last is result else 1) >= threshold)


def test_a_container_that_is_down_is_failure_for_every_kind():
    for kind in ProbeKind:
        done = Watched(kind).see(exited())
        assert done.keep_going
        assert done.worker.cached is FAILURE
        assert not done.probed


def test_waiting_keeps_the_worker_even_under_never():
    waiting = ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting()), containerID="c0")
    assert Watched(LIVENESS, policy="Never").see(waiting).keep_going


@pytest.mark.parametrize(
    ("version", "policy", "code", "sidecar", "goes_on"),
    [
        ("1.36", "Never", 1, False, False),
        ("1.36", "OnFailure", 0, False, False),
        ("1.36", "OnFailure", 1, False, True),
        ("1.36", "Never", 1, True, True),
        ("1.33", "Never", 1, True, True),
        ("1.33", "OnFailure", 0, False, True),
        ("1.32", "Never", 1, True, False),
        ("1.32", "OnFailure", 0, False, True),
        ("1.32", "Always", 1, True, True),
    ],
)
def test_who_outlives_an_exit(version, policy, code, sidecar, goes_on):
    w = Watched(LIVENESS, policy=policy, sidecar=sidecar, gates=gates_for(version))
    assert w.see(exited(code)).keep_going is goes_on
    assert outlives_exit(w.container, w.spec, code, gates_for(version), sidecar=sidecar) is goes_on


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_terminal_phase_ends_it_and_leaves_the_result(phase):
    w = Watched(READINESS)
    w.see(running())
    done = w.see(running("c1"), phase=phase)
    assert not done.keep_going
    assert done.worker.cached is SUCCESS
    assert done.worker.container_id == "c0"


def test_nothing_known_nothing_done():
    w = Watched(READINESS)
    assert w.see(running(), phase=None).keep_going
    assert w.see(running("")).keep_going
    assert w.worker == new_worker(READINESS, "app")


def test_a_worker_started_after_the_delete_ends_quietly():
    done = Watched(LIVENESS).see(running(), FAILURE, deleting=True)
    assert not done.keep_going
    assert not done.probed
    assert done.worker.cached is SUCCESS
    assert Watched(READINESS).see(running(), deleting=True).probed


class TestKubeletRestart:
    """probe-kubelet-restart-keeps-ready"""

    @pytest.mark.parametrize(("since", "kept"), [(0, True), (19, True), (20, False), (30, False)])
    def test_old_containers_keep_their_state(self, since, kept):
        w = Watched(READINESS, kubelet=30.0, initialDelaySeconds=1000)
        done = w.see(running(since=since), now=40.0)
        assert (done.worker.cached is None) is kept
        assert done.published is not kept

    def test_the_old_behaviour_resets_everybody(self):
        w = Watched(READINESS, kubelet=30.0, initialDelaySeconds=1000, gates=gates_for("1.34"))
        assert w.see(running(since=0), now=40.0).worker.cached is FAILURE
        override = gates_for("1.36", {"ChangeContainerStatusOnKubeletRestart": True})
        w = Watched(READINESS, kubelet=30.0, initialDelaySeconds=1000, gates=override)
        assert w.see(running(since=0), now=40.0).worker.cached is FAILURE

    def test_a_sidecar_that_had_started_stays_started(self):
        w = Watched(STARTUP, kubelet=30.0, sidecar=True)
        assert w.see(running(since=0), now=40.0).worker.cached is SUCCESS
        w = Watched(STARTUP, kubelet=30.0)
        assert w.see(running(since=0), now=40.0).worker.cached is None


def test_workers_of_a_pod_come_in_order_and_the_first_live_one_ends_the_search():
    probe = Probe()
    spec = PodSpec(
        containers=(Container("a", livenessProbe=probe, startupProbe=probe), Container("b", readinessProbe=probe)),
        initContainers=(
            Container("init"),
            Container("side", restartPolicy="Always", readinessProbe=probe),
        ),
    )
    found = [(container.name, kind) for container, kind in missing_workers(spec, (), NOW)]
    assert found == [("a", STARTUP), ("a", LIVENESS), ("b", READINESS), ("side", READINESS)]
    assert missing_workers(spec, {("a", STARTUP)}, NOW) == ()
    alive = {("a", LIVENESS), ("b", READINESS)}
    assert [(c.name, kind) for c, kind in missing_workers(spec, alive, NOW)] == [("a", STARTUP)]


def test_a_worker_without_its_probe_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="no liveness probe"):
        tick(
            new_worker(LIVENESS, "app"),
            now=1.0,
            phase="Running",
            status=running(),
            container=Container("app"),
            spec=PodSpec(),
            gates=NOW,
            outcome=lambda: SUCCESS,
        )


@given(
    kind=st.sampled_from(ProbeKind),
    fails=st.integers(1, 4),
    succeeds=st.integers(1, 4),
    answers=st.lists(st.sampled_from([SUCCESS, FAILURE, None]), max_size=40),
)
def test_a_result_needs_its_threshold_in_a_row(kind, fails, succeeds, answers):
    """A plain model beside it: look back over the last answers that were not errors."""
    w = Watched(kind, failureThreshold=fails, successThreshold=succeeds)
    heard = []
    for answer in answers:
        before = w.worker.cached
        done = w.see(running(started=kind is not STARTUP), answer)
        if done.probed and answer is not None:
            heard.append(answer)
        if done.worker.cached is not before and before is not None:
            needed = fails if answer is FAILURE else succeeds
            assert heard[-needed:] == [answer] * needed
        if done.worker.on_hold:
            break
