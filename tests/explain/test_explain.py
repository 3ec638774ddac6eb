"""Explanations: of everything recorded, and of statuses that no recording has."""

import pytest

from podfsm import can_become, explain, kubectl_columns
from podfsm.engine.rule import REGISTRY
from podfsm.errors import UnknownName
from podfsm.explain.words import as_data, as_text
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateWaiting,
    ObjectMeta,
    OwnerReference,
    Pod,
    PodCondition,
    PodReadinessGate,
    PodSchedulingGate,
    PodSpec,
    PodStatus,
    Probe,
    Toleration,
)
from podfsm.kube.times import instant
from podfsm.rules.catalogue import all_rules
from podfsm.rules.condition_list import NETWORK, RESTARTING
from podfsm.rules.container_state import START_ERRORS
from podfsm.rules.reasons import DISRUPTED, ENDED, WAITING, ended_because
from tests.check.traces import RECORDINGS, events, seen
from tests.rules.statuses import ends, runs, shown, waits

BOUND = PodSpec(containers=(Container("app", image="app:1"),), nodeName="n", restartPolicy="Always")


def condition(kind, status="True", reason="", message="", at=0):
    return PodCondition(kind, status, reason, message, lastTransitionTime=instant(at))


READY = (condition("Initialized"), condition("ContainersReady"), condition("Ready"), condition("PodScheduled"))
WAITING_FOR_APP = (
    condition("Initialized"),
    condition("Ready", "False", "ContainersNotReady"),
    condition("ContainersReady", "False", "ContainersNotReady"),
)


def pod(*apps, spec=BOUND, phase="Running", conditions=WAITING_FOR_APP, init=(), metadata=None, **status):
    status.setdefault("startTime", instant(1))
    return Pod(
        metadata=metadata or ObjectMeta("web", namespace="shop", uid="u"),
        spec=spec,
        status=PodStatus(phase, conditions=conditions, containerStatuses=apps, initContainerStatuses=init, **status),
    )


def unbound(*conditions, **spec):
    given = PodSpec(containers=BOUND.containers, **spec)
    return pod(spec=given, phase="Pending", conditions=conditions, startTime=None)


def crashed(message="back-off 40s restarting failed container=app pod=web_shop(u)"):
    state = ContainerState(waiting=ContainerStateWaiting("CrashLoopBackOff", message))
    from podfsm.kube.objects import ContainerStateTerminated

    last = ContainerState(terminated=ContainerStateTerminated(1, reason="Error", finishedAt=instant(100)))
    return shown("app", state, last, restartCount=3)


DELETED = ObjectMeta("web", namespace="shop", uid="u", deletionTimestamp=instant(90), deletionGracePeriodSeconds=30)
HELD = ObjectMeta("web", deletionTimestamp=instant(90), deletionGracePeriodSeconds=0, finalizers=("example.com/keep",))
JOB = ObjectMeta("web", ownerReferences=(OwnerReference(kind="Job", controller=True),))
GATED = PodSpec(containers=BOUND.containers, nodeName="n", readinessGates=(PodReadinessGate("example.com/lb"),))
PROBED = PodSpec(containers=(Container("app", startupProbe=Probe(periodSeconds=5, failureThreshold=6)),), nodeName="n")
WITH_INIT = PodSpec(containers=BOUND.containers, initContainers=(Container("one"), Container("two")), nodeName="n")
TOLERANT = PodSpec(
    containers=BOUND.containers,
    nodeName="n",
    tolerations=(Toleration("node.kubernetes.io/unreachable", "Exists", effect="NoExecute", tolerationSeconds=300),),
)
LOST = (condition("Ready", "False", at=50), condition("ContainersReady"))
NOT_INITIALIZED = (condition("Initialized", "False", "ContainersNotInitialized"),)

