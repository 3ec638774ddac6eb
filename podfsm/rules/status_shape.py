"""What a Pod's status holds at all: whose statuses, what is said before and after binding, ready and started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.addresses import family
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodCondition,
    PodIP,
    PodSchedulingGate,
    PodSpec,
    PodStatus,
)
from podfsm.kube.times import SKEW, instant
from podfsm.rules.condition_list import LIFECYCLE, NETWORK, ON_NODES, of_type
from podfsm.rules.instances import began_at, statuses_of
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.phase_invariants import same_pod

_KUBERNETES_OWN = LIFECYCLE | {"PodScheduled"}
"""Conditions that nobody but Kubernetes turns."""

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_STATES = docs(f"{_PAGE}#container-states")
_GENERATE = source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus")
_CONVERT = source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses")
_PROBED = source("pkg/kubelet/prober/prober_manager.go", "UpdatePodStatus")
_MACHINES = ("container", "init_container", "sidecar_container")

NEVER = datetime(1971, 1, 1, tzinfo=UTC)
"""Earlier times stand for none."""

_RUNS = ContainerState(running=ContainerStateRunning())
_WAITS = ContainerState(waiting=ContainerStateWaiting("ContainerCreating"))
_DONE = ContainerState(terminated=ContainerStateTerminated())


def _pod(*apps: ContainerStatus, names: Sequence[str] = ("app",), node: str = "n", **status: object) -> Pod:
    """A small Pod for the examples."""
    spec = PodSpec(containers=tuple(Container(name=name) for name in names), nodeName=node)
    return Pod(metadata=ObjectMeta(uid="u"), spec=spec, status=PodStatus(containerStatuses=apps, **status))  # type: ignore[arg-type]


def _since(seconds: float) -> ContainerStatus:
    return ContainerStatus("app", ContainerState(running=ContainerStateRunning(instant(seconds))))


def _acknowledged(created: float, since: float) -> Pod:
    metadata = ObjectMeta(uid="u", creationTimestamp=instant(created))
    return Pod(metadata=metadata, status=PodStatus(startTime=instant(since), containerStatuses=(_instance("1"),)))


def _instance(instance: str) -> ContainerStatus:
    return ContainerStatus("app", _RUNS, containerID=instance)


def _init(status: ContainerStatus) -> Pod:
    spec = PodSpec(initContainers=(Container(name=status.name),))
    return Pod(spec=spec, status=PodStatus(initContainerStatuses=(status,)))


@invariant(
    "status-lists-the-spec",
    area="container-state",
    cites=[_STATES, _CONVERT],
    seed=4,
    observable="names in initContainerStatuses, containerStatuses, ephemeralContainerStatuses",
    allows=[_pod(ContainerStatus("app", _RUNS)), _pod()],
    refuses=[
        _pod(ContainerStatus("web", _RUNS)),
        _pod(ContainerStatus("app", _RUNS), ContainerStatus("app", _RUNS)),
        _pod(ContainerStatus("app", _RUNS), names=("app", "web")),
    ],
)
def lists_the_spec(pod: Pod) -> bool:
    """Each list of container statuses has one entry for each container of its kind in the spec, or is empty.

    An ephemeral container added last may have none yet.
    """
    spec, status = pod.spec, pod.status
    return (
        _same_names(spec.containers, status.containerStatuses)
        and _same_names(spec.initContainers, status.initContainerStatuses)
        and _same_names(spec.ephemeralContainers, status.ephemeralContainerStatuses, complete=False)
    )


def _same_names(containers: Sequence[Container], statuses: Sequence[ContainerStatus], *, complete: bool = True) -> bool:
    if not statuses:
        return True
    names = {status.name for status in statuses}
    if len(names) != len(statuses) or (complete and len(names) != len(containers)):
        return False
    return names <= {container.name for container in containers}


@invariant(
    "status-lists-stay",
    area="container-state",
    machine="pod",
    cites=[_STATES, _GENERATE],
    observable="lists of container statuses only grow",
    allows=[(_pod(), _pod(ContainerStatus("app", _RUNS)))],
    refuses=[(_pod(ContainerStatus("app", _RUNS)), _pod())],
)
def lists_stay(before: Pod, after: Pod) -> bool:
    """A container that has a status keeps having one."""
    if not same_pod(before, after):
        return True
    old, new = before.status, after.status
    return (
        len(old.containerStatuses) <= len(new.containerStatuses)
        and len(old.initContainerStatuses) <= len(new.initContainerStatuses)
        and len(old.ephemeralContainerStatuses) <= len(new.ephemeralContainerStatuses)
    )


@invariant(
    "status-ready-runs",
    area="container-state",
    machine=_MACHINES,
    cites=[_STATES, _PROBED],
    seed=3,
    observable="ready and started against state",
    allows=[
        _pod(ContainerStatus("app", _RUNS, ready=True, started=True)),
        _pod(ContainerStatus("app", _RUNS, started=True)),
        _init(ContainerStatus("init", _DONE, ready=True, started=False)),
    ],
    refuses=[
        _pod(ContainerStatus("app", _WAITS, ready=True, started=True)),
        _pod(ContainerStatus("app", _RUNS, ready=True, started=False)),
        _pod(ContainerStatus("app", _DONE, started=True)),
        _init(ContainerStatus("init", _RUNS, ready=True, started=True)),
        _init(ContainerStatus("init", _DONE, ready=False, started=False)),
    ],
)
def ready_runs(pod: Pod) -> bool:
    """A container that is ready runs, and has started unless it was restarted; one that has started runs.

    A regular init container is ready once it has exited 0, and then only. RestartAllContainers leaves both as they were
    until the container starts anew.
    """
    sidecars = {entry.name for entry in pod.spec.initContainers if entry.restartPolicy == "Always"}
    status = pod.status
    for entry in status.initContainerStatuses:
        if not (_ready_as_app(entry) if entry.name in sidecars else _ready_as_init(entry)):
            return False
    return all(_ready_as_app(app) for app in status.containerStatuses)


def _ready_as_app(status: ContainerStatus) -> bool:
    if status.state.running is None:
        return not (status.ready or status.started) or _removed(status)
    return not status.ready or status.started is not False or status.restartCount > 0


def _ready_as_init(status: ContainerStatus) -> bool:
    end = status.state.terminated
    succeeded = end is not None and end.exitCode == 0
    fits = status.ready == succeeded and not (status.started and status.state.running is None)
    return fits or _removed(status)


def _removed(status: ContainerStatus) -> bool:
    last = status.lastState.terminated
    return last is not None and last.reason == RESTARTING_ALL


@invariant(
    "status-after-binding",
    area="scheduling",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-lifetime"),
        source("pkg/registry/core/pod/storage/storage.go", "setPodNodeAndMetadata"),
        _GENERATE,
    ],
    seed=1,
    observable="spec.nodeName against conditions[PodScheduled], startTime and container statuses",
    allows=[
        _pod(node=""),
        _pod(conditions=(PodCondition("PodScheduled", "True"),), startTime=instant(3)),
        _pod(node="", conditions=(PodCondition("PodScheduled", "False", "Unschedulable"),)),
    ],
    refuses=[
        _pod(conditions=(PodCondition("PodScheduled", "False", "Unschedulable"),)),
        _pod(node="", conditions=(PodCondition("PodScheduled", "True"),)),
        _pod(node="", startTime=instant(3)),
        _pod(node="", podIP="10.0.0.1"),
        _pod(node="", conditions=(PodCondition("Ready", "False", "ContainersNotReady"),)),
        _pod(ContainerStatus("app", _RUNS), node=""),
        Pod(spec=PodSpec(nodeName="n", schedulingGates=(PodSchedulingGate("g"),))),
    ],
)
def follows_binding(pod: Pod) -> bool:
    """PodScheduled is True if and only if the Pod is bound; only then does anything show that a kubelet writes.

    That is startTime, addresses, containers and the kubelet's conditions. No scheduling gate is left by then. A Pod
    bound at its creation gets the condition with the kubelet's first status.
    """
    condition = of_type(pod.status.conditions, "PodScheduled")
    scheduled = "" if condition is None else condition.status
    if pod.spec.nodeName:
        return scheduled in ("", "True") and not pod.spec.schedulingGates
    status = pod.status
    if scheduled == "True" or any(condition.type in ON_NODES for condition in status.conditions):
        return False
    return status.startTime is None and not status.hostIP and not status.podIP and not statuses_of(pod)


@invariant(
    "status-times-follow",
    area="container-state",
    machine="pod",
    cites=[docs(f"{_PAGE}#pod-lifetime"), _GENERATE],
    observable="creationTimestamp before startTime, startTime before every startedAt",
    allows=[_pod(_since(5), startTime=instant(3)), _acknowledged(created=40, since=3)],
    refuses=[_pod(_since(2), startTime=instant(3)), _acknowledged(created=3600, since=3)],
)
def times_follow(pod: Pod) -> bool:
    """A Pod is acknowledged by its kubelet (startTime) after it was created, and before its containers start.

    Static Pods run before the API knows them. The start of a container that could not be started is in 1970. The
    creation, before which no condition turns either, is dated by the API server, whose clock may be a minute off; a
    status that names no instance may be somebody else's than the kubelet's, and is not held against it.
    """
    began, created = pod.status.startTime, pod.metadata.creationTimestamp
    if began is None or "kubernetes.io/config.mirror" in pod.metadata.annotations:
        return True
    statuses = statuses_of(pod)
    if created is not None and _precedes(pod.status, created - SKEW) and any(one.containerID for one in statuses):
        return False
    for status in statuses:
        for state in (status.state, status.lastState):
            moment = began_at(state)
            if moment is not None and NEVER < moment < began:
                return False
    return True


def _precedes(status: PodStatus, moment: datetime) -> bool:
    """Whether a status tells of something that Kubernetes did to the Pod before a moment."""
    for condition in status.conditions:
        turned = condition.lastTransitionTime
        if turned is not None and turned < moment and condition.type in _KUBERNETES_OWN:
            return True
    return status.startTime is not None and status.startTime < moment


@invariant(
    "status-addresses",
    area="container-state",
    machine="pod",
    cites=[
        docs("concepts/services-networking/dual-stack.md#supported-features"),
        source("pkg/apis/core/validation/validation.go", "validatePodIPs"),
        source("pkg/apis/core/validation/validation.go", "validateHostIPs"),
    ],
    observable="status.podIP, podIPs, hostIP, hostIPs",
    allows=[
        _pod(podIP="10.0.0.1", podIPs=(PodIP("10.0.0.1"), PodIP("fd00::1"))),
        _pod(podIP="10.0.0.1", hostIP="192.0.2.1"),
    ],
    refuses=[
        _pod(podIP="10.0.0.1", podIPs=(PodIP("10.0.0.2"),)),
        _pod(hostIP="192.0.2.1", hostIPs=(PodIP("192.0.2.2"),)),
        _pod(podIP="10.0.0.1", podIPs=(PodIP("10.0.0.1"), PodIP("10.0.0.2"))),
        _pod(podIP="10.0.0.256"),
    ],
)
def addresses(pod: Pod) -> bool:
    """The address of a Pod is the first of podIPs, its node's the first of hostIPs; each list has one of a family."""
    status = pod.status
    return _addressed(status.podIP, status.podIPs) and _addressed(status.hostIP, status.hostIPs)


