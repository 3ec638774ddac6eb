"""What holds of the container statuses in every snapshot of a Pod, or between two of them."""

from __future__ import annotations

from itertools import pairwise

from podfsm.engine.rule import docs, invariant, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    NO_STATE,
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodSpec,
    PodStatus,
)
from podfsm.kube.times import EPOCH, instant
from podfsm.rules.gates import gates_for
from podfsm.rules.phase_invariants import same_pod
from podfsm.rules.restart import has_restart_all_rule, restarts_after_exit
from podfsm.rules.sidecar import is_sidecar

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_STATES = docs(f"{_PAGE}#container-states")
_NORMALIZE = source("pkg/kubelet/status/status_manager.go", "normalizeStatus")

_RUNS = ContainerState(running=ContainerStateRunning())
_WAITS = ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))
_OK = ContainerState(terminated=ContainerStateTerminated(exitCode=0))
_BAD = ContainerState(terminated=ContainerStateTerminated(exitCode=1))


def _pod(policy: str = "Never", start: float | None = None, **states: ContainerState) -> Pod:
    return Pod(
        metadata=ObjectMeta(uid="u"),
        spec=PodSpec(containers=tuple(Container(name=name) for name in states), restartPolicy=policy),
        status=PodStatus(
            containerStatuses=tuple(ContainerStatus(name, state) for name, state in states.items()),
            startTime=None if start is None else instant(start),
        ),
    )


def _statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    status = pod.status
    return status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses


@invariant(
    "cstate-exactly-one",
    area="container-state",
    machine=("container", "init_container", "sidecar_container", "ephemeral_container"),
    cites=[_STATES, source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses")],
    seed=4,
    observable="one key under state",
    allows=[_pod(app=_RUNS), _pod(app=NO_STATE)],
    refuses=[_pod(app=ContainerState(waiting=ContainerStateWaiting(), running=ContainerStateRunning()))],
)
def one_state(pod: Pod) -> bool:
    """A container is either waiting, running or terminated; a state with nothing in it reads as waiting."""
    return all(
        (s.state.waiting is not None) + (s.state.running is not None) + (s.state.terminated is not None) <= 1
        for s in _statuses(pod)
    )


@invariant(
    "cstate-no-leave-terminated",
    area="container-state",
    machine=("container", "init_container"),
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#restart-policy"),
        source("pkg/apis/core/validation/validation.go", "ValidateContainerStateTransition"),
        source("pkg/kubelet/status/status_manager.go", "checkContainerStateTransition"),
    ],
    seed=5,
    observable="terminated stays terminated",
    allows=[
        (_pod("Always", app=_OK), _pod("Always", app=_RUNS)),
        (_pod("OnFailure", app=_BAD), _pod("OnFailure", app=_WAITS)),
        (_pod("Never", app=_BAD), _pod("Never", app=_BAD)),
    ],
    refuses=[
        (_pod("Never", app=_BAD), _pod("Never", app=_RUNS)),
        (_pod("OnFailure", app=_OK), _pod("OnFailure", app=_WAITS)),
    ],
)
def ended_for_good(before: Pod, after: Pod) -> bool:
    """A container leaves terminated only if its policy and exit code allow a restart.

    Kubelet and API server refuse a status that says otherwise. Sidecars may always leave it, and so may every container
    of a Pod with a RestartAllContainers rule. Judged by the newest version's rules; `leaves_terminated` takes others.
    """
    if not same_pod(before, after):
        return True
    return not leaves_terminated(after.spec, before.status, after.status, gates_for())


def leaves_terminated(spec: PodSpec, before: PodStatus, after: PodStatus, gates: Gates) -> str:
    """The name of a container that leaves terminated against the restart rules; empty if there is none."""
    if has_restart_all_rule(spec, gates):
        return ""
    for containers, olds, news in (
        (spec.containers, before.containerStatuses, after.containerStatuses),
        (spec.initContainers, before.initContainerStatuses, after.initContainerStatuses),
    ):
        init = containers is spec.initContainers
        for old in olds:
            end = old.state.terminated
            if end is None or not any(new.name == old.name and new.state.terminated is None for new in news):
                continue
            container = next((c for c in containers if c.name == old.name), None)
            if container is None or (init and is_sidecar(container, gates)):
                continue
            if not restarts_after_exit(container, spec, end.exitCode, gates, sidecar=False):
                return old.name
    return ""


