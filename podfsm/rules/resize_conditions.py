"""What a Pod says of a resize: PodResizePending and PodResizeInProgress, their reasons, and when the kubelet looks."""

from __future__ import annotations

import msgspec

from podfsm.engine.rule import derivation, docs, example, invariant, source, timing
from podfsm.kube.objects import ObjectMeta, Pod, PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.timings import timing_constant

GATE = "InPlacePodVerticalScaling"
IN_PROGRESS, PENDING = "PodResizeInProgress", "PodResizePending"
DEFERRED, INFEASIBLE, ERROR = "Deferred", "Infeasible", "Error"

_AREA = "resize"
_MANAGER = "pkg/kubelet/allocation/allocation_manager.go"
_STATUS = "pkg/kubelet/status/status_manager.go"
_PAGE = docs("concepts/workloads/pods/pod-condition.md#pod-resize-conditions")


@derivation(
    "resize-pending",
    area=_AREA,
    machine="pod",
    cites=[_PAGE, source(_STATUS, "SetPodResizePendingCondition"), source("pkg/kubelet/allocation/handlers.go")],
    gate=GATE,
    observable="condition PodResizePending with reason Deferred or Infeasible",
    examples=[
        example(True, True, gives=""),
        example(False, True, gives=DEFERRED),
        example(False, False, gives=INFEASIBLE),
    ],
)
def pending_reason(fits_now: bool, fits_ever: bool) -> str:
    """A resize that is not accepted makes PodResizePending True: Deferred if it may fit later, else Infeasible.

    Containers go on with what is allocated to them. A deferred resize is tried again; one that is infeasible is not,
    unless the Pod or its kubelet changes.
    """
    if fits_now:
        return ""
    return DEFERRED if fits_ever else INFEASIBLE


@derivation(
    "resize-in-progress",
    area=_AREA,
    machine="pod",
    cites=[_PAGE, source("pkg/kubelet/kubelet_pods.go", "determinePodResizeStatus")],
    gate=GATE,
    observable="condition PodResizeInProgress appears and vanishes",
    examples=[
        example(True, "", gives=(PodCondition(IN_PROGRESS, "True"),)),
        example(True, "disk full", gives=(PodCondition(IN_PROGRESS, "True", ERROR, "disk full"),)),
        example(False, "", gives=()),
    ],
)
def in_progress(differs: bool, error: str) -> tuple[PodCondition, ...]:
    """PodResizeInProgress is True while the resources a container runs with are not yet those allocated to it.

    With reason Error if the change failed. It vanishes when the change is done, and on terminal Pods.
    """
    if not differs:
        return ()
    return (PodCondition(IN_PROGRESS, "True", ERROR if error else "", error),)


@derivation(
    "resize-condition-times",
    area=_AREA,
    machine="pod",
    cites=[_PAGE, source(_STATUS, "updatedPodResizeCondition")],
    gate=GATE,
    observable="lastProbeTime, lastTransitionTime and observedGeneration of the resize conditions",
    examples=[
        example(
            None,
            PodCondition(PENDING, "True", DEFERRED, "no room"),
            9.0,
            2,
            gives=PodCondition(PENDING, "True", DEFERRED, "no room", instant(9), instant(9), 2),
        ),
        example(
            PodCondition(PENDING, "True", DEFERRED, "no room", instant(9), instant(9), 2),
            PodCondition(PENDING, "True", DEFERRED, "less room"),
            99.0,
            3,
            gives=PodCondition(PENDING, "True", DEFERRED, "less room", instant(99), instant(9), 3),
        ),
        example(
            PodCondition(PENDING, "True", DEFERRED, "no room", instant(9), instant(9), 2),
            PodCondition(PENDING, "True", INFEASIBLE),
            99.0,
            2,
            gives=PodCondition(PENDING, "True", INFEASIBLE, "", instant(99), instant(99), 2),
        ),
    ],
)
def timed(old: PodCondition | None, new: PodCondition, now: float, generation: int) -> PodCondition:
    """The lastProbeTime of a resize condition is when the kubelet looked last, lastTransitionTime when its reason came.

    observedGeneration is the generation of the Pod that the kubelet looked at.
    """
    stays = old is not None and old.reason == new.reason
    since = old.lastTransitionTime if old is not None and stays else instant(now)
    looked = {"lastProbeTime": instant(now), "lastTransitionTime": since, "observedGeneration": generation}
    stamped: PodCondition = msgspec.structs.replace(new, **looked)
    return stamped


@timing(
    "resize-retry",
    area=_AREA,
    machine="pod",
    cites=[
        _PAGE,
        source(_MANAGER, "retryPendingResizes"),
        source(_MANAGER, "retryDelay"),
        source("pkg/kubelet/kubelet.go", "HandlePodRemoves"),
        source("pkg/kubelet/kubelet.go", "HandlePodReconcile"),
    ],
    gate=GATE,
    observable="lastProbeTime of PodResizePending",
    examples=[example(0, gives=30.0), example(1, gives=180.0), example(5, gives=180.0)],
)
def retry_delay(rounds: int) -> float:
    """A kubelet looks at pending resizes 30 s after it has started, and again 3 minutes after it looked last.

    It looks at all of them, too, when one of its Pods is changed and not yet what it asks for, when one ends or is
    removed, and when one has become smaller. `rounds` is how often it has looked. (1.33 tried at each sync of the Pod.)
    """
    return timing_constant("resize-retry-initial" if rounds == 0 else "resize-retry")


def _with(*conditions: PodCondition) -> Pod:
    return Pod(metadata=ObjectMeta(uid="u"), status=PodStatus(conditions=conditions))


_REASONS = {PENDING: (DEFERRED, INFEASIBLE), IN_PROGRESS: ("", ERROR)}


@invariant(
    "resize-conditions",
    area=_AREA,
    machine="pod",
    cites=[
        _PAGE,
        source(_STATUS, "updatedPodResizeCondition"),
        source("staging/src/k8s.io/api/core/v1/types.go", "PodReasonDeferred"),
    ],
    gate=GATE,
    observable="status, reason and times of the resize conditions",
    allows=[
        _with(PodCondition(PENDING, "True", DEFERRED, "", instant(9), instant(3))),
        _with(PodCondition(IN_PROGRESS, "True"), PodCondition(PENDING, "True", INFEASIBLE)),
        _with(PodCondition("Ready", "False", "Because")),
    ],
    refuses=[
        _with(PodCondition(PENDING, "True")),
        _with(PodCondition(PENDING, "False", DEFERRED)),
        _with(PodCondition(IN_PROGRESS, "True", DEFERRED)),
        _with(PodCondition(PENDING, "True", DEFERRED, "", instant(3), instant(9))),
    ],
)
def well_told(pod: Pod) -> bool:
    """The resize conditions are True while they are there, with reason Deferred or Infeasible, or Error or none.

    PodResizePending has one of the first two, PodResizeInProgress one of the others. The kubelet looked last not before
    the reason came to be.
    """
    for condition in pod.status.conditions:
        if condition.type in _REASONS:
            if condition.status != "True" or condition.reason not in _REASONS[condition.type]:
                return False
            looked, since = condition.lastProbeTime, condition.lastTransitionTime
            if looked is not None and since is not None and looked < since:
                return False
    return True


def is_pending(condition: PodCondition, reason: str) -> bool:
    """Whether the condition says that a resize is not accepted, for this reason."""
    return (condition.type, condition.status, condition.reason) == (PENDING, "True", reason)
