"""One Pod as a whole: the first thing that holds it, from scheduling to its end.

Each look below takes the Pod and answers with a part, or None if it has nothing to say; the first that answers
decides. So the order of the looks is the order of a Pod's life, last things first.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from podfsm.engine.versions import Gates
from podfsm.explain.containers import Setting, explain_container
from podfsm.explain.ending import deleting, ending, over
from podfsm.explain.look import Look, lost, statuses_of
from podfsm.explain.model import Next, Part, Reason
from podfsm.explain.resizing import resize_in_progress, resize_pending
from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.rules.condition_list import NETWORK, RESTARTING
from podfsm.rules.init_checks import init_entry_passed
from podfsm.rules.phase_counts import PENDING, RUNNING, TERMINAL, UNKNOWN
from podfsm.rules.readiness_gates import shut_gates
from podfsm.rules.scheduling import gated
from podfsm.rules.sidecar import is_sidecar

_UNREACHABLE = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")


def looks() -> tuple[Callable[[Look], Part | None], ...]:
    """The looks, in the order in which they are asked."""
    return (
        over,
        deleting,
        _unscheduled,
        _node_lost,
        _unknown_phase,
        _unacknowledged,
        ending,
        _restarting_all,
        _network,
        _init,
        _apps,
        _gates,
        resize_pending,
        resize_in_progress,
    )


def explain_pod(pod: Pod, gates: Gates, now: datetime | None = None) -> Part:
    """What holds a Pod; the part of a healthy one if nothing does."""
    look = Look(pod, gates, {condition.type: condition for condition in reversed(pod.status.conditions)}, now)
    for one in looks():
        part = one(look)
        if part is not None:
            return part if one in (over, deleting) else _with_resize(look, part)
    return _healthy(look)


def _with_resize(look: Look, part: Part) -> Part:
    """A resize that waits is told beside what else holds the Pod."""
    waits = resize_pending(look)
    if waits is None or waits.holds[0] in part.holds:
        return part
    return Part(part.state, part.holds + waits.holds, part.next + waits.next, part.unknown)


def _unscheduled(look: Look) -> Part | None:
    pod = look.pod
    if pod.spec.nodeName:
        return None
    said = look.conditions.get("PodScheduled")
    if gated(pod.spec, look.gates):
        names = ", ".join(gate.name for gate in pod.spec.schedulingGates)
        hold = Reason("sched-gates", f"has scheduling gates, so that the scheduler does not look at it: {names}")
        return Part("gated", (hold,), (Next("the gates are removed from spec.schedulingGates", "user", "sched-gates"),))
    if said is None or said.status != "False":
        hold = Reason("phase-pending", "has no node yet; the scheduler has not said anything of it")
        unknown = ("why it has no node: the condition PodScheduled is not there",)
        return Part(
            "waiting for a node", (hold,), (Next("the scheduler finds a node", "scheduler", hold.rule),), unknown
        )
    text = f"no node takes it: {said.message}" if said.message else "no node takes it"
    rule = "cond-podscheduled-unschedulable"
    if said.reason == "SchedulerError":
        text = f"the scheduler failed: {said.message}"
    holds = (
        Reason(rule, text),
        Reason("sched-pending-unschedulable", "it is tried again and again, without a time limit"),
    )
    if pod.status.nominatedNodeName:
        what = f"the Pods that give way for it on {pod.status.nominatedNodeName} are gone"
        return Part("waiting for others to give way", holds, (Next(what, "scheduler", rule),))
    what = "a node has room, loses a taint or gets a label, or the Pod is replaced by one that fits"
    return Part("waiting for a node", holds, (Next(what, "scheduler", rule),))


def _node_lost(look: Look) -> Part | None:
    if not lost(look):
        return None
    pod, since = look.pod, look.conditions["Ready"].lastTransitionTime if "Ready" in look.conditions else None
    hold = Reason(
        "node-pods-unready", f"its node {pod.spec.nodeName} is not heard of; the rest of the status is of before"
    )
    limits = [
        t.tolerationSeconds for t in pod.spec.tolerations if t.key in _UNREACHABLE and t.effect in ("", "NoExecute")
    ]
    forever = any(t.operator == "Exists" and not t.key and t.tolerationSeconds is None for t in pod.spec.tolerations)
    if forever or (limits and all(seconds is None for seconds in limits)):
        follows = Next("the node comes back; the Pod tolerates that for ever", "node", "node-eviction-time")
    else:
        seconds = min((s for s in limits if s is not None), default=0)
        due = since + timedelta(seconds=seconds) if since is not None else None
        follows = Next("the node comes back, or the Pod is evicted", "controller", "node-eviction-time", due)
    return Part(
        "on a lost node", (hold,), (follows,), ("whether its containers still run: their node does not answer",)
    )


def _unknown_phase(look: Look) -> Part | None:
    phase = look.pod.status.phase
    if phase in ("", PENDING, RUNNING, *TERMINAL):
        return None
    if phase != UNKNOWN:
        hold = Reason("phase-terminating-not-a-phase", f"its phase is {phase}, which is none")
        unknown = ("who wrote this phase, and what is meant by it",)
        follows = Next("its kubelet writes a status of its own", "kubelet", "phase-pending")
        return Part(f"in phase {phase}", (hold,), (follows,), unknown)
    hold = Reason(
        "phase-unknown-deprecated", "its phase is Unknown, which nothing of Kubernetes has written since 2015"
    )
    unknown = ("who wrote this phase, and why; the rest of the status may be as old",)
    follows = Next("its kubelet writes a status of its own", "kubelet", "phase-pending")
    return Part("in phase Unknown", (hold,), (follows,), unknown)


def _unacknowledged(look: Look) -> Part | None:
    pod = look.pod
    if pod.status.startTime is not None or pod.status.containerStatuses:
        return None
    hold = Reason("deadline-clock-start", f"is bound to {pod.spec.nodeName}, whose kubelet has not taken it up yet")
    follows = Next("the kubelet there acknowledges it and sets startTime", "kubelet", "cstate-starttime-immutable")
    return Part("waiting for its kubelet", (hold,), (follows,), ("whether that kubelet works: see the Node",))


def _restarting_all(look: Look) -> Part | None:
    said = look.conditions.get(RESTARTING)
    if said is None or said.status != "True":
        return None
    hold = Reason("cond-allcontainersrestarting", "a container exited in a way that restarts all containers")
    follows = Next("every container is gone, then the Pod starts anew", "kubelet", "restart-all-containers")
    return Part("restarting all containers", (hold,), (follows,))


def _network(look: Look) -> Part | None:
    said = look.conditions.get(NETWORK)
    if said is None or said.status != "False" or any(status.state.waiting is None for status in statuses_of(look.pod)):
        return None
    text = "its sandbox is not up: volumes are mounted, then the sandbox is made and gets its network"
    hold = Reason("init-after-network-and-storage", text)
    follows = Next("volumes and network are there", "runtime", "cond-podreadytostart-true")
    unknown = ("what is missing: mounts and networks show in Events only (FailedMount, FailedCreatePodSandBox)",)
    return Part("waiting for sandbox and volumes", (hold,), (follows,), unknown)


def _init(look: Look) -> Part | None:
    pod, gates = look.pod, look.gates
    sidecars = [entry.name for entry in pod.spec.initContainers if is_sidecar(entry, gates)]
    initialized = look.conditions.get("Initialized")
    if initialized is not None and initialized.status == "True":
        return None
    setting = Setting(pod.spec, gates, init=True)
    for entry in pod.spec.initContainers:
        status = _named(pod.status.initContainerStatuses, entry.name)
        if status is not None and init_entry_passed(status, sidecars):
            continue
        part = explain_container(entry, status, setting)
        if part.holds:
            return Part(f"initializing: {part.state}", part.holds, part.next, part.unknown)
    return None


def _apps(look: Look) -> Part | None:
    pod, gates = look.pod, look.gates
    parts = [
        explain_container(
            entry, _named(pod.status.initContainerStatuses, entry.name), Setting(pod.spec, gates, init=True)
        )
        for entry in pod.spec.initContainers
        if is_sidecar(entry, gates)
    ]
    setting = Setting(pod.spec, gates)
    parts += [
        explain_container(container, _named(pod.status.containerStatuses, container.name), setting)
        for container in pod.spec.containers
    ]
    found = [part for part in parts if part.holds]
    if not found:
        return None
    found.sort(key=_weight)
    holds = tuple(reason for part in found for reason in part.holds)
    follows = tuple(one for part in found for one in part.next)
    if not follows and all(part.state == "ended" for part in found):
        follows = _end_of(look)
    return Part(found[0].state, holds, follows, tuple(text for part in found for text in part.unknown))


def _weight(part: Part) -> int:
    """What matters first: what is broken, then what is on its way, then what has ended well."""
    order = ("crash-looping", "waiting", "restarting", "starting", "running", "ended")
    return next((place for place, word in enumerate(order) if part.state.startswith(word)), len(order))


def _end_of(look: Look) -> tuple[Next, ...]:
    running = [status.name for status in statuses_of(look.pod) if status.state.running is not None]
    if running:
        return (Next(f"the others end as well: {', '.join(running)}", "process", "phase-running"),)
    return (Next("the sandbox is stopped and the phase becomes terminal", "kubelet", "restart-all-done-kills-sandbox"),)


def _gates(look: Look) -> Part | None:
    shut = shut_gates(look.pod.spec.readinessGates, look.conditions)
    ready = look.conditions.get("Ready")
    if not shut or ready is None or ready.status == "True":
        return None
    text = f"its containers are ready; these readiness gates are not True: {', '.join(shut)}"
    follows = Next("whoever owns these conditions sets them True", "user", "gate-status-write")
    return Part("running, not ready", (Reason("gate-ready-requires-all", text),), (follows,))


def _healthy(look: Look) -> Part:
    ready = look.conditions.get("Ready")
    if ready is not None and ready.status == "True":
        return Part("running and ready", (Reason("cond-containersready", "all its containers run and are ready"),))
    unknown = ("why Ready is not True: every container shows as it should",)
    return Part(f"in phase {look.pod.status.phase or 'unknown'}", (), (), unknown)


def _named(statuses: tuple[ContainerStatus, ...], name: str) -> ContainerStatus | None:
    return next((status for status in statuses if status.name == name), None)
