"""What happens to a Pod from outside its own life: binding, reports of controllers, a kubelet that stops or refuses.

Each event has its handler in `OUTSIDE`. A Pod whose kubelet does not run is frozen: its containers go on, but what the
kubelet would do is put on a shelf, and done when the kubelet is back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from attrs import frozen

from podfsm.kube.objects import PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.condition_list import by_type, observed_generation, put
from podfsm.rules.facts import WorkerState
from podfsm.rules.node_trouble import rejected
from podfsm.rules.pod_status import KillReason
from podfsm.world import api, resizing
from podfsm.world.model import Model
from podfsm.world.pod import Draft
from podfsm.world.power import power_off
from podfsm.world.restarted import begin_anew
from podfsm.world.scripts import FOREVER
from podfsm.world.worker import update_pod

RUNTIME = frozenset({"ends", "stopped", "sandbox-dies"})
"""What processes and the runtime do by themselves, kubelet or not."""
_TRACKED = "PodObservedGenerationTracking"


@frozen
class Bind:
    """The scheduler binds a Pod to a node."""

    key: str
    node: str


@frozen
class Report:
    """A controller writes conditions into a Pod's status, and a phase if it names one. `event`: reason and message."""

    key: str
    conditions: tuple[PodCondition, ...]
    phase: str = ""
    generation: bool = True
    """The writer says in the condition which generation of the Pod it saw, and does not leave that as it stands."""
    event: tuple[str, str] | None = None


@frozen
class Unschedulable:
    """The scheduler finds no node for a Pod."""

    key: str
    message: str


@frozen
class Reject:
    """The kubelet does not admit a Pod that is bound to its node."""

    key: str
    reason: str
    message: str


@frozen
class Freeze:
    """The Pod's node has no kubelet from now on."""

    key: str


@frozen
class Thaw:
    """The Pod's kubelet is back: one that starts anew, or the one that had put the Pod off."""

    key: str
    anew: bool = True


@frozen
class Network:
    """The runtime tells the kubelet that the node's network is ready, or not."""

    key: str
    ready: bool


@frozen
class Kill:
    """The kubelet ends a Pod for its node's sake.

    `status`: phase, reason, message and conditions that it writes over the Pod's. `grace` in seconds overrides its own.
    """

    key: str
    status: PodStatus
    grace: int | None = None


@frozen
class PowerOff:
    """The Pod's machine is off: its sandbox and its processes are gone."""

    key: str


@frozen
class HoldResources:
    """The Pod asks for other resources, and its kubelet has to find room for them first."""

    key: str


@frozen
class AnswerResize:
    """The kubelet has looked for room for a resize: it accepts it, or puts it off with a reason and a message."""

    key: str
    reason: str = ""
    message: str = ""


Outside = (
    Bind | Report | Unschedulable | Reject | Freeze | Thaw | Network | Kill | PowerOff | HoldResources | AnswerResize
)


def shelve(d: Draft, kind: str, what: Any) -> bool:
    """Put what the kubelet would do on the shelf; false for what happens without it."""
    if kind in RUNTIME:
        return False
    d.shelf = (*d.shelf, (kind, what))
    return True


def _bind(m: Model, d: Draft, event: Bind) -> None:
    api.bind(m, d, event.node)


def _report(m: Model, d: Draft, event: Report) -> None:
    """A condition keeps its transition time while its status stays; a write that changes nothing is none."""
    old = d.api.status
    generation = observed_generation(d.api.metadata.generation, m.gates.on(_TRACKED))
    conditions: Sequence[PodCondition] = old.conditions
    known = by_type(conditions)
    for each in event.conditions:
        before = known.get(each.type)
        since = before.lastTransitionTime if before is not None and before.status == each.status else instant(d.now)
        about = generation if event.generation else each.observedGeneration
        changed = msgspec.structs.replace(each, lastTransitionTime=since, observedGeneration=about)
        conditions = put(conditions, changed)
    new = msgspec.structs.replace(old, conditions=tuple(conditions), phase=event.phase or old.phase)
    if event.event is not None:
        d.event("Normal", *event.event)
    if new != old:
        api.report(m, d, new)
        _heard(m, d)


def _unschedulable(m: Model, d: Draft, event: Unschedulable) -> None:
    api.unschedulable(m, d, event.message)


def _reject(m: Model, d: Draft, event: Reject) -> None:
    """No worker ever starts for the Pod: what was planned for it is void."""
    if not d.exists:
        return
    refused = rejected(event.reason, event.message)
    generation = observed_generation(d.api.metadata.generation, m.gates.on(_TRACKED))
    d.event("Warning", event.reason, event.message)
    d.worker, d.frozen = WorkerState.FINISHED, False
    d.agenda, d.shelf = [], ()
    kept = {"qosClass": d.api.status.qosClass, "startTime": instant(d.now), "observedGeneration": generation}
    api.report(m, d, msgspec.structs.replace(refused, **kept))


def _freeze(_m: Model, d: Draft, _event: Freeze) -> None:
    d.frozen = True


def _thaw(m: Model, d: Draft, event: Thaw) -> None:
    """A kubelet begins with the Pod: it takes up what was missed, looks at its containers, and syncs the Pod."""
    d.frozen = False
    if event.anew and d.worker is not WorkerState.FINISHED:
        begin_anew(m, d)
    shelf, d.shelf = d.shelf, ()
    for kind, what in shelf:
        d.at(d.now + m.profile.notice, kind, what)
    if d.worker is WorkerState.FINISHED or not d.exists:
        return
    d.relist_at = FOREVER
    _heard(m, d)
    d.due = d.now + m.profile.notice
    d.at(d.due, "due")


def _network(_m: Model, d: Draft, event: Network) -> None:
    d.offline = not event.ready


def _kill(m: Model, d: Draft, event: Kill) -> None:
    """Source: pkg/kubelet/pod_workers.go (killPodNow)."""
    if d.worker is WorkerState.FINISHED or d.frozen or not d.exists:
        return
    s = event.status
    conditions = s.conditions if m.gates.on("PodDisruptionConditions") else ()
    d.kill, d.kill_grace = KillReason(s.phase, s.reason, s.message, conditions), event.grace
    update_pod(m, d)


def _heard(m: Model, d: Draft) -> None:
    """The stored Pod changed: its kubelet, if it has one, sees it a moment later."""
    if d.exists and d.api.spec.nodeName:
        d.at(d.now + m.profile.notice, "observe")


OUTSIDE: dict[type, Callable[[Model, Draft, Any], None]] = {
    Bind: _bind,
    Report: _report,
    Unschedulable: _unschedulable,
    Reject: _reject,
    Freeze: _freeze,
    Thaw: _thaw,
    Network: _network,
    Kill: _kill,
    PowerOff: lambda m, d, _: power_off(m, d),
    HoldResources: lambda _, d, __: resizing.hold(d),
    AnswerResize: lambda m, d, event: resizing.decide(m, d, event.reason, event.message),
}
