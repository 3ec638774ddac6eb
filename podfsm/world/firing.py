"""Firing transitions: every change of a machine's state goes through its compiled table, guards included.

The handlers decide when a trigger is pulled; whether it may fire is the spec's and the rules' to say. A refusal
here means that handlers and rules disagree, and stops the run.
"""

from __future__ import annotations

from typing import Any

from podfsm.kube.objects import Container, Pod, PodSpec
from podfsm.rules import deadline
from podfsm.rules.facts import (
    ContainerFacts,
    PodFacts,
    ProbeKind,
    ProbeResult,
    Role,
    RuntimeContainer,
    RuntimeState,
    WorkerState,
)
from podfsm.rules.kubelet_facts import ImageFacts, ProbeFacts, SandboxFacts, WorkerFacts
from podfsm.rules.probe_worker import ProbeWorker, Tick, probe_of
from podfsm.rules.resize import changed_resources, needs_restart
from podfsm.rules.restart_decision import matched_action, own_policy, pod_policy, should_be_restarted
from podfsm.rules.sidecar import is_sidecar
from podfsm.world.model import Model
from podfsm.world.pod import Draft, Fired

MACHINE_OF = {
    Role.APP: "container",
    Role.INIT: "init_container",
    Role.SIDECAR: "sidecar_container",
    Role.EPHEMERAL: "ephemeral_container",
}


def roles(spec: PodSpec, m: Model) -> dict[str, tuple[Role, int]]:
    """Role and place in its list of every container of the Pod, by name."""
    found = {c.name: (Role.APP, i) for i, c in enumerate(spec.containers)}
    for i, c in enumerate(spec.initContainers):
        found[c.name] = (Role.SIDECAR if is_sidecar(c, m.gates) else Role.INIT, i)
    found.update({c.name: (Role.EPHEMERAL, i) for i, c in enumerate(spec.ephemeralContainers)})
    return found


def fire(m: Model, d: Draft, machine: str, instance: str, trigger: str, facts: Any) -> None:
    """Pull a trigger. Raises Refused if no transition accepts it."""
    key = f"{machine}/{instance}"
    table = m.tables[machine]
    state = d.states.get(key) or table.spec.initial
    fired = table.fire(state, trigger, facts)
    d.states[key] = fired.dest
    d.fired.append(Fired(d.now, d.key, machine, instance, trigger, state, fired.dest, fired.rules))


def may_fire(m: Model, d: Draft, machine: str, instance: str, trigger: str, facts: Any) -> bool:
    """Whether the trigger would fire now."""
    key = f"{machine}/{instance}"
    table = m.tables[machine]
    return bool(table.ask(d.states.get(key) or table.spec.initial, trigger, facts))


def fire_container(m: Model, d: Draft, name: str, trigger: str, **known: Any) -> None:
    """Pull a trigger of a container's machine with the facts of this moment; `known` overrides single facts."""
    role, _ = d.roles[name]
    fire(m, d, MACHINE_OF[role], name, trigger, container_facts(m, d, name, **known))


def container_state(m: Model, d: Draft, name: str) -> str:
    """The state of a container's machine."""
    machine = MACHINE_OF[d.roles[name][0]]
    return d.states.get(f"{machine}/{name}") or m.tables[machine].spec.initial


def container_facts(m: Model, d: Draft, name: str, **known: Any) -> ContainerFacts:
    """What the guards of a container's machine read."""
    pod: Pod = d.work.pod if d.work is not None else d.api
    spec = pod.spec
    role, index = d.roles[name]
    container = _listed(spec, role, index)
    newest = d.newest(name)
    exited = newest is not None and newest.state is RuntimeState.EXITED
    facts: dict[str, Any] = {
        "role": role,
        "pod_policy": pod_policy(spec),
        "own_policy": own_policy(container, m.gates),
        "instance": None if newest is None else newest.state,
        "deleting": pod.metadata.deletionTimestamp is not None,
        "worker": d.work.kind if d.work is not None else d.worker,
        "sandbox_ready": _sandbox_believed_ready(d),
        "earlier_done": _earlier_done(spec, d, role, index),
        "startup_probe": container.startupProbe is not None,
        "now": d.now,
        "killed": d.killed.get(name, ""),
    }
    if newest is not None:
        _add_instance(m, d, container, newest, exited, facts)
    if role is Role.SIDECAR:
        facts["apps_done"] = _apps_done(m, d, spec)
    facts.update(known)
    return ContainerFacts(**facts)


def _sandbox_believed_ready(d: Draft) -> bool:
    """There is a sandbox and the kubelet has not seen it die; it may know less than the runtime."""
    if not d.sandboxes:
        return False
    newest = d.sandboxes[0].id
    return all(known.ready for known in d.view_sandboxes if known.id == newest)


def _add_instance(
    m: Model, d: Draft, container: Container, newest: RuntimeContainer, exited: bool, facts: dict[str, Any]
) -> None:
    facts["new_sandbox"] = not newest.in_active_sandbox
    if exited:
        facts["exit_code"] = newest.exit_code
        facts["oom_killed"] = newest.reason == "OOMKilled"
        facts["matched"] = matched_action(container, newest.exit_code, m.gates)
    else:
        facts["spec_changed"] = container.image != newest.image
        facts["liveness"] = d.results_of.get((ProbeKind.LIVENESS, newest.id))
        changed = changed_resources(container, d.instances[newest.id].resources) if newest.id in d.instances else ()
        if changed:
            facts["resize"] = "restart" if needs_restart(container, changed) else "in place"
        facts["startup"] = d.results_of.get((ProbeKind.STARTUP, newest.id))


