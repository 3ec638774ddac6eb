"""What the kubelet itself does to Pods for its node's sake: refuse, preempt, evict under pressure, shut down.

In each case the Pod becomes Failed with a reason of its own, and nothing restarts it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source, timing
from podfsm.kube.cluster import Taint
from podfsm.kube.objects import PodCondition, PodStatus, Toleration
from podfsm.rules.disruption_target import Cause, disruption_reason
from podfsm.rules.taints import NO_SCHEDULE, untolerated
from podfsm.rules.timings import timing_constant

SYSTEM_CRITICAL = 2_000_000_000
"""Priority from which a Pod is critical."""

_AREA = "node-loss"
_CONDITION = docs("concepts/workloads/pods/pod-condition.md#disruption-target")
_PRESSURE = "concepts/scheduling-eviction/node-pressure-eviction.md"
_EVICTION = "pkg/kubelet/eviction/eviction_manager.go"
_SHUTDOWN = "Pod was terminated in response to imminent node shutdown."
_PREEMPTED = "Preempted in order to admit critical pod"


@derivation(
    "node-admission-reject",
    area=_AREA,
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-lifetime"),
        source("pkg/kubelet/kubelet.go", "rejectPod"),
    ],
    seed=1,
    observable="phase Failed, containerStatuses absent",
    examples=[
        example(
            "OutOfcpu",
            "Node didn't have enough resource: cpu",
            gives=PodStatus(
                phase="Failed",
                reason="OutOfcpu",
                message="Pod was rejected: Node didn't have enough resource: cpu",
            ),
        )
    ],
)
def rejected(reason: str, message: str) -> PodStatus:
    """A bound Pod that the kubelet does not admit is Failed at once, with that reason and no container statuses.

    Reasons: OutOfcpu, OutOfmemory, OutOfpods, NodeAffinity, UnexpectedAdmissionError, Evicted (the node is under
    pressure), NodeShutdown. It is not scheduled again; its owner may make another Pod.
    """
    return PodStatus(phase="Failed", reason=reason, message=_REJECTED + message)


_REJECTED = "Pod was rejected: "


def was_rejected(status: PodStatus) -> bool:
    """Whether this is what a kubelet writes of a Pod that it does not admit: older ones kept no condition in it."""
    return status.phase == "Failed" and status.message.startswith(_REJECTED) and not status.containerStatuses


def too_little(resource: str, asked: int, used: int, capacity: int) -> str:
    """What the kubelet says of a node that has too little left of a resource (InsufficientResourceError)."""
    said = f"requested: {asked}, used: {used}, capacity: {capacity}"
    return f"Node didn't have enough resource: {resource}, {said}"


def killed(reason: str, message: str, cause: Cause, phase: str = "Failed") -> PodStatus:
    """What the kubelet writes over the status of a Pod that it ends for the node's sake, DisruptionTarget included."""
    condition = PodCondition(type="DisruptionTarget", status="True", reason=disruption_reason(cause), message=message)
    return PodStatus(phase=phase, reason=reason, message=message, conditions=(condition,))


@derivation(
    "node-kubelet-preemption",
    area=_AREA,
    machine="pod",
    cites=[_CONDITION, source("pkg/kubelet/preemption/preemption.go", "evictPodsToFreeRequests")],
    observable="status.reason Preempting",
    examples=[
        example(SYSTEM_CRITICAL, 0, gives=killed("Preempting", _PREEMPTED, Cause.KUBELET_PREEMPTION)),
        example(1000, 0, gives=None),
        example(SYSTEM_CRITICAL, SYSTEM_CRITICAL, gives=None),
    ],
)
def preempted(incoming: int, running: int) -> PodStatus | None:
    """To admit a critical Pod the kubelet may kill lesser ones: Failed, reason Preempting, TerminationByKubelet.

    `incoming` and `running` are priorities; critical is 2000000000 and above, and static Pods. Gives the status of the
    running Pod, None if it is spared.
    """
    if incoming < SYSTEM_CRITICAL or running >= incoming:
        return None
    return killed("Preempting", _PREEMPTED, Cause.KUBELET_PREEMPTION)


@frozen
class Usage:
    """What a Pod uses of the resource that is short, what it requested of it, and its priority."""

    pod: str
    used: float
    requested: float
    priority: int = 0
    static: bool = False


