"""In which order the containers of a Pod have started, as one snapshot tells by its times.

Times are cut to whole seconds, so that equal ones say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
    PodSpec,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.condition_list import NETWORK, of_type
from podfsm.rules.instances import statuses_of
from podfsm.rules.phase_invariants import same_pod

_PAGE = docs("concepts/workloads/pods/init-containers.md#detailed-behavior")
_SIDECARS = docs("concepts/workloads/pods/sidecar-containers.md#sidecar-containers-and-pod-lifecycle")
_INIT = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "computeInitContainerActions")
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")


def _ran(since: float, until: float | None = None, code: int = 0) -> ContainerState:
    if until is None:
        return ContainerState(running=ContainerStateRunning(instant(since)))
    return ContainerState(
        terminated=ContainerStateTerminated(code, startedAt=instant(since), finishedAt=instant(until))
    )


_WAITS = ContainerState(waiting=ContainerStateWaiting("PodInitializing"))


def _pod(*entries: ContainerState, app: ContainerState = _WAITS, sidecars: bool = False) -> Pod:
    policy = "Always" if sidecars else None
    names = [f"init{index}" for index in range(len(entries))]
    return Pod(
        spec=PodSpec(
            initContainers=tuple(Container(name=name, restartPolicy=policy) for name in names),
            containers=(Container(name="app"),),
        ),
        status=PodStatus(
            initContainerStatuses=tuple(ContainerStatus(n, s) for n, s in zip(names, entries, strict=True)),
            containerStatuses=(ContainerStatus("app", app),),
        ),
    )


def _in_sandbox(network: str, since: float, app: ContainerState) -> Pod:
    condition = PodCondition(NETWORK, network, lastTransitionTime=instant(since))
    return Pod(status=PodStatus(conditions=(condition,), containerStatuses=(ContainerStatus("app", app),)))


@invariant(
    "order-init-containers",
    area="init",
    machine=("init_container", "sidecar_container"),
    cites=[_PAGE, _SIDECARS, _INIT],
    seed=8,
    observable="initContainerStatuses: startedAt against finishedAt of earlier ones",
    allows=[
        _pod(_ran(1, 5), _ran(5, 9), _ran(9)),
        _pod(_ran(1), _ran(2), sidecars=True),
        _pod(_ran(1, 5), _WAITS),
    ],
    refuses=[
        _pod(_ran(1), _ran(1)),
        _pod(_ran(1, 5, code=1), _ran(6)),
        _pod(_ran(1, 9), _ran(5)),
        _pod(_WAITS, _ran(5)),
        _pod(_WAITS, _ran(5), sidecars=True),
    ],
)
def init_in_order(pod: Pod) -> bool:
    """While an init container runs every regular one before it has exited 0, earlier than it started.

    Every sidecar before it has run.
    """
    entries = pod.status.initContainerStatuses
    if not entries:
        return True
    sidecars = _sidecars(pod)
    return all(
        _passed_by(earlier, began, sidecars)
        for index, status in enumerate(entries)
        if (began := _running_since(status)) is not None
        for earlier in entries[:index]
    )


@invariant(
    "order-init-before-apps",
    area="init",
    machine=("container", "init_container", "sidecar_container"),
    cites=[_PAGE, _SIDECARS, _ACTIONS],
    seed=8,
    observable="startedAt of app containers against finishedAt of init containers",
    allows=[_pod(_ran(1, 5), app=_ran(5)), _pod(_ran(1), app=_ran(2), sidecars=True), _pod(_WAITS)],
    refuses=[
        _pod(_ran(1), app=_ran(2)),
        _pod(_ran(1, 5), app=_ran(3)),
        _pod(_WAITS, app=_ran(3)),
        _pod(_ran(1, 5, code=2), app=_ran(6)),
        _pod(_WAITS, app=_ran(3), sidecars=True),
    ],
)
def init_before_apps(pod: Pod) -> bool:
    """While an app container runs every regular init container has exited 0, earlier than it started.

    Every sidecar has run.
    """
    entries = pod.status.initContainerStatuses
    if not entries:
        return True
    sidecars = _sidecars(pod)
    return all(
        _passed_by(entry, began, sidecars)
        for status in pod.status.containerStatuses
        if (began := _running_since(status)) is not None
        for entry in entries
    )


@invariant(
    "order-network-first",
    area="init",
    machine=("container", "init_container", "sidecar_container"),
    cites=[
        docs("concepts/workloads/pods/pod-condition.md#pod-ready-to-start-containers"),
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod"),
        source("pkg/kubelet/kubelet.go", "OnPodSandboxReady"),
    ],
    since="1.36",
    observable="startedAt against the lastTransitionTime of PodReadyToStartContainers",
    allows=[
        (_in_sandbox("True", 1, _ran(1)), _in_sandbox("True", 1, _ran(1))),
        (_in_sandbox("True", 1, _ran(1)), _in_sandbox("False", 9, _ran(1))),
        (_in_sandbox("False", 3, _ran(1)), _in_sandbox("True", 5, _ran(1))),
    ],
    refuses=[
        (_in_sandbox("True", 1, _ran(1)), _in_sandbox("True", 5, _ran(1))),
        (_in_sandbox("True", 1, _ran(1)), _in_sandbox("False", 1, _ran(5))),
    ],
)
def network_first(before: Pod, after: Pod) -> bool:
    """What runs was started while PodReadyToStartContainers was True.

    The write that turns it True may still hold what ran in the sandbox before.
    Versions before 1.36 set the condition only with the status after the sandbox was up.
    """
    network = of_type(after.status.conditions, NETWORK)
    if not same_pod(before, after) or network is None or network.lastTransitionTime is None:
        return True
    since = network.lastTransitionTime
    running = [(status, began) for status in statuses_of(after) if (began := _running_since(status)) is not None]
    if network.status != "True":
        return all(began <= since for _, began in running)
    early = [status.containerID for status, began in running if began < since]
    if not early:
        return True
    was = of_type(before.status.conditions, NETWORK)
    ran = {one.containerID for one in statuses_of(before) if one.state.running is not None}
    return was is not None and was.status == "False" and ran.issuperset(early)


def _sidecars(pod: Pod) -> set[str]:
    return {entry.name for entry in pod.spec.initContainers if entry.restartPolicy == "Always"}


def _running_since(status: ContainerStatus) -> datetime | None:
    return None if status.state.running is None else status.state.running.startedAt


def _passed_by(status: ContainerStatus, moment: datetime, sidecars: set[str]) -> bool:
    if status.name in sidecars:
        starts = list(_starts(status))
        if len(starts) <= status.restartCount:
            return status.restartCount > 0  # the first start is not known any more
        return any(start is None or start <= moment for start in starts)
    end = status.state.terminated
    return end is not None and end.exitCode == 0 and (end.finishedAt is None or end.finishedAt <= moment)


def _starts(status: ContainerStatus) -> Iterator[datetime | None]:
    for state in (status.state, status.lastState):
        if state.running is not None:
            yield state.running.startedAt
        elif state.terminated is not None:
            yield state.terminated.startedAt