CASES = {
    "ready": (
        pod(shown("app", runs(), ready=True, started=True), conditions=READY),
        "running and ready",
        "cond-containersready",
    ),
    "scheduling gates": (
        unbound(condition("PodScheduled", "False", "SchedulingGated"), schedulingGates=(PodSchedulingGate("g"),)),
        "gated",
        "sched-gates",
    ),
    "unschedulable": (
        unbound(condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available")),
        "waiting for a node",
        "cond-podscheduled-unschedulable",
    ),
    "not looked at": (unbound(), "waiting for a node", "phase-pending"),
    "preempting": (
        Pod(
            spec=PodSpec(),
            status=PodStatus(
                "Pending", conditions=(condition("PodScheduled", "False", "Unschedulable"),), nominatedNodeName="n"
            ),
        ),
        "waiting for others to give way",
        "cond-podscheduled-unschedulable",
    ),
    "no kubelet": (
        pod(conditions=(condition("PodScheduled"),), phase="Pending", startTime=None),
        "waiting for its kubelet",
        "deadline-clock-start",
    ),
    "no sandbox": (
        pod(shown("app", waits()), phase="Pending", conditions=(*WAITING_FOR_APP, condition(NETWORK, "False"))),
        "waiting for sandbox and volumes",
        "init-after-network-and-storage",
    ),
    "first init container": (
        pod(
            shown("app", waits("PodInitializing")),
            spec=WITH_INIT,
            phase="Pending",
            conditions=NOT_INITIALIZED,
            init=(shown("one", runs(), started=True), shown("two", waits("PodInitializing"))),
        ),
        "initializing: initializing",
        "init-sequential",
    ),
    "init container crashes": (
        pod(
            shown("app", waits("PodInitializing")),
            spec=WITH_INIT,
            phase="Pending",
            conditions=NOT_INITIALIZED,
            init=(shown("one", waits("CrashLoopBackOff"), ends(1)), shown("two", waits("PodInitializing"))),
        ),
        "initializing: crash-looping",
        "backoff-sequence",
    ),
    "crash loop": (pod(crashed()), "crash-looping", "backoff-sequence"),
    "pull": (
        pod(shown("app", waits("ImagePullBackOff")), phase="Pending"),
        "waiting: ImagePullBackOff",
        "backoff-image-pull",
    ),
    "inspect": (
        pod(shown("app", waits("ImageInspectError")), phase="Pending"),
        "waiting: ImageInspectError",
        "cstate-waiting-reasons",
    ),
    "unknown reason": (
        pod(shown("app", waits("Vanished")), phase="Pending"),
        "waiting: Vanished",
        "cstate-waiting-reasons",
    ),
    "no status": (pod(shown("other", runs())), "waiting", "phase-missing-status-is-unknown-count"),
    "startup": (pod(shown("app", runs(5), started=False), spec=PROBED), "starting", "probe-startup-gates-others"),
    "readiness": (pod(shown("app", runs(5), started=True)), "running, not ready", "cstate-ready"),
    "gate": (
        pod(
            shown("app", runs(5), started=True, ready=True),
            spec=GATED,
            conditions=(condition("ContainersReady"), condition("Ready", "False", "ReadinessGatesNotReady")),
        ),
        "running, not ready",
        "gate-ready-requires-all",
    ),
    "ended, to be restarted": (pod(shown("app", ends(1))), "restarting", "restart-always"),
    "ended for good": (
        pod(shown("app", ends(0)), spec=PodSpec(containers=BOUND.containers, nodeName="n", restartPolicy="Never")),
        "ended",
        "restart-never",
    ),
    "deadline under way": (
        pod(
            shown("app", runs(), ready=True, started=True),
            conditions=(condition("ContainersReady", "False", "PodFailed"), condition("Ready", "False", "PodFailed")),
        ),
        "ending as Failed",
        "phase-terminal-after-containers-stop",
    ),
    "restarting all": (
        pod(shown("app", ends(9)), conditions=(condition(RESTARTING),)),
        "restarting all containers",
        "cond-allcontainersrestarting",
    ),
    "status unknown": (pod(shown("app", ends(137, "ContainerStatusUnknown"))), "restarting", "restart-always"),
    "lost node": (
        pod(shown("app", runs(), ready=True), conditions=LOST, spec=TOLERANT),
        "on a lost node",
        "node-pods-unready",
    ),
    "deleted": (
        pod(shown("app", runs(), ready=True), metadata=DELETED, conditions=READY),
        "being deleted",
        "term-deletion-timestamp",
    ),
    "deleted on a lost node": (
        pod(shown("app", runs()), metadata=DELETED, conditions=LOST),
        "being deleted on a lost node",
        "node-unreachable-stuck-terminating",
    ),
    "node lost": (
        pod(shown("app", runs()), reason="NodeLost", metadata=DELETED),
        "being deleted on a lost node",
        "node-unreachable-stuck-terminating",
    ),
    "held by a finalizer": (pod(phase="Failed", metadata=HELD), "over: Failed", "phase-failed"),
    "succeeded": (pod(shown("app", ends(0)), phase="Succeeded", metadata=JOB), "over: Succeeded", "phase-succeeded"),
    "failed": (pod(shown("app", ends(3)), phase="Failed"), "over: Failed", "phase-failed"),
    "init failed": (
        pod(shown("app", waits()), init=(shown("one", ends(3)),), spec=WITH_INIT, phase="Failed"),
        "over: Failed",
        "phase-init-failed-never",
    ),
    "disrupted": (
        pod(
            shown("app", ends(0)), phase="Failed", conditions=(condition("DisruptionTarget", reason="DeletionByPodGC"),)
        ),
        "over: Failed",
        "cond-disruptiontarget-reasons",
    ),
    "empty": (Pod(), "waiting for a node", "phase-pending"),
}


@pytest.mark.parametrize("name", CASES)
def test_state_and_rule(name):
    given, state, rule = CASES[name]
    explained = explain(given, now=instant(120))
    assert (explained.state, explained.rule) == (state, rule)
    text = as_text(explained, instant(120))
    assert text.startswith(f"{explained.pod}: {state}\n")
    assert f"STATUS {kubectl_columns(given, now=instant(120)).status}" in text
    assert f"podfsm rules show {rule}" in text
    assert as_data(explained)["rule"] == rule


def test_every_rule_named_exists():
    named = {meaning.rule for meaning in WAITING.values()} | {rule for rule, _ in ENDED.values()}
    for given, _, _ in CASES.values():
        explained = explain(given)
        named |= {one.rule for one in (*explained.holds, *explained.next)}
    assert all_rules() is REGISTRY
    assert [rule for rule in named if rule not in all_rules()] == []


def test_every_reason_of_the_kubelet_has_a_meaning():
    assert set(WAITING) >= START_ERRORS
    assert {"ContainerCreating", "PodInitializing", "RestartingAllContainers", ""} <= set(WAITING)


@pytest.mark.parametrize("reason", [*ENDED, "OutOfcpu", "OutOfmemory"])
def test_failed_pods_say_why(reason):
    explained = explain(pod(phase="Failed", reason=reason, message="the message"))
    assert explained.rule == ended_because(reason)[0]
    assert "the message" in explained.holds[0].text


@pytest.mark.parametrize("reason", sorted(DISRUPTED))
def test_announced_disruptions_are_told(reason):
    conditions = (*READY, condition("DisruptionTarget", reason=reason))
    explained = explain(pod(shown("app", runs(), ready=True, started=True), conditions=conditions))
    assert explained.holds[-1].rule == "cond-disruptiontarget-reasons"


@pytest.mark.parametrize("recording", RECORDINGS)
def test_every_recorded_sight_is_explained(recording):
    for one in seen(events(recording)):
        explained = explain(one.pod, now=one.at)
        assert explained.holds or explained.unknown
        assert explained.columns == kubectl_columns(one.pod, now=one.at)
        assert as_text(explained, one.at)
        assert all(rule.rule in all_rules() for rule in (*explained.holds, *explained.next))


def test_the_next_restart_is_told_to_the_second():
    explained = explain(pod(crashed()))
    (restart,) = explained.next
    assert restart.earliest == instant(140)
    assert "not before 2026-01-01T00:02:20Z (in 20s)" in as_text(explained, instant(120))
    assert "(1s ago)" in as_text(explained, instant(141))


def test_what_a_message_does_not_say_is_not_guessed():
    explained = explain(pod(crashed("")))
    assert explained.next[0].earliest == instant(110)
    assert "exact delay" in explained.unknown[0]


def test_deadlines_and_evictions_are_told():
    limited = PodSpec(containers=BOUND.containers, nodeName="n", activeDeadlineSeconds=60)
    explained = explain(pod(shown("app", runs(), ready=True, started=True), spec=limited, conditions=READY))
    assert (explained.next[-1].rule, explained.next[-1].earliest) == ("deadline-enforced", instant(61))
    lost = explain(CASES["lost node"][0])
    assert lost.next[0].earliest == instant(350)


def test_finalizers_are_named():
    assert any("example.com/keep" in reason.text for reason in explain(CASES["held by a finalizer"][0]).holds)


NEVER = PodSpec(containers=BOUND.containers, nodeName="n", restartPolicy="Never")


@pytest.mark.parametrize(
    ("given", "wanted", "rule"),
    [
        (CASES["ready"][0], "Ready", ""),
        (CASES["crash loop"][0], "Ready", ""),
        (CASES["unschedulable"][0], "Ready", ""),
        (CASES["failed"][0], "Ready", "cond-containersready-terminal"),
        (CASES["failed"][0], "Running", "phase-terminal-sticky"),
        (CASES["failed"][0], "Failed", ""),
        (CASES["crash loop"][0], "Succeeded", "restart-always"),
        (pod(shown("app", runs()), spec=NEVER), "Succeeded", ""),
        (pod(shown("app", ends(2)), spec=NEVER), "Succeeded", "phase-failed"),
        (pod(shown("app", ends(2)), spec=NEVER), "Ready", "restart-never"),
        (pod(shown("app", waits()), metadata=DELETED), "Running", ""),
        (pod(shown("app", waits()), metadata=DELETED, phase="Pending"), "Running", "restart-not-when-deleting"),
        (pod(shown("app", waits()), metadata=DELETED), "Ready", "restart-not-when-deleting"),
        (CASES["deadline under way"][0], "Ready", "term-worker-one-way"),
        (CASES["unschedulable"][0], "Scheduled", ""),
        (CASES["first init container"][0], "Initialized", ""),
    ],
)
def test_what_a_pod_can_become(given, wanted, rule):
    verdict = can_become(given, wanted)
    assert (bool(verdict), verdict.rule) == (not rule, rule)
    assert rule == "" or (rule in all_rules() and verdict.because)


def test_what_is_no_state_is_said():
    with pytest.raises(UnknownName, match="did you mean Ready"):
        can_become(Pod(), "Redy")


@pytest.mark.parametrize(
    ("said", "text", "who"),
    [
        (condition("PodResizePending", "True", "Infeasible", "too much"), "can never give it", ["user"]),
        (condition("PodResizePending", "True", "Deferred"), "no room for now", ["kubelet"]),
        (condition("PodResizePending", "True", "Whenever"), "pending (Whenever)", []),
        (condition("PodResizeInProgress"), "in progress", ["runtime"]),
        (condition("PodResizeInProgress", "True", "Error", "full"), "failed, and is tried again: full", ["runtime"]),
    ],
)  # fmt: skip
def test_a_resize_is_told_beside_the_rest(said, text, who):
    told = explain(pod(shown("app", runs()), conditions=(*READY, said)))
    plain = explain(pod(shown("app", runs()), conditions=READY))
    assert (told.state, told.holds[:-1]) == (plain.state, plain.holds)
    assert text in told.holds[-1].text
    assert [one.who for one in told.next] == [one.who for one in plain.next] + who
    assert bool(told.unknown) == (not who)


def deleted(at, *finalizers):
    return ObjectMeta(
        "web", uid="u", deletionTimestamp=instant(at), deletionGracePeriodSeconds=30, finalizers=finalizers
    )


def test_an_overdue_end_is_said_to_be_one():
    running = pod(shown("app", runs()), conditions=READY, metadata=deleted(100))
    assert explain(running, now=instant(110)).unknown == ()
    assert "6m38s after the end of its grace" in explain(running, now=instant(500)).unknown[0]
    assert explain(running).unknown == ()


def test_a_deleted_pod_without_a_node_waits_for_its_finalizers_only():
    spec = PodSpec(containers=(Container("app"),))
    told = explain(pod(spec=spec, phase="Pending", metadata=deleted(100, "a/b"), startTime=None), now=instant(500))
    assert [one.rule for one in told.next] == ["term-finalizers-hold"]
    assert "term-immediate-cases" in {one.rule for one in told.holds}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (pod(phase="Unknown"), "phase-unknown-deprecated"),
        (pod(phase="Dreaming"), "phase-terminating-not-a-phase"),
        (pod(phase="Failed", reason="Novel"), "phase-failed"),
        (pod(), "phase-missing-status-is-unknown-count"),
        (pod(shown("app", waits("Dreaming"))), "cstate-waiting-reasons"),
        (pod(shown("app", waits("ImagePullBackOff")), phase="Pending"), "backoff-image-pull"),
    ],
)
def test_it_says_when_it_does_not_know(given, rule):
    told = explain(given)
    assert told.rule == rule
    assert told.unknown
    assert "becomes terminal" not in str(told.next)
