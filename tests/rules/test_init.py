"""Init containers: order, retries, what proves that they are over, and what a spec may say of them."""

import pytest

from podfsm.kube.objects import (
    Container,
    ContainerRestartRule,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ExitCodes,
    Lifecycle,
    Pod,
    PodCondition,
    PodSchedulingGate,
    PodSpec,
    PodStatus,
    Probe,
    Toleration,
)
from podfsm.rules import init, init_checks
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import ContainerFacts, PodFacts, Policy, Role, RuntimeContainer, RuntimeState
from podfsm.rules.gates import gates_for
from podfsm.rules.init_actions import init_actions

RULES = all_rules()

NEWEST = gates_for("1.36")
RUNNING = ContainerState(running=ContainerStateRunning())
SUCCEEDED = ContainerState(terminated=ContainerStateTerminated(exitCode=0))
FAILED = ContainerState(terminated=ContainerStateTerminated(exitCode=1))
ONE, TWO, THREE = Container(name="one"), Container(name="two"), Container(name="three")


def act(entries, *containers, policy="Always", gates=NEWEST, deleting=False):
    spec = PodSpec(containers=(Container(name="app"),), initContainers=entries, restartPolicy=policy)
    return init_actions(spec, {c.name: c for c in containers}, gates, deleting=deleting)


def of(name, state, code=0, reason=""):
    return RuntimeContainer(f"{name}-0", name, RuntimeState(state), exit_code=code, reason=reason)


def test_one_after_the_other():
    entries = (ONE, TWO, THREE)
    assert act(entries).start == ("one",)
    assert act(entries, of("one", "running")).start == ()
    assert act(entries, of("one", "exited")).start == ("two",)
    done = act(entries, of("one", "exited"), of("two", "exited"), of("three", "exited"))
    assert done.initialized
    assert done.start == ()


def test_failed_one_is_retried_and_earlier_ones_are_not():
    actions = act((ONE, TWO), of("one", "exited"), of("two", "exited", 1))
    assert actions.start == ("two",)
    assert actions.why == {"two": "init-retry"}


@pytest.mark.parametrize(
    ("policy", "own", "fails"), [("Never", None, True), ("Always", "Never", True), ("Never", "OnFailure", False)]
)
def test_failure_without_retry_fails_the_pod(policy, own, fails):
    entry = Container(name="one", restartPolicy=own)
    actions = act((entry,), of("one", "exited", 1), policy=policy)
    assert actions.fails is fails
    assert actions.start == (() if fails else ("one",))


def test_rule_retries_a_failure_under_never():
    rules = (ContainerRestartRule(action="Restart", exitCodes=ExitCodes(operator="In", values=(3,))),)
    entry = Container(name="one", restartPolicy="Never", restartPolicyRules=rules)
    assert act((entry,), of("one", "exited", 3), policy="Never").start == ("one",)
    assert act((entry,), of("one", "exited", 4), policy="Never").fails


def test_killed_for_memory_with_exit_code_0():
    oom = of("one", "exited", 0, "OOMKilled")
    assert init.failed(oom.state, oom.exit_code, oom.reason)
    assert not init.entry_done(oom)
    assert act((ONE,), oom, policy="OnFailure").fails
    assert act((ONE,), oom, policy="Always").start == ("one",)
    assert act((ONE,), oom, policy="OnFailure", gates=gates_for("1.32")).start == ("one",)


def test_deletion_stops_retries_only_since_container_restart_rules():
    failed = of("one", "exited", 1)
    assert act((ONE,), failed, deleting=True).fails
    assert act((ONE,), failed, deleting=True, gates=gates_for("1.32")).start == ("one",)


def test_last_record_decides_since_1_33():
    records = (of("one", "exited", 1), of("two", "exited"))
    assert act((ONE, TWO), *records).initialized
    older = act((ONE, TWO), *records, gates=gates_for("1.32"))
    assert not older.initialized
    assert older.start == ("one",)


def test_created_app_container_proves_it_since_1_33_only():
    created = of("app", "created")
    assert act((ONE,), created).initialized
    assert not act((ONE,), created, gates=gates_for("1.32")).initialized
    assert act((ONE,), of("app", "running"), gates=gates_for("1.32")).initialized


def test_lost_records_with_exited_apps_run_init_again():
    actions = act((ONE, TWO), of("app", "exited"))
    assert actions.start == ("one",)
    assert actions.why == {"one": "init-rerun-on-lost-record"}


