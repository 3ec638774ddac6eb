"""The list of conditions in a status: whose they are, what they carry, and how one replaces another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import PodCondition
from podfsm.kube.times import instant
from podfsm.rules.condition_parts import Judgement

NETWORK = "PodReadyToStartContainers"
RESTARTING = "AllContainersRestarting"
DISRUPTION = "DisruptionTarget"
BY_KUBELET = "TerminationByKubelet"
BY_GC = "DeletionByPodGC"

LIFECYCLE = frozenset({"Initialized", "ContainersReady", "Ready", NETWORK})
"""The conditions that the kubelet writes together, with every status."""

ON_NODES = LIFECYCLE | {"PodResizeInProgress", "PodResizePending"}
"""The conditions that nobody writes before a kubelet has the Pod."""

_ALWAYS_OWNED = (ON_NODES - {NETWORK}) | {"PodScheduled"}
_GATED = {NETWORK: "PodReadyToStartContainersCondition", RESTARTING: "RestartAllContainersOnContainerExits"}

_PAGE = "concepts/workloads/pods/pod-condition.md"


@derivation(
    "cond-kubelet-owned-set",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#built-in-pod-conditions"),
        source("pkg/kubelet/types/pod_status.go", "PodConditionByKubelet"),
    ],
    seed=2,
    observable="custom conditions survive kubelet status updates",
    examples=[
        example("Ready", (NETWORK, RESTARTING), gives=True),
        example(RESTARTING, (NETWORK, RESTARTING), gives=True),
        example(RESTARTING, (NETWORK,), gives=False),
        example(DISRUPTION, (NETWORK, RESTARTING), gives=False),
        example("example.com/lb", (NETWORK, RESTARTING), gives=False),
    ],
)
def owned(condition_type: str, gated: Collection[str]) -> bool:
    """The kubelet owns the lifecycle and resize conditions and copies all others through as they are.

    It shares DisruptionTarget. PodReadyToStartContainers and AllContainersRestarting are its own while their gates are
    on (`gated` names those that are).
    """
    return condition_type in _ALWAYS_OWNED or condition_type in gated


def lifecycle_types(gates: Gates) -> frozenset[str]:
    """Every condition type that Kubernetes itself gives to Pods at this version."""
    return _ALWAYS_OWNED | frozenset(gated_types(gates)) | {DISRUPTION}


def gated_types(gates: Gates) -> tuple[str, ...]:
    """The condition types that are the kubelet's at this version because a gate is on."""
    return tuple(condition_type for condition_type, gate in _GATED.items() if gates.on(gate))


@derivation(
    "cond-observed-generation",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#structure-of-a-pod-condition"),
        source("pkg/registry/core/pod/strategy.go", "updatePodGeneration"),
        source("pkg/kubelet/status/status_manager.go", "updateStatusInternal"),
    ],
    gate="PodObservedGenerationTracking",
    observable="status.observedGeneration <= metadata.generation, never decreasing",
    examples=[
        example(3, True, gives=3),
        example(3, False, gives=0),
    ],
)
def observed_generation(generation: int, tracked: bool) -> int:
    """The observedGeneration of a status and of its conditions is the metadata.generation that they were derived from.

    The generation starts at 1 and grows by 1 with every change of the spec and with graceful deletion. `tracked` is
    whether the gate is on; 0 is unset.
    """
    return generation if tracked else 0


def make_condition(
    condition_type: str, judgement: Judgement, old: PodCondition | None, now: float, generation: int
) -> PodCondition:
    """A condition that says `judgement`; lastTransitionTime is kept from `old` while the status stays the same.

    The very `old` is given back if nothing at all has changed. `now` in seconds on the caller's clock.
    """
    status, reason, message = judgement
    if old is None or old.status != status:
        return PodCondition(condition_type, status, reason, message, None, instant(now), generation)
    if old.reason == reason and old.message == message and old.observedGeneration == generation:
        return old
    return PodCondition(condition_type, status, reason, message, None, old.lastTransitionTime, generation)


@derivation(
    "cond-podscheduled-true-on-bind",
    area="conditions",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#lifecycle-pod-conditions"),
        source("pkg/registry/core/pod/storage/storage.go", "setPodNodeAndMetadata"),
        source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus"),
    ],
    seed=2,
    observable="PodScheduled True together with spec.nodeName",
    examples=[
        example(
            None,
            7.5,
            1,
            gives=PodCondition("PodScheduled", "True", lastTransitionTime=instant(7), observedGeneration=1),
        ),
        example(
            PodCondition("PodScheduled", "True", lastTransitionTime=instant(3)),
            7.5,
            0,
            gives=PodCondition("PodScheduled", "True", lastTransitionTime=instant(3)),
        ),
    ],
)
def scheduled(old: PodCondition | None, now: float, generation: int) -> PodCondition:
    """PodScheduled becomes True in the write that sets spec.nodeName; the kubelet says so again in every status."""
    return make_condition("PodScheduled", ("True", "", ""), old, now, generation)


@derivation(
    "cond-podscheduled-unschedulable",
    area="conditions",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-conditions"),
        source("pkg/scheduler/schedule_one.go", "handleSchedulingFailure"),
        source("staging/src/k8s.io/api/core/v1/types.go", "PodReasonUnschedulable"),
    ],
    seed=2,
    observable="conditions[PodScheduled].reason in {Unschedulable, SchedulerError, SchedulingGated}",
    examples=[
        example(False, False, gives="Unschedulable"),
        example(True, False, gives="SchedulingGated"),
        example(False, True, gives="SchedulerError"),
    ],
)
def unscheduled_reason(gated: bool, scheduler_failed: bool) -> str:
    """PodScheduled is False with reason Unschedulable when no node fits, SchedulerError when the scheduler failed.

    A Pod with scheduling gates has reason SchedulingGated. Unschedulable is a reason, not a type of condition.
    """
    if gated:
        return "SchedulingGated"
    return "SchedulerError" if scheduler_failed else "Unschedulable"


def by_type(conditions: Sequence[PodCondition]) -> dict[str, PodCondition]:
    """Conditions by type; of two of one type the first counts."""
    return {condition.type: condition for condition in reversed(conditions)}


def of_type(conditions: Iterable[PodCondition], condition_type: str) -> PodCondition | None:
    """The first condition of a type; None if there is none."""
    for condition in conditions:
        if condition.type == condition_type:
            return condition
    return None


def put(conditions: Sequence[PodCondition], new: PodCondition) -> tuple[PodCondition, ...]:
    """The conditions with the one of `new`'s type replaced in its place, or `new` added at the end."""
    for index, condition in enumerate(conditions):
        if condition.type == new.type:
            return (*conditions[:index], new, *conditions[index + 1 :])
    return (*conditions, new)


def ended_for_node(conditions: Iterable[PodCondition]) -> bool:
    """Whether a kubelet has ended the Pod for its node's sake: eviction, preemption or shutdown."""
    return any((c.type, c.status, c.reason) == (DISRUPTION, "True", BY_KUBELET) for c in conditions)


def marked_lost(condition: PodCondition) -> bool:
    """Whether the node controller wrote this Ready: the kubelet never leaves out the reason of False."""
    return condition.status == "False" and not condition.reason and condition.type == "Ready"


def lost_mark(conditions: Iterable[PodCondition]) -> PodCondition | None:
    """The Ready that the node controller wrote, if it stands in the list."""
    for condition in conditions:
        if condition.type == "Ready" and marked_lost(condition):
            return condition
    return None
