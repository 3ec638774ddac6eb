"""What the kubelet writes to the API: its own status merged with the one that is there (mergePodStatus)."""

from __future__ import annotations

import msgspec

from podfsm.engine.versions import Gates
from podfsm.kube.objects import PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.condition_list import DISRUPTION, by_type, gated_types, make_condition, owned, put
from podfsm.rules.condition_parts import when_terminal
from podfsm.rules.disruption_target import sends_disruption
from podfsm.rules.phase import TERMINAL

READY_TYPES = ("ContainersReady", "Ready")


def merge_status(api: PodStatus, kubelet: PodStatus, *, could_run: bool, gates: Gates, now: float = 0.0) -> PodStatus:
    """The status to store. `could_run`: some container of the Pod may still be running; `now` in seconds.

    Conditions of others stay and come first. A terminal phase, with its reason and message, is withheld while
    containers could run (rule phase-terminal-after-containers-stop); once it is written the Pod is not ready.
    """
    entering = kubelet.phase in TERMINAL and api.phase not in TERMINAL
    gated = gated_types(gates)
    conditions = [c for c in api.conditions if not owned(c.type, gated)]
    for condition in kubelet.conditions:
        if owned(condition.type, gated):
            conditions.append(condition)
        elif condition.type == DISRUPTION and sends_disruption(entering, could_run):
            conditions = list(put(conditions, _sent_now(condition, by_type(api.conditions).get(DISRUPTION), now)))
    merged = msgspec.structs.replace(kubelet, conditions=tuple(conditions))
    if entering and could_run:
        return msgspec.structs.replace(merged, phase=api.phase, reason=api.reason, message=api.message)
    if merged.phase in TERMINAL:
        merged = msgspec.structs.replace(merged, conditions=_unready(merged, now))
    return merged


def _sent_now(condition: PodCondition, old: PodCondition | None, now: float) -> PodCondition:
    """A condition that was held back: its transition is the write, unless the API had that status already."""
    since = old.lastTransitionTime if old is not None and old.status == condition.status else instant(now)
    return msgspec.structs.replace(condition, lastTransitionTime=since)


def _unready(status: PodStatus, now: float) -> tuple[PodCondition, ...]:
    """In a terminal phase Ready and ContainersReady are False, if either was True."""
    was = by_type(status.conditions)
    conditions = status.conditions
    if any(kind in was and was[kind].status == "True" for kind in READY_TYPES):
        for kind in READY_TYPES:
            old = was.get(kind)
            generation = old.observedGeneration if old is not None else 0
            conditions = put(conditions, make_condition(kind, when_terminal(status.phase), old, now, generation))
    return conditions
