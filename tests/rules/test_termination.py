"""Grace periods, the order of stopping, delete requests, and what snapshots show of them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
    Probe,
)
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import PodFacts, WorkerState
from podfsm.rules.gates import gates_for
from podfsm.rules.grace import container_grace, effective_grace, stop_timeout
from podfsm.rules.kubelet_facts import WorkerFacts
from podfsm.rules.stop_order import waits_for, waves
from podfsm.rules.termination import deletion_grace

RULES = all_rules()
NOW = gates_for("1.36")
graces = st.none() | st.integers(0, 90)


def judge(rule, facts):
    return bool(RULES[rule].judge(facts))


class TestGrace:
    @given(current=st.integers(0, 90), spec=graces, deletion=graces, override=graces)
    def test_the_worker_never_lengthens_and_never_goes_below_a_second(self, current, spec, deletion, override):
        grace, changed = effective_grace(current, spec, deletion, override)
        assert grace == RULES["term-worker-min-1s"](current, spec, deletion, override)
        assert grace >= 1
        if current:
            assert grace <= current
            assert changed == (grace != current)
        else:
            assert not changed
        again, _ = effective_grace(grace, spec, deletion, override)
        assert again <= grace

    def test_spec_grace_counts_only_where_nobody_asked(self):
        assert effective_grace(0, 30, None, None) == (30, False)
        assert effective_grace(0, 30, 0, None) == (1, False)
        assert effective_grace(0, None, None, None) == (1, False)

    def test_default(self):
        assert RULES["term-default-grace"](None) == 30

    @pytest.mark.parametrize(
        ("reason", "deletion", "grace"),
        [
            ("LivenessProbe", None, 5),
            ("StartupProbe", None, 7),
            ("Unknown", None, 30),
            ("", None, 30),
            ("LivenessProbe", 9, 9),
        ],
    )
    def test_whose_grace_a_kill_takes(self, reason, deletion, grace):
        container = Container(
            "app",
            livenessProbe=Probe(terminationGracePeriodSeconds=5),
            startupProbe=Probe(terminationGracePeriodSeconds=7),
        )
        spec = PodSpec(terminationGracePeriodSeconds=30)
        assert container_grace(spec, container, deletion_grace=deletion, kill_reason=reason) == grace
        assert container_grace(PodSpec(), container, deletion_grace=deletion, kill_reason=reason) == (deletion or 2)
        assert container_grace(spec, container, deletion_grace=deletion, kill_reason=reason, override=1) == 1

    def test_probes_had_no_grace_of_their_own_before_1_25(self):
        container = Container("app", livenessProbe=Probe(terminationGracePeriodSeconds=5))
        spec = PodSpec(terminationGracePeriodSeconds=30)
        old, new = (
            container_grace(spec, container, deletion_grace=None, kill_reason="LivenessProbe", gates=gates_for(version))
            for version in ("1.24", "1.25")
        )
        assert (old, new) == (30, 5)

    def test_an_override_beats_all(self):
        chosen = RULES["term-grace-precedence"]
        assert chosen(spec_grace=30, probe_grace=5, deletion_grace=10, override=0) == 0
        assert chosen(spec_grace=30, probe_grace=5, deletion_grace=0) == 0

    @given(grace=st.integers(0, 60), hook=st.floats(0, 90), waited=st.floats(0, 90))
    def test_what_is_left_for_the_signal(self, grace, hook, waited):
        left = RULES["term-prestop-consumes-grace"](grace, [hook, waited])
        assert left == grace - int(hook) - int(waited)
        assert stop_timeout(grace, hook, waited) == RULES["term-min-2s"](left)
        assert stop_timeout(grace, hook, waited) >= 2

    @given(
        grace=st.integers(0, 60),
        hook=st.none() | st.floats(0, 90),
        turn=st.none() | st.floats(0, 200),
    )
    def test_a_stop_goes_hook_turn_signal_kill(self, grace, hook, turn):
        stop = RULES["term-flow-order"](100.0, grace, hook=hook, turn_at=None if turn is None else 100.0 + turn)
        assert 100.0 <= stop.hook_over <= stop.signal_at <= stop.kill_at - 2
        assert stop.kill_at <= 100.0 + grace + 4  # the floor of 2 s, and what cutting off to whole seconds gives back
        if hook is None:
            assert stop.hook_over == 100.0

    @given(st.integers(0, 600))
    def test_how_long_the_kubelet_waits_for_its_own_kills(self, grace):
        assert RULES["term-kill-timeout"](grace) == max(10, grace + grace // 2)

    def test_a_restart_gives_the_whole_grace_again(self):
        assert RULES["term-restart-during"](0.0, 30, [10.0, 29.0]) == 59.0

    def test_stop_signal(self):
        signal = RULES["term-stop-signal"]
        assert [signal("A", "B"), signal("", "B"), signal("", "")] == ["A", "B", "SIGTERM"]


class TestOrder:
    spec = PodSpec(
        containers=(Container("a"), Container("b")),
        initContainers=(
            Container("s1", restartPolicy="Always"),
            Container("init"),
            Container("s2", restartPolicy="Always"),
            Container("s3", restartPolicy="Always"),
        ),
        ephemeralContainers=(Container("debug"),),
    )
    everybody = ("a", "b", "s1", "init", "s2", "s3", "debug")

    def test_sidecars_go_last_in_reverse_order(self):
        assert waves(self.spec, self.everybody, NOW) == (("a", "b", "debug", "init"), ("s3",), ("s2",), ("s1",))

    def test_only_the_next_sidecar_is_waited_for(self):
        assert waits_for(self.spec, "s1", self.everybody, NOW) == {"a", "b", "s2"}
        assert waits_for(self.spec, "s1", {"s1", "s3"}, NOW) == frozenset()

    def test_before_sidecars_existed_nobody_waited(self):
        assert waves(self.spec, self.everybody, gates_for("1.27")) == (tuple(sorted(self.everybody)),)

    def test_names_given_twice_hold_nothing_back_for_ever(self):
        twice = PodSpec(
            containers=(Container("x"), Container("y")),
            initContainers=(Container("x", restartPolicy="Always"), Container("y", restartPolicy="Always")),
        )
        assert sorted(name for wave in waves(twice, ("x", "y"), NOW) for name in wave) == ["x", "y"]

    @given(st.sets(st.sampled_from(everybody)))
    def test_everybody_stops_once_and_after_those_it_waits_for(self, running):
        order = waves(self.spec, running, NOW)
        assert sorted(name for wave in order for name in wave) == sorted(running)
        gone = set()
        for wave in order:
            for name in wave:
                assert waits_for(self.spec, name, running, NOW) <= gone
            gone |= set(wave)


class TestDelete:
    @given(asked=st.none() | st.integers(-5, 90), spec=graces)
    def test_unbound_and_finished_pods_go_at_once(self, asked, spec):
        template = PodSpec(terminationGracePeriodSeconds=spec)
        assert deletion_grace(Pod(spec=template), asked) == 0
        bound = PodSpec(terminationGracePeriodSeconds=spec, nodeName="n")
        for phase in ("Succeeded", "Failed"):
            assert deletion_grace(Pod(spec=bound, status=PodStatus(phase=phase)), asked) == 0
        running = deletion_grace(Pod(spec=bound, status=PodStatus(phase="Running")), asked)
        assert running == (1 if asked is not None and asked < 0 else (spec or 0) if asked is None else asked)

    def test_immediate_and_forced(self):
        running = PodFacts(bound=True, phase="Running", grace=30)
        assert not judge("term-immediate-cases", running)
        assert not judge("term-force", running)
        assert judge("term-immediate-cases", PodFacts(bound=False, grace=30))
        assert judge("term-force", PodFacts(bound=True, phase="Running", grace=0))

    @given(graces_asked=st.lists(st.integers(1, 90), min_size=1, max_size=5))
    def test_marks_are_only_ever_brought_forward(self, graces_asked):
        marks = None
        for at, grace in enumerate(graces_asked):
            new = RULES["term-deletion-timestamp"](float(at), grace, marks)
            if marks is not None:
                assert new[0] <= marks[0]
                assert new[1] <= marks[1]
                assert new[0] - new[1] == marks[0] - marks[1], "counted from the first delete"
            marks = new
        assert marks[1] == min(graces_asked)

    def test_the_object_goes_when_all_three_are_true_and_nothing_holds_it(self):
        ready = {"bound": True, "deleting": True, "phase": "Succeeded", "worker": WorkerState.FINISHED}
        assert judge("term-api-removal", PodFacts(**ready))
        for missing in ({"deleting": False}, {"phase": "Running"}, {"worker": WorkerState.TERMINATING}):
            assert not judge("term-api-removal", PodFacts(**(ready | missing)))
        assert not judge("term-finalizers-hold", PodFacts(**ready, finalizers=True))
        assert judge("term-finalizers-hold", PodFacts(**ready))

    def test_five_reasons_to_terminate(self):
        assert not judge("term-triggers", WorkerFacts(containers_running=True))
        for reason in ("deleting", "gone", "api_terminal", "evicted", "finished"):
            assert judge("term-triggers", WorkerFacts(**{reason: True}))


class TestTheEnd:
    def test_missing_ends_become_137(self):
        state = RULES["term-missing-status-137"](ContainerState(running=ContainerStateRunning()), True)
        assert (state.terminated.exitCode, state.terminated.reason) == (137, "ContainerStatusUnknown")
        seen = ContainerState(terminated=ContainerStateTerminated(exitCode=3))
        assert RULES["term-missing-status-137"](seen, True) is seen
        never = ContainerState()
        assert RULES["term-missing-status-137"](never, False) is never

    @given(st.lists(st.sampled_from([0, 1, 137, 143, None]), min_size=1, max_size=4))
    def test_exit_codes_decide(self, codes):
        assert (RULES["term-exit-decides-phase"](codes) == "Succeeded") == (set(codes) == {0})

    @pytest.mark.parametrize("phase", ["Pending", "Running", "Succeeded", "Failed"])
    def test_static_pods_keep_their_phase(self, phase):
        assert RULES["term-static-no-terminal-phase"](phase, True) == phase
        assert RULES["term-static-no-terminal-phase"](phase, False) in ("Succeeded", "Failed")


THEN = datetime(2026, 1, 1, tzinfo=UTC)


def snapshot(phase="Running", *, uid="u", deleting=False, ready=True, ids=("c0",), reason="ContainersNotReady"):
    condition = PodCondition(type="Ready", status="True" if ready else "False", reason="" if ready else reason)
    apps = tuple(
        ContainerStatus(f"app{i}", ContainerState(running=ContainerStateRunning()), containerID=one)
        for i, one in enumerate(ids)
    )
    return Pod(
        metadata=ObjectMeta(uid=uid, deletionTimestamp=THEN if deleting else None),
        status=PodStatus(phase=phase, conditions=(condition,), containerStatuses=apps),
    )


class TestInvariants:
    def test_no_way_back(self):
        ends = RULES["term-worker-one-way"]
        assert ends(snapshot(), snapshot(deleting=True))
        assert not ends(snapshot(deleting=True), snapshot())
        assert ends(snapshot(deleting=True), snapshot(uid="another"))

    def test_nothing_starts_in_a_finished_pod(self):
        quiet = RULES["term-no-start-after"]
        assert quiet(snapshot("Failed", ids=("c0", "d0")), snapshot("Failed", ids=("c0",)))
        assert not quiet(snapshot("Succeeded", ids=("c0",)), snapshot("Succeeded", ids=("c0", "d0")))
        assert quiet(snapshot(deleting=True), snapshot(deleting=True, ids=("c1",)))

    def test_a_delete_alone_leaves_ready_alone(self):
        leaves = RULES["term-ready-may-stay-true"]
        assert leaves(snapshot(), snapshot(deleting=True))
        assert not leaves(snapshot(), snapshot(deleting=True, ready=False))
        assert leaves(snapshot(), snapshot(deleting=True, ready=False, ids=("c1",)))
        assert leaves(snapshot(), snapshot(deleting=True, ready=False, reason="")), "the node controller's doing"
        assert leaves(snapshot(deleting=True), snapshot(deleting=True, ready=False))
