"""Nodes that fall silent: when the control plane notices, and what it does to the node and to its Pods.

Nobody but the node's kubelet ends a container. The control plane can only say that the Pods are not ready, taint the
node, and ask for the Pods' deletion (`podfsm.rules.taint_eviction`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from podfsm.engine.rule import default, derivation, docs, example, source, timing
from podfsm.engine.versions import Gates
from podfsm.kube.admission import TOLERATED, tolerate_lost_nodes
from podfsm.kube.cluster import NodeCondition, Taint
from podfsm.kube.objects import PodCondition
from podfsm.kube.times import instant
from podfsm.rules.taints import NO_EXECUTE, NO_SCHEDULE
from podfsm.rules.timings import timing_constant

NOT_READY, UNREACHABLE = TOLERATED
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
OLD_GRACE = 40.0
"""Seconds of silence that were allowed before 1.32."""

_TAINTS = docs("concepts/scheduling-eviction/taint-and-toleration.md#taint-based-evictions")
_LIFECYCLE = "pkg/controller/nodelifecycle/node_lifecycle_controller.go"
_OPTIONS = "cmd/kube-controller-manager/app/options/nodelifecyclecontroller.go"

_TRUE_MEANS = {
    "MemoryPressure": "node.kubernetes.io/memory-pressure",
    "DiskPressure": "node.kubernetes.io/disk-pressure",
    "PIDPressure": "node.kubernetes.io/pid-pressure",
    "NetworkUnavailable": "node.kubernetes.io/network-unavailable",
}


def grace_period(gates: Gates) -> float:
    """node-monitor-grace-period at this version unless configured: 50 s, before 1.32 40 s."""
    return timing_constant("node-monitor-grace") if gates.at_least("1.32") else OLD_GRACE


@timing(
    "node-grace-50s",
    cites=[
        docs("concepts/architecture/nodes.md#condition"),
        source("pkg/controller/nodelifecycle/config/v1alpha1/defaults.go"),
        source(_LIFECYCLE, "tryUpdateNodeHealth"),
    ],
    seed=7,
    observable="node condition Ready Unknown",
    documented="40 s in older pages",
    examples=[
        example(100.0, 0.0, gives=150.0),
        example(None, 0.0, gives=60.0),
        example(100.0, 0.0, 40.0, gives=140.0),
    ],
)
def unknown_from(heartbeat: float | None, created: float, grace: float = 50.0) -> float:
    """A node that renews neither status nor lease for 50 s becomes Ready Unknown at the next look, every 5 s.

    One that never reported (`heartbeat` None) has 60 s from its creation. Before 1.32 the grace was 40 s. Gives the
    instant in seconds from which it counts as silent.
    """
    return created + timing_constant("node-startup-grace") if heartbeat is None else heartbeat + grace


@derivation(
    "node-pods-unready",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-lifetime"),
        source("pkg/controller/util/node/controller_utils.go", "MarkPodsNotReady"),
    ],
    seed=7,
    observable="Ready False with container statuses still running",
    examples=[
        example(
            (PodCondition(type="Ready", status="True"), PodCondition(type="ContainersReady", status="True")),
            instant(9),
            gives=(
                PodCondition(type="Ready", status="False", lastTransitionTime=instant(9)),
                PodCondition(type="ContainersReady", status="True"),
            ),
        ),
        example((PodCondition(type="Ready", status="False"),), instant(9), gives=None),
        example((), instant(9), gives=None),
    ],
)
def marked_unready(conditions: Sequence[PodCondition], now: datetime) -> tuple[PodCondition, ...] | None:
    """When a node stops being Ready, Ready of each of its Pods becomes False; phase and containers stay as they were.

    None if there is nothing to change: Ready is not True.
    """
    if not any(each.type == "Ready" and each.status == "True" for each in conditions):
        return None
    return tuple(
        msgspec.structs.replace(each, status="False", lastTransitionTime=now) if each.type == "Ready" else each
        for each in conditions
    )


@derivation(
    "node-taints",
    cites=[_TAINTS, source(_LIFECYCLE, "processTaintBaseEviction"), source(_LIFECYCLE, "doNoScheduleTaintingPass")],
    gate="TaintBasedEvictions",
    seed=7,
    observable="node spec.taints",
    examples=[
        example((NodeCondition(type="Ready", status="True"),), gives=()),
        example(
            (NodeCondition(type="Ready", status="False"),),
            gives=(Taint(NOT_READY, "", NO_SCHEDULE), Taint(NOT_READY, "", NO_EXECUTE)),
        ),
        example(
            (NodeCondition(type="Ready", status="Unknown"),),
            gives=(Taint(UNREACHABLE, "", NO_SCHEDULE), Taint(UNREACHABLE, "", NO_EXECUTE)),
        ),
        example(
            (NodeCondition(type="Ready", status="True"), NodeCondition(type="DiskPressure", status="True")),
            gives=(Taint(_TRUE_MEANS["DiskPressure"], "", NO_SCHEDULE),),
        ),
    ],
)
def taints_of(conditions: Iterable[NodeCondition], unschedulable: bool = False) -> tuple[Taint, ...]:
    """A node that is not Ready is tainted not-ready, one that is Unknown unreachable: NoSchedule and NoExecute.

    Pressure, a missing network and a cordon give NoSchedule taints only.
    """
    by_type = {each.type: each.status for each in conditions}
    lost = {"False": NOT_READY, "Unknown": UNREACHABLE}.get(by_type.get("Ready", ""))
    keys = [lost] if lost else []
    keys += [key for kind, key in _TRUE_MEANS.items() if by_type.get(kind) == "True"]
    keys += [UNSCHEDULABLE] if unschedulable else []
    found = [Taint(key, "", NO_SCHEDULE) for key in keys]
    return (*found, Taint(lost, "", NO_EXECUTE)) if lost else tuple(found)


def _for_300(key: str) -> dict[str, Any]:
    return {"key": key, "operator": "Exists", "effect": NO_EXECUTE, "tolerationSeconds": 300}


@default(
    "node-default-toleration-300",
    machine="pod",
    cites=[_TAINTS, source("plugin/pkg/admission/defaulttolerationseconds/admission.go", "Admit")],
    seed=7,
    observable="spec.tolerations",
    examples=[
        example([], gives=[_for_300(NOT_READY), _for_300(UNREACHABLE)]),
        example([{"operator": "Exists"}], gives=[{"operator": "Exists"}]),
        example(
            [{"key": UNREACHABLE, "operator": "Exists", "tolerationSeconds": 5}],
            gives=[{"key": UNREACHABLE, "operator": "Exists", "tolerationSeconds": 5}, _for_300(NOT_READY)],
        ),
    ],
)
def admitted_tolerations(given: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """A Pod tolerates the taints not-ready and unreachable for 300 s unless it has a toleration of its own for them."""
    spec: dict[str, Any] = {"tolerations": list(given)}
    tolerate_lost_nodes(spec)
    return list(spec["tolerations"])


@derivation(
    "node-unreachable-stuck-terminating",
    machine="pod",
    cites=[
        _TAINTS,
        source("pkg/controller/podgc/gc_controller.go", "gcTerminating"),
        source("pkg/kubelet/status/status_manager.go", "canBeDeleted"),
    ],
    seed=7,
    observable="deletionTimestamp in the past, object still there",
    examples=[
        example(gives=False),
        example(kubelet_back=True, gives=True),
        example(node_deleted=True, gives=True),
        example(out_of_service=True, gives=True),
        example(forced=True, gives=True),
    ],
)
def can_leave(
    *, kubelet_back: bool = False, node_deleted: bool = False, out_of_service: bool = False, forced: bool = False
) -> bool:
    """A Pod deleted on an unreachable node stays, Terminating and with its old phase, until one of four things happens.

    Its kubelet comes back, the Node object is deleted, the node is tainted out-of-service, or someone deletes the Pod
    with grace 0.
    """
    return kubelet_back or node_deleted or out_of_service or forced


@timing(
    "node-eviction-rate",
    cites=[
        docs("concepts/architecture/nodes.md#reliability"),
        source(_LIFECYCLE, "ComputeZoneState"),
        source(_OPTIONS, "NodeLifecycleControllerOptions"),
    ],
    seed=7,
    examples=[
        example(10, 2, gives=0.1),
        example(10, 6, gives=0.0),
        example(100, 60, gives=0.01),
        example(10, 10, gives=0.1),
        example(10, 10, True, gives=0.0),
        example(3, 2, gives=0.1),
    ],
)
def taint_rate(nodes: int, unready: int, everywhere: bool = False) -> float:
    """Lost nodes are tainted at 0.1 a second and zone; at 0.01 if 3 nodes and 55 % of a zone with over 50 are unready.

    Smaller zones in that state are left alone (0). A zone that is down altogether keeps the full rate, but with every
    zone down (`everywhere`) nothing is tainted for eviction: the fault is likely the control plane's own.
    """
    if everywhere:
        return 0.0
    partly = unready >= timing_constant("zone-unhealthy-min") and unready < nodes
    if not partly or unready / nodes < timing_constant("zone-unhealthy-threshold"):
        return timing_constant("node-eviction-rate")
    large = nodes > timing_constant("large-cluster-threshold")
    return timing_constant("node-eviction-rate-secondary") if large else 0.0


@timing(
    "node-lifetime-total",
    machine="pod",
    cites=[
        _TAINTS,
        source(_LIFECYCLE, "monitorNodeHealth"),
        source("pkg/controller/tainteviction/taint_eviction.go", "processPodOnNode"),
    ],
    seed=7,
    observable="deletionTimestamp less the kubelet's last write",
    examples=[
        example(0.0, gives=350.0),
        example(0.0, toleration=15.0, gives=65.0),
        example(0.0, toleration=None, gives=None),
    ],
)
def deleted_from(heartbeat: float, grace: float = 50.0, toleration: float | None = 300.0) -> float | None:
    """With the defaults 350 s pass between a node's last heartbeat and the deletion of its Pods, and a little more.

    50 s until the node counts as lost, then the Pods' tolerationSeconds; the control plane's looks every 5 s come on
    top. None: the Pod tolerates it for ever.
    """
    return None if toleration is None else unknown_from(heartbeat, heartbeat, grace) + toleration
