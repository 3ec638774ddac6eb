"""What must hold over a whole run, asked of what fired and of what the API showed; never of the guards themselves.

`wrong(steps)` gives every breach in words.
"""

from collections import defaultdict
from itertools import pairwise

from attrs import define, field

START = ("pull", "restart", "start_over", "create", "start")
CONTAINERS = ("container", "init_container", "sidecar_container", "ephemeral_container")
ALIVE = ("Created", "Running", "Stopping", "WaitingTurn")


def wrong(steps):
    """Every breach of every property below."""
    found = []
    fired, shown = defaultdict(list), defaultdict(list)
    for step in steps:
        for one in step.fired:
            fired[one.pod].append(one)
        for one in step.snapshots:
            shown[f"{one.pod.metadata.namespace}/{one.pod.metadata.name}"].append(one)
    for pod, snapshots in shown.items():
        spec = snapshots[0].pod.spec
        for check in (chained, nothing_starts_after_the_end, sidecars_stop_last):
            found += [f"{pod}: {what}" for what in check(fired[pod], spec)]
        found += [f"{pod}: {what}" for what in backed_off(fired[pod], snapshots)]
        for check in (counts, phases, readiness, initialised, stamps, removal):
            found += [f"{pod}: {what}" for what in check(snapshots)]
    return found


def chained(fired, spec):
    """Each transition leaves the state that the one before it led to; instants never go back."""
    states, last = {}, 0.0
    for one in fired:
        key = (one.machine, one.instance)
        if one.machine == "probe" and states.get(key) == "Ended":
            del states[key]  # a new worker of the same probe
        if states.get(key, one.source) != one.source:
            yield f"{key} left {one.source} but was in {states[key]}"
        if one.at < last:
            yield f"{one} after {last}"
        states[key], last = one.dest, one.at


def nothing_starts_after_the_end(fired, spec):
    """Once the worker has turned to stopping containers, none starts; a sync under way may still end."""
    told = stopping = False
    for one in fired:
        if one.machine == "pod_worker":
            told = True
            stopping = stopping or one.trigger == "stopped"
        elif one.machine in CONTAINERS:
            stopping = stopping or (told and one.trigger == "terminate")
            if stopping and one.trigger in START:
                yield f"{one.trigger} of {one.instance} at {one.at} after the end"


def sidecars_stop_last(fired, spec):
    """A sidecar that waited its turn is signalled only when app containers and the next sidecar are gone."""
    sidecars = [c.name for c in spec.initContainers if c.restartPolicy == "Always"]
    apps = [c.name for c in spec.containers]
    states = {}
    for one in fired:
        if one.machine not in CONTAINERS:
            continue
        states[one.instance] = one.dest
        if one.trigger == "signal":
            before = [*apps, *sidecars[sidecars.index(one.instance) + 1 :][:1]]
            yield from (f"{one.instance} signalled before {n}" for n in before if states.get(n) in ALIVE)


@define
class Restarts:
    """One container's crash loop: how often it restarted, when it last exited and restarted."""

    number: int = 0
    exited: float | None = None
    killed: bool = False
    restarted: float = 0.0
    waits: bool = field(default=False)


def backed_off(fired, snapshots):
    """The n-th restart waits 0, 10, 20, 40 ... at most 300 s after the exit; a run of more than 600 s begins anew.

    A lower bound: whatever else delays a restart is welcome. Another image or other resources begin anew, too.
    """
    loops = defaultdict(Restarts)
    changes = [b.at for a, b in pairwise(snapshots) if a.pod.spec != b.pod.spec]
    for one in fired:
        if one.machine not in CONTAINERS:
            continue
        while changes and changes[0] <= one.at:
            changes.pop(0)
            loops.clear()
        loop = loops[one.instance]
        if one.trigger in ("probe_kill", "replace", "resize_restart"):
            loop.killed = True  # it starts again in the same sync, which knows of no exit
        elif one.trigger == "exit":
            loop.exited, loop.killed = None if loop.killed else one.at, False
            if one.at - loop.restarted > 600:
                loop.number = 0
        elif one.trigger in ("reset", "renew", "start_over"):
            loop.exited = None
        elif one.trigger == "restart":
            loop.waits = True
        elif one.trigger == "create" and loop.waits and loop.exited is not None:
            least = min(10 * 2 ** (loop.number - 1), 300) if loop.number else 0
            if one.at - loop.exited < least - 1e-6:
                yield f"restart {loop.number} of {one.instance} after {one.at - loop.exited:.3f} s, not {least}"
            loop.number, loop.restarted, loop.waits = loop.number + 1, one.at, False


