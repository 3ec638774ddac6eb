"""What the phase is counted from: how each container stands, and what the counts mean.

The rules of the area `phase` that `podfsm.rules.phase.pod_phase` is built of.
"""

from __future__ import annotations

from enum import Enum

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
)

PENDING, RUNNING, SUCCEEDED, FAILED, UNKNOWN = "Pending", "Running", "Succeeded", "Failed", "Unknown"
TERMINAL = frozenset({SUCCEEDED, FAILED})
"""The phases that no Pod leaves."""

RESTARTING_ALL = "RestartingAllContainers"
"""Reason of the termination and of the wait that RestartAllContainers gives a removed container."""

_PAGE = "concepts/workloads/pods/pod-lifecycle.md#pod-phase"
_SIDECARS = "concepts/workloads/pods/sidecar-containers.md"
_GET_PHASE = source("pkg/kubelet/kubelet_pods.go", "getPhase")


class Standing(Enum):
    """How a container counts for the phase."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    """It has not run yet."""
    RUNNING = "running"
    ENDED = "ended"
    """It has run and stopped, whether or not it is to run again."""


_EXIT_1 = ContainerStateTerminated(exitCode=1)
_CRASH_LOOP = ContainerStatus(
    name="app",
    state=ContainerState(waiting=ContainerStateWaiting(reason="CrashLoopBackOff")),
    lastState=ContainerState(terminated=_EXIT_1),
)
_CREATING = ContainerStatus(name="app", state=ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating")))
_RUNS = ContainerStatus(name="app", state=ContainerState(running=ContainerStateRunning()))


@derivation(
    "phase-running-while-restarting",
    area="phase",
    machine="pod",
    cites=[docs(_PAGE), _GET_PHASE],
    seed=1,
    observable="phase Running with state.waiting.reason CrashLoopBackOff and lastState.terminated set",
    examples=[example(_CRASH_LOOP, gives=_EXIT_1), example(_CREATING, gives=None), example(_RUNS, gives=None)],
)
def ended(status: ContainerStatus) -> ContainerStateTerminated | None:
    """A container that waits for its next start counts as stopped, not as pending: its last termination is its end.

    So a Pod whose only container is in CrashLoopBackOff stays Running.
    """
    state = status.state
    if state.running is not None:
        return None
    if state.terminated is not None:
        return state.terminated
    return status.lastState.terminated if state.waiting is not None else None


@derivation(
    "phase-missing-status-is-unknown-count",
    area="phase",
    machine="pod",
    cites=[docs(_PAGE), _GET_PHASE],
    seed=1,
    observable="containerStatuses shorter than spec.containers while phase Pending",
    examples=[
        example(None, gives=Standing.UNKNOWN),
        example(ContainerStatus(name="app"), gives=Standing.UNKNOWN),
        example(_CREATING, gives=Standing.WAITING),
        example(_CRASH_LOOP, gives=Standing.ENDED),
        example(_RUNS, gives=Standing.RUNNING),
    ],
)
def standing(status: ContainerStatus | None) -> Standing:
    """An app container or sidecar without a status, or with an empty state, is unknown and keeps the Pod Pending."""
    if status is None:
        return Standing.UNKNOWN
    state = status.state
    if state.running is not None:
        return Standing.RUNNING
    if state.terminated is not None:
        return Standing.ENDED
    if state.waiting is None:
        return Standing.UNKNOWN
    return Standing.WAITING if status.lastState.terminated is None else Standing.ENDED


@derivation(
    "phase-pending",
    area="phase",
    machine="pod",
    cites=[docs(_PAGE), _GET_PHASE],
    seed=1,
    observable="phase Pending with PodScheduled False, or with a state.waiting that has no lastState.terminated",
    examples=[
        example(1, False, 0, gives=True),
        example(0, True, 0, gives=True),
        example(0, False, 2, gives=True),
        example(0, False, 0, gives=False),
    ],
)
def pending(unfinished_init: int, sidecars_hold_back: bool, waiting: int) -> bool:
    """Pending lasts until every regular init container has finished and every other container has started once.

    It covers scheduling, the sandbox, volumes, image pulls and init containers.
    """
    return unfinished_init > 0 or sidecars_hold_back or waiting > 0


@derivation(
    "phase-running",
    area="phase",
    machine="pod",
    cites=[docs(_PAGE), _GET_PHASE],
    seed=1,
    observable="phase Running; every app container runs, is terminated or has lastState.terminated",
    examples=[example(1, 0, gives=True), example(1, 1, gives=False), example(0, 0, gives=False)],
)
def runs(running: int, unknown: int) -> bool:
    """A Pod none of whose containers waits or is unknown is Running while some app container or sidecar runs.

    It is Running too when all have stopped and one of them is to be restarted (phase-mixed-restart-rules).
    """
    return running > 0 and unknown == 0


@derivation(
    "phase-running-while-sidecar-runs",
    area="phase",
    machine="sidecar_container",
    cites=[
        docs(f"{_SIDECARS}#jobs-with-sidecar-containers"),
        _GET_PHASE,
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions"),
    ],
    gate="SidecarContainers",
    observable="phase Running with every containerStatuses terminated and a sidecar state.running",
    examples=[example(0, 1, gives=1), example(2, 1, gives=3), example(0, 0, gives=0)],
)
def running_count(apps: int, sidecars: int) -> int:
    """Running sidecars count like running app containers: a finished Pod stays Running until they have stopped."""
    return apps + sidecars


@derivation(
    "phase-sidecar-exit-ignored",
    area="phase",
    machine="sidecar_container",
    cites=[docs(f"{_SIDECARS}#differences-from-application-containers"), _GET_PHASE],
    gate="SidecarContainers",
    observable="phase Succeeded although an initContainerStatuses entry of a sidecar has exitCode != 0",
    examples=[example(Standing.ENDED, gives=False), example(Standing.RUNNING, gives=True)],
)
def sidecar_counts(sidecar: Standing) -> bool:
    """A stopped sidecar takes no part in the phase: neither its exit code nor its stopping decides anything."""
    return sidecar is not Standing.ENDED


@derivation(
    "phase-sidecar-not-started-pending",
    area="phase",
    machine="sidecar_container",
    cites=[
        docs(f"{_SIDECARS}#sidecar-containers-and-pod-lifecycle"),
        _GET_PHASE,
        source("pkg/kubelet/container/helpers.go", "HasAnyActiveRegularContainerStarted"),
    ],
    gate="SidecarContainers",
    observable="phase Pending with initContainerStatuses[sidecar].started == false",
    examples=[
        example(Standing.RUNNING, False, False, gives=True),
        example(Standing.RUNNING, False, True, gives=False),
        example(Standing.RUNNING, True, False, gives=False),
        example(Standing.WAITING, False, False, gives=True),
    ],
)
def holds_back(sidecar: Standing, started: bool, initialized: bool) -> bool:
    """A sidecar that has not started keeps the Pod Pending only until an app container of this sandbox exists.

    Later restarts of the sidecar do not push the Pod back to Pending.
    """
    return not initialized and sidecar is not Standing.ENDED and not (sidecar is Standing.RUNNING and started)


@derivation(
    "phase-init-failed-never",
    area="phase",
    machine="pod",
    cites=[docs("concepts/workloads/pods/init-containers.md#understanding-init-containers"), _GET_PHASE],
    seed=8,
    observable="phase Failed; initContainerStatuses has exitCode != 0; app containers waiting PodInitializing",
    examples=[example(1, False, gives=True), example(1, True, gives=False), example(0, False, gives=False)],
)
def init_failed(exit_code: int, restartable: bool) -> bool:
    """A regular init container that failed and will not be restarted fails the whole Pod, whatever else runs."""
    return exit_code != 0 and not restartable


@derivation(
    "phase-mixed-restart-rules",
    area="phase",
    machine="pod",
    cites=[docs("concepts/workloads/pods/container-restarts.md#container-restart-rules"), _GET_PHASE],
    gate="ContainerRestartRules",
    seed=5,
    observable="phase Running with one container terminated for good and one in back-off",
    examples=[example(2, 1, gives=True), example(2, 2, gives=False)],
)
def someone_restarts(stopped: int, for_good: int) -> bool:
    """When all app containers have stopped, one that may restart keeps the Pod Running; all must be done to end it."""
    return stopped != for_good


@derivation(
    "phase-succeeded",
    area="phase",
    machine="pod",
    cites=[docs(_PAGE), _GET_PHASE],
    seed=1,
    observable="phase Succeeded; all containerStatuses[].state.terminated.exitCode == 0",
    examples=[example(2, 2, gives=True), example(2, 1, gives=False)],
)
def all_succeeded(stopped: int, succeeded: int) -> bool:
    """Succeeded asks that nothing runs, nothing is to restart and every app container is shown terminated with exit 0.

    One that is shown waiting does not count as succeeded, even if its last exit was 0.
    """
    return stopped == succeeded


@derivation(
    "phase-failed",
    area="phase",
    machine="pod",
    cites=[docs(_PAGE), _GET_PHASE, source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus")],
    seed=1,
    observable="phase Failed; some state.terminated.exitCode != 0, or status.reason set (Evicted, DeadlineExceeded)",
    examples=[example(2, 2, gives=SUCCEEDED), example(2, 1, gives=FAILED)],
)
def outcome(stopped: int, succeeded: int) -> str:
    """A Pod that is over is Failed unless every app container exited 0.

    A Pod can also be failed from outside, whatever its exit codes: eviction, deadline, rejection, garbage collection.
    """
    return SUCCEEDED if all_succeeded(stopped, succeeded) else FAILED
