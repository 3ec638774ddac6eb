"""Snapshot level: what is stated beside each other in one snapshot, and cannot be: ids, images, counts and times.

Unlike `podfsm.check.snapshot` this reads more than a shape holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from podfsm.check.finding import WARNING, Breach
from podfsm.check.transitions import KUBELETS
from podfsm.check.words import state_words
from podfsm.engine.versions import Gates
from podfsm.kube.objects import NO_STATE, ContainerStatus, Pod
from podfsm.rules.condition_list import DISRUPTION, LIFECYCLE, RESTARTING, by_type, ended_for_node, marked_lost
from podfsm.rules.instances import statuses_of, well_formed
from podfsm.rules.phase import FAILED, is_static
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.readiness_gates import NOT_READY
from podfsm.rules.reasons import WAITING
from podfsm.rules.scheduling import gated

_DEFAULT = ("ContainerCreating", "PodInitializing")
_BY_RUNTIME = ("Completed", "Error", "OOMKilled")
_GATE = re.compile(r'readiness gate "([^"]*)"')
_SECOND = timedelta(seconds=1)
_STARTED = "RestartAllContainersStarted"


def stated_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """What one snapshot states that does not go together."""
    for status in statuses_of(pod):
        yield from _id_breaches(status)
        yield from _fresh_breaches(status, gates)
        yield from _end_breaches(status)
    if statuses_of(pod):
        yield from _time_breaches(pod)
        yield from _delay_breaches(pod)
        yield from _image_breaches(pod)
    yield from _ephemeral_breaches(pod)
    yield from _condition_breaches(pod)
    if gated(pod.spec, gates) and "PodScheduled" not in by_type(pod.status.conditions):
        yield Breach("sched-gates", "scheduling gates, and no condition PodScheduled", "False SchedulingGated")


def _id_breaches(status: ContainerStatus) -> Iterator[Breach]:
    """Ids without the runtime's name, and an end without an id beside an instance that has one."""
    last, ids = status.lastState.terminated, [status.containerID]
    ids += [end.containerID for end in (status.state.terminated, last) if end is not None]
    for each in ids:
        if each and not well_formed(each):
            yield Breach("instance-ids", f"containerID {each}", "RUNTIME://ID", status.name, severity=WARNING)
            return
    if status.containerID and last is not None and last.reason in _BY_RUNTIME and not last.containerID:
        seen = f"lastState terminated {last.reason} without containerID"
        yield Breach("cstate-terminated-fields", seen, container=status.name)


def _image_breaches(pod: Pod) -> Iterator[Breach]:
    """Containers that lack what is said of the others: the image, and the image's id once there is an instance."""
    statuses = statuses_of(pod)
    for field, named in (
        ("image", [(status, status.image) for status in statuses]),
        ("imageID", [(status, status.imageID) for status in statuses if status.containerID]),
    ):
        lacking = [status for status, image in named if not image]
        if lacking and len(lacking) < len(named):
            yield Breach("instance-keeps", f"no {field}, as others have", f"an {field} of each", lacking[0].name)


def _fresh_breaches(status: ContainerStatus, gates: Gates) -> Iterator[Breach]:
    """Statuses of containers that have not run yet, and say that they have."""
    if status.restartCount < 0:
        yield Breach("instance-counted", f"restartCount {status.restartCount}", "0 or more", status.name)
    waiting = status.state.waiting
    if status.lastState.terminated is not None:
        return
    if waiting is None:
        if status.state == NO_STATE and not status.containerID:
            yield Breach("cstate-default-waiting", "no state, and no containerID", container=status.name)
        return
    if waiting.reason in _DEFAULT and status.containerID:
        seen = f"{state_words(status)} with containerID"
        yield Breach("cstate-default-waiting", seen, "no containerID before an instance is there", status.name)
    elif waiting.reason in _DEFAULT and status.restartCount > 0 and gates.at_least("1.35"):  # before, ends were lost
        seen = f"{state_words(status)}, restartCount {status.restartCount}, and no lastState"
        yield Breach("instance-counted", seen, "restartCount 0 of a container that has not run", status.name)
    elif not waiting.reason and not status.containerID:
        seen = f"{state_words(status)} without a reason, and no containerID"
        yield Breach("cstate-default-waiting", seen, f"reason {' or '.join(_DEFAULT)}", status.name)