def test_unknown_state_is_stopped_first():
    actions = act((ONE,), of("one", "unknown"))
    assert actions.start == ("one",)
    assert [kill.reason for kill in actions.kill] == ["Unknown"]
    assert act((ONE,), of("one", "unknown"), policy="Never").fails
    older = act((ONE,), of("one", "unknown"), gates=gates_for("1.32"))
    assert [kill.reason for kill in older.kill] == ["Unknown"]
    assert act((ONE,), of("one", "unknown"), policy="Never", gates=gates_for("1.32")).fails


def test_created_one_is_started_again_but_passed_over_before_1_33():
    assert act((ONE, TWO), of("one", "exited"), of("two", "created")).start == ("two",)
    records = (of("one", "exited"), of("two", "created"))
    assert act((ONE, TWO), *records, gates=gates_for("1.32")).start == ("two",)
    assert act((ONE,), of("one", "created"), gates=gates_for("1.32")).start == ("one",)
    assert act((ONE, TWO), of("one", "running"), gates=gates_for("1.32")).start == ()


@pytest.mark.parametrize(
    ("policy", "code", "oom", "rule"),
    [
        (Policy.ALWAYS, 1, False, "init-retry"),
        (Policy.ON_FAILURE, 1, False, "init-retry"),
        (Policy.NEVER, 1, False, "init-never-fails-pod"),
        (Policy.ON_FAILURE, 0, True, "init-never-fails-pod"),
        (Policy.ALWAYS, 0, False, None),
    ],
)
def test_guards_after_an_exit(policy, code, oom, rule):
    facts = ContainerFacts(
        role=Role.INIT, pod_policy=policy, instance=RuntimeState.EXITED, exit_code=code, oom_killed=oom
    )
    holding = [name for name in ("init-retry", "init-never-fails-pod") if RULES[name].judge(facts)]
    assert holding == ([rule] if rule else [])


def test_guards_before_a_start():
    for name in ("init-before-app", "init-sequential"):
        assert RULES[name].judge(ContainerFacts())
        assert not RULES[name].judge(ContainerFacts(earlier_done=False))
    assert not RULES["init-after-network-and-storage"].judge(ContainerFacts(volumes_ready=False))
    assert not RULES["init-after-network-and-storage"].judge(ContainerFacts(sandbox_ready=False))


def test_init_rerun_on_new_sandbox_spares_only_success_under_onfailure():
    judge = RULES["init-rerun-on-new-sandbox"].judge
    ended = {"instance": RuntimeState.EXITED, "new_sandbox": True, "pod_policy": Policy.ON_FAILURE}
    assert judge(ContainerFacts(role=Role.INIT, **ended))
    assert not judge(ContainerFacts(role=Role.APP, **ended))
    assert judge(ContainerFacts(role=Role.APP, exit_code=1, **ended))
    assert judge(ContainerFacts(role=Role.APP, own_policy=Policy.ALWAYS, **ended))


def test_records_kept_before_a_start():
    dead = [RuntimeContainer(f"i-{n}", "i", RuntimeState.EXITED) for n in (3, 2, 1)]
    assert RULES["init-prune-records"](dead) == ("i-2", "i-1")
    assert RULES["init-last-decides"]([False, False]) is None


def test_what_an_update_may_change():
    before = PodSpec(containers=(Container(name="a", image="a:1"),), activeDeadlineSeconds=60)
    change = init_checks.only_mutable_fields_change
    shorter = PodSpec(containers=(Container(name="a", image="a:2"),), activeDeadlineSeconds=30)
    assert change(before, shorter)
    assert not change(shorter, before)
    assert not change(before, PodSpec(containers=(Container(name="b", image="a:1"),), activeDeadlineSeconds=60))
    negative = PodSpec(containers=before.containers, terminationGracePeriodSeconds=-5)
    assert change(negative, PodSpec(containers=before.containers, terminationGracePeriodSeconds=1))


def test_effective_resources_count_earlier_sidecars():
    assert init_checks.effective((2.0,), ((1.0, True), (4.0, False), (1.0, True)), 0.5) == 5.5


def status(name, container_id, state):
    return ContainerStatus(name=name, containerID=container_id, state=state)


def snapshot(init_id, app_id, *, init_state=SUCCEEDED, entry=ONE):
    return Pod(
        spec=PodSpec(containers=(Container(name="app"),), initContainers=(entry,)),
        status=PodStatus(
            initContainerStatuses=(status(entry.name, init_id, init_state),),
            containerStatuses=(status("app", app_id, RUNNING),),
        ),
    )


