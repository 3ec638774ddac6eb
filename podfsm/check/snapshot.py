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
from podfsm.rules.condition_list import BY_GC, BY_KUBELET, DISRUPTION, LIFECYCLE, NETWORK, RESTARTING
from podfsm.rules.container_state import LOST_WHILE_RUNNING
from podfsm.rules.deadline import REASON as DEADLINE
from podfsm.rules.instances import inferred
from podfsm.rules.phase import FAILED, SUCCEEDED, TERMINAL
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.phase_invariants import marked_by_gc
from podfsm.rules.reasons import DISRUPTED, WAITING, ended_because
from podfsm.rules.resize_conditions import IN_PROGRESS, PENDING
from podfsm.rules.restart import has_restart_all_rule
from podfsm.rules.sidecar import is_sidecar

_OF_NODES = ("PreemptionByScheduler", "DeletionByTaintManager")
"""What is announced of Pods on a node only: victims hold its resources, and its taints concern them."""

_UNSCHEDULED = ("Unschedulable", "SchedulerError", "SchedulingGated")


def snapshot_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """Flags, reasons and conditions of one snapshot that nothing of Kubernetes writes."""
    spec, status = pod.spec, pod.status
    sidecars = tuple(entry for entry in spec.initContainers if is_sidecar(entry, gates))
    for containers, statuses in ((spec.containers, status.containerStatuses), (sidecars, status.initContainerStatuses)):
        yield from _flag_breaches(containers, statuses)
    if gates.at_least("1.29"):
        yield from _unstarted_breaches(spec.initContainers, status.initContainerStatuses)
    yield from _unprobed_breaches(status.ephemeralContainerStatuses)
    restarts_all = has_restart_all_rule(spec, gates)
    first = "PodInitializing" if spec.initContainers else "ContainerCreating"
    for one in status.initContainerStatuses + status.containerStatuses + status.ephemeralContainerStatuses:
        yield from _state_breaches(one, first)
        if not restarts_all and one.state.waiting is not None and one.state.waiting.reason == RESTARTING_ALL:
            yield Breach(
                "restart-all-waiting-state", f"{state_words(one)}, and no container has such a rule", "", one.name
            )
    yield from _reason_breaches(pod)
    for condition in status.conditions:
        yield from _condition_breaches(pod, condition, gates)
        yield from _disruption_breaches(pod, condition)
        yield from _reasonless_breaches(condition)
    yield from _missing_breaches(pod, gates)


def _flag_breaches(containers: Sequence[Container], statuses: Sequence[ContainerStatus]) -> Iterator[Breach]:
    """A container that runs of which nothing is said; that waits for no probe, and yet is not called started, or ready.

    With a startup probe `started` is written alone, and `ready` only with the next status.
    """
    by_name = {container.name: container for container in containers}
    for status in statuses:
        container = by_name.get(status.name)
        if container is None or status.state.running is None or not status.containerID:
            continue
        if status.started is None:
            seen = f"{state_words(status)}, and it is not said whether it has started"
            yield Breach("cstate-started", seen, "started true or false", status.name)
        if container.startupProbe is not None:
            continue
        if status.started is False:
            seen = f"{state_words(status)}, started false, without a startup probe"
            yield Breach("cstate-started", seen, "started true", status.name)
        elif not status.ready and container.readinessProbe is None:
            seen = f"{state_words(status)}, ready false, without a readiness probe"
            yield Breach("cstate-ready", seen, "ready true", status.name)


def _unstarted_breaches(containers: Sequence[Container], statuses: Sequence[ContainerStatus]) -> Iterator[Breach]:
    """Init containers that run, and wait for no startup probe, of which it is not said that they have started."""
    probed = {container.name for container in containers if container.startupProbe is not None}
    for status in statuses:
        runs = status.state.running is not None and status.containerID
        if runs and not status.started and status.name not in probed:
            seen = f"{state_words(status)}, started {status.started}, without a startup probe".lower()
            yield Breach("cstate-started", seen, "started true", status.name)


def _unprobed_breaches(statuses: Sequence[ContainerStatus]) -> Iterator[Breach]:
    """Ephemeral containers that are ready or started: the probe manager, which says so, knows none of them."""
    for status in statuses:
        if status.ready or status.started is not None:
            seen = f"{state_words(status)}, ephemeral, ready {status.ready}, started {status.started}".lower()
            yield Breach("cstate-ready", seen, "ready false, started not set", status.name)


def _last_breaches(status: ContainerStatus) -> Iterator[Breach]:
    """Ends of the instance before, and ends that the kubelet infers, as nothing writes them."""
    last = status.lastState
    if last.waiting is not None or last.running is not None:
        yield Breach("cstate-laststate", "lastState not terminated", "a termination or nothing", status.name)
    for end in (status.state.terminated, last.terminated):
        if end is not None and end.reason == "ContainerStatusUnknown" and end.exitCode != LOST_WHILE_RUNNING.exitCode:
            seen = f"{end.reason} with exit code {end.exitCode}"
            yield Breach("cstate-status-unknown-137", seen, "exit code 137", status.name)


