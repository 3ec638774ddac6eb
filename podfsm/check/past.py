"""What earlier snapshots of a Pod tell for the judgement of later ones."""

from __future__ import annotations

from operator import attrgetter

from attrs import evolve, frozen

from podfsm.check.reads import APPS, CONDITIONS, EPHEMERAL, INIT, METADATA, OTHER
from podfsm.kube.objects import Pod, PodCondition
from podfsm.kube.times import seconds_of
from podfsm.rules.condition_list import NETWORK, by_type, of_type
from podfsm.rules.deadline import deadline_at
from podfsm.rules.instance_counts import sandbox_anew
from podfsm.rules.instances import began_at, statuses_of
from podfsm.rules.readiness_gates import shut_gates

_NONE: frozenset[bool] = frozenset()
_ANY = frozenset({True, False})


@frozen
class Past:
    """What earlier snapshots of the Pod tell."""

    was_initialized: bool = False
    """Initialized was True."""
    gate_views: frozenset[bool] = frozenset({True, False})
    """Whether all readiness gates were True when the kubelet may have looked last: a gate was moved since."""
    deleting: bool = False
    """The Pod was being deleted."""
    overdue: bool = False
    """A container was started when the active deadline had passed, or so short before that it was shown after it."""
    counts_exactly: bool = False
    """The Pod was seen from its beginning, and nothing tells of a second sandbox, in which counting begins anew."""


_UNKNOWN = Past()
_SHOWN = 2.0
"""Seconds after a start in which the status that shows it is written, by when the deadline may have passed."""
_CONTAINER_ID = attrgetter("containerID")
_TELLING = METADATA | CONDITIONS | APPS | INIT | EPHEMERAL | OTHER
"""The parts of a Pod out of which something is remembered."""


def pasts(was: Past | None, before: Pod | None, pod: Pod, parts: int) -> tuple[Past, Past]:
    """What is known of the time before a snapshot, and of the time up to it; `parts` are those that changed."""
    if was is not None and not parts & _TELLING:
        return was, was
    deleting = pod.metadata.deletionTimestamp is not None
    initialized = was.was_initialized if was is not None else False
    if parts & CONDITIONS:
        initialized = bool([c for c in pod.status.conditions if c.type == "Initialized" and c.status == "True"])
    overdue = pod.spec.activeDeadlineSeconds is not None and _started_late(pod)
    if was is None or before is None:
        began = any(c.type == "Ready" for c in pod.status.conditions)
        after = Past(initialized, _ANY if began else _NONE, deleting, overdue, not _has_run(pod))
        return evolve(_UNKNOWN, overdue=True) if overdue else _UNKNOWN, after
    now, later = was.gate_views, was.gate_views
    if parts & CONDITIONS and pod.spec.readinessGates:
        now, later = _views(was, before, pod)
    overdue = overdue or was.overdue
    same = overdue == was.overdue and now == was.gate_views
    seen = was if same else evolve(was, gate_views=now, overdue=overdue)
    deleting = deleting or was.deleting
    exact = was.counts_exactly and not (_has_run(before) and sandbox_anew(before, pod))
    told = (initialized, later, deleting, overdue, exact)
    same = told == (was.was_initialized, was.gate_views, was.deleting, was.overdue, was.counts_exactly)
    return seen, was if same else Past(*told)


def _started_late(pod: Pod) -> bool:
    """Whether the first status that shows a container's start may be of a time when the active deadline had passed.

    A container with a postStart hook is shown when that is done, which may take any time.
    """
    deadline = deadline_at(pod)
    if deadline is None:
        return False
    hooked = {one.name for one in pod.spec.containers if one.lifecycle is not None and one.lifecycle.postStart}
    for status in pod.status.containerStatuses:
        for start in map(began_at, (status.state, status.lastState)):
            if start is not None and (status.name in hooked or seconds_of(start) >= deadline - _SHOWN):
                return True
    return False


def _has_run(pod: Pod) -> bool:
    """Whether an instance of a container was created."""
    return any(map(_CONTAINER_ID, statuses_of(pod)))


def _views(was: Past, before: Pod, pod: Pod) -> tuple[frozenset[bool], frozenset[bool]]:
    """How the gates may have stood when the kubelet looked last, for this snapshot and for later ones."""
    if _gate_statuses(before) == _gate_statuses(pod):
        network = of_type(pod.status.conditions, NETWORK)
        waits = network is not None and network.status == "False"  # with a new sandbox it writes once what it knew
        return was.gate_views, was.gate_views if waits else _NONE
    if _ready(before) != _ready(pod):
        return _ANY, _ANY  # there may have been views in between
    views = frozenset({not shut_gates(before.spec.readinessGates, by_type(before.status.conditions))})
    return was.gate_views | views, views


def _ready(pod: Pod) -> PodCondition | None:
    return next((condition for condition in pod.status.conditions if condition.type == "Ready"), None)


def _gate_statuses(pod: Pod) -> list[tuple[str, str]]:
    names = {gate.conditionType for gate in pod.spec.readinessGates}
    return [(c.type, c.status) for c in pod.status.conditions if c.type in names]
