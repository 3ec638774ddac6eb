"""The state of one container as the API shows it: waiting, running or terminated, and what goes with it.

The runtime's newest instance gives the state; a start that failed, or an instance that vanished, changes what is shown.
`container_status` puts these rules together; what holds of every snapshot is in `container_invariants`.
"""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, source
from podfsm.kube.objects import (
    NO_STATE,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
)
from podfsm.kube.times import instant
from podfsm.rules.facts import RuntimeContainer, RuntimeState

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_CONVERT = source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses")


@frozen
class StartError:
    """Why the last start of a container failed: what the kubelet remembers by container name."""

    reason: str
    message: str = ""


START_ERRORS = frozenset(
    {
        "CrashLoopBackOff",
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "CreateContainerConfigError",
        "CreateContainerError",
        "PreCreateHookError",
        "PreStartHookError",
        "RunContainerError",
        "PostStartHookError",
    }
)
"""Every reason that a failed start gives a waiting container."""

CONTAINER_CREATING = ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))
POD_INITIALIZING = ContainerState(waiting=ContainerStateWaiting(reason="PodInitializing"))
CREATED = ContainerState(waiting=ContainerStateWaiting())

STATUS_UNKNOWN = "ContainerStatusUnknown"
LOST_WHILE_RUNNING = ContainerStateTerminated(
    exitCode=137,
    reason=STATUS_UNKNOWN,
    message="The container could not be located when the pod was deleted.  The container used to be Running",
)
"""The termination that is inferred for a container that was running and has no record in the runtime any more."""
LOST_AT_END = ContainerStateTerminated(
    exitCode=137,
    reason=STATUS_UNKNOWN,
    message="The container could not be located when the pod was terminated",
)
"""The termination that is inferred for a container whose end nobody saw."""
COMPLETED_UNSEEN = ContainerState(
    terminated=ContainerStateTerminated(
        reason="Completed",
        message="Unable to get init container status from container runtime and pod has been initialized, "
        "treat it as exited normally",
    )
)
"""The state that is inferred for a regular init container without a record once an app container exists."""

_EXITED = RuntimeContainer("c1", "app", RuntimeState.EXITED, 3, "Error", started_at=5.5, finished_at=9.0)
_ENDED = ContainerStateTerminated(
    exitCode=3, reason="Error", startedAt=instant(5), finishedAt=instant(9), containerID="c1"
)


@default(
    "cstate-default-waiting",
    machine=("container", "init_container", "sidecar_container"),
    cites=[docs(f"{_PAGE}#container-state-waiting"), _CONVERT],
    seed=4,
    observable="state.waiting.reason",
    examples=[example(False, gives=CONTAINER_CREATING), example(True, gives=POD_INITIALIZING)],
)
def default_state(has_init_containers: bool) -> ContainerState:
    """A container the runtime never saw waits with reason ContainerCreating, or PodInitializing if the Pod has inits.

    PodInitializing is what the init containers themselves show, too.
    """
    return POD_INITIALIZING if has_init_containers else CONTAINER_CREATING


@derivation(
    "cstate-running",
    machine="container",
    cites=[
        docs(f"{_PAGE}#container-state-running"),
        _CONVERT,
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "startContainer"),
    ],
    seed=4,
    observable="state.running.startedAt",
    examples=[
        example(
            RuntimeContainer("c1", "app", RuntimeState.RUNNING, started_at=5.5),
            gives=ContainerState(running=ContainerStateRunning(startedAt=instant(5))),
        )
    ],
)
def running_state(instance: RuntimeContainer) -> ContainerState:
    """Running carries startedAt as the runtime reports it.

    It shows once the sync that started the container has returned, so after the postStart hook.
    """
    return ContainerState(running=ContainerStateRunning(startedAt=_at(instance.started_at)))


@derivation(
    "cstate-terminated-fields",
    machine="container",
    cites=[docs(f"{_PAGE}#container-state-terminated"), _CONVERT],
    seed=4,
    observable="state.terminated",
    examples=[example(_EXITED, gives=ContainerState(terminated=_ENDED))],
)
def terminated_state(instance: RuntimeContainer) -> ContainerState:
    """Terminated carries exitCode, reason, message, startedAt, finishedAt and containerID as the runtime gives them.

    Reasons are the runtime's: Completed, Error, OOMKilled, ContainerCannotRun, StartError and others.
    """
    return ContainerState(
        terminated=ContainerStateTerminated(
            exitCode=instance.exit_code,
            reason=instance.reason,
            message=instance.message,
            startedAt=_at(instance.started_at),
            finishedAt=_at(instance.finished_at),
            containerID=instance.id,
        )
    )


def _at(seconds: float | None) -> datetime | None:
    return None if seconds is None else instant(seconds)


