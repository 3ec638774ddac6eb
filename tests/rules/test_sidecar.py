"""Sidecars: their place in the start order, their restarts and their end."""

import pytest

from podfsm.kube.objects import Container, PodSpec, Probe
from podfsm.rules.catalogue import all_rules
from podfsm.rules.facts import ContainerFacts, ProbeResult, Role, RuntimeContainer, RuntimeState
from podfsm.rules.gates import gates_for
from podfsm.rules.init_actions import init_actions
from podfsm.rules.sidecar import has_started, is_sidecar

RULES = all_rules()

NEWEST = gates_for("1.36")
SIDECAR = Container(name="side", restartPolicy="Always")
PROBED = Container(name="side", restartPolicy="Always", startupProbe=Probe(), livenessProbe=Probe())
INIT = Container(name="init")


def act(entries, *containers, policy="Always", gates=NEWEST):
    spec = PodSpec(containers=(Container(name="app"),), initContainers=entries, restartPolicy=policy)
    return init_actions(spec, {c.name: c for c in containers}, gates, deleting=False)


def of(name, state, **more):
    return RuntimeContainer(f"{name}-0", name, RuntimeState(state), **more)


def test_definition_by_version():
    assert is_sidecar(SIDECAR, NEWEST)
    assert not is_sidecar(INIT, NEWEST)
    assert not is_sidecar(Container(name="i", restartPolicy="Never"), NEWEST)
    assert not is_sidecar(SIDECAR, gates_for("1.28"))
    assert RULES["sidecar-definition"].in_force(gates_for("1.29"))


@pytest.mark.parametrize(
    ("container", "startup", "started"),
    [
        (SIDECAR, None, True),
        (PROBED, None, False),
        (PROBED, ProbeResult.UNKNOWN, False),
        (PROBED, ProbeResult.FAILURE, False),
        (PROBED, ProbeResult.SUCCESS, True),
    ],
)
def test_next_entry_waits_for_the_start_only(container, startup, started):
    instance = of("side", "running", startup=startup)
    assert has_started(container, instance) is started
    actions = act((container, INIT), instance)
    assert ("init" in actions.start) is started


def test_a_sidecar_that_does_not_run_has_not_started():
    assert not has_started(SIDECAR, of("side", "exited"))


def test_startup_failure_stops_it_and_starts_it_again():
    actions = act((PROBED, INIT), of("side", "running", startup=ProbeResult.FAILURE))
    assert actions.start == ("side",)
    assert [(kill.reason, kill.message) for kill in actions.kill] == [
        ("StartupProbe", "Init container side failed startup probe")
    ]


@pytest.mark.parametrize(
    ("more", "reason"), [({"liveness": ProbeResult.FAILURE}, "LivenessProbe"), ({"spec_changed": True}, "")]
)
def test_liveness_failure_and_change_do_not_hold_up_the_next_entry(more, reason):
    actions = act((PROBED, INIT), of("side", "running", startup=ProbeResult.SUCCESS, **more))
    assert actions.start == ("side", "init")
    assert [kill.reason for kill in actions.kill] == [reason]


def test_liveness_counts_only_with_a_probe():
    assert act((SIDECAR,), of("side", "running", liveness=ProbeResult.FAILURE)).kill == ()


@pytest.mark.parametrize("policy", ["Always", "OnFailure", "Never"])
def test_restarted_whatever_the_policy_and_when_lost(policy):
    running = of("app", "running")
    for state in ("exited", "created", "unknown"):
        actions = act((SIDECAR, INIT), of("side", state), running, policy=policy)
        assert actions.initialized
        assert actions.start == ("side",)
        assert len(actions.kill) == (state == "unknown")
    assert act((SIDECAR, INIT), running, policy=policy).start == ("side",)


def test_earlier_sidecar_is_kept_running_while_a_later_entry_runs():
    actions = act((SIDECAR, INIT), of("side", "exited"), of("init", "running"))
    assert not actions.initialized
    assert actions.start == ("side",)
    # a lost record of an earlier sidecar counts as not running
    assert act((SIDECAR, INIT), of("init", "running")).start == ("side",)


def test_sidecar_as_last_entry_ends_initialisation_once_started():
    assert act((SIDECAR,), of("side", "running")).initialized
    assert not act((SIDECAR,), of("side", "exited")).initialized
    assert not act((PROBED,), of("side", "running")).initialized


def test_before_sidecars_the_same_entry_has_to_complete():
    actions = act((SIDECAR, INIT), of("side", "exited"), gates=gates_for("1.28"))
    assert actions.start == ("init",)


def test_restart_guards():
    exited = ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.EXITED, apps_done=True)
    assert RULES["sidecar-always-restart"].judge(exited)
    assert not RULES["sidecar-not-restarted-when-apps-done"].judge(exited)
    assert not RULES["sidecar-start-order"].judge(ContainerFacts(role=Role.SIDECAR, earlier_done=False))


def test_image_change_waits_until_it_has_started():
    judge = RULES["sidecar-image-change"].judge
    changed = {"role": Role.SIDECAR, "instance": RuntimeState.RUNNING, "spec_changed": True, "startup_probe": True}
    assert not judge(ContainerFacts(**changed))
    assert judge(ContainerFacts(startup=ProbeResult.SUCCESS, **changed))


def test_end():
    assert RULES["sidecar-termination-order"].judge(ContainerFacts(role=Role.SIDECAR))
    assert not RULES["sidecar-termination-order"].judge(ContainerFacts(role=Role.SIDECAR, others_running=True))
    assert RULES["sidecar-termination-shares-grace"](30.0, 12.0) == 18.0
    assert RULES["sidecar-prestop-immediate"](0.0, 5.0, 3.0) == (0.0, 5.0)
    assert RULES["sidecar-job-completion"]((0,), sidecars_running=False) == "Succeeded"
    assert not RULES["sidecar-start-failure-skipped"].judge(ContainerFacts(role=Role.INIT))
    assert RULES["sidecar-readiness-counts"]((), ())


def test_manifests():
    assert RULES["sidecar-probes-and-lifecycle-allowed"](PROBED)
    assert not RULES["sidecar-probes-and-lifecycle-allowed"](Container(name="i", livenessProbe=Probe()))
    assert RULES["sidecar-rules-allowed-136"](SIDECAR, restart_all=False)
