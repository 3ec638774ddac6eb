"""Snapshot level: phase and conditions must follow from the container statuses in the same object.

The kubelet writes them together, so they are derived here once more by the rules it goes by. Where the API may show
something else for a while (a terminal phase is withheld until everything has stopped, a deletion ends as Failed, other
writers touch conditions) both are accepted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from podfsm.check.finding import Breach
from podfsm.check.past import Past
from podfsm.engine.versions import Gates
from podfsm.kube.objects import ContainerStatus, Pod, PodCondition, PodSpec
from podfsm.rules import conditions as judge
from podfsm.rules.condition_list import by_type, ended_for_node
from podfsm.rules.condition_parts import Judgement, ready_from
from podfsm.rules.phase import FAILED, PENDING, RUNNING, SUCCEEDED, TERMINAL, is_static, pod_phase
from podfsm.rules.phase_invariants import marked_by_gc
from podfsm.rules.readiness_gates import NOT_READY, shut_gates
from podfsm.rules.scheduling import gated
from podfsm.rules.sidecar import is_sidecar

_PHASE_RULES = {
    PENDING: "phase-pending",
    RUNNING: "phase-running",
    SUCCEEDED: "phase-succeeded",
    FAILED: "phase-failed",
}
_OVER = ("PodFailed", "PodCompleted")
_INITIALIZED = ("", "PodCompleted", "ContainersNotInitialized", "UnknownContainerStatuses")


def derived_breaches(pod: Pod, past: Past, gates: Gates) -> Iterator[Breach]:
    """Phase and conditions that do not follow from the statuses beside them."""
    status = pod.status
    if not pod.spec.nodeName or pod.spec.schedulingGates:
        yield from _binding_breaches(pod, gates)
    if not status.containerStatuses:
        if status.phase == RUNNING:
            yield Breach("phase-missing-status-is-unknown-count", "phase Running without container statuses", PENDING)
        return
    deleting = past.deleting or pod.metadata.deletionTimestamp is not None
    alone = status.phase in TERMINAL and not (deleting or past.overdue or _ended_from_outside(pod))
    if _plainly_agrees(pod, past, gates, alone=alone):
        return
    phases = _phases(pod, gates)
    if alone and status.phase in phases and status.phase not in (free := _phases(pod, gates, (False,))):
        rule, expected = _PHASE_RULES[status.phase], " or ".join(sorted(free))
        yield Breach(rule, f"phase {status.phase}, and a container is due to start again", f"phase {expected}")
        return
    yield from _phase_breach(pod, phases, deleting=deleting, overdue=past.overdue)
    known = by_type(status.conditions)
    said = known.get("ContainersReady")
    if said is not None:
        yield from _containers_ready_breach(pod, said, phases, deleting, gates)
        yield from _ready_breach(pod, said, known, past.gate_views)
    if "Initialized" in known:
        was = past.was_initialized or _ran_before(pod)
        yield from _initialized_breach(pod, known["Initialized"], phases, was, deleting, gates)


def _ended_from_outside(pod: Pod) -> bool:
    """Whether somebody may have ended a Pod whose containers the kubelet would have started again."""
    status = pod.status
    return bool(status.reason) or is_static(pod.metadata) or marked_by_gc(pod) or ended_for_node(status.conditions)


def _plainly_agrees(pod: Pod, past: Past, gates: Gates, *, alone: bool) -> bool:
    """Whether everything is as the kubelet derives it for a Pod that lives: so it is nearly always.

    `alone` is a Pod that is over, and that nobody has ended.
    """
    status, spec = pod.status, pod.spec
    phase, init, apps = status.phase, status.initContainerStatuses, status.containerStatuses
    if pod_phase(spec, init, apps, terminal=phase in TERMINAL and not alone, initialized=True, gates=gates) != phase:
        return False
    statuses = init + apps
    containers = judge.containers_ready(spec, statuses, phase, gates)
    before = past.was_initialized
    wanted = {"ContainersReady": containers}
    wanted["Initialized"] = judge.initialized(spec, statuses, phase, gates, was_initialized=before)
    wanted["Ready"] = containers
    if spec.readinessGates:
        wanted["Ready"] = judge.ready(spec, containers, by_type(status.conditions))
    for condition in status.conditions:
        said = wanted.get(condition.type)
        if said is not None and said != (condition.status, condition.reason, condition.message):
            return False
    return True


def _binding_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """A Pod without a node has not begun; one with scheduling gates says so."""
    phase, gone = pod.status.phase, pod.metadata.deletionTimestamp is not None or marked_by_gc(pod)
    if not pod.spec.nodeName and phase not in ("", PENDING) and not (phase == FAILED and gone):
        yield Breach("phase-pending", f"phase {phase} without a node", f"phase {PENDING}")
    if gated(pod.spec, gates):
        said = next((c for c in pod.status.conditions if c.type == "PodScheduled"), None)
        if said is not None and said.reason != "SchedulingGated":
            yield Breach("sched-gates", _words(said), "PodScheduled False SchedulingGated")


def _phases(pod: Pod, gates: Gates, ended: tuple[bool, ...] = (False, True)) -> set[str]:
    """The phases that the statuses may give, whatever else the kubelet knows: above all whether it ends the Pod."""
    spec, status = pod.spec, pod.status
    init, apps = status.initContainerStatuses, status.containerStatuses
    runs = any(app.state.running is not None for app in apps)
    static = is_static(pod.metadata)
    found = set()
    for entries in _not_started(spec, init, gates):
        for initialized in (True,) if runs or not spec.initContainers else (True, False):
            for terminal in ended:
                found.add(
                    pod_phase(
                        spec, entries, apps, terminal=terminal, initialized=initialized, static=static, gates=gates
                    )
                )
    return found


def _not_started(spec: PodSpec, init: Sequence[ContainerStatus], gates: Gates) -> Iterator[Sequence[ContainerStatus]]:
    """The init statuses as they are and, with sidecars, as they were before the probes said `started`."""
    yield init
    sidecars = {entry.name for entry in spec.initContainers if is_sidecar(entry, gates)}
    if any(status.started and status.name in sidecars for status in init):
        yield tuple(
            msgspec.structs.replace(status, started=False) if status.name in sidecars else status for status in init
        )


def _phase_breach(pod: Pod, phases: set[str], *, deleting: bool, overdue: bool) -> Iterator[Breach]:
    phase, status = pod.status.phase, pod.status
    allowed = set(phases)
    if phases & TERMINAL and not is_static(pod.metadata):
        allowed |= {PENDING, RUNNING} if _apps_ran(pod) else {PENDING}  # withheld until the sandbox is down
    if status.reason or marked_by_gc(pod) or (deleting and not _all_succeeded(pod, phases)):
        allowed.add(FAILED)
    if overdue:
        allowed.add(PENDING)  # Failed by the deadline is withheld while containers stop, and the older phase stays
    if phase in allowed or not phase:
        return
    expected = sorted(phases)
    yield Breach(_PHASE_RULES.get(expected[0], "phase-running"), f"phase {phase}", f"phase {' or '.join(expected)}")


def _all_succeeded(pod: Pod, phases: set[str]) -> bool:
    """Whether every app container is known to have run and exited 0: then a deletion ends as Succeeded too."""
    ends = [app.state.terminated for app in pod.status.containerStatuses]
    return phases == {SUCCEEDED} and all(end is not None and end.startedAt is not None for end in ends)


def _apps_ran(pod: Pod) -> bool:
    return any(
        app.state.waiting is None or app.lastState.terminated is not None for app in pod.status.containerStatuses
    )


def _ran_before(pod: Pod) -> bool:
    """Whether something has run more than once: an earlier round may have initialized the Pod."""
    every = pod.status.initContainerStatuses + pod.status.containerStatuses
    return any(status.restartCount or status.lastState.terminated is not None for status in every)


def _containers_ready_breach(
    pod: Pod, said: PodCondition, phases: set[str], deleting: bool, gates: Gates
) -> Iterator[Breach]:
    status = pod.status
    if _handed_over(pod):
        return
    statuses = status.initContainerStatuses + status.containerStatuses
    possible = {status.phase} | (phases & TERMINAL)
    if deleting and status.phase in TERMINAL:
        possible.add(RUNNING)  # the last step of a termination leaves the conditions as they were
    wanted = [judge.containers_ready(pod.spec, statuses, phase, gates) for phase in sorted(possible)]
    if _judged(said) in wanted:
        return
    if said.reason in _OVER and said.status == "False" and (said.reason == "PodFailed" or deleting):
        return  # it is being stopped: deadline, eviction, deletion
    rule = "cond-containersready-terminal" if status.phase in TERMINAL else "cond-containersready"
    yield Breach(rule, _words(said), _allowed("ContainersReady", wanted))


def _ready_breach(
    pod: Pod, said: PodCondition, known: dict[str, PodCondition], gate_views: frozenset[bool]
) -> Iterator[Breach]:
    ready = known.get("Ready")
    if ready is None or (ready.status == "False" and not ready.reason):
        return  # the node lifecycle controller's doing, or nobody's yet
    gates = pod.spec.readinessGates
    shut = shut_gates(gates, known) if gates else ()
    wanted: Judgement = ready_from(_judged(said), shut, known)
    if _judged(ready) == wanted:
        return
    looked = ready.status == "True" if ready.status == "True" or ready.reason == NOT_READY else None
    if gates and said.status == "True" and looked in gate_views:
        return  # the kubelet looks again within moments of a gate's change
    rule = "gate-ready-requires-all" if shut and said.status == "True" else "cond-ready-copies-containersready"
    yield Breach(rule, _words(ready), _allowed("Ready", [wanted]))


def _initialized_breach(
    pod: Pod, said: PodCondition, phases: set[str], was_initialized: bool, deleting: bool, gates: Gates
) -> Iterator[Breach]:
    status, spec = pod.status, pod.spec
    possible = sorted({status.phase} | (phases & TERMINAL))
    wanted: list[Judgement] = []
    for init in _not_started(spec, status.initContainerStatuses, gates):
        statuses = (*init, *status.containerStatuses)
        for phase in possible:
            wanted += [
                judge.initialized(spec, statuses, phase, gates, was_initialized=before)
                for before in (was_initialized, False)
            ]
    if _judged(said) in wanted or _between(said, wanted):
        return
    left = status.phase in TERMINAL and (deleting or status.reason or _handed_over(pod))
    if left and said.reason in _INITIALIZED:
        return  # left as it was when the Pod was stopped
    rule = "cond-initialized-no-init" if not spec.initContainers else "cond-initialized-true"
    yield Breach(rule, _words(said), _allowed("Initialized", wanted))


def _between(said: PodCondition, wanted: Sequence[Judgement]) -> bool:
    """Whether the names listed lie between the shortest and the longest list: `started` is written by itself."""
    if said.reason != "ContainersNotInitialized" or said.status != "False":
        return False
    lists = [_names(message) for _, reason, message in wanted if reason == said.reason]
    names = _names(said.message)
    return bool(lists) and names <= set().union(*lists)


def _names(message: str) -> set[str]:
    return set(message.partition("[")[2].rpartition("]")[0].split())


def _handed_over(pod: Pod) -> bool:
    """Whether somebody else than the kubelet had the last word on a Pod: garbage collection, a lost node."""
    return pod.status.phase in TERMINAL and marked_by_gc(pod)


def _judged(condition: PodCondition) -> Judgement:
    return (condition.status, condition.reason, condition.message)


def _words(condition: PodCondition) -> str:
    return f"{condition.type} {_judgement(_judged(condition))}"


def _judgement(judgement: Judgement) -> str:
    status, reason, message = judgement
    return status + (f" {reason}" if reason else "") + (f' "{message}"' if message else "")


def _allowed(condition_type: str, wanted: Sequence[Judgement]) -> str:
    return f"{condition_type} " + " or ".join(dict.fromkeys(map(_judgement, wanted)))
