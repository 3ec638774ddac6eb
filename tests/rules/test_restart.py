"""Which exited container runs again, and which rule decides it: restart-* rules against the decision they describe."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import (
    Container,
    ContainerRestartRule,
    ContainerState,
    ContainerStateRunning,
    ContainerStatus,
    ExitCodes,
    ObjectMeta,
    Pod,
    PodSpec,
    PodStatus,
)
from podfsm.rules import restart, restart_checks
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import ContainerFacts, Policy, ProbeResult, Role, RuleAction, RuntimeContainer, RuntimeState
from podfsm.rules.gates import gates_for
from podfsm.rules.kubelet_facts import SandboxFacts

RULES = all_rules()

NEWEST = gates_for("1.36")
BEFORE_RULES = gates_for("1.32")
RUNNING = ContainerState(running=ContainerStateRunning())

RESTARTING = ("restart-rules-first-match", "restart-container-level-policy", "restart-always", "restart-onfailure")
LEAVING = ("restart-onfailure-done", "restart-never")

attrs.resolve_types(ContainerFacts)
FACTS = st.builds(ContainerFacts, **{f.name: st.from_type(f.type) for f in attrs.fields(ContainerFacts)})


def rule(action="Restart", operator="In", *values):
    return ContainerRestartRule(action=action, exitCodes=ExitCodes(operator=operator, values=values))


def again(container, spec, code, gates=NEWEST):
    return restart.restarts_after_exit(container, spec, code, gates, sidecar=False)


@given(facts=FACTS)
def test_exactly_one_rule_decides_on_an_exit(facts):
    holding = [name for name in (*RESTARTING, *LEAVING) if RULES[name].judge(facts)]
    if facts.instance is RuntimeState.EXITED:
        restarts, by = restart.decided(facts)
        assert holding == [by]
        assert restarts == (by in RESTARTING)
    else:
        assert holding == []


@pytest.mark.parametrize(
    ("policy", "code", "expected"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 137, True),
        ("Never", 0, False),
        ("Never", 1, False),
        ("", 0, True),
    ],
)
def test_pod_policy(policy, code, expected):
    assert again(Container(name="a"), PodSpec(restartPolicy=policy), code) is expected


def test_own_policy_overrides_the_pods_since_container_restart_rules():
    container, spec = Container(name="a", restartPolicy="Never"), PodSpec(restartPolicy="Always")
    assert not again(container, spec, 1)
    assert again(container, spec, 1, BEFORE_RULES)
    assert again(container, spec, 1, gates_for("1.36", {"ContainerRestartRules": False}))


def test_own_policy_that_is_empty_leaves_it_to_the_pods():
    assert not again(Container(name="a", restartPolicy=""), PodSpec(restartPolicy="Never"), 1)


def test_first_matching_rule_wins_and_not_in_matches_exit_code_0():
    rules = (rule("Restart", "In", 3), rule("RestartAllContainers", "NotIn", 1), rule("Restart", "In", 0))
    container = Container(name="a", restartPolicy="Never", restartPolicyRules=rules)
    spec = PodSpec(containers=(container,), restartPolicy="Never")
    assert restart.matched_action(container, 3, NEWEST) is RuleAction.RESTART
    assert restart.matched_action(container, 0, NEWEST) is RuleAction.RESTART_ALL_CONTAINERS
    assert restart.matched_action(container, 1, NEWEST) is None
    assert [again(container, spec, code) for code in (0, 1, 3)] == [True, False, True]


@pytest.mark.parametrize(
    "useless",
    [ContainerRestartRule(action="Restart"), rule("Restart", "Exists", 1), rule("Restart", "In"), rule("", "In", 1)],
)
def test_rule_that_never_restarts(useless):
    container = Container(name="a", restartPolicy="Never", restartPolicyRules=(useless,))
    assert not again(container, PodSpec(restartPolicy="Never"), 1)


def test_rules_without_own_policy_are_ignored():
    container = Container(name="a", restartPolicyRules=(rule("Restart", "In", 1),))
    assert restart.matching_rule(container, 1, NEWEST) is None


def test_container_could_restart_by_a_rule_of_its_own_but_not_by_restart_all():
    never = PodSpec(restartPolicy="Never")
    for action, expected in (("Restart", True), ("RestartAllContainers", False)):
        container = Container(name="a", restartPolicy="Never", restartPolicyRules=(rule(action, "In", 1),))
        assert restart.could_restart(container, never, NEWEST, sidecar=False) is expected
    assert restart.could_restart(Container(name="s", restartPolicy="Always"), never, NEWEST, sidecar=True)
    assert not restart.could_restart(Container(name="s", restartPolicy="Always"), never, BEFORE_RULES, sidecar=True)


@pytest.mark.parametrize("state", [None, RuntimeState.CREATED, RuntimeState.UNKNOWN])
def test_exceptions_to_never_and_no_exception_to_deleting(state):
    instance = None if state is None else RuntimeContainer("a-0", "a", state)
    container, never = Container(name="a"), PodSpec(restartPolicy="Never")

    def due(deleting):
        return restart.should_be_restarted(container, never, instance, NEWEST, deleting=deleting, sidecar=False)

    assert due(deleting=False)
    assert not due(deleting=True)
    facts = ContainerFacts(pod_policy=Policy.NEVER, instance=state)
    assert RULES["restart-never-exceptions"].judge(facts)
    assert RULES["restart-not-when-deleting"].judge(facts)
    assert not RULES["restart-not-when-deleting"].judge(attrs.evolve(facts, deleting=True))


def test_running_container_is_not_due():
    running = RuntimeContainer("a-0", "a", RuntimeState.RUNNING)
    always = PodSpec(restartPolicy="Always")
    assert not restart.should_be_restarted(Container(name="a"), always, running, NEWEST, deleting=False, sidecar=False)


def test_restart_all_is_requested_by_an_exit_that_matches():
    container = Container(name="i", restartPolicy="Never", restartPolicyRules=(rule("RestartAllContainers", "In", 42),))
    spec = PodSpec(containers=(Container(name="a"),), initContainers=(container,))
    exited = {"i": RuntimeContainer("i-0", "i", RuntimeState.EXITED, exit_code=42)}
    assert restart.has_restart_all_rule(spec, NEWEST)
    assert restart.restart_all_requested(spec, exited, NEWEST)
    assert not restart.restart_all_requested(spec, {}, NEWEST)
    assert not restart.restart_all_requested(spec, {"i": attrs.evolve(exited["i"], exit_code=1)}, NEWEST)
    assert not restart.restart_all_requested(spec, exited, gates_for("1.35"))
    assert not restart.restart_all_requested(PodSpec(containers=(Container(name="i"),)), exited, NEWEST)


def test_restart_all_spares_ephemeral_containers_and_what_never_ran():
    judge = RULES["restart-all-containers"].judge
    assert judge(ContainerFacts(restart_all=True, instance=RuntimeState.EXITED))
    assert not judge(ContainerFacts(restart_all=True, instance=None))
    assert not judge(ContainerFacts(restart_all=True, instance=RuntimeState.RUNNING, role=Role.EPHEMERAL))


def test_restart_all_shows_as_waiting_after_137():
    state, last = restart_checks.state_while_restarting_all()
    assert state.waiting.reason == last.terminated.reason == restart_checks.RESTARTING_ALL
    assert last.terminated.exitCode == 137


def test_rules_are_valid_up_to_20_with_255_exit_codes():
    rules = (rule("Restart", "In", *range(255)),) * 20
    valid = restart_checks.valid_rules
    assert valid(Container(name="a", restartPolicy="Always", restartPolicyRules=rules))
    assert not valid(Container(name="a", restartPolicy="Always", restartPolicyRules=rules * 2))
    assert not valid(
        Container(name="a", restartPolicy="Always", restartPolicyRules=(rule("Restart", "In", *range(256)),))
    )


def test_init_containers_are_not_restarted_for_their_image():
    judge = RULES["restart-spec-image-change"].judge
    assert judge(ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.RUNNING, spec_changed=True))
    assert not judge(ContainerFacts(role=Role.INIT, instance=RuntimeState.RUNNING, spec_changed=True))


def test_starts_wait_for_pull_and_hook_of_the_one_before():
    assert RULES["restart-sequential-start"](100.0, (5.0, 1.0)) == (100.0, 105.0)


@pytest.mark.parametrize(
    ("own", "pod", "expected"),
    [(Policy.NEVER, Policy.ALWAYS, False), (Policy.ON_FAILURE, Policy.NEVER, True), (None, Policy.NEVER, False)],
)
def test_probe_kill_asks_policies_only(own, pod, expected):
    facts = ContainerFacts(
        own_policy=own,
        pod_policy=pod,
        matched=RuleAction.RESTART,
        instance=RuntimeState.RUNNING,
        liveness=ProbeResult.FAILURE,
    )
    assert bool(RULES["restart-rules-not-for-probe-kill"].judge(facts)) is expected
    container = Container(name="a", restartPolicy=own)
    assert restart.restarts_after_kill(container, PodSpec(restartPolicy=pod), NEWEST) is expected


@pytest.mark.parametrize("policy", [Policy.ALWAYS, Policy.ON_FAILURE, Policy.NEVER])
def test_failed_init_container_is_retried_as_its_exit_decides(policy):
    mapping = RULES["restart-init-policy-mapping"]
    assert mapping(policy) is again(Container(name="i"), PodSpec(restartPolicy=policy), 1)


@pytest.mark.parametrize(
    ("sandboxes", "something_to_start", "stops"), [(1, False, True), (1, True, False), (0, False, False)]
)
def test_a_sandbox_is_stopped_when_all_is_done(sandboxes, something_to_start, stops):
    facts = SandboxFacts(sandboxes=sandboxes, ready=sandboxes, something_to_start=something_to_start)
    assert bool(RULES["restart-all-done-kills-sandbox"].judge(facts)) is stops


@pytest.mark.parametrize(("policy", "valid"), [("Always", True), ("Never", True), ("", True), ("always", False)])
def test_values_of_the_policy(policy, valid):
    assert RULES["restart-policy-values"](PodSpec(restartPolicy=policy)) is valid


def snapshot(uid="u", node="n", **containers):
    """A Pod whose containers run, given as name=(containerID, restartCount)."""
    statuses = tuple(
        ContainerStatus(name=name, containerID=made, restartCount=count, state=RUNNING)
        for name, (made, count) in containers.items()
    )
    return Pod(metadata=ObjectMeta(uid=uid), spec=PodSpec(nodeName=node), status=PodStatus(containerStatuses=statuses))


def test_restart_stays_on_its_node():
    same_node = RULES["restart-same-node"]
    assert same_node(snapshot(a=("1", 0)), snapshot(a=("2", 1)))
    assert not same_node(snapshot(a=("1", 0)), snapshot(node="other", a=("2", 1)))
    # another Pod of the same name is not a restart
    assert same_node(snapshot(a=("1", 3)), snapshot(uid="v", node="other", a=("2", 0)))


def test_restart_leaves_the_others_alone():
    independent = RULES["restart-independent"]
    before = snapshot(a=("1", 0), b=("7", 2))
    assert independent(before, snapshot(a=("2", 1), b=("7", 2)))
    assert independent(before, snapshot(a=("2", 1), b=("8", 3)))
    assert not independent(before, snapshot(a=("2", 1), b=("8", 2)))
    assert independent(before, snapshot(uid="v", a=("2", 0), b=("8", 2)))
    assert independent(before, snapshot(a=("1", 0), b=("7", 2), c=("9", 0)))


def test_rules_need_a_policy_and_known_words():
    valid = RULES["restart-rules-validation"]
    assert valid(Container(name="a"))
    assert not valid(Container(name="a", restartPolicyRules=(rule("Restart", "In", 1),)))
    for wrong in (rule("", "In", 1), rule("Restart", "Exists", 1), ContainerRestartRule(action="Restart")):
        assert not valid(Container(name="a", restartPolicy="Never", restartPolicyRules=(wrong,)))


def test_restart_all_waiting_state_is_known_by_its_reason():
    state, _ = RULES["restart-all-waiting-state"]()
    assert state.waiting.reason == "RestartingAllContainers"
