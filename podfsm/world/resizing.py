"""In-place resize: the kubelet allocates what the spec asks for, if it may, and brings running containers to it.

On a node whose room is limited the kubelet's answer comes from `podfsm.world.cluster.resizing`, which knows the other
Pods there; elsewhere there is always room. Source: pkg/kubelet/allocation/allocation_manager.go
(handlePodResourcesResize); pkg/kubelet/kubelet.go (SyncPod).
"""

from __future__ import annotations

import json
from typing import Any

from attrs import evolve, frozen

from podfsm.kube.objects import Container, Pod, PodCondition
from podfsm.rules.cluster_facts import ResizeFacts
from podfsm.rules.condition_list import observed_generation
from podfsm.rules.facts import RuntimeState, WorkerState
from podfsm.rules.resize import changed_resources, needs_restart, resizable
from podfsm.rules.resize_conditions import DEFERRED, GATE, INFEASIBLE, PENDING, in_progress, timed
from podfsm.world.allocation import Resizing, as_allocated, resources_of, same_resources
from podfsm.world.firing import fire
from podfsm.world.kill import find_container
from podfsm.world.model import Model
from podfsm.world.plan import Progress
from podfsm.world.pod import Draft, Op
from podfsm.world.worker import look, need_relist, update_pod


@frozen
class Resize:
    """A running container whose resources differ from those allocated to it."""

    name: str
    id: str
    restart: bool


def resizes(m: Model, d: Draft, pod: Pod) -> tuple[Resize, ...]:
    """The running containers to resize, in the spec's order. `pod` is the Pod as it is allocated."""
    found = []
    for init, group in ((True, pod.spec.initContainers), (False, pod.spec.containers)):
        for container in group:
            newest = d.newest(container.name)
            if (
                newest is None
                or newest.state is not RuntimeState.RUNNING
                or not resizable(container, m.gates, init=init)
            ):
                continue
            changed = changed_resources(container, d.instances[newest.id].resources)
            if changed:
                found.append(Resize(container.name, newest.id, needs_restart(container, changed)))
    return tuple(found)


def run_resize(m: Model, d: Draft, op: Op) -> Progress:
    """Give a running container its new resources."""
    assert d.work is not None
    if op.id in d.instances:
        container = find_container(d.work.pod.spec, op.name)
        d.instances[op.id] = evolve(d.instances[op.id], resources=container.resources)
        d.results += 1
        d.reinspect = True
        if not m.pod_relist:
            need_relist(m, d)
    return Progress.DONE


# What the kubelet allocates


def observed(m: Model, d: Draft, before: Pod | None) -> None:
    """The kubelet sees a changed Pod: where nobody has to find room first, what it asks for is allocated at once."""
    if before is None or d.seen is None or before.spec is d.seen.spec or not m.gates.on(GATE):
        return
    if d.resizing.waits or d.resizing.pending is not None or d.worker is not WorkerState.SYNCING:
        return
    if not same_resources(d.seen.spec, d.resizing.allocated or resources_of(before.spec)):
        _accept(m, d, d.seen)


def hold(d: Draft) -> None:
    """The spec has changed and room has to be found: until then the Pod keeps what its kubelet has allocated."""
    if d.configured is not None:  # else its kubelet begins with what is asked for now
        d.resizing = evolve(d.resizing, waits=True, allocated=d.resizing.allocated or resources_of(d.configured.spec))


def decide(m: Model, d: Draft, reason: str, message: str) -> None:
    """The kubelet has looked for room: it accepts the resize, or puts it off with a reason.

    The Pod is synced, unless the kubelet is about to do so because it sees the changed Pod for the first time. One that
    is on its way out is left as it is.
    """
    look(m, d)
    if not d.exists or d.seen is None or d.worker is not WorkerState.SYNCING:
        return
    if d.seen.metadata.deletionTimestamp is not None:
        return
    if same_resources(d.seen.spec, d.resizing.allocated):
        d.resizing = evolve(d.resizing, waits=False, pending=None)
        _follow(m, d)
    elif reason:
        _put_off(m, d, d.seen, reason, message)
    else:
        _accept(m, d, d.seen)
    known = d.configured
    if known is not None and (known.metadata, known.spec) == (d.seen.metadata, d.seen.spec):
        update_pod(m, d)