def statuses(pod):
    """Init entries and app containers, by name."""
    return {s.name: s for s in (*pod.status.initContainerStatuses, *pod.status.containerStatuses)}


def counts(snapshots):
    """Restart counts never fall, and a new instance beside an old record is counted or at least not forgotten."""
    for before, after in pairwise(snapshots):
        old = statuses(before.pod)
        for name, status in statuses(after.pod).items():
            if name in old and status.restartCount < old[name].restartCount:
                yield f"restart count of {name} fell from {old[name].restartCount} to {status.restartCount}"


def phases(snapshots):
    """A terminal phase is for ever; Succeeded and Failed come only when nothing runs any more, but for the deadline."""
    for before, after in pairwise(snapshots):
        was, now = before.pod.status, after.pod.status
        if was.phase in ("Succeeded", "Failed") and now.phase != was.phase:
            yield f"{was.phase} became {now.phase}"
        if now.phase == "Succeeded" and any(
            s.state.terminated is None or s.state.terminated.exitCode for s in now.containerStatuses
        ):
            yield "Succeeded without every app container having exited 0"
        if now.phase in ("Succeeded", "Failed") and was.phase != now.phase and now.reason != "DeadlineExceeded":
            yield from (f"{now.phase} while {s.name} runs" for s in statuses(after.pod).values() if s.state.running)


def readiness(snapshots):
    """Ready implies ContainersReady and every readiness gate; a gate is True only if somebody said so."""
    before = None
    for one in snapshots:
        conditions = {c.type: c.status for c in one.pod.status.conditions}
        gates = [gate.conditionType for gate in one.pod.spec.readinessGates]
        before, was = conditions.get("Ready"), before
        if before == "True" and was != "True":  # later the kubelet may not have seen a gate's patch yet
            yield from (f"Ready without {g}" for g in ("ContainersReady", *gates) if conditions.get(g) != "True")


def initialised(snapshots):
    """A new instance runs only if every init container before it has exited 0."""
    for before, after in pairwise(snapshots):
        old, new = statuses(before.pod), statuses(after.pod)
        spec = after.pod.spec
        order = [c for c in spec.initContainers if c.name in new]
        for name, status in new.items():
            known = old.get(name)
            if status.state.running is None or (known is not None and known.containerID == status.containerID):
                continue
            place = next((i for i, c in enumerate(order) if c.name == name), len(order))
            for entry in order[:place]:
                state = new[entry.name].state
                done = state.terminated is not None and state.terminated.exitCode == 0
                if entry.restartPolicy != "Always" and not done:
                    yield f"{name} started before {entry.name} was done"


def stamps(snapshots):
    """A condition's transition time changes with its status and only with it, but for those of a resize."""
    for before, after in pairwise(snapshots):
        old = {c.type: c for c in before.pod.status.conditions}
        for c in after.pod.status.conditions:
            was = old.get(c.type)
            if c.type.startswith("PodResize"):
                continue  # one may have gone and come between two writes
            if was is not None and was.status == c.status and was.lastTransitionTime != c.lastTransitionTime:
                yield f"{c.type} is still {c.status} but its transition time changed"


def removal(snapshots):
    """DELETED comes once and last; deletionTimestamp stays once it is set."""
    if any(one.type == "DELETED" for one in snapshots[:-1]):
        yield "something after DELETED"
    for before, after in pairwise(snapshots):
        if before.pod.metadata.deletionTimestamp is not None and after.pod.metadata.deletionTimestamp is None:
            yield "deletionTimestamp went away"
