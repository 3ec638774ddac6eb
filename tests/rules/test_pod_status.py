"""Whole statuses: what the kubelet derives, keeps, writes and leaves behind, followed over a Pod's life."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import (
    Container,
    ContainerRestartRule,
    ContainerState,
    ContainerStateTerminated,
    ExitCodes,
    PodCondition,
    PodStatus,
    Probe,
)
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.condition_list import by_type
from podfsm.rules.container_state import StartError
from podfsm.rules.facts import ProbeKind, ProbeResult, Sandbox
from podfsm.rules.phase import TERMINAL
from podfsm.rules.pod_status import KillReason, derive_status, settle
from podfsm.rules.status_merge import merge_status
from podfsm.rules.terminate import terminate_status
from tests.rules.statuses import (
    NEW,
    OLD,
    UP,
    containers,
    ends,
    exited,
    instances_of,
    pod,
    pods_with_statuses,
    running,
    runs,
    shown,
    spec,
)

RULES = all_rules()


def derive(of, found=(), now=10.0, *, sandboxes=UP, errors=(), terminal=False, probes=(), gates=NEW, **more):
    status = derive_status(
        of,
        containers=found,
        sandboxes=sandboxes,
        start_errors={name: StartError(reason) for name, reason in dict(errors).items()},
        terminal=terminal,
        probes=dict(probes),
        gates=gates,
        now=now,
        **more,
    )
    return settle(status, of.status, now)


def after(of, status):
    return msgspec.structs.replace(of, status=status)


def said(status):
    """Conditions by type, without times."""
    return {c.type: (c.status, c.reason) for c in status.conditions}


def test_the_first_status():
    status = derive(pod(spec("app"), generation=1), sandboxes=(), now=4.2)
    assert status.phase == "Pending"
    assert status.startTime == instant(4)
    assert status.observedGeneration == 1
    assert [c.type for c in status.conditions] == [
        "PodReadyToStartContainers",
        "Initialized",
        "Ready",
        "ContainersReady",
        "PodScheduled",
    ]
    assert said(status)["Initialized"] == ("True", "")
    assert said(status)["Ready"] == ("False", "ContainersNotReady")
    assert {c.observedGeneration for c in status.conditions} == {1}


def test_versions_without_generations_and_network_condition():
    status = derive(pod(spec("app"), generation=3), gates=OLD)
    assert (status.observedGeneration, {c.observedGeneration for c in status.conditions}) == (0, {0})


def test_a_crash_loop_as_recorded():
    """running, terminated, waiting with the exit in lastState, running again; Running all along."""
    here = pod(spec("app"))
    seen = []
    for found, errors in (
        ([running("app")], {}),
        ([exited("app", 1)], {}),
        ([exited("app", 1)], {"app": "CrashLoopBackOff"}),
        ([running("app", 1), exited("app", 1)], {"app": "CrashLoopBackOff"}),
    ):
        here = after(here, derive(here, found, errors=errors))
        (app,) = here.status.containerStatuses
        last = app.lastState.terminated.exitCode if app.lastState.terminated else None
        kind = next(k for k in ("waiting", "running", "terminated") if getattr(app.state, k) is not None)
        seen.append((here.status.phase, kind, last, app.restartCount, app.ready))
    assert seen == [
        ("Running", "running", None, 0, True),
        ("Running", "terminated", None, 0, False),
        ("Running", "waiting", 1, 0, False),
        ("Running", "running", 1, 1, True),
    ]


def test_restart_all_containers_as_recorded():
    """The condition comes with the exit, goes when the runtime has nothing left; Initialized and the counts stay up."""
    rule = ContainerRestartRule("RestartAllContainers", ExitCodes("In", (88,)))
    main = Container(name="main", restartPolicy="Never", restartPolicyRules=(rule,))
    here = pod(spec(main, "other", init=containers("init")))
    done = exited("init")
    here = after(here, derive(here, [running("main"), running("other"), done]))
    assert said(here.status)["AllContainersRestarting"] == ("False", "")
    here = after(here, derive(here, [exited("main", 88), running("other"), done]))
    assert said(here.status)["AllContainersRestarting"] == ("True", "RestartAllContainersStarted")
    assert here.status.phase == "Running"
    here = after(here, derive(here, []))
    assert said(here.status)["AllContainersRestarting"] == ("False", "")
    everything = (*here.status.initContainerStatuses, *here.status.containerStatuses)
    assert {s.state.waiting.reason for s in everything} == {"RestartingAllContainers"}
    assert {s.restartCount for s in everything} == {1}
    assert [s.ready for s in here.status.initContainerStatuses] == [True]
    here = after(here, derive(here, [running("init", 1)]))
    assert here.status.phase == "Pending"
    assert said(here.status)["Initialized"] == ("True", "")
    here = after(here, derive(here, [running("main", 1), running("other", 1), exited("init", number=1)]))
    assert (here.status.phase, said(here.status)["Ready"]) == ("Running", ("True", ""))
    assert {s.lastState.terminated.reason for s in here.status.containerStatuses} == {"RestartingAllContainers"}


def test_an_ephemeral_container_does_not_hold_up_the_restart_of_all():
    rule = ContainerRestartRule("RestartAllContainers", ExitCodes("In", (88,)))
    main = Container(name="main", restartPolicy="Never", restartPolicyRules=(rule,))
    here = pod(spec(main, ephemeralContainers=containers("debug")))
    here = after(here, derive(here, [exited("main", 88), running("debug")]))
    assert said(here.status)["AllContainersRestarting"][0] == "True"
    assert said(derive(here, [running("debug")]))["AllContainersRestarting"][0] == "False"


def test_a_lost_sandbox_as_recorded():
    """The init container runs again with its count raised by 1, and the phase goes back to Pending."""
    here = pod(spec("app", init=containers("init")))
    first = [running("app"), exited("init")]
    here = after(here, derive(here, first))
    down = (Sandbox("s", ready=False, ip="10.1.2.3"),)
    here = after(here, derive(here, [exited("app", 137), exited("init")], sandboxes=down))
    assert said(here.status)["PodReadyToStartContainers"][0] == "False"
    left = [exited("app", 137, in_active_sandbox=False)]
    here = after(
        here, derive(here, [running("init", 0), *left], sandboxes=(Sandbox("t", attempt=1, ip="10.1.2.4"), *down))
    )
    (init,) = here.status.initContainerStatuses
    assert (here.status.phase, init.restartCount, here.status.podIP) == ("Pending", 1, "10.1.2.4")
    assert said(here.status)["Initialized"] == ("True", "")


def test_start_errors_as_recorded():
    """RunContainerError of an instance that exited with 128 makes the phase Running."""
    here = pod(spec("app"))
    dead = [exited("app", 128, reason="StartError")]
    status = derive(here, dead, errors={"app": "RunContainerError"})
    (app,) = status.containerStatuses
    assert (status.phase, app.state.waiting.reason, app.lastState.terminated.exitCode) == (
        "Running",
        "RunContainerError",
        128,
    )
    assert derive(here, (), errors={"app": "ErrImagePull"}).phase == "Pending"


def test_finishing_takes_two_steps():
    """Containers over: Ready says PodCompleted, the API keeps Running until nothing can run any more."""
    here = pod(spec("app", policy="Never"))
    here = after(here, derive(here, [running("app")], now=1.0))
    over = derive(here, [exited("app")], now=5.0)
    assert (over.phase, said(over)["Ready"]) == ("Succeeded", ("False", "PodCompleted"))
    written = merge_status(here.status, over, could_run=True, gates=NEW, now=5.0)
    assert (written.phase, said(written)["Ready"]) == ("Running", ("False", "PodCompleted"))
    assert merge_status(written, over, could_run=False, gates=NEW, now=6.0).phase == "Succeeded"


def test_a_terminal_phase_is_kept_with_its_reason():
    """phase-terminal-sticky and phase-reason-preserved, whatever the runtime says later."""
    old = PodStatus(phase="Failed", reason="Evicted", message="text")
    status = derive(pod(spec("app"), old), [running("app")])
    assert (status.phase, status.reason, status.message) == ("Failed", "Evicted", "text")


def test_the_apis_terminal_phase_wins_over_the_kubelets():
    here = pod(spec("app"), PodStatus(phase="Running"))
    assert derive(here, [running("app")], api=PodStatus(phase="Failed", reason="x")).phase == "Failed"
    assert derive(here, [exited("app")], terminal=True, api=PodStatus(phase="Failed")).phase == "Failed"


def test_the_active_deadline_is_seen_by_the_conditions_and_an_eviction_is_not():
    here = pod(spec("app"))
    here = after(here, derive(here, [running("app")], now=1.0))
    late = KillReason("Failed", "DeadlineExceeded", "too long", early=True)
    status = derive(here, [running("app")], kill=late)
    assert (status.phase, status.reason, said(status)["Ready"]) == (
        "Failed",
        "DeadlineExceeded",
        ("False", "PodFailed"),
    )
    target = PodCondition("DisruptionTarget", "True", "TerminationByKubelet")
    evicted = derive(here, [running("app")], now=20.0, kill=KillReason("Failed", "Evicted", "full", (target,)))
    assert (evicted.phase, evicted.reason, said(evicted)["Ready"]) == ("Failed", "Evicted", ("True", ""))
    assert by_type(evicted.conditions)["DisruptionTarget"].lastTransitionTime == instant(20)
    again = derive(after(here, evicted), [exited("app", 143)], now=30.0, terminal=True)
    assert (again.reason, said(again)["DisruptionTarget"]) == ("Evicted", ("True", "TerminationByKubelet"))


def test_conditions_of_others_come_first_and_stay():
    gate = PodCondition("example.com/lb", "True", "r", lastTransitionTime=instant(2))
    status = derive(pod(spec("app"), PodStatus(phase="Pending", conditions=(gate,))))
    assert status.conditions[0] is gate
    resize = PodCondition("PodResizePending", "True", "Deferred")
    status = derive(pod(spec("app"), PodStatus(phase="Pending", conditions=(gate,))), resize=(resize,))
    assert [c.type for c in status.conditions][:3] == [
        "example.com/lb",
        "PodResizePending",
        "PodReadyToStartContainers",
    ]
    ended = derive(pod(spec("app")), [exited("app")], terminal=True, resize=(resize,))
    assert "PodResizePending" not in said(ended)


def test_probes_decide_started_and_ready():
    given = spec(Container(name="app", readinessProbe=Probe(), startupProbe=Probe()))
    here = pod(given)
    ready, startup = ProbeKind.READINESS, ProbeKind.STARTUP
    for cached, expected in (
        ({}, (False, False)),
        ({startup: ProbeResult.SUCCESS}, (True, False)),
        ({startup: ProbeResult.SUCCESS, ready: ProbeResult.SUCCESS}, (True, True)),
    ):
        status = derive(here, [running("app")], probes={"app": cached})
        (app,) = status.containerStatuses
        assert (app.started, app.ready) == expected
        assert said(status)["Ready"][0] == str(expected[1])


def test_lists_come_in_the_apis_order():
    status = derive(pod(spec("b", "a", init=containers("z", "y"), ephemeralContainers=containers("f", "e"))))
    assert [s.name for s in status.containerStatuses] == ["a", "b"]
    assert [s.name for s in status.ephemeralContainerStatuses] == ["e", "f"]
    assert [s.name for s in status.initContainerStatuses] == ["z", "y"]


def test_settle_cuts_messages_and_times():
    long = ContainerState(terminated=ContainerStateTerminated(1, message="é" * 4000, startedAt=instant(3)))
    ragged = instant(3).replace(microsecond=9)
    new = PodStatus(
        startTime=ragged,
        containerStatuses=(shown("b", long), shown("a", runs())),
        conditions=(PodCondition("Ready", "True"), PodCondition("x.io/y", "True", lastTransitionTime=ragged)),
    )
    kept = settle(new, None, 7.0)
    assert [s.name for s in kept.containerStatuses] == ["a", "b"]
    assert len(kept.containerStatuses[1].state.terminated.message.encode()) == 4096
    assert kept.startTime == instant(3)
    assert [c.lastTransitionTime for c in kept.conditions] == [instant(7), instant(3)]
    assert RULES["cstate-timestamps-seconds"](pod(spec("a"), kept))


def test_settle_keeps_the_start_time_and_transition_times():
    old = PodStatus(startTime=instant(1), conditions=(PodCondition("Ready", "True", lastTransitionTime=instant(1)),))
    new = PodStatus(
        startTime=instant(5), conditions=(PodCondition("Ready", "True", "r", lastTransitionTime=instant(5)),)
    )
    kept = settle(new, old, 9.0)
    assert kept.startTime == instant(1)
    assert kept.conditions[0].lastTransitionTime == instant(1)
    flipped = settle(PodStatus(conditions=(PodCondition("Ready", "False"),)), old, 9.0)
    assert flipped.conditions[0].lastTransitionTime == instant(9)


def test_settle_refuses_a_finished_container_that_comes_back():
    given = spec("app", policy="Never")
    old = settle(PodStatus(containerStatuses=(shown("app", ends(1)),)), None, 1.0)
    new = PodStatus(containerStatuses=(shown("app", runs()),))
    assert settle(new, old, 2.0, spec=given, gates=NEW) is old
    assert settle(new, old, 2.0).containerStatuses == new.containerStatuses


@given(pods_with_statuses(), st.data(), st.booleans(), st.sampled_from([NEW, OLD]))
def test_whatever_the_runtime_says_the_invariants_hold(made, data, terminal, gates):
    """Two statuses in a row, from arbitrary runtime states: every invariant of the area that a kubelet can keep."""
    given, init, apps = made
    names = [container.name for container in (*given.initContainers, *given.containers)]
    here = pod(given, PodStatus(phase="Pending", initContainerStatuses=init, containerStatuses=apps))
    first = after(here, derive(here, data.draw(instances_of(names)), now=1.25, gates=gates))
    second = after(first, derive(first, data.draw(instances_of(names)), now=9.75, terminal=terminal, gates=gates))
    for rule in RULES:
        if rule.area in ("conditions", "container-state", "readiness-gates") and rule.kind == "invariant":
            if rule.id == "cstate-no-leave-terminated" or rule.id.startswith("instance-") or not rule.in_force(gates):
                continue  # an arbitrary runtime restarts what it likes
            looks_at = rule.function.__code__.co_argcount
            assert rule(second) if looks_at == 1 else rule(first, second), rule.id
    assert RULES["phase-terminal-sticky"](first, second)
    assert RULES["phase-reason-preserved"](first, second)
    if gates is NEW:
        counts = {s.name: s.restartCount for s in first.status.containerStatuses}
        assert all(s.restartCount >= counts[s.name] for s in second.status.containerStatuses)


@given(pods_with_statuses(), st.data())
def test_settling_twice_and_deriving_the_same_again_change_nothing(made, data):
    given, init, apps = made
    names = [container.name for container in (*given.initContainers, *given.containers)]
    found = data.draw(instances_of(names))
    here = pod(given, PodStatus(phase="Pending", initContainerStatuses=init, containerStatuses=apps))
    status = derive(here, found, now=3.0)
    assert settle(status, status, 99.0) == status
    again = derive(after(here, status), found, now=99.0)
    assert derive(after(here, again), found, now=199.0) == again


@given(pods_with_statuses(), st.data(), st.booleans())
def test_what_is_written_is_terminal_only_when_all_has_stopped_and_then_not_ready(made, data, could_run):
    given, _, _ = made
    names = [container.name for container in (*given.initContainers, *given.containers)]
    here = pod(given)
    wanted = derive(here, data.draw(instances_of(names)), terminal=data.draw(st.booleans()))
    written = merge_status(here.status, wanted, could_run=could_run, gates=NEW, now=50.0)
    assert written.phase not in TERMINAL or not could_run
    if written.phase in TERMINAL:
        assert said(written)["Ready"][0] == said(written)["ContainersReady"][0] == "False"
    last = terminate_status(after(here, written), gates=NEW)
    assert last.phase in TERMINAL
    assert all(s.state.running is None for s in (*last.initContainerStatuses, *last.containerStatuses))
