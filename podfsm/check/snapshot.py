"""Snapshot level: what single container statuses and conditions may say at all, whatever was seen before.

What the API takes from anybody, though no kubelet writes it, is a warning.
Everything here depends on the shape of a snapshot alone (see `podfsm.check.shapes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podfsm.check.finding import WARNING, Breach
from podfsm.check.words import state_words
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodCondition
from podfsm.rules.condition_list import BY_KUBELET, DISRUPTION, NETWORK, RESTARTING
from podfsm.rules.deadline import REASON as DEADLINE
from podfsm.rules.instances import inferred
from podfsm.rules.phase import TERMINAL
from podfsm.rules.phase_invariants import marked_by_gc
from podfsm.rules.reasons import DISRUPTED, WAITING, ended_because
from podfsm.rules.restart import has_restart_all_rule
from podfsm.rules.sidecar import is_sidecar

_UNSCHEDULED = ("Unschedulable", "SchedulerError", "SchedulingGated")


def snapshot_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """Flags, reasons and conditions of one snapshot that nothing of Kubernetes writes."""
    spec, status = pod.spec, pod.status
    sidecars = tuple(entry for entry in spec.initContainers if is_sidecar(entry, gates))
    for containers, statuses in ((spec.containers, status.containerStatuses), (sidecars, status.initContainerStatuses)):
        yield from _flag_breaches(containers, statuses)
    first = "PodInitializing" if spec.initContainers else "ContainerCreating"
    for one in status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses:
        yield from _state_breaches(one, first)
    yield from _reason_breaches(pod)
    for condition in status.conditions:
        yield from _condition_breaches(pod, condition, gates)


def _flag_breaches(containers: Sequence[Container], statuses: Sequence[ContainerStatus]) -> Iterator[Breach]:
    """A container that runs and waits for no probe, and yet is not called started, or ready.

    With a startup probe `started` is written alone, and `ready` only with the next status.
    """
    by_name = {container.name: container for container in containers}
    for status in statuses:
        container = by_name.get(status.name)
        if container is None or status.state.running is None or not status.containerID:
            continue
        if container.startupProbe is not None:
            continue
        if status.started is False:
            seen = f"{state_words(status)}, started false, without a startup probe"
            yield Breach("cstate-started", seen, "started true", status.name)
        elif not status.ready and container.readinessProbe is None:
            seen = f"{state_words(status)}, ready false, without a readiness probe"
            yield Breach("cstate-ready", seen, "ready true", status.name)


def _state_breaches(status: ContainerStatus, first: str) -> Iterator[Breach]:
    """Reasons for waiting that are not the kubelet's, and ends and starts that lack their times."""
    waiting, running, end = status.state.waiting, status.state.running, status.state.terminated
    if waiting is not None:
        reason = waiting.reason
        if reason not in WAITING:
            yield Breach("cstate-waiting-reasons", state_words(status), container=status.name, severity=WARNING)
        elif reason != first and reason in ("ContainerCreating", "PodInitializing"):
            yield Breach("cstate-default-waiting", state_words(status), f"waiting {first}", status.name)
    elif running is not None:
        if running.startedAt is None:
            yield Breach("cstate-running", f"{state_words(status)} without startedAt", container=status.name)
        if status.started is not None and not status.containerID:  # `started` is the kubelet's, or wants to look so
            seen = f"{state_words(status)} without containerID"
            yield Breach("cstate-running", seen, container=status.name, severity=WARNING)
    elif end is not None and end.finishedAt is None and not inferred(end):
        yield Breach("cstate-terminated-fields", f"{state_words(status)} without finishedAt", container=status.name)


def _reason_breaches(pod: Pod) -> Iterator[Breach]:
    """The reason of an end that has not come."""
    status = pod.status
    known = ended_because(status.reason) if status.reason and status.phase not in TERMINAL else None
    if known is not None and status.reason != "NodeLost":
        seen = f"phase {status.phase} with reason {status.reason}"
        yield Breach(known[0], seen, "this reason together with phase Failed")


def _condition_breaches(pod: Pod, condition: PodCondition, gates: Gates) -> Iterator[Breach]:
    kind, reason, status = condition.type, condition.reason, pod.status
    over = status.phase in TERMINAL
    if condition.status != "True":
        if kind == "PodScheduled" and condition.status == "False" and reason not in _UNSCHEDULED:
            allowed = " or ".join(_UNSCHEDULED)
            yield Breach("cond-podscheduled-unschedulable", f"PodScheduled False {reason}", f"reason {allowed}")
        return
    if kind == NETWORK and over and not marked_by_gc(pod):
        yield Breach("cond-podreadytostart-false-again", f"{kind} True in phase {status.phase}", f"{kind} False")
    elif kind == RESTARTING and not has_restart_all_rule(pod.spec, gates):
        yield Breach("cond-allcontainersrestarting", f"{kind} True, and no container has such a rule")
    elif kind == DISRUPTION:
        if reason not in DISRUPTED:
            yield Breach("cond-disruptiontarget-reasons", f"{kind} True {reason}", f"reason {' or '.join(DISRUPTED)}")
        elif reason == BY_KUBELET and status.reason == DEADLINE:
            yield Breach("deadline-no-disruption", f"{kind} True {reason} with reason {DEADLINE}")
        elif reason == BY_KUBELET and not over:
            yield Breach("cond-disruptiontarget-kubelet-late", f"{kind} True {reason} in phase {status.phase}")
