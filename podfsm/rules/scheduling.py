"""Scheduling gates and binding: when the scheduler looks at a Pod, and what it can never do to one."""

from __future__ import annotations

from datetime import UTC, datetime

from podfsm.engine.rule import docs, guard, invariant, source, validation
from podfsm.engine.versions import Gates
from podfsm.kube.objects import ObjectMeta, Pod, PodCondition, PodSchedulingGate, PodSpec, PodStatus
from podfsm.rules.facts import PodFacts

_PAGE = "concepts/scheduling-eviction/pod-scheduling-readiness.md"

_GATED = PodSpec(schedulingGates=(PodSchedulingGate("a"), PodSchedulingGate("b")))
_LESS_GATED = PodSpec(schedulingGates=(PodSchedulingGate("b"),))
_DELETED = ObjectMeta(uid="u", deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC))
_UNSCHEDULABLE = (PodCondition(type="PodScheduled", status="False", reason="Unschedulable"),)


_META = ObjectMeta(uid="u")


def _on(node: str, *, gates: tuple[PodSchedulingGate, ...] = (), metadata: ObjectMeta = _META) -> Pod:
    """A small Pod for the examples."""
    return Pod(metadata=metadata, spec=PodSpec(nodeName=node, schedulingGates=gates))


def gated(spec: PodSpec, gates: Gates) -> bool:
    """Whether some scheduling gate keeps the Pod from the scheduler at this version (rule sched-gates)."""
    return bool(spec.schedulingGates) and gates.on("PodSchedulingReadiness")


def _nominated(node: str) -> Pod:
    return Pod(metadata=_META, spec=PodSpec(nodeName=node), status=PodStatus(nominatedNodeName="n1"))


@invariant(
    "sched-nominated-until-bound",
    machine="pod",
    cites=[
        docs("concepts/scheduling-eviction/pod-priority-preemption.md#user-exposed-information"),
        source("pkg/registry/core/pod/storage/storage.go", "setPodNodeAndMetadata"),
    ],
    gate="ClearingNominatedNodeNameAfterBinding",
    observable="status.nominatedNodeName against spec.nodeName",
    allows=[_nominated(""), _on("n1")],
    refuses=[_nominated("n1"), _nominated("n2")],
)
def nominated_until_bound(pod: Pod) -> bool:
    """A node is nominated for a Pod that is not bound yet; the binding clears nominatedNodeName."""
    return not (pod.spec.nodeName and pod.status.nominatedNodeName)


@invariant(
    "sched-once",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-lifetime"),
        source("pkg/registry/core/pod/storage/storage.go", "setPodNodeAndMetadata"),
    ],
    seed=1,
    observable="spec.nodeName",
    allows=[
        (_on(""), _on("n1")),
        (_on("n1"), _on("n1")),
        (_on("", gates=_GATED.schedulingGates), _on("n1")),
        (_on("n1"), _on("n2", metadata=ObjectMeta(uid="v"))),
    ],
    refuses=[
        (_on("n1"), _on("n2")),
        (_on("n1"), _on("")),
        (_on(""), _on("n1", gates=_GATED.schedulingGates)),
        (_on("", metadata=_DELETED), _on("n1", metadata=_DELETED)),
    ],
)
def bound_once(before: Pod, after: Pod) -> bool:
    """A Pod is bound once, and only while it has neither a node nor a deletionTimestamp nor a scheduling gate.

    A second binding is refused, so nodeName never changes.
    """
    if before.metadata.uid != after.metadata.uid or before.spec.nodeName == after.spec.nodeName:
        return True
    if before.spec.nodeName:
        return False
    return before.metadata.deletionTimestamp is None and not after.spec.schedulingGates


@guard(
    "sched-gates",
    machine=("pod", "scheduling"),
    cites=[docs(_PAGE), source("pkg/registry/core/pod/strategy.go", "applySchedulingGatedCondition")],
    gate="PodSchedulingReadiness",
    since="1.26",
    seed=2,
    observable="conditions[PodScheduled].reason SchedulingGated",
    allows=[PodFacts(gated=False)],
    refuses=[PodFacts(gated=True)],
)
def ungated(facts: PodFacts) -> bool:
    """A Pod with scheduling gates is not considered for scheduling.

    From its creation on it has PodScheduled False with reason SchedulingGated.
    """
    return not facts.gated


@validation(
    "sched-gates-only-removed",
    machine=(),
    cites=[
        docs(f"{_PAGE}#configuring-pod-schedulinggates"),
        source("pkg/apis/core/validation/validation.go", "validateOnlyDeletedSchedulingGates"),
        source("pkg/apis/core/validation/validation.go", "ValidatePodCreate"),
    ],
    gate="PodSchedulingReadiness",
    since="1.26",
    seed=2,
    observable="spec.schedulingGates shrinks",
    allows=[(None, _GATED), (_GATED, _LESS_GATED), (_GATED, PodSpec()), (None, PodSpec(nodeName="n1"))],
    refuses=[
        (_LESS_GATED, _GATED),
        (PodSpec(), _LESS_GATED),
        (None, PodSpec(nodeName="n1", schedulingGates=_LESS_GATED.schedulingGates)),
    ],
)
def gates_accepted(before: PodSpec | None, after: PodSpec) -> bool:
    """Scheduling gates are set at creation only; later they may only be removed, in any order.

    nodeName may not be set while one is left. `before` is None at creation.
    """
    names = {gate.name for gate in after.schedulingGates}
    if names and after.nodeName:
        return False
    return before is None or names <= {gate.name for gate in before.schedulingGates}


@invariant(
    "sched-pending-unschedulable",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-phase"),
        source("pkg/scheduler/schedule_one.go", "handleSchedulingFailure"),
    ],
    seed=2,
    observable="phase Pending, reason Unschedulable",
    allows=[
        Pod(status=PodStatus(phase="Pending", conditions=_UNSCHEDULABLE)),
        Pod(metadata=_DELETED, status=PodStatus(phase="Failed", conditions=_UNSCHEDULABLE)),
        Pod(status=PodStatus(phase="Running")),
    ],
    refuses=[
        Pod(status=PodStatus(phase="Running", conditions=_UNSCHEDULABLE)),
        Pod(status=PodStatus(phase="Succeeded", conditions=_UNSCHEDULABLE)),
    ],
)
def waits_without_limit(pod: Pod) -> bool:
    """A Pod that no node can take stays Pending without any time limit, and is tried again and again.

    Only deletion ends that: garbage collection marks such a Pod Failed on its way out.
    """
    if not any(c.type == "PodScheduled" and c.reason == "Unschedulable" for c in pod.status.conditions):
        return True
    return pod.status.phase in ("", "Pending") or (
        pod.metadata.deletionTimestamp is not None and pod.status.phase == "Failed"
    )
