"""What an update may change of a Pod object, as two snapshots of it tell.

The API server refuses everything else, so a trace that shows it was not recorded from one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodSchedulingGate,
    PodSpec,
    PodStatus,
    Toleration,
)
from podfsm.kube.times import SKEW
from podfsm.rules.condition_list import DISRUPTION, LIFECYCLE, RESTARTING
from podfsm.rules.deadline import field_accepted
from podfsm.rules.ephemeral import append_only
from podfsm.rules.grace import deleted_at
from podfsm.rules.node_trouble import rejected, was_rejected
from podfsm.rules.phase_invariants import same_pod
from podfsm.rules.scheduling import gates_accepted

_UPDATE = docs("concepts/workloads/pods/_index.md#pod-update-and-replacement")
_VALIDATE = source("pkg/apis/core/validation/validation.go", "ValidatePodUpdate")
_META = source("staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go", "ValidateObjectMetaUpdate")
_GENERATION = source("pkg/registry/core/pod/strategy.go", "updatePodGeneration")
_THEN = datetime(2026, 1, 1, tzinfo=UTC)

_OF_DELETES = ("foregroundDeletion", "orphan")
"""The finalizers that a delete with a propagation policy adds."""

_APP = Container(name="app", image="app:1")
_NEWER = Container(name="app", image="app:2")


def _of(spec: PodSpec = PodSpec(containers=(_APP,)), status: PodStatus = PodStatus(), **metadata: object) -> Pod:  # noqa: B008 - frozen
    return Pod(metadata=ObjectMeta(uid="u", **metadata), spec=spec, status=status)  # type: ignore[arg-type]


def _ready_of(generation: int) -> PodStatus:
    return PodStatus(conditions=(PodCondition("Ready", "True", observedGeneration=generation),))


@invariant(
    "update-spec-immutable",
    area="updates",
    machine="pod",
    cites=[_UPDATE, _VALIDATE],
    observable="spec",
    allows=[
        (_of(), _of(PodSpec(containers=(_NEWER,), activeDeadlineSeconds=9))),
        (_of(), _of(PodSpec(containers=(_APP,), tolerations=(Toleration("a"),)))),
        (_of(), _of(PodSpec(containers=(_APP,), ephemeralContainers=(Container("debug"),), nodeName="n"))),
    ],
    refuses=[
        (_of(), _of(PodSpec(containers=(_APP,), restartPolicy="Never"))),
        (_of(), _of(PodSpec(containers=(Container(name="web", image="app:1"),)))),
        (_of(), _of(PodSpec(containers=(_APP, Container(name="web"))))),
        (_of(PodSpec(tolerations=(Toleration("a"),))), _of(PodSpec())),
    ],
)
def spec_stays(before: Pod, after: Pod) -> bool:
    """Of a Pod's spec an update changes images, resources, the deadline and little else.

    Tolerations may be added, scheduling gates removed, ephemeral containers added; nodeSelector and affinity may be
    narrowed while the Pod is gated; nodeName is set by the binding. Containers come and go never.
    """
    if before.spec is after.spec or before.spec == after.spec or not same_pod(before, after):
        return True
    old, new = before.spec, after.spec
    if not set(old.tolerations) <= set(new.tolerations) and not _retimed(old, new):
        return False
    return _fixed(old, gated=bool(old.schedulingGates)) == _fixed(new, gated=bool(old.schedulingGates))


def _retimed(old: PodSpec, new: PodSpec) -> bool:
    """Whether the tolerations differ only in their seconds, which may be changed."""
    kept = {msgspec.structs.replace(toleration, tolerationSeconds=None) for toleration in new.tolerations}
    return all(msgspec.structs.replace(one, tolerationSeconds=None) in kept for one in old.tolerations)


def _fixed(spec: PodSpec, *, gated: bool) -> PodSpec:
    """What no update may change: the spec without the fields that may."""
    free: dict[str, object] = {"nodeSelector": {}, "affinity": None} if gated else {}
    return msgspec.structs.replace(
        spec,
        containers=tuple(map(_without_image, spec.containers)),
        initContainers=tuple(map(_without_image, spec.initContainers)),
        ephemeralContainers=(),
        activeDeadlineSeconds=None,
        terminationGracePeriodSeconds=None,
        schedulingGates=(),
        tolerations=(),
        nodeName="",
        resources=None,
        **free,
    )


def _without_image(container: Container) -> Container:
    return msgspec.structs.replace(container, image="", resources=None)


@invariant(
    "update-spec-one-way",
    area="updates",
    machine="pod",
    cites=[_UPDATE, _VALIDATE],
    observable="spec.schedulingGates, spec.activeDeadlineSeconds, spec.ephemeralContainers",
    allows=[(_of(PodSpec(schedulingGates=(PodSchedulingGate("g"),))), _of(PodSpec()))],
    refuses=[
        (_of(PodSpec()), _of(PodSpec(schedulingGates=(PodSchedulingGate("g"),)))),
        (_of(PodSpec(activeDeadlineSeconds=5)), _of(PodSpec(activeDeadlineSeconds=9))),
        (_of(PodSpec(ephemeralContainers=(Container("debug"),))), _of(PodSpec())),
    ],
)
def one_way(before: Pod, after: Pod) -> bool:
    """Scheduling gates are only removed, a deadline is only set or lowered, ephemeral containers are only added.

    See sched-gates-only-removed, deadline-field and ephemeral-append-only.
    """
    old, new = before.spec, after.spec
    if old is new or not same_pod(before, after):
        return True
    gated = old.schedulingGates == new.schedulingGates or bool(gates_accepted(old, new))
    timed = old.activeDeadlineSeconds == new.activeDeadlineSeconds or bool(field_accepted(old, new))
    return gated and timed and (not old.ephemeralContainers or bool(append_only(old, new)))


@invariant(
    "update-metadata-immutable",
    area="updates",
    machine="pod",
    cites=[docs("concepts/overview/working-with-objects/names.md#uids"), _META],
    observable="metadata.name, namespace, creationTimestamp, finalizers of one uid",
    allows=[
        (_of(), _of(labels={"a": "b"}, finalizers=("example.com/a",))),
        (_of(deletionTimestamp=_THEN), _of(deletionTimestamp=_THEN, finalizers=("foregroundDeletion",))),
    ],
    refuses=[
        (_of(name="a"), _of(name="b")),
        (_of(creationTimestamp=_THEN), _of()),
        (_of(deletionTimestamp=_THEN), _of(deletionTimestamp=_THEN, finalizers=("example.com/a",))),
    ],
)
def metadata_stays(before: Pod, after: Pod) -> bool:
    """Name, namespace and creationTimestamp belong to a uid and never change.

    What is being deleted gets no new finalizer, but for those that a delete itself adds to wait for dependents.
    """
    old, new = before.metadata, after.metadata
    if not same_pod(before, after):
        return True
    if old.deletionTimestamp is not None and not set(new.finalizers) <= {*old.finalizers, *_OF_DELETES}:
        return False
    return (old.name, old.namespace, old.creationTimestamp) == (new.name, new.namespace, new.creationTimestamp)


@invariant(
    "update-deletion-final",
    area="termination",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"),
        _META,
        source("staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go", "BeforeDelete"),
    ],
    seed=6,
    observable="metadata.deletionTimestamp, deletionGracePeriodSeconds",
    allows=[
        (_of(), _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=30)),
        (
            _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=30),
            _of(deletionTimestamp=_THEN - timedelta(seconds=27), deletionGracePeriodSeconds=3),
        ),
    ],
    refuses=[
        (_of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=30), _of()),
        (
            _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=3),
            _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=30),
        ),
        (
            _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=3),
            _of(deletionTimestamp=_THEN.replace(year=2027), deletionGracePeriodSeconds=3),
        ),
        (
            _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=30),
            _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=3),
        ),
    ],
)
def deletion_stays(before: Pod, after: Pod) -> bool:
    """A deletion is never taken back: deletionTimestamp stays, and further deletes only shorten the grace.

    The grace is counted from the first delete. If nothing is left of it the deletionTimestamp is the time of the later
    delete and the grace 1 s, or 0 if that was asked for.
    """
    old, new = before.metadata, after.metadata
    if old.deletionTimestamp is None or not same_pod(before, after):
        return True
    if new.deletionTimestamp is None:
        return False
    was, now = old.deletionGracePeriodSeconds or 0, new.deletionGracePeriodSeconds or 0
    if now == was:
        return new.deletionTimestamp == old.deletionTimestamp
    shortened = old.deletionTimestamp - timedelta(seconds=was - now)
    return now < was and (new.deletionTimestamp == shortened or (now <= 1 and new.deletionTimestamp >= shortened))


@invariant(
    "update-deletion-marks",
    area="termination",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"),
        source("staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go", "BeforeDelete"),
        source("pkg/registry/core/pod/strategy.go", "CheckGracefulDelete"),
    ],
    seed=6,
    observable="metadata.deletionTimestamp, deletionGracePeriodSeconds, creationTimestamp",
    allows=[
        _of(creationTimestamp=_THEN),
        _of(creationTimestamp=_THEN, deletionTimestamp=_THEN + timedelta(seconds=30), deletionGracePeriodSeconds=30),
    ],
    refuses=[
        _of(deletionTimestamp=_THEN),
        _of(deletionGracePeriodSeconds=30),
        _of(deletionTimestamp=_THEN, deletionGracePeriodSeconds=-1),
        _of(creationTimestamp=_THEN, deletionTimestamp=_THEN, deletionGracePeriodSeconds=3600),
    ],
)
def deletion_marked(pod: Pod) -> bool:
    """A delete sets deletionTimestamp and deletionGracePeriodSeconds together; their difference is when it began.

    A negative grace is read as 1 s. A Pod is created before it is deleted, by API servers whose clocks may be a minute
    apart.
    """
    metadata = pod.metadata
    grace, created, began = metadata.deletionGracePeriodSeconds, metadata.creationTimestamp, deleted_at(metadata)
    if began is None or grace is None:
        return began is None and grace is None
    return grace >= 0 and (created is None or began >= created - SKEW)


@invariant(
    "update-generation",
    area="updates",
    machine="pod",
    cites=[docs("concepts/workloads/pods/_index.md#pod-generation"), _GENERATION],
    gate="PodObservedGenerationTracking",
    observable="metadata.generation, status.observedGeneration",
    allows=[
        (_of(generation=1), _of(PodSpec(containers=(_NEWER,)), generation=2)),
        (_of(generation=1), _of(generation=1, labels={"a": "b"})),
        (_of(), _of(PodSpec(containers=(_NEWER,)))),
        (_of(generation=1), _of(generation=2, deletionTimestamp=_THEN)),
    ],
    refuses=[
        (_of(generation=2), _of(generation=1)),
        (_of(generation=1), _of(generation=2)),
        (_of(generation=1), _of(generation=1, status=PodStatus(conditions=(PodCondition(observedGeneration=2),)))),
        (_of(generation=1), _of(PodSpec(containers=(_NEWER,)), generation=1)),
        (_of(generation=1), _of(generation=1, deletionTimestamp=_THEN)),
        (_of(generation=1), _of(generation=1, status=PodStatus(observedGeneration=2))),
        (
            _of(generation=2, status=PodStatus(observedGeneration=2)),
            _of(generation=2, status=PodStatus(observedGeneration=1)),
        ),
        (_of(generation=2, status=PodStatus(observedGeneration=2)), _of(generation=2)),
        (_of(generation=2, status=_ready_of(2)), _of(generation=2, status=_ready_of(1))),
    ],
)
def generation_counts(before: Pod, after: Pod) -> bool:
    """metadata.generation grows with every change of the spec and with a deletion, not otherwise, and never falls.

    status.observedGeneration and that of the kubelet's conditions follow it and never fall either. Pods stored by
    versions before have generation 0. The binding, which sets nodeName, is no change of the spec in this sense.
    """
    old, new = before.metadata, after.metadata
    if not (new.generation or old.generation) or not same_pod(before, after):
        return True
    seen = after.status.observedGeneration
    if new.generation < old.generation or seen > new.generation or seen < before.status.observedGeneration:
        return False
    told = [condition.observedGeneration for condition in after.status.conditions]
    if told and max(told) > new.generation:
        return False
    if told != [condition.observedGeneration for condition in before.status.conditions] and _observed_less(
        before, after
    ):
        return False
    same = before.spec is after.spec or before.spec == after.spec
    if not same and before.spec.nodeName != after.spec.nodeName:
        same = msgspec.structs.replace(before.spec, nodeName=after.spec.nodeName) == after.spec
    if new.generation > old.generation:
        return not same or old.generation == 0 or _deletion(old) != _deletion(new)
    if old.deletionTimestamp is None and new.deletionTimestamp is not None:
        return False
    return same


def _observed_less(before: Pod, after: Pod) -> bool:
    """Whether a condition of the kubelet is said to be about an older generation than before.

    It takes over PodScheduled with its first status; the binding itself says nothing of a generation.
    """
    kubelets = LIFECYCLE | {"PodScheduled"} if before.status.containerStatuses else LIFECYCLE
    old = {c.type: c.observedGeneration for c in before.status.conditions if c.type in kubelets}
    return any(c.observedGeneration < old.get(c.type, 0) for c in after.status.conditions)


def _deletion(metadata: ObjectMeta) -> tuple[datetime | None, int | None]:
    return (metadata.deletionTimestamp, metadata.deletionGracePeriodSeconds)


_RUNS = ContainerState(running=ContainerStateRunning())
_ENDED = ContainerState(terminated=ContainerStateTerminated())


def _debug(state: ContainerState, instance: str = "1", count: int = 0) -> Pod:
    status = ContainerStatus("debug", state, containerID=instance, restartCount=count)
    return _of(status=PodStatus(ephemeralContainerStatuses=(status,)))


@invariant(
    "ephemeral-runs-once",
    area="ephemeral",
    machine="ephemeral_container",
    cites=[
        docs("concepts/workloads/pods/ephemeral-containers.md#what-is-an-ephemeral-container"),
        source("pkg/apis/core/validation/validation.go", "ValidateEphemeralContainerStateTransition"),
    ],
    gate="EphemeralContainers",
    seed=15,
    observable="ephemeralContainerStatuses[].containerID, restartCount",
    allows=[(_debug(_RUNS), _debug(_ENDED)), (_debug(_ENDED), _debug(_ENDED))],
    refuses=[
        (_debug(_ENDED), _debug(_RUNS)),
        (_debug(_RUNS), _debug(_RUNS, "2")),
        (_debug(_RUNS), _debug(_RUNS, count=1)),
    ],
)
def ephemeral_once(before: Pod, after: Pod) -> bool:
    """An ephemeral container has one instance: it never restarts, and stays terminated."""
    if not same_pod(before, after):
        return True
    was = {status.name: status for status in before.status.ephemeralContainerStatuses}
    for status in after.status.ephemeralContainerStatuses:
        old = was.get(status.name)
        if status.restartCount:
            return False
        if old is None:
            continue
        if old.state.terminated is not None and status.state.terminated is None:
            return False
        if old.containerID and status.containerID and old.containerID != status.containerID:
            return False
    return True


_BOUND = PodStatus(conditions=(PodCondition("PodScheduled", "True"),))


@invariant(
    "update-conditions-stay",
    area="conditions",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#built-in-pod-conditions"),
        source("pkg/kubelet/status/status_manager.go", "mergePodStatus"),
    ],
    observable="types in status.conditions",
    allows=[
        (_of(), _of(status=PodStatus(conditions=(PodCondition("Ready", "True"),)))),
        (_of(status=_BOUND), _of(status=rejected("OutOfcpu", "no cpu"))),
    ],
    refuses=[(_of(status=PodStatus(conditions=(PodCondition("Ready", "True"),))), _of())],
)
def conditions_stay(before: Pod, after: Pod) -> bool:
    """Conditions of the system, once there, do not disappear: those of the kubelet, PodScheduled, DisruptionTarget.

    Only the conditions of a resize go once it is done; and a kubelet that refuses a Pod may write a status without any.
    """
    if before.status.conditions == after.status.conditions or not same_pod(before, after):
        return True
    if was_rejected(after.status):
        return True
    now = {condition.type for condition in after.status.conditions}
    return all(c.type in now for c in before.status.conditions if c.type in _LASTING)


_LASTING = LIFECYCLE | {"PodScheduled", DISRUPTION, RESTARTING}
