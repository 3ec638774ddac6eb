"""One sync of a living Pod: derive and report its status, then do what is missing, in the kubelet's order.

The work is a plan of instructions (`Op`) run one after another; an instruction that takes time leaves the plan where it
is, and the agenda resumes it. Sources: pkg/kubelet/kubelet.go SyncPod and
pkg/kubelet/kuberuntime/kuberuntime_manager.go SyncPod.
"""

from __future__ import annotations

from attrs import evolve

from podfsm.rules.condition_list import RESTARTING
from podfsm.rules.facts import ProbeKind, RuntimeContainer, RuntimeState
from podfsm.rules.pod_actions import PodActions, compute_pod_actions
from podfsm.world import kill, probing, resizing, sandbox, start, status
from podfsm.world.firing import MACHINE_OF, container_facts, fire, may_fire
from podfsm.world.model import Model
from podfsm.world.plan import HANDLERS, Progress, advance, resume_at, run_plan
from podfsm.world.pod import Draft, Op
from podfsm.world.resizing import Resize
from podfsm.world.status import DEADLINE
from podfsm.world.worker import TERMINAL, complete

RESIZE_MESSAGE = "Container {} resize requires restart"


def sync_pod(m: Model, d: Draft) -> None:
    """Begin a sync."""
    assert d.work is not None
    pod = d.work.pod
    resizing.track(m, d)
    derived = status.derive(m, d, pod, terminal=False)
    status.set_status(m, d, derived)
    if derived.phase in TERMINAL:
        if derived.reason == DEADLINE.reason:
            d.event("Normal", DEADLINE.reason, DEADLINE.message)
        _note_finished(m, d, set())
        complete(m, d, terminal=True)
        return
    if d.offline and not pod.spec.hostNetwork:
        d.event("Warning", "NetworkNotReady", "network is not ready: container runtime network not ready")
        d.failed = True
        complete(m, d)
        return
    d.plan = (Op("mount"), Op("probe-workers"), Op("actions"))
    run_plan(m, d)


def _mount(m: Model, d: Draft, op: Op) -> Progress:
    """Volumes must be mounted first; a missing ConfigMap or Secret is looked for again with growing pauses."""
    assert d.work is not None
    missing = start.missing_volumes(d, d.work.pod.spec)
    if not missing:
        return Progress.DONE
    pause = m.profile.mount_poll if op.attempt == 0 else 0.5 * 2 ** (op.attempt - 1)
    if op.attempt:
        d.event("Warning", "FailedMount", f"MountVolume.SetUp failed: {missing[0]} not found")
    advance(d, evolve(op, attempt=op.attempt + 1))
    return resume_at(d, d.now + pause)


def _probe_workers(m: Model, d: Draft, _op: Op) -> Progress:
    probing.add_workers(m, d)
    return Progress.DONE


def _actions(m: Model, d: Draft, op: Op) -> Progress:
    assert d.work is not None
    pod = d.work.pod
    restart_all = status.condition(d.status, RESTARTING) == "True"
    actions = compute_pod_actions(
        pod.spec,
        deleting=pod.metadata.deletionTimestamp is not None,
        sandboxes=d.view_sandboxes,
        containers=_judged(d),
        restart_all=restart_all,
        gates=m.gates,
    )
    if actions.create_sandbox and d.sandboxes:
        d.event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
    if not restart_all:
        _note_finished(m, d, {*actions.init_to_start, *actions.apps_to_start})
    # Who is stopped starts anew with the new resources; where all are restarted nothing else is looked at.
    stopped = {k.name for k in actions.to_kill} | {c.name for c in d.view if actions.to_reset}
    resized = tuple(r for r in resizing.resizes(m, d, pod) if r.name not in stopped)
    d.plan = (op, *_plan(actions, resized))
    return Progress.DONE


def _note_finished(m: Model, d: Draft, starting: set[str]) -> None:
    """Containers that ended and are not started again have ended for good, if a rule says so."""
    for c in d.view:
        if c.state is RuntimeState.EXITED and c.name not in starting:
            machine = MACHINE_OF[d.roles[c.name][0]]
            if d.states.get(f"{machine}/{c.name}") == "Exited" and "finish" in m.tables[machine].triggers("Exited"):
                facts = container_facts(m, d, c.name)
                if may_fire(m, d, machine, c.name, "finish", facts):
                    fire(m, d, machine, c.name, "finish", facts)


def _judged(d: Draft) -> list[RuntimeContainer]:
    """The cached containers with what only the kubelet knows: a changed spec, and probe results."""
    assert d.work is not None
    spec = d.work.pod.spec
    images = {c.name: c.image for c in (*spec.initContainers, *spec.containers, *spec.ephemeralContainers)}
    judged = []
    for c in d.view:
        if c.state is RuntimeState.EXITED:
            judged.append(c)
            continue
        changed = images.get(c.name, c.image) != c.image
        liveness = d.results_of.get((ProbeKind.LIVENESS, c.id))
        startup = d.results_of.get((ProbeKind.STARTUP, c.id))
        known = changed or liveness is not None or startup is not None
        judged.append(evolve(c, spec_changed=changed, liveness=liveness, startup=startup) if known else c)
    return judged


def _restarts(resized: tuple[Resize, ...]) -> list[Op]:
    """Containers that a resize stops and starts anew."""
    ops = []
    for r in resized:
        if r.restart:
            ops.append(Op("kill", name=r.name, id=r.id, reason=kill.RESIZE, message=RESIZE_MESSAGE.format(r.name)))
            ops.append(Op("start", name=r.name, role="app"))
    return ops


def _plan(actions: PodActions, resized: tuple[Resize, ...]) -> tuple[Op, ...]:
    ops: list[Op] = []
    if actions.kill_pod:
        ops.append(Op("kill-pod"))
        if actions.create_sandbox:
            ops.append(Op("purge-init"))
    else:
        ops.extend(Op("kill", name=k.name, id=k.id, reason=k.reason, message=k.message) for k in actions.to_kill)
    if not actions.kill_pod:
        ops.extend(_restarts(resized))
    ops.extend(Op("reset", id=r.id, stage="kill" if r.kill else "") for r in actions.to_reset)
    if actions.create_sandbox:
        ops.append(Op("sandbox", attempt=actions.attempt))
    ops.extend(Op("start", name=name, role="ephemeral") for name in actions.ephemeral_to_start)
    ops.extend(Op("start", name=name, role="init") for name in actions.init_to_start)
    ops.extend(Op("resize", name=r.name, id=r.id) for r in resized if not r.restart)
    ops.extend(Op("start", name=name, role="app") for name in actions.apps_to_start)
    return tuple(ops)


HANDLERS.update({
    "mount": _mount,
    "probe-workers": _probe_workers,
    "actions": _actions,
    "kill-pod": kill.run_kill_pod,
    "kill": kill.run_kill,
    "reset": kill.run_reset,
    "purge-init": sandbox.run_purge_init,
    "sandbox": sandbox.run_sandbox,
    "start": start.run_start,
    "resize": resizing.run_resize,
})  # fmt: skip