def test_run_once_after_success_in_one_sandbox():
    once = RULES["init-run-once-after-success"]
    assert once(snapshot("i0", "a0"), snapshot("i0", "a0"))
    assert not once(snapshot("i0", "a0"), snapshot("i1", "a0"))
    # the app container is another one too: the sandbox may have been made anew
    assert once(snapshot("i0", "a0"), snapshot("i1", "a1"))
    # a failed run is repeated, and a sidecar may be started again at any time
    assert once(snapshot("i0", "a0", init_state=FAILED), snapshot("i1", "a0"))
    sidecar = Container(name="one", restartPolicy="Always")
    assert once(snapshot("i0", "a0", entry=sidecar), snapshot("i1", "a0", entry=sidecar))


@pytest.mark.parametrize(
    "part",
    [{"lifecycle": Lifecycle()}, {"livenessProbe": Probe()}, {"readinessProbe": Probe()}, {"startupProbe": Probe()}],
)
def test_no_probes_and_no_hooks(part):
    allowed = RULES["init-no-probes-no-lifecycle"]
    assert not allowed(Container(name="one", **part))
    assert allowed(Container(name="one", restartPolicy="Always", **part))


def test_names_are_unique_across_all_kinds():
    unique = RULES["init-unique-names"]
    assert unique(PodSpec(containers=(ONE,), initContainers=(TWO,), ephemeralContainers=(THREE,)))
    assert not unique(PodSpec(containers=(ONE,), ephemeralContainers=(ONE,)))
    assert not unique(PodSpec(containers=(ONE,), initContainers=(ONE,)))


def test_gates_only_go_and_tolerations_only_come():
    change = RULES["init-update-only-image"]
    gated = PodSpec(schedulingGates=(PodSchedulingGate(name="g"),))
    tolerant = PodSpec(tolerations=(Toleration(key="k"),))
    assert change(gated, PodSpec())
    assert not change(PodSpec(), gated)
    assert change(PodSpec(), tolerant)
    assert not change(tolerant, PodSpec())
    assert not change(PodSpec(activeDeadlineSeconds=5), PodSpec())


@pytest.mark.parametrize(
    ("initialized", "ready", "holds"), [("False", "True", False), ("False", "False", True), ("True", "True", True)]
)
def test_not_ready_while_initialising(initialized, ready, holds):
    conditions = (PodCondition(type="Initialized", status=initialized), PodCondition(type="Ready", status=ready))
    pod = Pod(status=PodStatus(conditions=conditions))
    assert RULES["init-not-ready-while-initialising"](pod) is holds


def test_kubectl_status_counts_places_in_the_list():
    shown = RULES["init-kubectl-status"]
    done, failed = status("one", "", SUCCEEDED), status("two", "", FAILED)
    signalled = status("two", "", ContainerState(terminated=ContainerStateTerminated(exitCode=137, signal=9)))
    waiting = status("two", "", ContainerState(waiting=ContainerStateWaiting(reason="PodInitializing")))
    assert shown((done, waiting), 2) == "Init:1/2"
    assert shown((done, failed), 2) == "Init:ExitCode:1"
    assert shown((done, signalled), 2) == "Init:Signal:9"


def test_deadline_applies_while_pending():
    judge = RULES["init-deadline-applies"].judge
    assert judge(PodFacts(deadline_at=5.0, now=5.0))
    assert judge(PodFacts(deadline_at=5.0, now=4.0)).not_before == 5.0
    assert not judge(PodFacts(phase="Running", deadline_at=5.0, now=6.0))


@pytest.mark.parametrize(
    ("state", "proves"), [("running", True), ("created", True), ("exited", False), ("unknown", False)]
)
def test_init_rerun_on_lost_record_unless_an_app_container_proves_otherwise(state, proves):
    assert RULES["init-rerun-on-lost-record"](RuntimeState(state)) is proves
    assert act((ONE,), of("app", state)).initialized is proves


@pytest.mark.parametrize(
    ("entries", "expected"),
    [(((3.0, False), (5.0, False)), 5.0), (((3.0, True), (5.0, False)), 8.0), (((5.0, False), (3.0, True)), 5.0)],
)
def test_init_effective_resources_by_order(entries, expected):
    assert RULES["init-effective-resources"]((1.0,), entries) == expected


def test_image_of_a_finished_init_container_may_change():
    judge = RULES["init-image-change-no-rerun"].judge
    assert judge(ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED, spec_changed=True))
    changed = RuntimeContainer("one-0", "one", RuntimeState.EXITED, spec_changed=True)
    assert act((ONE, TWO), changed).start == ("two",)
