"""Pods in the states that explanations tell of, each with the state's name and its rule."""

from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateTerminated,
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
from podfsm.rules.condition_list import NETWORK, RESTARTING
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
    last = ContainerState(terminated=ContainerStateTerminated(1, reason="Error", finishedAt=instant(100)))
    return shown("app", state, last, restartCount=3)


def resized(kind, reason=""):
    said = PodCondition(kind, "True", reason, "no cpu", lastProbeTime=instant(100), lastTransitionTime=instant(50))
    return pod(shown("app", runs(), ready=True), conditions=(said, *READY))


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


def deleted(at, *finalizers):
    return ObjectMeta(
        "web", uid="u", deletionTimestamp=instant(at), deletionGracePeriodSeconds=30, finalizers=finalizers
    )


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
    "resize deferred": (resized("PodResizePending", "Deferred"), "running, its resize deferred", "resize-pending"),
    "resize infeasible": (
        resized("PodResizePending", "Infeasible"),
        "running, its resize infeasible",
        "resize-pending",
    ),
    "resize in progress": (resized("PodResizeInProgress"), "running, being resized", "resize-in-progress"),
    "resize failing": (resized("PodResizeInProgress", "Error"), "running, its resize failing", "resize-in-progress"),
}