def _accept(m: Model, d: Draft, pod: Pod) -> None:
    """What the spec asks for is allocated; what containers have until they are resized is remembered."""
    running = (c for c in d.live if c.state is RuntimeState.RUNNING and c.id in d.instances)
    d.resizing = Resizing(
        allocated=resources_of(pod.spec),
        actual={c.name: d.instances[c.id].resources for c in running},
        progress=_stamped(m, d, pod, None, *in_progress(True, "")),
    )
    d.event("Normal", "ResizeStarted", _summary("started", pod))
    _follow(m, d)


def _put_off(m: Model, d: Draft, pod: Pod, reason: str, message: str) -> None:
    old = d.resizing.pending
    new = _stamped(m, d, pod, old, PodCondition(PENDING, "True", reason, message))
    d.resizing = evolve(d.resizing, waits=False, pending=new)
    told = None if old is None else (old.reason, old.message, old.observedGeneration)
    if told != (reason, message, new.observedGeneration):
        d.event("Warning", f"Resize{reason}", _summary(reason, pod, message))
    _follow(m, d, again=old is not None and old.reason == reason)


def track(m: Model, d: Draft) -> None:
    """At the beginning of a sync the kubelet finds out whether containers have what was allocated to them."""
    if d.work is None or (d.resizing.progress is None and d.resizing.allocated is None):
        return
    pod = d.work.pod
    if resizes(m, d, pod):
        progress = _stamped(m, d, pod, d.resizing.progress, *in_progress(True, ""))
        d.resizing = evolve(d.resizing, progress=progress)
    elif d.resizing.progress is not None:
        d.resizing = evolve(d.resizing, progress=None, actual={})
        d.event("Normal", "ResizeCompleted", _summary("completed", pod))
    _follow(m, d)


def _stamped(m: Model, d: Draft, pod: Pod, old: PodCondition | None, new: PodCondition) -> PodCondition:
    tracked = m.gates.on("PodObservedGenerationTracking")
    stamped: PodCondition = timed(old, new, d.now, observed_generation(pod.metadata.generation, tracked))
    return stamped


def _summary(what: str, pod: Pod, error: str = "") -> str:
    """The message of an Event: what the spec asks for, as the kubelet prints it (podResizeMessage)."""
    told: dict[str, Any] = {
        "initContainers": _listed(pod.spec.initContainers),
        "containers": _listed(pod.spec.containers),
        "generation": pod.metadata.generation,
        "error": error,
    }
    body = {key: value for key, value in told.items() if value}
    return f"Pod resize {what}: {json.dumps(body, separators=(',', ':'))}"


def _listed(containers: tuple[Container, ...]) -> list[dict[str, Any]]:
    shown = []
    for container in containers:
        amounts = container.resources
        both = {} if amounts is None else {"limits": amounts.limits, "requests": amounts.requests}
        resources = {kind: dict(sorted(given.items())) for kind, given in both.items() if given}
        shown.append({"name": container.name, "resources": resources})
    return shown


# The machine

_STATES = {DEFERRED: "Deferred", INFEASIBLE: "Infeasible"}
_ROOM = {DEFERRED: "later", INFEASIBLE: "never"}


def _follow(m: Model, d: Draft, *, again: bool = False) -> None:
    """Move the machine to what the kubelet says. `again`: it has looked once more and says the same."""
    r = d.resizing
    state = d.states.get("resize/") or m.tables["resize"].spec.initial
    target = (
        _STATES[r.pending.reason] if r.pending is not None else "InProgress" if r.progress is not None else "Settled"
    )
    facts = _facts(m, d)
    if target == "InProgress" and not facts.differs:
        return  # no container runs with anything else: the next sync finds the resize done
    if target != state:
        fire(m, d, "resize", "", _trigger(state, target), facts)
    elif again:
        fire(m, d, "resize", "", "retry" if state == "Deferred" else "refuse", facts)


def _trigger(state: str, target: str) -> str:
    if target == "Settled":
        return "settle" if state == "InProgress" else "clear"
    return {"Deferred": "defer", "Infeasible": "refuse", "InProgress": "begin"}[target]


def _facts(m: Model, d: Draft) -> ResizeFacts:
    assert d.seen is not None
    r = d.resizing
    room = "now" if r.pending is None else _ROOM[r.pending.reason]
    differs = bool(resizes(m, d, as_allocated(d.seen, r.allocated)))
    return ResizeFacts(not same_resources(d.seen.spec, r.allocated), room, differs)
