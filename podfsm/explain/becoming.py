"""What a Pod can still become: `can_become(pod, "Ready")`."""

from __future__ import annotations

from podfsm.engine.verdict import HOLDS, Verdict
from podfsm.engine.versions import Gates
from podfsm.errors import UnknownName
from podfsm.explain.containers import Setting, restarts
from podfsm.kube.objects import Pod, PodCondition
from podfsm.rules.gates import gates_for
from podfsm.rules.phase_counts import FAILED, PENDING, RUNNING, SUCCEEDED, TERMINAL
from podfsm.rules.scheduling import gated

PHASES = (PENDING, RUNNING, SUCCEEDED, FAILED)
CONDITIONS = ("Scheduled", "Initialized", "ContainersReady", "Ready")


def can_become(pod: Pod, wanted: str, gates: Gates | None = None) -> Verdict:
    """Whether a Pod can be in this phase or have this condition True, now or later.

    `wanted` is one of the four phases, Scheduled, Initialized, ContainersReady or Ready. The verdict names the rule
    that forbids it. Raises UnknownName.
    """
    gates = gates or gates_for()
    if wanted in PHASES:
        return _phase(pod, wanted, gates)
    if wanted not in CONDITIONS:
        raise UnknownName("phase or condition", wanted, (*PHASES, *CONDITIONS))
    kind = "PodScheduled" if wanted == "Scheduled" else wanted
    said: PodCondition | None = next((c for c in pod.status.conditions if c.type == kind), None)
    if said is not None and said.status == "True":
        return HOLDS
    return _condition(pod, wanted, gates)


def _phase(pod: Pod, wanted: str, gates: Gates) -> Verdict:
    phase = pod.status.phase
    if phase == wanted:
        return HOLDS
    if phase in TERMINAL:
        return Verdict(False, rule="phase-terminal-sticky", because=f"its phase is {phase}, which is final")
    deleting = pod.metadata.deletionTimestamp is not None
    if wanted == PENDING:
        return HOLDS if phase == "" or not deleting else _ending()
    if deleting and wanted == RUNNING:
        return _ending()
    if wanted == SUCCEEDED and not deleting:
        return _can_succeed(pod, gates)
    return HOLDS


def _ending() -> Verdict:
    return Verdict(
        False, rule="restart-not-when-deleting", because="it is being deleted, and nothing is started any more"
    )


def _can_succeed(pod: Pod, gates: Gates) -> Verdict:
    """Success needs an exit 0 of every app container that is not followed by a restart."""
    setting = Setting(pod.spec, gates)
    states = {status.name: status.state.terminated for status in pod.status.containerStatuses}
    for container in pod.spec.containers:
        again, rule = restarts(container, 0, setting)
        if again:
            return Verdict(
                False, rule=rule, because=f"container {container.name} is restarted after exit code 0 as well"
            )
        end = states.get(container.name)
        if end is not None and end.exitCode and not restarts(container, end.exitCode, setting)[0]:
            return Verdict(False, rule="phase-failed", because=f"container {container.name} has failed for good")
    return HOLDS


def _condition(pod: Pod, wanted: str, gates: Gates) -> Verdict:
    if pod.status.phase in TERMINAL:
        because = f"its phase is {pod.status.phase}, which is final"
        return Verdict(False, rule="cond-containersready-terminal", because=because)
    deleting = pod.metadata.deletionTimestamp is not None
    running = any(status.state.running is not None for status in pod.status.containerStatuses)
    if deleting and (wanted in ("Scheduled", "Initialized") or not running):
        return _ending()
    if any(c.reason in ("PodFailed", "PodCompleted") for c in pod.status.conditions if c.type == "Ready"):
        return Verdict(False, rule="term-worker-one-way", because="its end has begun")
    if wanted == "Scheduled" or gated(pod.spec, gates):
        return HOLDS
    setting = Setting(pod.spec, gates)
    for status in pod.status.containerStatuses:
        container = next((c for c in pod.spec.containers if c.name == status.name), None)
        end = status.state.terminated
        if wanted == "Initialized" or container is None or end is None:
            continue
        again, rule = restarts(container, end.exitCode, setting)
        if not again:
            because = f"container {status.name} has ended and is not started again"
            return Verdict(False, rule=rule, because=because)
    return HOLDS
