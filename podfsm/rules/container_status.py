"""The status of one container as the kubelet reports it (convertToAPIContainerStatuses).

What the runtime says comes first; for a container without a record the previous status says what may be inferred.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    NO_STATE,
    Container,
    ContainerState,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodSpec,
)
from podfsm.rules.container_state import (
    LOST_AT_END,
    StartError,
    default_state,
    displaced,
    lost,
    observed_state,
    shows_start_error,
    unseen_init_state,
    waiting_for,
)
from podfsm.rules.facts import RuntimeContainer, RuntimeState
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.restart import should_be_restarted

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_REMOVED = "The container is removed because RestartAllContainers in place"
_WAITS_FOR_ALL = ContainerState(waiting=ContainerStateWaiting(reason=RESTARTING_ALL, message=_REMOVED))
_REMOVED_FOR_ALL = ContainerState(
    terminated=ContainerStateTerminated(exitCode=137, reason=RESTARTING_ALL, message=_REMOVED)
)
_UNSEEN_END = ContainerState(terminated=LOST_AT_END)
_UNSEEN_END_FOR_ALL = ContainerState(
    terminated=ContainerStateTerminated(exitCode=137, reason=RESTARTING_ALL, message=LOST_AT_END.message)
)
_EXITED = RuntimeContainer("c1", "app", RuntimeState.EXITED)


@derivation(
    "cstate-restartcount-best-effort",
    area="container-state",
    machine="container",
    cites=[
        docs(f"{_PAGE}#container-restarts"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "startContainer"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "calcRestartCountByLogDir"),
    ],
    seed=5,
    observable="containerStatuses[].restartCount",
    examples=[example(None, None, gives=0), example(_EXITED, None, gives=1), example(None, 4, gives=5)],
)
def next_restart_count(newest: RuntimeContainer | None, newest_log: int | None) -> int:
    """A new instance counts one more than the newest one; without a record the numbered log files are asked; else 0.

    `newest_log` is the number of the newest log file. Every re-creation counts, not only crashes.
    """
    if newest is not None:
        return newest.restart_count + 1
    return 0 if newest_log is None else newest_log + 1


@default(
    "cstate-termination-message",
    area="container-state",
    machine="container",
    cites=[
        docs(f"{_PAGE}#container-state-terminated"),
        source("pkg/apis/core/v1/defaults.go", "SetDefaults_Container"),
        source("pkg/kubelet/status/status_manager.go", "normalizeStatus"),
        source("pkg/kubelet/container/runtime.go", "MaxContainerTerminationMessageLength"),
    ],
    seed=4,
    observable="state.terminated.message length",
    examples=[example(1, gives=4096), example(3, gives=4096), example(6, gives=2048), example(0, gives=4096)],
)
def message_limit(containers: int) -> int:
    """A termination message holds at most 4096 bytes, and all containers of a Pod share 12 KiB.

    It is read from /dev/termination-log (policy File) unless told otherwise; FallbackToLogsOnError takes the last 2048
    bytes or 80 lines of a failed container's log. `containers` counts init and app containers.
    """
    return min(4096, message_share(containers))


def message_share(containers: int) -> int:
    """The bytes of a termination message that a status shows at most: what the runtime says stands before the log's."""
    return 12288 // max(containers, 1)


@frozen
class Setting:
    """What the statuses of one Pod's containers have in common."""

    spec: PodSpec
    gates: Gates
    deleting: bool
    restarting_all: bool
    """RestartAllContainers is in progress."""
    app_created: bool
    """The runtime has an app container that was created, whether or not it still runs."""
    keeps_history: bool
    """The previous status is a source of restartCount and lastState (gate RestartAllContainersOnContainerExits)."""
    carries_started: bool
    """A running container keeps its previous `started` (gate ChangeContainerStatusOnKubeletRestart off)."""


