"""Pod garbage collection: which Pods the control plane removes by itself, and what it writes into them first.

`collect` is one pass of PodGC over a whole cluster. What a user, an owner or a taint deletes is not its business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, source, timing
from podfsm.engine.versions import Gates
from podfsm.kube.cluster import Node, NodeCondition, NodeSpec, NodeStatus, Taint
from podfsm.kube.objects import ObjectMeta, OwnerReference, Pod, PodSpec, PodStatus
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.timings import timing_constant

OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"

_PAGE = docs("concepts/workloads/pods/pod-termination.md#pod-garbage-collection")
_SOURCE = "pkg/controller/podgc/gc_controller.go"
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)
_DELETED = datetime(2026, 1, 1, tzinfo=UTC)
_LEAVING = Pod(metadata=ObjectMeta(deletionTimestamp=_DELETED))
_LEAVING_NODE = Pod(metadata=_LEAVING.metadata, spec=PodSpec(nodeName="n"))
_LOST = NodeStatus(conditions=(NodeCondition(type="Ready", status="Unknown"),))
_FINE = NodeStatus(conditions=(NodeCondition(type="Ready", status="True"),))
_TAINTED = NodeSpec((Taint(OUT_OF_SERVICE, "", "NoExecute"),))

Item = TypeVar("Item")


def finished(pod: Pod) -> bool:
    """Whether PodGC counts the Pod as terminated: any phase but Pending, Running and Unknown, an unset one too."""
    return pod.status.phase not in ("Pending", "Running", "Unknown")


@default(
    "gc-threshold-default",
    cites=[
        _PAGE,
        source("pkg/controller/podgc/config/v1alpha1/defaults.go"),
        source(_SOURCE, "gc"),
    ],
    seed=6,
    examples=[example(None, gives=12500), example(7, gives=7), example(0, gives=None), example(-1, gives=None)],
)
def threshold(given: int | None) -> int | None:
    """Up to 12500 terminated Pods are kept unless terminated-pod-gc-threshold says otherwise; 0 or less keeps all.

    None: no Pod is removed for being terminated.
    """
    if given is None:
        return int(timing_constant("pod-gc-threshold"))
    return given if given > 0 else None


@derivation(
    "gc-terminated-stays",
    machine="pod",
    cites=[_PAGE, source(_SOURCE, "gcTerminated")],
    seed=6,
    observable="a finished Pod stays without deletionTimestamp",
    examples=[example(10, 10, gives=0), example(12, 10, gives=2), example(12, None, gives=0)],
)
def surplus(terminated: int, limit: int | None) -> int:
    """Finished Pods stay in the API until someone deletes them; PodGC removes those beyond the threshold only.

    The number to remove; a limit of None removes none.
    """
    return 0 if limit is None else max(0, terminated - limit)


def _finished(name: str, second: int, reason: str = "") -> Pod:
    created = datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC)
    return Pod(
        metadata=ObjectMeta(name=name, creationTimestamp=created), status=PodStatus(phase="Failed", reason=reason)
    )


@derivation(
    "gc-threshold",
    machine="pod",
    cites=[_PAGE, source(_SOURCE, "gcTerminated")],
    seed=6,
    observable="terminal Pods disappear",
    documented="the number that is compared with the threshold is that of terminated Pods, not of all",
    examples=[
        example((_finished("a", 2), _finished("b", 1), Pod(status=PodStatus(phase="Running"))), 1, gives=("b",)),
        example((_finished("a", 1), _finished("b", 2, "Evicted")), 1, gives=("b",)),
        example((_finished("b", 1), _finished("a", 1)), 1, gives=("a",)),
        example((_finished("a", 1),), 1, gives=()),
    ],
)
def beyond_threshold(pods: Iterable[Pod], limit: int | None) -> tuple[str, ...]:
    """More terminated Pods than the threshold: evicted ones go first, then the oldest, then by name.

    Those already being deleted are among them. Gives the names in the order of removal.
    """
    terminated = sorted(filter(finished, pods), key=_first_to_go)
    return tuple(pod.metadata.name for pod in terminated[: surplus(len(terminated), limit)])


def _first_to_go(pod: Pod) -> tuple[bool, datetime, str]:
    evicted = pod.status.phase == "Failed" and pod.status.reason == "Evicted"
    return not evicted, pod.metadata.creationTimestamp or _EPOCH, pod.metadata.name


@derivation(
    "gc-orphaned",
    machine="pod",
    cites=[_PAGE, source(_SOURCE, "gcOrphaned")],
    seed=6,
    observable="DisruptionTarget with reason DeletionByPodGC",
    examples=[
        example("n", None, gives=False),
        example("n", 39.0, gives=False),
        example("n", 40.0, gives=True),
        example("", 99.0, gives=False),
    ],
)
def orphaned(node_name: str, missing_for: float | None) -> bool:
    """A Pod bound to a node that does not exist is removed once the node has been missing for 40 s.

    `missing_for`: seconds since PodGC first missed the node; None while it exists.
    """
    return bool(node_name) and missing_for is not None and missing_for >= timing_constant("pod-gc-quarantine")


@derivation(
    "gc-unscheduled-terminating",
    machine="pod",
    cites=[_PAGE, source(_SOURCE, "gcUnscheduledTerminating")],
    seed=6,
    observable="deletionTimestamp set, nodeName empty",
    examples=[example(_LEAVING, gives=True), example(_LEAVING_NODE, gives=False), example(Pod(), gives=False)],
)
def unscheduled_terminating(pod: Pod) -> bool:
    """A Pod that is being deleted and has no node has no kubelet to end its deletion, so PodGC does."""
    return pod.metadata.deletionTimestamp is not None and not pod.spec.nodeName


@derivation(
    "gc-out-of-service",
    machine="pod",
    cites=[_PAGE, source(_SOURCE, "gcTerminating")],
    gate="NodeOutOfServiceVolumeDetach",
    seed=6,
    examples=[
        example(_LEAVING_NODE, Node(spec=_TAINTED, status=_LOST), gives=True),
        example(_LEAVING_NODE, Node(spec=_TAINTED, status=_FINE), gives=False),
        example(_LEAVING_NODE, Node(status=_LOST), gives=False),
        example(Pod(spec=PodSpec(nodeName="n")), Node(spec=_TAINTED, status=_LOST), gives=False),
        example(_LEAVING_NODE, None, gives=False),
    ],
)
def out_of_service(pod: Pod, node: Node | None) -> bool:
    """A Pod being deleted goes at once if its node is not ready and has the taint node.kubernetes.io/out-of-service.

    The taint's effect does not matter. An administrator sets it when the machine is known to be off.
    """
    if node is None or pod.metadata.deletionTimestamp is None:
        return False
    is_ready = any(each.type == "Ready" and each.status == "True" for each in node.status.conditions)
    return not is_ready and any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)


@derivation(
    "gc-marks-failed",
    machine="pod",
    cites=[_PAGE, source(_SOURCE, "markFailedAndDeletePodWithCondition")],
    since="1.26",
    seed=6,
    observable="phase Failed just before removal",
    examples=[
        example("Running", True, gives=("Failed", True)),
        example("Pending", False, gives=("Failed", False)),
        example("Succeeded", True, gives=("Succeeded", False)),
    ],
)
def last_words(phase: str, orphan: bool) -> tuple[str, bool]:
    """PodGC marks a Pod that has not finished as Failed, then deletes it with grace 0.

    An orphan gets DisruptionTarget with the same write. Gives the last phase, and whether it gets the condition.
    """
    return (phase, False) if phase in TERMINAL else ("Failed", orphan)


@timing(
    "gc-period",
    cites=[_PAGE, source(_SOURCE, "gcCheckPeriod")],
    seed=6,
    examples=[example(0.0, gives=20.0)],
)
def next_pass(last: float) -> float:
    """PodGC looks through the cluster every 20 s. The instant of the pass after the one at `last`, in seconds."""
    return last + timing_constant("pod-gc")


@default(
    "gc-container-records",
    machine="container",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#restart-policy"),
        source("cmd/kubelet/app/options/options.go", "NewContainerRuntimeOptions"),
        source("pkg/kubelet/kubelet.go", "ContainerGCPeriod"),
    ],
    seed=10,
    observable="lastState tells of one previous instance",
    examples=[example(("c2", "c1", "c0"), gives=("c2",)), example((), gives=())],
)
def records_kept(dead: Sequence[Item]) -> Sequence[Item]:
    """The kubelet keeps one dead instance of each container, whatever its age; it tidies up every 60 s.

    `dead` are the ended instances of one container, newest first.
    """
    return dead[: int(timing_constant("container-gc-kept"))]


@derivation(
    "gc-bare-pod-not-recreated",
    cites=[docs("concepts/workloads/pods/pod-lifecycle.md#pod-fault-recovery")],
    seed=7,
    observable="metadata.ownerReferences empty",
    examples=[
        example(ObjectMeta(), gives=False),
        example(ObjectMeta(ownerReferences=(OwnerReference(kind="ReplicaSet", controller=True),)), gives=True),
        example(ObjectMeta(ownerReferences=(OwnerReference(kind="ConfigMap"),)), gives=False),
    ],
)
def has_successor(metadata: ObjectMeta) -> bool:
    """A Pod that no controller owns is gone when it is deleted or its node is lost; nothing makes it again."""
    return any(owner.controller for owner in metadata.ownerReferences)


@frozen
class Collected:
    """A Pod that PodGC removes: by what name, and what it writes into it first."""

    name: str
    marked_failed: bool
    disruption_target: bool


def collect(
    pods: Sequence[Pod],
    nodes: Mapping[str, Node],
    missing_for: Mapping[str, float],
    limit: int | None,
    gates: Gates,
) -> tuple[Collected, ...]:
    """One pass of PodGC: what it removes, in the order in which it does.

    `nodes` by name; `missing_for`: for how many seconds PodGC has missed a node that Pods name; `limit` as `threshold`
    gives it. Pods are told apart by name, so a caller with several namespaces passes unique names.
    """
    detach = gates.on("NodeOutOfServiceVolumeDetach")
    steps: tuple[tuple[Sequence[str], bool], ...] = (
        (beyond_threshold(pods, limit), False),
        ([p.metadata.name for p in pods if detach and out_of_service(p, nodes.get(p.spec.nodeName))], False),
        ([p.metadata.name for p in pods if orphaned(p.spec.nodeName, missing_for.get(p.spec.nodeName))], True),
        ([p.metadata.name for p in pods if unscheduled_terminating(p)], False),
    )
    by_name = {pod.metadata.name: pod for pod in pods}
    removed: dict[str, Collected] = {}
    for names, orphan in steps:
        for name in names:
            removed.setdefault(name, _removed(by_name[name], orphan=orphan))
    return tuple(removed.values())


def _removed(pod: Pod, *, orphan: bool) -> Collected:
    phase, condition = last_words(pod.status.phase, orphan)
    return Collected(pod.metadata.name, phase != pod.status.phase, condition)


def first_missed(
    pods: Iterable[Pod], nodes: Collection[str], known: Mapping[str, float], now: float
) -> dict[str, float]:
    """Since when PodGC misses each node that Pods name and that does not exist; `known` as of the pass before."""
    named = (pod.spec.nodeName for pod in pods if pod.spec.nodeName and pod.spec.nodeName not in nodes)
    return {name: known.get(name, now) for name in named}