def _addressed(address: str, every: Sequence[PodIP]) -> bool:
    listed = [each.ip for each in every] or ([address] if address else [])
    families = [family(one) for one in listed]
    return (not listed or listed[0] == address) and 0 not in families and len(set(families)) == len(families)


def lacks_address(pod: Pod) -> bool:
    """Whether a Pod runs containers in a sandbox that is ready, and has no address: a kubelet's Pods have one then."""
    status = pod.status
    if status.podIP or pod.spec.hostNetwork:
        return False
    made = of_type(status.conditions, NETWORK)
    running = any(one.state.running is not None and one.containerID for one in status.containerStatuses)
    return running and made is not None and made.status == "True"


@invariant(
    "status-address-stays",
    area="container-state",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-lifetime"),
        source("pkg/kubelet/kubelet_pods.go", "convertStatusToAPIStatus"),
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions"),
    ],
    observable="status.podIP, podIPs, hostIP, hostIPs against the instances that run",
    allows=[
        (_pod(_instance("1")), _pod(_instance("1"), podIP="10.0.0.1")),
        (_pod(_instance("1"), podIP="10.0.0.1"), _pod(_instance("2"), podIP="10.0.0.2")),
    ],
    refuses=[
        (_pod(_instance("1"), podIP="10.0.0.1"), _pod(_instance("1"), podIP="10.0.0.2")),
        (_pod(_instance("1"), podIP="10.0.0.1"), _pod(_instance("1"))),
        (_pod(hostIP="192.0.2.1"), _pod()),
    ],
)
def address_stays(before: Pod, after: Pod) -> bool:
    """A Pod keeps its address as long as an instance of a container runs: a new sandbox ends all of them.

    Its node's may change, but never goes once it is there; and where lists of addresses are given they stay.
    """
    old, new = before.status, after.status
    if not same_pod(before, after):
        return True
    if (old.hostIP and not new.hostIP) or (old.hostIPs and not new.hostIPs):
        return False
    if old.podIPs and new.podIP and not new.podIPs:
        return False
    if not old.podIP or old.podIP == new.podIP:
        return True
    ran = {status.containerID for status in statuses_of(before) if status.state.running is not None}
    return not any(
        status.containerID in ran for status in statuses_of(after) if status.containerID and status.state.running
    )