def _listed(spec: PodSpec, role: Role, index: int) -> Container:
    if role is Role.APP:
        return spec.containers[index]
    return spec.ephemeralContainers[index] if role is Role.EPHEMERAL else spec.initContainers[index]


def _earlier_done(spec: PodSpec, d: Draft, role: Role, index: int) -> bool:
    """Every init entry before this one has done its part in the current sandbox; for an app container: all of them."""
    if role is Role.EPHEMERAL:
        return True
    before = spec.initContainers if role is Role.APP else spec.initContainers[:index]
    return all(entry.name in d.passed for entry in before)


def _apps_done(m: Model, d: Draft, spec: PodSpec) -> bool:
    for app in spec.containers:
        newest = next((c for c in d.view if c.name == app.name), None)
        if newest is None or newest.state is not RuntimeState.EXITED:
            return False
        if should_be_restarted(app, spec, newest, m.gates, deleting=False, sidecar=False):
            return False
    return True


def pod_facts(
    m: Model, d: Draft, *, grace: int | None = None, phase: str | None = None, worker: WorkerState | None = None
) -> PodFacts:
    """What the Pod machine's guards read."""
    api = d.api
    return PodFacts(
        phase=phase or api.status.phase or "Pending",
        bound=bool(api.spec.nodeName),
        gated=bool(api.spec.schedulingGates) and m.gates.on("PodSchedulingReadiness"),
        deleting=api.metadata.deletionTimestamp is not None,
        could_run=d.worker in (WorkerState.SYNCING, WorkerState.TERMINATING) and bool(api.spec.nodeName),
        worker=worker or d.worker,
        deadline_at=deadline.deadline_at(api),
        finalizers=bool(api.metadata.finalizers),
        grace=api.metadata.deletionGracePeriodSeconds if grace is None else grace,
        now=d.now,
    )


def worker_facts(d: Draft, *, finished: bool = False) -> WorkerFacts:
    """What the Pod worker's guards read."""
    seen = d.seen or d.api
    return WorkerFacts(
        deleting=seen.metadata.deletionTimestamp is not None,
        gone=d.pod_gone,
        api_terminal=seen.status.phase in ("Succeeded", "Failed"),
        evicted=d.kill is not None,
        finished=finished,
        containers_running=any(c.state is RuntimeState.RUNNING for c in d.live),
        cleaned_up=d.finished,
        grace=d.grace,
    )


def sandbox_facts(d: Draft) -> SandboxFacts:
    """What the sandbox machine's guards read."""
    pod: Pod = d.work.pod if d.work is not None else d.api
    newest = d.sandboxes[0] if d.sandboxes else None
    return SandboxFacts(
        sandboxes=len(d.sandboxes),
        ready=sum(s.ready for s in d.sandboxes),
        newest_ready=newest is None or newest.ready,
        same_network=newest is None or newest.host_network == pod.spec.hostNetwork,
        has_ip=newest is None or newest.ip != "",
        host_network=pod.spec.hostNetwork,
        pod_policy=pod_policy(pod.spec),
        containers_exist=bool(d.view),
        attempt=0 if newest is None else newest.attempt,
    )


def image_facts(d: Draft, container: Container, *, retry_at: float | None = None, valid: bool = True) -> ImageFacts:
    """What the image machine's guards read."""
    return ImageFacts(
        pull_policy=container.imagePullPolicy or "IfNotPresent",
        present=container.image in d.pulled,
        valid_name=valid,
        now=d.now,
        retry_at=retry_at,
    )


def probe_facts(
    d: Draft, kind: ProbeKind, before: ProbeWorker, done: Tick, result: ProbeResult | None, container: Container
) -> ProbeFacts:
    """What the probe machine's guards read at one tick."""
    probe = probe_of(container, kind)
    newest = d.newest(before.container)
    threshold = 1
    if probe is not None and result is not None:
        threshold = probe.failureThreshold if result is ProbeResult.FAILURE else probe.successThreshold
    equal = result is before.last_result
    role = d.roles[before.container][0]
    return ProbeFacts(
        kind=kind,
        running=newest is not None and newest.state is RuntimeState.RUNNING,
        will_restart=done.keep_going,
        started=_started(d, before.container),
        same_container=before.container_id == done.worker.container_id,
        pod_terminal=d.status is not None and d.status.phase in ("Succeeded", "Failed"),
        terminating=d.worker is not WorkerState.SYNCING,
        sidecar=role is Role.SIDECAR,
        on_hold=before.on_hold and before.container_id == done.worker.container_id,
        outcome=result if done.probed else None,
        run=min(before.run + 1 if equal else 1, threshold),
        threshold=threshold,
        now=d.now,
        due_at=_due_at(newest, probe.initialDelaySeconds if probe is not None else 0),
    )


def _started(d: Draft, name: str) -> bool:
    if d.status is None:
        return False
    statuses = (*d.status.containerStatuses, *d.status.initContainerStatuses)
    return any(s.name == name and s.started is True for s in statuses)


def _due_at(newest: RuntimeContainer | None, delay: int) -> float:
    """StartedAt as the API shows it, in whole seconds, plus the initial delay."""
    return 0.0 if newest is None or newest.started_at is None else int(newest.started_at) + float(delay)


def retire(m: Model, d: Draft) -> None:
    """The Pod is over on its node: every machine that still has a way to its end takes it."""
    for name, (role, _) in d.roles.items():
        fire(m, d, MACHINE_OF[role], name, "remove", None)
    for key in [key for key in d.states if key.startswith("image/")]:
        fire(m, d, "image", key.removeprefix("image/"), "release", None)
    if d.states.get("sandbox/") != "Ready":
        fire(m, d, "sandbox", "", "remove", None)
    if "resize/" in d.states:
        fire(m, d, "resize", "", "end", None)