def _state_breaches(status: ContainerStatus, first: str) -> Iterator[Breach]:
    """Reasons for waiting that are not the kubelet's, and ends and starts that lack their times."""
    yield from _last_breaches(status)
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
    """The reason of an end that has not come.

    A deadline that passes while a Pod is being wound up gives its reason also to one that has succeeded.
    """
    status = pod.status
    if status.phase == SUCCEEDED and status.reason == DEADLINE:
        return
    known = ended_because(status.reason) if status.reason and status.phase != FAILED else None
    if known is not None and status.reason != "NodeLost":
        seen = f"phase {status.phase} with reason {status.reason}"
        yield Breach(known[0], seen, "this reason together with phase Failed")


def _condition_breaches(pod: Pod, condition: PodCondition, gates: Gates) -> Iterator[Breach]:
    kind, reason, status = condition.type, condition.reason, pod.status
    over = status.phase in TERMINAL
    if kind == RESTARTING and not has_restart_all_rule(pod.spec, gates):
        yield Breach("cond-allcontainersrestarting", f"{kind} {condition.status}, and no container has such a rule")
    if condition.status != "True":
        if kind == "PodScheduled" and condition.status == "False" and reason not in _UNSCHEDULED:
            allowed = " or ".join(_UNSCHEDULED)
            yield Breach("cond-podscheduled-unschedulable", f"PodScheduled False {reason}", f"reason {allowed}")
        return
    if kind == NETWORK and over and not marked_by_gc(pod):
        yield Breach("cond-podreadytostart-false-again", f"{kind} True in phase {status.phase}", f"{kind} False")
    elif kind == PENDING and reason not in ("Deferred", "Infeasible"):
        yield Breach("resize-pending", f"{kind} True {reason}".rstrip(), "reason Deferred or Infeasible")
    elif kind == IN_PROGRESS and reason not in ("", "Error"):
        yield Breach("resize-in-progress", f"{kind} True {reason}", "no reason, or Error")


def _disruption_breaches(pod: Pod, condition: PodCondition) -> Iterator[Breach]:
    """A disruption announced by nobody known, or by somebody who does not announce it of such a Pod."""
    kind, reason, status = condition.type, condition.reason, pod.status
    if kind != DISRUPTION or condition.status != "True":
        return
    seen, over = f"{kind} True {reason}", status.phase in TERMINAL
    if reason not in DISRUPTED:
        yield Breach("cond-disruptiontarget-reasons", seen, f"reason {' or '.join(DISRUPTED)}")
    elif reason == BY_KUBELET and status.reason == DEADLINE:
        yield Breach("deadline-no-disruption", f"{seen} with reason {DEADLINE}")
    elif reason == BY_KUBELET and not over:
        yield Breach("cond-disruptiontarget-kubelet-late", f"{seen} in phase {status.phase}")
    elif reason == BY_GC and not over:
        yield Breach("gc-marks-failed", f"{seen} in phase {status.phase}", "phase Failed, set by the same write")
    elif reason in _OF_NODES and not pod.spec.nodeName:
        yield Breach("cond-disruptiontarget-reasons", f"{seen} of a Pod without a node", "a Pod on a node")


def _reasonless_breaches(condition: PodCondition) -> Iterator[Breach]:
    """Conditions that say more than their status, where whoever writes them says no more."""
    kind, said = condition.type, f"{condition.type} {condition.status} {condition.reason}".rstrip()
    if kind == "PodScheduled" and condition.status == "True" and condition.reason:
        yield Breach("cond-podscheduled-true-on-bind", said, "True without a reason")
    elif kind == NETWORK and (condition.reason or condition.status == "Unknown"):
        yield Breach("cond-podreadytostart-true", said, "True or False, without a reason")
    elif kind in (PENDING, IN_PROGRESS) and condition.status != "True":
        rule = "resize-pending" if kind == PENDING else "resize-in-progress"
        yield Breach(rule, said, "True, or no such condition")


def _missing_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """Lifecycle conditions that are missing beside the instances of a kubelet, which writes all of them together."""
    status = pod.status
    if not any(one.containerID for one in status.containerStatuses + status.initContainerStatuses):
        return
    there = {condition.type for condition in status.conditions}
    for kind in sorted(LIFECYCLE - there):
        if kind != NETWORK or gates.on("PodReadyToStartContainersCondition"):
            yield Breach("cond-kubelet-owned-set", f"no condition {kind}", f"{', '.join(sorted(LIFECYCLE))}")
