"""How a Pod ends: what a delete request does, what makes the kubelet stop a Pod, and when the object may go.

How long everything may take is in `grace`, in what order containers stop in `stop_order`, what snapshots may show of it
in `termination_invariants`, and what Services see of it in `endpoints`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.rule import derivation, docs, example, guard, source, timing
from podfsm.engine.verdict import Verdict, refuse
from podfsm.kube.objects import ContainerState, ContainerStateTerminated, ContainerStateWaiting, Pod
from podfsm.rules.container_state import LOST_AT_END
from podfsm.rules.facts import PodFacts, WorkerState
from podfsm.rules.kubelet_facts import WorkerFacts
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/workloads/pods/pod-termination.md"
_FLOW = docs(f"{_PAGE}#pod-termination-flow")
_FORCED = docs(f"{_PAGE}#pod-termination-forced")
_PHASE = docs("concepts/workloads/pods/pod-lifecycle.md#pod-phase")
_CHECK = source("pkg/registry/core/pod/strategy.go", "CheckGracefulDelete")
_TERMINATE = source("pkg/kubelet/status/status_manager.go", "TerminatePod")

TERMINAL = frozenset({"Succeeded", "Failed"})

_LOST = ContainerState(terminated=LOST_AT_END)
_DONE = ContainerState(terminated=ContainerStateTerminated(exitCode=0, reason="Completed"))
_WAITS = ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))


def needs_no_kubelet(bound: bool, phase: str) -> bool:
    """Whether a delete takes effect at once: the Pod is on no node, or has finished (rule term-immediate-cases)."""
    return not bound or phase in TERMINAL


def deletion_grace(pod: Pod, asked: int | None) -> int:
    """The grace a delete request amounts to, in seconds; 0 removes the object in the same request.

    `asked` is the request's gracePeriodSeconds, None if it names none; a negative one means 1.
    Source: CheckGracefulDelete.
    """
    if needs_no_kubelet(bool(pod.spec.nodeName), pod.status.phase):
        return 0
    grace = asked if asked is not None else (pod.spec.terminationGracePeriodSeconds or 0)
    return 1 if grace < 0 else grace


@guard(
    "term-immediate-cases",
    machine="pod",
    cites=[_FORCED, _CHECK],
    seed=6,
    observable="object disappears without deletionTimestamp phase",
    allows=[
        PodFacts(bound=False, phase="Pending", grace=30),
        PodFacts(bound=True, phase="Succeeded", grace=30),
        PodFacts(bound=True, phase="Failed"),
    ],
    refuses=[PodFacts(bound=True, phase="Running", grace=30), PodFacts(bound=True, phase="Pending")],
)
def immediate(facts: PodFacts) -> bool:
    """Deleting a Pod without a node, or a Succeeded or Failed one, takes effect at once, whatever grace is asked for.

    For any other Pod a negative grace means 1 s (`deletion_grace`).
    """
    return needs_no_kubelet(facts.bound, facts.phase)


@guard(
    "term-force",
    machine="pod",
    cites=[
        _FORCED,
        source("pkg/kubelet/pod_workers.go", "calculateEffectiveGracePeriod"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "killContainer"),
    ],
    seed=6,
    observable="object gone while containers may still run",
    allows=[PodFacts(bound=True, phase="Running", grace=0)],
    refuses=[PodFacts(bound=True, phase="Running", grace=1), PodFacts(bound=True, phase="Running", grace=None)],
)
def forced(facts: PodFacts) -> bool:
    """Grace 0 removes the object in the same request, without waiting for the kubelet.

    The kubelet then stops the containers with the least grace there is, so they may outlive the object. kubectl wants
    --force beside --grace-period=0.
    """
    return facts.grace == 0


@guard(
    "term-finalizers-hold",
    machine="pod",
    cites=[
        _PHASE,
        source("pkg/kubelet/status/status_manager.go", "canBeDeleted"),
        source("pkg/controller/podgc/gc_controller.go", "markFailedAndDeletePodWithCondition"),
    ],
    seed=6,
    observable="metadata.finalizers non-empty",
    allows=[PodFacts(finalizers=False)],
    refuses=[PodFacts(finalizers=True), PodFacts(finalizers=True, deleting=True, phase="Failed")],
)
def nothing_holds(facts: PodFacts) -> bool:
    """Finalizers keep the object, deletionTimestamp and all, until they are removed, also once the kubelet is done."""
    return not facts.finalizers


@guard(
    "term-api-removal",
    machine="pod",
    cites=[
        _FLOW,
        source("pkg/kubelet/status/status_manager.go", "canBeDeleted"),
        source("pkg/kubelet/status/status_manager.go", "syncPod"),
        source("pkg/kubelet/kubelet.go", "SyncTerminatedPod"),
    ],
    since="1.27",
    seed=6,
    observable="object gone after terminal phase",
    allows=[PodFacts(bound=True, deleting=True, phase="Failed", worker=WorkerState.FINISHED)],
    refuses=[
        PodFacts(bound=True, deleting=False, phase="Failed", worker=WorkerState.FINISHED),
        PodFacts(bound=True, deleting=True, phase="Running", worker=WorkerState.FINISHED),
        PodFacts(bound=True, deleting=True, phase="Failed", worker=WorkerState.TERMINATED),
        PodFacts(bound=True, deleting=True, phase="Failed", worker=WorkerState.FINISHED, static=True),
    ],
)
def kubelet_done(facts: PodFacts) -> bool | Verdict:
    """The kubelet removes the object once deletionTimestamp is set, the phase is terminal and it has cleaned up.

    Cleaned up: volumes unmounted, cgroup removed. It deletes with grace 0 and the uid as precondition.
    """
    if facts.static:
        return refuse("a static Pod is not an object of the API")
    return facts.deleting and facts.phase in TERMINAL and facts.worker is WorkerState.FINISHED


@guard(
    "term-triggers",
    machine="pod_worker",
    cites=[
        _FLOW,
        source("pkg/kubelet/pod_workers.go", "UpdatePod"),
        source("pkg/kubelet/pod_workers.go", "completeSync"),
    ],
    since="1.22",
    seed=6,
    allows=[
        WorkerFacts(deleting=True),
        WorkerFacts(gone=True),
        WorkerFacts(api_terminal=True),
        WorkerFacts(evicted=True),
        WorkerFacts(finished=True),
    ],
    refuses=[WorkerFacts(), WorkerFacts(containers_running=True, asked_grace=0)],
)
def must_end(facts: WorkerFacts) -> bool:
    """A Pod worker goes from syncing to terminating for any of five reasons, and never back.

    The Pod has a deletionTimestamp; its phase in the API is terminal; the kubelet decides to kill it (eviction,
    deadline, shutdown, preemption); it is gone from the sources; or a sync finds it finished.
    """
    return facts.deleting or facts.gone or facts.api_terminal or facts.evicted or facts.finished


@derivation(
    "term-stop-signal",
    machine="container",
    cites=[
        docs(f"{_PAGE}#pod-termination-stop-signals"),
        source("pkg/apis/core/validation/validation.go", "validateStopSignal"),
    ],
    gate="ContainerStopSignals",
    since="1.33",
    seed=6,
    observable="containerStatuses[].stopSignal",
    examples=[
        example("SIGUSR1", "SIGQUIT", gives="SIGUSR1"),
        example("", "SIGQUIT", gives="SIGQUIT"),
        example("", "", gives="SIGTERM"),
    ],
)
def stop_signal(of_container: str, of_image: str) -> str:
    """The stop signal is lifecycle.stopSignal if that is set, else the image's STOPSIGNAL, else SIGTERM.

    The field needs the gate and spec.os.name; on Windows it may be SIGTERM or SIGKILL only.
    """
    return of_container or of_image or "SIGTERM"


@timing(
    "term-restart-during",
    machine="pod",
    cites=[docs(_PAGE), source("pkg/kubelet/kubelet.go", "SyncTerminatingPod")],
    seed=6,
    examples=[example(100.0, 30, (), gives=130.0), example(100.0, 30, (105.0, 120.0), gives=150.0)],
)
def grace_ends(began: float, grace: float, restarts: Sequence[float]) -> float:
    """A restart of the kubelet or the runtime during termination makes it begin again with the full grace period.

    `restarts` are the instants of those restarts, in order (seconds).
    """
    return (restarts[-1] if restarts else began) + grace


@timing(
    "term-kill-timeout",
    machine="pod",
    cites=[
        docs("concepts/scheduling-eviction/node-pressure-eviction.md"),
        source("pkg/kubelet/pod_workers.go", "killPodNow"),
    ],
    observable="event ExceededGracePeriod",
    examples=[example(0, gives=10), example(6, gives=10), example(30, gives=45), example(15, gives=22)],
)
def kill_timeout(grace: int) -> int:
    """When the kubelet itself kills a Pod it waits 1.5 x grace, at least 10 s, before it reports ExceededGracePeriod.

    Whole seconds, cut off.
    """
    return max(int(timing_constant("kill-wait-min")), int(grace * timing_constant("kill-wait-factor")))


@derivation(
    "term-missing-status-137",
    machine="container",
    cites=[_PHASE, _TERMINATE],
    since="1.22",
    seed=6,
    observable="exitCode 137 ContainerStatusUnknown",
    examples=[
        example(_WAITS, True, gives=_LOST),
        example(_WAITS, False, gives=_WAITS),
        example(_DONE, True, gives=_DONE),
    ],
)
def final_state(state: ContainerState, initialised: bool) -> ContainerState:
    """At the very end an app container of an initialised Pod that was never seen to end counts as ended with 137.

    Reason ContainerStatusUnknown. In a Pod that had not initialised, app containers stay as they are.
    """
    return state if state.terminated is not None or not initialised else _LOST


@derivation(
    "term-exit-decides-phase",
    machine="pod",
    cites=[_PHASE, source("pkg/kubelet/kubelet_pods.go", "getPhase")],
    since="1.27",
    seed=6,
    observable="phase in the last snapshot",
    examples=[
        example([0, 0], gives="Succeeded"),
        example([0, 143], gives="Failed"),
        example([0, None], gives="Failed"),
    ],
)
def phase_after_delete(exit_codes: Sequence[int | None]) -> str:
    """A gracefully deleted Pod ends Succeeded if all its app containers exited 0 on the signal, else Failed.

    That is so under restartPolicy Always too. None: that container never ran, or its end was not seen.
    """
    return "Succeeded" if all(code == 0 for code in exit_codes) else "Failed"


@derivation(
    "term-static-no-terminal-phase",
    machine="pod",
    cites=[_PHASE, _TERMINATE],
    since="1.27",
    seed=6,
    observable="mirror pod phase",
    examples=[
        example("Running", True, gives="Running"),
        example("Pending", False, gives="Failed"),
        example("Running", False, gives="Failed"),
        example("Succeeded", False, gives="Succeeded"),
    ],
)
def phase_at_end(phase: str, static: bool) -> str:
    """The final step of termination turns Pending and Running into Failed, but leaves static Pods as they are."""
    return "Failed" if phase in ("Pending", "Running") and not static else phase