def _unpulled(policy: str, *volumes: dict[str, object]) -> Pod:
    waits = ContainerState(waiting=ContainerStateWaiting(reason="ErrImageNeverPull"))
    spec = PodSpec(containers=(Container(name="app", imagePullPolicy=policy),), volumes=volumes)
    return Pod(spec=spec, status=PodStatus(containerStatuses=(ContainerStatus("app", waits),)))


@invariant(
    "cstate-never-pulled",
    area="container-state",
    machine=("container", "init_container"),
    cites=[
        docs("concepts/containers/images.md#image-pull-policy"),
        source("pkg/kubelet/images/image_manager.go", "EnsureImageExists"),
    ],
    observable="waiting.reason ErrImageNeverPull against imagePullPolicy",
    allows=[_unpulled("Never"), _unpulled("Always", {"name": "data", "image": {"pullPolicy": "Never"}})],
    refuses=[_unpulled("Always"), _unpulled("IfNotPresent")],
)
def never_pulled(pod: Pod) -> bool:
    """A container waits with ErrImageNeverPull only if its policy is Never, or a volume of the Pod is an image."""
    waits = {s.name for s in _statuses(pod) if s.state.waiting and s.state.waiting.reason == "ErrImageNeverPull"}
    if not waits or any("image" in volume for volume in pod.spec.volumes):
        return True
    spec = pod.spec
    every = (*spec.containers, *spec.initContainers, *spec.ephemeralContainers)
    return all(c.imagePullPolicy in ("", "Never") for c in every if c.name in waits)


@invariant(
    "cstate-status-order",
    area="container-state",
    cites=[_STATES, _NORMALIZE],
    observable="order of names",
    allows=[_pod(a=_RUNS, b=_RUNS)],
    refuses=[_pod(b=_RUNS, a=_RUNS)],
)
def statuses_in_order(pod: Pod) -> bool:
    """App and ephemeral container statuses are in the order of their names, init container statuses in spec order."""
    status = pod.status
    for listed in (status.containerStatuses, status.ephemeralContainerStatuses):
        if any(one.name > other.name for one, other in pairwise(listed)):
            return False
    place = {container.name: index for index, container in enumerate(pod.spec.initContainers)}
    places = [place[s.name] for s in status.initContainerStatuses if s.name in place]
    return places == sorted(places)


@invariant(
    "cstate-timestamps-seconds",
    area="container-state",
    cites=[_STATES, _NORMALIZE],
    observable="RFC3339 without fractions",
    allows=[_pod(start=3.0, app=_RUNS)],
    refuses=[Pod(status=PodStatus(startTime=EPOCH.replace(microsecond=500)))],
)
def whole_seconds(pod: Pod) -> bool:
    """Every timestamp that the kubelet writes is cut to whole seconds."""
    status = pod.status
    times = [condition.lastTransitionTime for condition in status.conditions]
    times.append(status.startTime)
    for one in status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses:
        for state in (one.state, one.lastState):
            running, end = state.running, state.terminated
            if running is not None:
                times.append(running.startedAt)
            elif end is not None:
                times += (end.startedAt, end.finishedAt)
    return not [when for when in times if when is not None and when.microsecond]


@invariant(
    "cstate-starttime-immutable",
    area="container-state",
    machine="pod",
    cites=[docs(f"{_PAGE}#pod-lifetime"), source("pkg/kubelet/status/status_manager.go", "updateStatusInternal")],
    seed=1,
    observable="status.startTime constant",
    allows=[(_pod(), _pod(start=3)), (_pod(start=3), _pod(start=3))],
    refuses=[(_pod(start=3), _pod(start=4)), (_pod(start=3), _pod())],
)
def start_time_stays(before: Pod, after: Pod) -> bool:
    """The startTime of a Pod is set with the kubelet's first status, before images are pulled, and never changes."""
    if not same_pod(before, after) or before.status.startTime is None:
        return True
    return after.status.startTime == before.status.startTime