@derivation(
    "node-pressure-eviction",
    area=_AREA,
    machine="pod",
    cites=[
        docs(f"{_PRESSURE}#pod-selection-for-kubelet-eviction"),
        source(_EVICTION, "synchronize"),
        source(_EVICTION, "evictPod"),
        source("pkg/kubelet/eviction/helpers.go", "rankMemoryPressure"),
    ],
    seed=14,
    observable="status.reason Evicted",
    documented="the QoS class is not looked at, though one page orders by it",
    examples=[
        example((Usage("a", 5, 9), Usage("b", 2, 1)), gives=("b", "a")),
        example((Usage("a", 5, 1), Usage("b", 9, 1, 7)), gives=("a", "b")),
        example((Usage("a", 5, 1), Usage("b", 9, 1)), gives=("b", "a")),
        example((Usage("a", 5, 1, SYSTEM_CRITICAL), Usage("b", 1, 9)), gives=("b",)),
    ],
)
def eviction_order(pods: Iterable[Usage]) -> tuple[str, ...]:
    """Under pressure one Pod a look (every 10 s) is evicted: over its request first, then low priority, then most over.

    The Pod becomes Failed with reason Evicted and gets DisruptionTarget TerminationByKubelet; no budget is asked.
    Critical Pods and static ones are spared. Gives names in the order in which they would go.
    """
    spared = (pod for pod in pods if pod.priority < SYSTEM_CRITICAL and not pod.static)
    ranked = sorted(spared, key=lambda pod: (pod.used <= pod.requested, pod.priority, pod.requested - pod.used))
    return tuple(pod.pod for pod in ranked)


@timing(
    "node-pressure-grace",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PRESSURE}#hard-eviction-thresholds"), source(_EVICTION, "immediateEvictionGracePeriodSeconds")],
    seed=14,
    observable="finishedAt soon after the event Evicted",
    documented="0 s for hard thresholds",
    examples=[
        example(False, 0.0, 30.0, gives=1.0),
        example(True, 60.0, 30.0, gives=30.0),
        example(True, 10.0, 30.0, gives=10.0),
    ],
)
def pressure_grace(soft: bool, most: float, pod_grace: float) -> float:
    """A hard threshold leaves a Pod 1 s to end, a soft one its own grace period up to eviction-max-pod-grace-period.

    Hard thresholds by default: memory 100Mi, disk 10 %, image disk 15 %, inodes 5 % left. All in seconds.
    """
    return min(most, pod_grace) if soft else timing_constant("eviction-hard-grace")


_TOLERANT = Toleration("node.kubernetes.io/memory-pressure", "Exists", "", NO_SCHEDULE)


@derivation(
    "node-pressure-admission",
    area=_AREA,
    machine="pod",
    cites=[docs(f"{_PRESSURE}#node-conditions"), source(_EVICTION, "Admit")],
    seed=14,
    observable="status.reason Evicted, no container statuses",
    examples=[
        example("BestEffort", 0, gives=False),
        example("BestEffort", 0, (_TOLERANT,), gives=True),
        example("BestEffort", SYSTEM_CRITICAL, gives=True),
        example("Burstable", 0, gives=True),
    ],
)
def admitted_under_pressure(qos: str, priority: int, tolerations: Sequence[Toleration] = ()) -> bool:
    """Under MemoryPressure a kubelet takes no more BestEffort Pods, unless they are critical or tolerate its taint."""
    if qos != "BestEffort" or priority >= SYSTEM_CRITICAL:
        return True
    taint = Taint(_TOLERANT.key, "", NO_SCHEDULE)
    return untolerated((taint,), tolerations) is None


@derivation(
    "node-shutdown",
    area=_AREA,
    machine="pod",
    cites=[_CONDITION, source("pkg/kubelet/nodeshutdown/nodeshutdown_manager.go", "killPods")],
    gate="GracefulNodeShutdown",
    observable="status.reason Terminated",
    examples=[
        example("Running", 20.0, 30.0, gives=(20.0, killed("Terminated", _SHUTDOWN, Cause.NODE_SHUTDOWN))),
        example(
            "Succeeded", 60.0, 30.0, gives=(30.0, killed("Terminated", _SHUTDOWN, Cause.NODE_SHUTDOWN, "Succeeded"))
        ),
        example("Running", 0.0, 30.0, gives=None),
    ],
)
def shut_down(phase: str, configured: float, pod_grace: float) -> tuple[float, PodStatus] | None:
    """A node that shuts down gracefully ends its Pods by priority: Failed, reason Terminated, TerminationByKubelet.

    Each has its own grace period or what is configured for its priority, whichever is less; new Pods are refused with
    reason NodeShutdown. Off (None) unless shutdownGracePeriod is configured. Gives the grace in seconds and the status.
    """
    if configured <= timing_constant("graceful-shutdown-default"):
        return None
    end = "Succeeded" if phase == "Succeeded" else "Failed"
    return min(configured, pod_grace), killed("Terminated", _SHUTDOWN, Cause.NODE_SHUTDOWN, end)