def draft_status(
    setting: Setting,
    container: Container,
    instances: Sequence[RuntimeContainer],
    old: ContainerStatus | None,
    error: StartError | None,
    *,
    init: bool,
    sidecar: bool,
) -> ContainerStatus:
    """A container's status before the probes are asked, from its instances (newest first) and its last start error.

    `old` is its previous status; `init`: it is an entry of spec.initContainers; `sidecar`: one that keeps running.
    """
    newest = instances[0] if instances else None
    if newest is None:
        draft = _without_record(setting, container, old)
    else:
        draft = _from_record(setting, container, instances, old)
    if init:
        if newest is None and not sidecar and setting.gates.at_least("1.33"):
            state: ContainerState = unseen_init_state(draft.state, setting.app_created)
            if state is not draft.state:
                return _changed(draft, state, draft.lastState)
        elif newest is not None and newest.state is RuntimeState.EXITED and newest.exit_code == 0:
            return draft
    if error is None:
        return draft
    to_be_started = should_be_restarted(
        container, setting.spec, newest, setting.gates, deleting=setting.deleting, sidecar=sidecar
    )
    if shows_start_error(to_be_started, error):
        return _changed(draft, waiting_for(error), displaced(draft.state, draft.lastState))
    return draft


def _changed(draft: ContainerStatus, state: ContainerState, last: ContainerState) -> ContainerStatus:
    return ContainerStatus(
        draft.name,
        state,
        last,
        draft.ready,
        draft.restartCount,
        draft.image,
        draft.imageID,
        draft.containerID,
        draft.started,
    )


def _from_record(
    setting: Setting, container: Container, instances: Sequence[RuntimeContainer], old: ContainerStatus | None
) -> ContainerStatus:
    newest = instances[0]
    state = _state(setting, newest, old)
    restarts = newest.restart_count
    last = NO_STATE
    started = None
    image_id = ""
    if old is not None:
        image_id = old.imageID if old.containerID == newest.id else ""
        if setting.keeps_history:
            restarts, last = _history(newest, old)
        if state is _UNSEEN_END or state is _UNSEEN_END_FOR_ALL:
            restarts = old.restartCount + 1
        if setting.carries_started and newest.state is RuntimeState.RUNNING:
            started = old.started
    if len(instances) > 1:
        last = _state(setting, instances[1], old)
    image = newest.image or container.image
    return ContainerStatus(container.name, state, last, False, restarts, image, image_id, newest.id, started)


def _state(setting: Setting, instance: RuntimeContainer, old: ContainerStatus | None) -> ContainerState:
    # An instance in unknown state that was last seen running has ended, only nobody saw how.
    if instance.state is RuntimeState.UNKNOWN and old is not None and old.state.running is not None:
        return _UNSEEN_END_FOR_ALL if setting.restarting_all else _UNSEEN_END
    state: ContainerState = observed_state(instance)
    return state


def _history(newest: RuntimeContainer, old: ContainerStatus) -> tuple[int, ContainerState]:
    """The restartCount and lastState with the help of the previous status.

    RestartAllContainers and a new sandbox lose the dead instances: the count never goes down, and a running container
    that follows a termination of the same count adds 1.
    """
    restarts = max(newest.restart_count, old.restartCount)
    if newest.state is RuntimeState.RUNNING and old.state.terminated is not None and restarts == old.restartCount:
        restarts += 1
    ended = old.state.terminated if old.containerID != newest.id else None
    if ended is None:
        ended = old.lastState.terminated
    return restarts, NO_STATE if ended is None else ContainerState(terminated=ended)


def _without_record(setting: Setting, container: Container, old: ContainerStatus | None) -> ContainerStatus:
    state: ContainerState = default_state(bool(setting.spec.initContainers))
    if old is None:
        return ContainerStatus(container.name, state, image=container.image)
    if setting.restarting_all and old.state.waiting is None:
        return _removed(container, old)
    if old.state.terminated is not None:
        return old
    last, restarts = old.lastState, old.restartCount
    if old.state.running is not None:
        last, restarts = lost(last, restarts, setting.deleting)
    return ContainerStatus(container.name, state, last, restartCount=restarts, image=container.image)


def _removed(container: Container, old: ContainerStatus) -> ContainerStatus:
    """A container that RestartAllContainers removed from the runtime; one that had ended keeps the rest as it was."""
    kept = old if old.state.terminated is not None else ContainerStatus(container.name, image=container.image)
    return ContainerStatus(
        container.name,
        _WAITS_FOR_ALL,
        _REMOVED_FOR_ALL,
        kept.ready,
        old.restartCount + 1,
        kept.image,
        kept.imageID,
        kept.containerID,
        kept.started,
    )
