"""The number of a container's instances: restartCount against containerID."""

from __future__ import annotations

from datetime import datetime

from podfsm.engine.rule import docs, invariant, source
from podfsm.kube.objects import (
    ContainerStatus,
    Pod,
    PodCondition,
)
from podfsm.rules.condition_list import NETWORK, of_type
from podfsm.rules.instance_samples import end as _end
from podfsm.rules.instance_samples import ended as _ended
from podfsm.rules.instance_samples import pod as _pod
from podfsm.rules.instance_samples import runs as _runs
from podfsm.rules.instances import inferred, later, pairs
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.phase_invariants import same_pod

_PAGE = "concepts/workloads/pods/pod-lifecycle.md"
_MACHINES = ("container", "init_container", "sidecar_container", "ephemeral_container")


@invariant(
    "instance-counted",
    area="container-state",
    machine=_MACHINES,
    cites=[
        docs(f"{_PAGE}#restart-policy"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "startContainer"),
    ],
    seed=5,
    observable="containerStatuses[].restartCount against containerID",
    allows=[
        (_pod(_runs("1")), _pod(_runs("2", count=1, last=_end("1")))),
        (_pod(_runs("1")), _pod(_runs("4", count=3, last=_end("3")))),
        (_pod(_ended("1")), _pod(_ended("1"))),
    ],
    refuses=[
        (_pod(_runs("2", count=1)), _pod(_runs("3", count=0))),
        (_pod(_runs("1")), _pod(_runs("1", count=1))),
        (_pod(_runs("1")), _pod(_runs("2", count=2, last=_end("1")))),
        (_pod(_ended("1"), sandbox_since=1), _pod(_runs("2", count=0, last=_end("1")), sandbox_since=1)),
    ],
)
def counted(before: Pod, after: Pod) -> bool:
    """RestartCount grows by one with each new instance of a container.

    It may stand still or begin anew only where the sandbox was made anew, and grow by more than one only if instances
    in between were not seen, so that lastState is not the one seen before.
    """
    if not same_pod(before, after):
        return True
    return all(counts_up(was, now) or _records_lost(was, now, before, after) for was, now in pairs(before, after))


@invariant(
    "instance-count-stays",
    area="container-state",
    machine=_MACHINES,
    cites=[source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses")],
    gate="RestartAllContainersOnContainerExits",
    seed=5,
    observable="containerStatuses[].restartCount",
    allows=[
        (_pod(_runs("1", count=1)), _pod(_runs("1", count=1))),
        (_pod(_ended("1")), _pod(_runs("2", count=1, last=_end("1")))),
    ],
    refuses=[(_pod(_runs("2", count=2)), _pod(_runs("3", count=0)))],
)
def count_stays(before: Pod, after: Pod) -> bool:
    """RestartCount never falls, not even with a new sandbox, whose instances are counted from 0.

    The higher of the two counts is shown. Earlier kubelets showed that of the new sandbox.
    """
    return not same_pod(before, after) or not any(
        now.restartCount < was.restartCount for was, now in pairs(before, after)
    )


def counts_up(was: ContainerStatus, now: ContainerStatus) -> bool:
    """Whether the restarts between two statuses are counted, for a container whose sandbox stays the same."""
    grown = now.restartCount - was.restartCount
    if grown < 0:
        return False
    if not was.containerID or not now.containerID:
        return True
    if _counted_ahead(was) or _counted_ahead(now):
        return True
    if now.containerID == was.containerID:
        return grown == 0
    last = now.lastState.terminated
    known = last is not None and last.containerID == was.containerID
    return RESTARTING_ALL in _reasons(now) or (grown == 1 if known else grown >= 1)


def _counted_ahead(status: ContainerStatus) -> bool:
    """Whether the count already holds the instance that is yet to come: all containers start again."""
    return status.state.waiting is not None and RESTARTING_ALL in _reasons(status)


def _records_lost(was: ContainerStatus, now: ContainerStatus, before: Pod, after: Pod) -> bool:
    """Whether a new instance need not be counted, since the records of an older sandbox may have gone with it.

    Each sandbox counts from 0; where the higher count is shown, the number stands still until it is reached again.
    """
    if now.containerID == was.containerID:
        return False
    end = was.state.terminated or was.lastState.terminated
    if sandbox_anew(before, after) or (end is not None and inferred(end)):
        return True
    since = sandbox_since(after)
    if since is None:  # before 1.29 no condition tells of sandboxes
        return of_type(after.status.conditions, "Ready") is not None
    return now.restartCount > 0 or _in_newer_sandbox(was, now, since)


def _in_newer_sandbox(was: ContainerStatus, now: ContainerStatus, since: datetime) -> bool:
    """Whether the sandbox may be newer than the instance before.

    The status between the two may never have been shown: the kubelet keeps back what leaves terminated against the
    restart policy, and an instance may not live long enough.
    """
    state, last, end = was.state, was.lastState.terminated, now.lastState.terminated
    if end is not None and end.containerID == was.containerID and later(end.finishedAt, since):
        return False
    if state.running is not None:
        return state.running.startedAt is not None and since >= state.running.startedAt
    ends = [ended.finishedAt for ended in (state.terminated, last) if ended is not None]
    return bool(ends) and ends[0] is not None and since >= ends[0]


def _reasons(status: ContainerStatus) -> tuple[str, ...]:
    waiting, last = status.state.waiting, status.lastState.terminated
    return (waiting.reason if waiting is not None else "", last.reason if last is not None else "")


def sandbox_anew(before: Pod, after: Pod) -> bool:
    """Whether the Pod's sandbox may have been made anew between two snapshots.

    Its condition PodReadyToStartContainers is or was False, or has turned since, or the Pod has another address.
    """
    if before.status.podIP and before.status.podIP != after.status.podIP:
        return True
    was, now = _network(before), _network(after)
    if was is None or now is None:
        return was is not now
    changed = was.lastTransitionTime != now.lastTransitionTime
    return changed or now.status != "True" or was.status != "True"


def sandbox_since(pod: Pod) -> datetime | None:
    """When the Pod's sandbox became ready, or ceased to be; None if no condition says so."""
    network = _network(pod)
    return None if network is None else network.lastTransitionTime


def _network(pod: Pod) -> PodCondition | None:
    return of_type(pod.status.conditions, NETWORK)