def _end_breaches(status: ContainerStatus) -> Iterator[Breach]:
    """Ends of instances that lack what every runtime tells, or that give a reason for waiting."""
    for end in (status.state.terminated, status.lastState.terminated):
        if end is None:
            continue
        if end.reason in WAITING and end.reason not in ("", RESTARTING_ALL):
            seen = f"terminated {end.reason}"
            yield Breach("instance-exit-reason", seen, "a reason of the runtime", status.name)
        elif end.containerID and not end.reason:
            yield Breach("cstate-terminated-fields", "terminated without a reason", container=status.name)
        elif end.containerID and end.reason in _BY_RUNTIME and end.startedAt is None:
            yield Breach("cstate-terminated-fields", f"terminated {end.reason} without startedAt", "", status.name)


def _ephemeral_breaches(pod: Pod) -> Iterator[Breach]:
    for status in pod.status.ephemeralContainerStatuses:
        waiting = status.state.waiting
        if waiting is not None and waiting.reason == "CrashLoopBackOff":
            yield Breach("ephemeral-runs-once", f"{state_words(status)}, ephemeral", container=status.name)


def _time_breaches(pod: Pod) -> Iterator[Breach]:
    """Conditions of a kubelet without the time of their last transition, or with one before it knew the Pod."""
    known, ran = by_type(pod.status.conditions), any(status.containerID for status in statuses_of(pod))
    began = None if is_static(pod.metadata) else pod.status.startTime
    for condition in pod.status.conditions:
        since = condition.lastTransitionTime
        if since is None:
            if ran and (condition.type in LIFECYCLE or condition.type == "PodScheduled"):
                seen = f"{condition.type} {condition.status} without lastTransitionTime"
                yield Breach("cond-lasttransition-only-on-status-change", seen, "a time")
        elif marked_lost(condition) and (beside := known.get("ContainersReady")) is not None:
            if beside.status == "False" and beside.lastTransitionTime == since:
                seen = f"Ready False without a reason since {since:%H:%M:%S}, as ContainersReady"
                yield Breach("cond-ready-copies-containersready", seen, f"reason {beside.reason}")
        elif began is not None and condition.type in KUBELETS and since < began - _SECOND:
            seen = f"{condition.type} {condition.status} since {since:%H:%M:%S}, startTime {began:%H:%M:%S}"
            yield Breach("status-times-follow", seen, "no transition before startTime")


def _delay_breaches(pod: Pod) -> Iterator[Breach]:
    """A Pod that became ready before the first readiness check of a container that is ready."""
    ready = by_type(pod.status.conditions).get("ContainersReady")
    if ready is None or ready.status != "True" or ready.lastTransitionTime is None:
        return
    statuses = {status.name: status for status in pod.status.containerStatuses}
    for container in pod.spec.containers:
        probe, status = container.readinessProbe, statuses.get(container.name)
        if probe is None or probe.initialDelaySeconds < 2 or status is None or status.state.running is None:
            continue
        began = status.state.running.startedAt
        due = None if began is None else began + timedelta(seconds=probe.initialDelaySeconds) - _SECOND
        if due is not None and status.ready and ready.lastTransitionTime < due:
            seen = f"ContainersReady since {ready.lastTransitionTime:%H:%M:%S}"
            yield Breach("probe-initial-delay-from-start", seen, f"not before {due:%H:%M:%S}", container.name)


def _condition_breaches(pod: Pod) -> Iterator[Breach]:
    status = pod.status
    for condition in status.conditions:
        kind, reason = condition.type, condition.reason
        seen = f"{kind} {condition.status} {reason}".rstrip()
        if kind == DISRUPTION and condition.status == "Unknown":
            yield Breach("cond-disruptiontarget-reasons", seen, "True or False")
        elif kind == RESTARTING and condition.status == "True" and reason != _STARTED:
            yield Breach("cond-allcontainersrestarting", seen, f"reason {_STARTED}")
        elif kind == RESTARTING and reason not in (_STARTED, "", "PodCompleted", "PodFailed"):
            yield Breach("cond-allcontainersrestarting", seen, "no such reason")
        elif kind == "Initialized" and reason == "PodCompleted" and status.phase == FAILED and _ended_by_itself(pod):
            yield Breach("cond-initialized-podcompleted", f"{seen} in phase {FAILED}", "no reason")
        elif kind == "Ready" and reason == NOT_READY:
            named, gates = set(_GATE.findall(condition.message)), pod.spec.readinessGates
            strange = named - {gate.conditionType for gate in gates}
            if strange or not gates:
                names = ", ".join(sorted(strange)) or "none"
                yield Breach("gate-reason", f"{seen}: {names}", "readiness gates of the spec")


def _ended_by_itself(pod: Pod) -> bool:
    """Whether nobody ended a Pod from outside: else its last status may be one derived before."""
    gone = pod.metadata.deletionTimestamp is not None or pod.status.reason
    return not gone and not ended_for_node(pod.status.conditions)
