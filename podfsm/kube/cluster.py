"""The objects around a Pod that rules read, typed and frozen: nodes and PodDisruptionBudgets.

As in `podfsm.kube.objects`: the API's own field names, only fields that some rule reads, zero values where one is
absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from podfsm.kube.objects import LabelSelector, ObjectMeta, Struct


class Taint(Struct, frozen=True):
    key: str = ""
    value: str = ""
    effect: str = ""
    timeAdded: datetime | None = None


class NodeSpec(Struct, frozen=True):
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


class NodeCondition(Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    lastHeartbeatTime: datetime | None = None
    lastTransitionTime: datetime | None = None


class NodeStatus(Struct, frozen=True):
    allocatable: Mapping[str, str | int | float] = {}
    capacity: Mapping[str, str | int | float] = {}
    conditions: tuple[NodeCondition, ...] = ()


class Node(Struct, frozen=True):
    apiVersion: str = "v1"
    kind: str = "Node"
    metadata: ObjectMeta = ObjectMeta()
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()


class Condition(Struct, frozen=True):
    """A condition of the newer API groups, a PodDisruptionBudget's for example."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    observedGeneration: int = 0
    lastTransitionTime: datetime | None = None


class PodDisruptionBudgetSpec(Struct, frozen=True):
    minAvailable: int | str | None = None
    maxUnavailable: int | str | None = None
    selector: LabelSelector | None = None
    unhealthyPodEvictionPolicy: str | None = None


class PodDisruptionBudgetStatus(Struct, frozen=True):
    observedGeneration: int = 0
    disruptedPods: Mapping[str, datetime] = {}
    disruptionsAllowed: int = 0
    currentHealthy: int = 0
    desiredHealthy: int = 0
    expectedPods: int = 0
    conditions: tuple[Condition, ...] = ()


class PodDisruptionBudget(Struct, frozen=True):
    apiVersion: str = "policy/v1"
    kind: str = "PodDisruptionBudget"
    metadata: ObjectMeta = ObjectMeta()
    spec: PodDisruptionBudgetSpec = PodDisruptionBudgetSpec()
    status: PodDisruptionBudgetStatus = PodDisruptionBudgetStatus()
