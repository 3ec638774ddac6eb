"""The phase of a Pod, derived from its container statuses.

A regular init container that failed for good fails the Pod; anything that has not run yet keeps it Pending; then
something running means Running; and when everything has stopped, the restart decisions say whether it is over. The
predicates it is built of are in `phase_counts`; what holds between snapshots is in `phase_invariants`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from podfsm.engine.rule import default, derivation, docs, example, guard, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStatus,
    ObjectMeta,
    PodSpec,
    PodStatus,
)
from podfsm.rules.facts import PodFacts
from podfsm.rules.phase_counts import (
    FAILED,
    PENDING,
    RESTARTING_ALL,
    RUNNING,
    SUCCEEDED,
    TERMINAL,
    UNKNOWN,
    Standing,
    ended,
    holds_back,
    init_failed,
    outcome,
    pending,
    running_count,
    runs,
    sidecar_counts,
    someone_restarts,
    standing,
)
from podfsm.rules.restart import restarts_after_exit
from podfsm.rules.sidecar import is_sidecar

__all__ = [
    "FAILED",
    "PENDING",
    "RESTARTING_ALL",
    "RUNNING",
    "SUCCEEDED",
    "TERMINAL",
    "UNKNOWN",
    "decisive_statuses",
    "final_phase",
    "has_started",
    "initial_status",
    "is_static",
    "pod_phase",
    "restartable",
    "terminal_before_gone",
]

_PAGE = "concepts/workloads/pods/pod-lifecycle.md#pod-phase"
_TERMINATE = source("pkg/kubelet/status/status_manager.go", "TerminatePod")
_READY = ContainerStatus(name="app", ready=True)
_RUNS = ContainerStatus(name="debug", state=ContainerState(running=ContainerStateRunning()))


@default(
    "phase-initial-pending",
    machine="pod",
    cites=[docs(_PAGE), source("pkg/registry/core/pod/strategy.go", "PrepareForCreate")],
    seed=1,
    observable='first snapshot: status.phase == "Pending", status.qosClass present',
    examples=[
        example(
            PodStatus(phase="Running", reason="sent"), "Burstable", gives=PodStatus("Pending", qosClass="Burstable")
        )
    ],
)
def initial_status(sent: PodStatus, qos_class: str) -> PodStatus:
    """A new Pod is stored as Pending with its QoS class filled in; a status that the client sent is dropped."""
    del sent  # whatever it says
    return PodStatus(phase=PENDING, qosClass=qos_class)


@derivation(
    "phase-ephemeral-ignored",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/ephemeral-containers.md#understanding-ephemeral-containers"),
        source("pkg/kubelet/kubelet_pods.go", "generateAPIPodStatus"),
    ],
    gate="EphemeralContainers",
    seed=15,
    observable="ephemeralContainerStatuses running while phase is Succeeded or Failed",
    examples=[example(PodStatus(containerStatuses=(_READY,), ephemeralContainerStatuses=(_RUNS,)), gives=(_READY,))],
)
def decisive_statuses(status: PodStatus) -> tuple[ContainerStatus, ...]:
    """Phase, Ready and ContainersReady look at init and app containers only, never at ephemeral ones."""
    return status.initContainerStatuses + status.containerStatuses


@derivation(
    "phase-deleted-while-pending-failed",
    machine="pod",
    cites=[docs(_PAGE), _TERMINATE],
    since="1.27",
    seed=6,
    observable="Pending, then deletionTimestamp, then Failed",
    examples=[
        example(PENDING, False, gives=FAILED),
        example(RUNNING, False, gives=FAILED),
        example(SUCCEEDED, False, gives=SUCCEEDED),
        example(RUNNING, True, gives=RUNNING),
    ],
)
def final_phase(phase: str, static: bool) -> str:
    """The last step of a Pod's termination turns any phase that is not terminal into Failed; static Pods keep theirs.

    So a bound Pod that is deleted while Pending ends as Failed.
    """
    return phase if static or phase in TERMINAL else FAILED


@guard(
    "phase-deleted-terminal-first",
    machine="pod",
    cites=[docs(_PAGE), _TERMINATE, source("pkg/kubelet/status/status_manager.go", "canBeDeleted")],
    since="1.27",
    seed=6,
    observable="the last snapshot before the object goes has deletionTimestamp and a terminal phase",
    allows=[
        PodFacts(phase=FAILED, bound=True, deleting=True, grace=30),
        PodFacts(phase=RUNNING, bound=True, deleting=True, grace=0),
        PodFacts(phase=RUNNING, bound=True, deleting=True, grace=30, static=True),
        PodFacts(phase=PENDING, bound=False, deleting=True),
    ],
    refuses=[
        PodFacts(phase=RUNNING, bound=True, deleting=True, grace=30),
        PodFacts(phase=PENDING, bound=True, deleting=True),
    ],
)
def terminal_before_gone(facts: PodFacts) -> bool:
    """A bound Pod that is deleted gracefully disappears only after its phase has become Succeeded or Failed.

    Forced deletion, Pods that were never bound and static Pods are exempt.
    """
    return facts.phase in TERMINAL or facts.static or not facts.bound or facts.grace == 0


def is_static(metadata: ObjectMeta) -> bool:
    """Whether the Pod comes from a file or an address of the kubelet rather than from the API."""
    return metadata.annotations.get("kubernetes.io/config.source", "api") != "api"


def has_started(spec: PodSpec, apps: Sequence[ContainerStatus]) -> bool:
    """Whether some app container is running or terminated by its status (HasAnyRegularContainerStarted)."""
    names = [container.name for container in spec.containers]
    for status in apps:
        state = status.state
        if (state.running is not None or state.terminated is not None) and status.name in names:
            return True
    return False


def restartable(
    container: Container, spec: PodSpec, end: ContainerStateTerminated, gates: Gates, *, sidecar: bool = False
) -> bool:
    """Whether a container that ended so is to run again; one removed by RestartAllContainers always is."""
    if end.reason == RESTARTING_ALL and gates.on("RestartAllContainersOnContainerExits"):
        return True
    return restarts_after_exit(container, spec, end.exitCode, gates, sidecar=sidecar)


def pod_phase(
    spec: PodSpec,
    init: Sequence[ContainerStatus],
    apps: Sequence[ContainerStatus],
    *,
    terminal: bool,
    initialized: bool,
    static: bool = False,
    gates: Gates,
) -> str:
    """The phase that the container statuses give (getPhase), before the rule that terminal phases stay.

    `terminal`: the kubelet has decided that the Pod will never run again. `initialized`: the runtime has some app
    container of the current sandbox; up to 1.32 the app statuses were asked instead.
    """
    if not gates.at_least("1.33"):
        initialized = has_started(spec, apps)
    sidecars_hold_back = False
    unfinished = waiting = sidecars_running = unknown = 0
    if spec.initContainers:
        by_name = {status.name: status for status in reversed(init)}
        if _init_failed(spec, by_name, gates):
            return FAILED
        for container in spec.initContainers:
            status = by_name.get(container.name)
            stands = standing(status)
            if not is_sidecar(container, gates):
                unfinished += stands is not Standing.ENDED
            elif sidecar_counts(stands):
                started = status is not None and status.started is True
                sidecars_hold_back = sidecars_hold_back or holds_back(stands, started, initialized)
                sidecars_running += stands is Standing.RUNNING
                waiting += stands is Standing.WAITING
                unknown += stands is Standing.UNKNOWN
    count = _tally(spec, apps, gates)
    if pending(unfinished, sidecars_hold_back, waiting + count.waiting):
        return PENDING
    running = running_count(count.running, sidecars_running)
    unknown += count.unknown
    if runs(running, unknown):
        return RUNNING
    if running or unknown or not count.stopped:
        return PENDING
    return _stopped_phase(spec, count, gates, terminal=terminal and not static)


def _init_failed(spec: PodSpec, by_name: Mapping[str, ContainerStatus], gates: Gates) -> bool:
    by_container = gates.on("ContainerRestartRules")
    for container in spec.initContainers:
        status = by_name.get(container.name)
        end = None if status is None else ended(status)
        if end is None or is_sidecar(container, gates):
            continue
        again = restartable(container, spec, end, gates) if by_container else spec.restartPolicy != "Never"
        if init_failed(end.exitCode, again):
            return True
    return False


class _Tally(NamedTuple):
    """How many app containers stand how."""

    waiting: int
    running: int
    unknown: int
    stopped: int
    succeeded: int
    for_good: int
    """Stopped, and not to be restarted."""


def _tally(spec: PodSpec, apps: Sequence[ContainerStatus], gates: Gates) -> _Tally:
    waiting = running = unknown = stopped = succeeded = for_good = 0
    by_name = {status.name: status for status in reversed(apps)}
    for container in spec.containers:
        status = by_name.get(container.name)
        stands = standing(status)
        if stands is Standing.RUNNING:
            running += 1
        elif stands is Standing.WAITING:
            waiting += 1
        elif status is None or stands is Standing.UNKNOWN:
            unknown += 1
        else:
            stopped += 1
            end = ended(status)
            for_good += not restartable(container, spec, end, gates)
            succeeded += status.state.terminated is not None and end.exitCode == 0
    return _Tally(waiting, running, unknown, stopped, succeeded, for_good)


def _stopped_phase(spec: PodSpec, count: _Tally, gates: Gates, *, terminal: bool) -> str:
    """The phase when every app container has stopped and nothing runs."""
    over: str = outcome(count.stopped, count.succeeded)
    if terminal:
        return over
    if gates.on("ContainerRestartRules"):
        return RUNNING if someone_restarts(count.stopped, count.for_good) else over
    if spec.restartPolicy == "Always" or (over == FAILED and spec.restartPolicy != "Never"):
        return RUNNING
    return over
