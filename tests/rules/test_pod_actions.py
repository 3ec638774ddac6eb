"""One sync of the kubelet: what it starts, stops and removes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import Container, ContainerRestartRule, ExitCodes, PodSpec, Probe
from podfsm.rules.facts import ProbeResult, RuntimeContainer, RuntimeState, Sandbox
from podfsm.rules.gates import gates_for
from podfsm.rules.pod_actions import Kill, Reset, compute_pod_actions
from podfsm.rules.sandbox import sandbox_changed

NEWEST = gates_for("1.36")
READY = (Sandbox(id="s0", ip="10.0.0.5"),)
LOST = (Sandbox(id="s0", ready=False, ip="10.0.0.5"),)

APP = Container(name="app")
INIT = Container(name="init")
SIDECAR = Container(name="side", restartPolicy="Always")


def act(spec, *containers, sandboxes=READY, deleting=False, restart_all=False, gates=NEWEST):
    return compute_pod_actions(
        spec, deleting=deleting, sandboxes=sandboxes, containers=containers, restart_all=restart_all, gates=gates
    )


def of(name, state, code=0, **more):
    return RuntimeContainer(f"{name}-0", name, RuntimeState(state), exit_code=code, **more)


def pod(*apps, init=(), policy="Always", ephemeral=()):
    return PodSpec(containers=apps or (APP,), initContainers=init, restartPolicy=policy, ephemeralContainers=ephemeral)


def test_new_pod_gets_a_sandbox_and_its_first_init_container_only():
    actions = act(pod(init=(INIT, SIDECAR)), sandboxes=())
    assert (actions.kill_pod, actions.create_sandbox, actions.attempt) == (True, True, 0)
    assert actions.init_to_start == ("init",)
    assert actions.apps_to_start == ()
    assert act(pod(), sandboxes=()).apps_to_start == ("app",)


def test_nothing_to_do_while_all_runs():
    actions = act(pod(init=(INIT, SIDECAR)), of("init", "exited"), of("side", "running"), of("app", "running"))
    assert not actions.kill_pod
    assert (actions.init_to_start, actions.apps_to_start, actions.to_kill) == ((), (), ())
    assert dict(actions.why) == {}


def test_app_restart_names_the_rule_that_decided():
    actions = act(pod(Container(name="a"), Container(name="b")), of("a", "exited", 1), of("b", "running"))
    assert actions.apps_to_start == ("a",)
    assert actions.why == {"a": "restart-always"}


def test_all_done_kills_the_pod_and_leaves_sidecars_down():
    actions = act(pod(init=(SIDECAR,), policy="OnFailure"), of("side", "exited", 1), of("app", "exited"))
    # an exited app container proves nothing: initialisation is judged by the sidecar, which is started again
    assert actions.init_to_start == ("side",)
    actions = act(pod(init=(SIDECAR,), policy="OnFailure"), of("side", "running"), of("app", "exited"))
    assert actions.kill_pod
    assert actions.init_to_start == ()
    assert actions.why[""] == "restart-all-done-kills-sandbox"


def test_ephemeral_containers_start_before_initialisation_is_over_and_never_again():
    debug = (Container(name="debug"),)
    actions = act(pod(init=(INIT,), ephemeral=debug), of("init", "running"))
    assert actions.ephemeral_to_start == ("debug",)
    assert actions.why["debug"] == "ephemeral-start-during-init"
    again = act(pod(ephemeral=debug), of("debug", "exited", 1), of("app", "running"))
    assert again.ephemeral_to_start == ()


def test_running_ephemeral_container_does_not_keep_the_pod():
    actions = act(
        pod(ephemeral=(Container(name="debug"),), policy="Never"), of("debug", "running"), of("app", "exited")
    )
    assert actions.kill_pod


@pytest.mark.parametrize(
    ("policy", "changes", "restarted", "kill"),
    [
        ("Always", {"liveness": ProbeResult.FAILURE}, True, ("LivenessProbe", "failed liveness probe")),
        ("Never", {"liveness": ProbeResult.FAILURE}, False, ("LivenessProbe", "failed liveness probe")),
        ("OnFailure", {"startup": ProbeResult.FAILURE}, True, ("StartupProbe", "failed startup probe")),
        ("Never", {"spec_changed": True}, True, ("", "definition changed")),
    ],
)
def test_running_app_container_that_has_to_go(policy, changes, restarted, kill):
    actions = act(pod(policy=policy), of("app", "running", **changes))
    tail = ", will be restarted" if restarted else ""
    assert actions.to_kill == (Kill("app-0", "app", kill[0], f"Container app {kill[1]}{tail}"),)
    assert actions.apps_to_start == (("app",) if restarted else ())
    assert actions.kill_pod is not restarted


def test_own_policy_decides_after_a_probe_kill_and_rules_do_not():
    rules = (ContainerRestartRule(action="Restart", exitCodes=ExitCodes(operator="NotIn", values=())),)
    app = Container(name="app", restartPolicy="Never", restartPolicyRules=rules)
    failing = of("app", "running", liveness=ProbeResult.FAILURE)
    assert act(pod(app), failing).apps_to_start == ()
    assert act(pod(app), failing, gates=gates_for("1.32")).apps_to_start == ("app",)


def test_unknown_results_keep_the_container():
    kept = of("app", "running", liveness=ProbeResult.UNKNOWN, startup=ProbeResult.UNKNOWN)
    assert act(pod(), kept).to_kill == ()


def test_unknown_state_is_killed_before_it_is_started_again():
    actions = act(pod(policy="Never"), of("app", "unknown"))
    assert actions.apps_to_start == ("app",)
    assert [kill.reason for kill in actions.to_kill] == ["Unknown"]


def test_lost_sandbox_starts_from_the_first_init_container():
    actions = act(pod(init=(INIT,)), of("init", "exited"), of("app", "running"), sandboxes=LOST)
    assert (actions.create_sandbox, actions.attempt, actions.init_to_start) == (True, 1, ("init",))
    assert actions.why == {"init": "init-rerun-on-new-sandbox"}


def test_lost_sandbox_under_never_is_not_replaced_once_containers_exist():
    actions = act(pod(policy="Never"), of("app", "running"), sandboxes=LOST)
    assert (actions.kill_pod, actions.create_sandbox, actions.attempt) == (True, False, 1)
    assert act(pod(policy="Never"), sandboxes=LOST).create_sandbox


def test_lost_sandbox_under_onfailure_leaves_out_what_succeeded():
    spec = pod(Container(name="a"), Container(name="b"), policy="OnFailure")
    assert act(spec, of("a", "exited"), of("b", "exited", 1), sandboxes=LOST).apps_to_start == ("b",)
    assert not act(spec, of("a", "exited"), of("b", "exited"), sandboxes=LOST).create_sandbox


def test_restart_all_removes_sources_last():
    rules = (ContainerRestartRule(action="RestartAllContainers", exitCodes=ExitCodes(operator="In", values=(42,))),)
    source = Container(name="a", restartPolicy="Never", restartPolicyRules=rules)
    spec = pod(source, Container(name="b"), init=(INIT,))
    actions = act(spec, of("a", "exited", 42), of("b", "running"), of("init", "exited"), restart_all=True)
    assert actions.to_reset == (Reset("b-0", kill=True), Reset("init-0", kill=False), Reset("a-0", kill=False))
    assert not actions.kill_pod


@pytest.mark.parametrize(
    ("sandboxes", "host_network", "expected"),
    [
        ((), False, (True, 0, "")),
        ((Sandbox("s", ip="10.0.0.1"),), False, (False, 0, "s")),
        ((Sandbox("s", ip=None),), False, (False, 0, "s")),
        ((Sandbox("s", ip=""),), False, (True, 1, "s")),
        ((Sandbox("s", ip="", host_network=True),), True, (False, 0, "s")),
        ((Sandbox("s", ip="10.0.0.1", attempt=2),), True, (True, 3, "")),
        ((Sandbox("s", ready=False, attempt=1), Sandbox("t", attempt=0)), False, (True, 2, "s")),
        ((Sandbox("s", ip="1", attempt=1), Sandbox("t", ip="2")), False, (True, 2, "s")),
    ],
)
def test_sandbox_changed(sandboxes, host_network, expected):
    assert sandbox_changed(PodSpec(hostNetwork=host_network), sandboxes) == expected


STATES = st.sampled_from(list(RuntimeState))
RESULTS = st.none() | st.sampled_from(list(ProbeResult))
POLICIES = st.sampled_from(["Always", "OnFailure", "Never"])


@st.composite
def situations(draw):
    apps = tuple(
        Container(name=f"app-{i}", restartPolicy=draw(st.none() | POLICIES)) for i in range(draw(st.integers(1, 3)))
    )
    entries = tuple(
        Container(
            name=f"init-{i}",
            restartPolicy=draw(st.none() | POLICIES),
            startupProbe=draw(st.none() | st.just(Probe())),
            livenessProbe=draw(st.none() | st.just(Probe())),
        )
        for i in range(draw(st.integers(0, 3)))
    )
    spec = PodSpec(containers=apps, initContainers=entries, restartPolicy=draw(POLICIES))
    containers = []
    for entry in (*apps, *entries):
        for number in range(draw(st.integers(0, 2)), 0, -1):
            state = draw(STATES) if number == 1 else RuntimeState.EXITED
            code = draw(st.sampled_from([0, 1, 137]))
            containers.append(
                RuntimeContainer(
                    f"{entry.name}-{number}",
                    entry.name,
                    state,
                    exit_code=code,
                    spec_changed=draw(st.booleans()),
                    liveness=draw(RESULTS),
                    startup=draw(RESULTS),
                )
            )
    sandboxes = draw(st.sampled_from([(), READY, LOST]))
    return (
        spec,
        containers,
        sandboxes,
        draw(st.booleans()),
        draw(st.sampled_from(["1.28", "1.30", "1.32", "1.34", "1.36"])),
    )


@given(situation=situations())
def test_what_holds_in_every_situation(situation):
    spec, containers, sandboxes, deleting, version = situation
    actions = act(spec, *containers, sandboxes=sandboxes, deleting=deleting, gates=gates_for(version))
    entries = [entry.name for entry in spec.initContainers]
    apps = [app.name for app in spec.containers]
    newest = {}
    for instance in containers:
        newest.setdefault(instance.name, instance)
    assert [name for name in entries if name in actions.init_to_start] == list(actions.init_to_start)
    assert [name for name in apps if name in actions.apps_to_start] == list(actions.apps_to_start)
    killed = {kill.id for kill in actions.to_kill}
    for name in (*actions.init_to_start, *actions.apps_to_start):
        running = name in newest and newest[name].state is RuntimeState.RUNNING
        assert not running or newest[name].id in killed or actions.kill_pod
        assert actions.why[name]
    if actions.create_sandbox:
        assert actions.kill_pod
        assert not killed
        assert not (entries and actions.apps_to_start)
    if actions.kill_pod and not actions.create_sandbox:
        assert not actions.init_to_start
        assert not actions.apps_to_start
        assert actions.why[""]