@derivation(
    "cstate-created-is-waiting",
    machine="container",
    cites=[
        docs(f"{_PAGE}#container-state-waiting"),
        _CONVERT,
        source("pkg/kubelet/container/helpers.go", "ShouldContainerBeRestarted"),
    ],
    seed=4,
    observable="state.waiting with empty reason",
    examples=[
        example(RuntimeContainer("c1", "app", RuntimeState.CREATED), gives=CREATED),
        example(RuntimeContainer("c1", "app", RuntimeState.UNKNOWN), gives=CREATED),
        example(_EXITED, gives=ContainerState(terminated=_ENDED)),
    ],
)
def observed_state(instance: RuntimeContainer) -> ContainerState:
    """A container that is created but not started shows as waiting without a reason, and so does an unknown one.

    A container that stays created counts as a failed start and is started again, whatever the policy.
    """
    if instance.state is not RuntimeState.RUNNING and instance.state is not RuntimeState.EXITED:
        return CREATED
    show = running_state if instance.state is RuntimeState.RUNNING else terminated_state
    state: ContainerState = show(instance)
    return state


@derivation(
    "cstate-status-unknown-137",
    machine="container",
    cites=[docs(f"{_PAGE}#container-states"), _CONVERT],
    seed=4,
    observable="reason ContainerStatusUnknown, exitCode 137",
    examples=[
        example(NO_STATE, 2, False, gives=(ContainerState(terminated=LOST_WHILE_RUNNING), 3)),
        example(NO_STATE, 2, True, gives=(ContainerState(terminated=LOST_WHILE_RUNNING), 2)),
        example(ContainerState(terminated=_ENDED), 2, False, gives=(ContainerState(terminated=_ENDED), 2)),
    ],
)
def lost(last: ContainerState, restarts: int, deleting: bool) -> tuple[ContainerState, int]:
    """A container that was running and vanished from the runtime gets a termination with exit code 137.

    Gives lastState and restartCount. Its reason is ContainerStatusUnknown; a lastState that is known is kept. The count
    grows by 1 unless the Pod is being deleted or the last termination was known already.
    """
    if last.terminated is not None:
        return last, restarts
    return ContainerState(terminated=LOST_WHILE_RUNNING), restarts + (not deleting)


@derivation(
    "cstate-completed-init-inferred",
    machine="init_container",
    cites=[docs("concepts/workloads/pods/init-containers.md#detailed-behavior"), _CONVERT],
    since="1.33",
    seed=10,
    observable="initContainerStatuses terminated Completed with an explanatory message",
    examples=[
        example(POD_INITIALIZING, True, gives=COMPLETED_UNSEEN),
        example(POD_INITIALIZING, False, gives=POD_INITIALIZING),
        example(ContainerState(terminated=_ENDED), True, gives=ContainerState(terminated=_ENDED)),
    ],
)
def unseen_init_state(state: ContainerState, app_created: bool) -> ContainerState:
    """A regular init container without a record in the runtime is shown Completed once an app container was created."""
    return COMPLETED_UNSEEN if app_created and state.waiting is not None else state


@derivation(
    "cstate-terminated-visible-before-backoff",
    machine="container",
    cites=[docs(f"{_PAGE}#container-restarts"), _CONVERT],
    seed=5,
    observable="terminated -> waiting(CrashLoopBackOff) -> running",
    examples=[
        example(True, None, gives=False),
        example(True, StartError("CrashLoopBackOff"), gives=True),
        example(False, StartError("CrashLoopBackOff"), gives=False),
    ],
)
def shows_start_error(to_be_started: bool, error: StartError | None) -> bool:
    """After a crash a container is shown terminated until a start attempt has left a reason to wait.

    Normally that is the back-off, at the next sync. A container that is not to be started shows no reason.
    """
    return to_be_started and error is not None


@derivation(
    "cstate-waiting-reasons",
    machine="container",
    cites=[
        docs(f"{_PAGE}#container-state-waiting"),
        _CONVERT,
        source("pkg/kubelet/images/types.go"),
        source("pkg/kubelet/container/sync_result.go"),
    ],
    seed=4,
    observable="state.waiting.reason",
    examples=[
        example(
            StartError("ErrImagePull", "not found"),
            gives=ContainerState(waiting=ContainerStateWaiting(reason="ErrImagePull", message="not found")),
        )
    ],
)
def waiting_for(error: StartError) -> ContainerState:
    """A container that is to be started and failed to start waits with that failure as its reason (START_ERRORS)."""
    return ContainerState(waiting=ContainerStateWaiting(reason=error.reason, message=error.message))


@derivation(
    "cstate-laststate",
    machine="container",
    cites=[docs(f"{_PAGE}#container-states"), _CONVERT],
    seed=4,
    observable="lastState.terminated.containerID differs from current containerID",
    examples=[
        example(ContainerState(terminated=_ENDED), NO_STATE, gives=ContainerState(terminated=_ENDED)),
        example(POD_INITIALIZING, ContainerState(terminated=_ENDED), gives=ContainerState(terminated=_ENDED)),
    ],
)
def displaced(state: ContainerState, last: ContainerState) -> ContainerState:
    """A termination that gives way to waiting for the next start moves into lastState; otherwise lastState stays.

    lastState.terminated is the previous incarnation of the container.
    """
    return last if state.terminated is None else state
