"""The status the kubelet derives, keeps and reports. Source: kubelet_pods.go generateAPIPodStatus; status_manager.go.

The kubelet keeps its own latest status; what it writes to the API is that status merged with what the API holds.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from podfsm.kube.objects import ContainerStatus, Pod, PodCondition, PodStatus
from podfsm.rules import deadline
from podfsm.rules.condition_list import by_type
from podfsm.rules.condition_parts import Judgement
from podfsm.rules.conditions import containers_ready, ready
from podfsm.rules.facts import ProbeKind, ProbeResult, Role, RuntimeState, WorkerState
from podfsm.rules.pod_status import KillReason, derive_status, settle
from podfsm.rules.readiness_gates import needs_reconcile
from podfsm.rules.status_merge import merge_status
from podfsm.world.model import Model
from podfsm.world.pod import Draft

DEADLINE = KillReason(
    "Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline", early=True
)


def derive(m: Model, d: Draft, pod: Pod, *, terminal: bool, from_runtime: bool = False) -> PodStatus:
    """The status that follows from the Pod as the sync took it up and from the cached (or live) runtime state."""
    containers = d.live if from_runtime else d.cache
    sandboxes = d.sandboxes if from_runtime else d.cache_sandboxes
    basis = as_pod(d, pod)
    kill = d.kill or (DEADLINE if deadline.exceeded(basis, d.now) else None)
    workers: dict[str, set[ProbeKind]] = {}
    for kind, name in d.probes:
        workers.setdefault(name, set()).add(kind)
    derived = derive_status(
        basis,
        api=pod.status,
        workers=workers,
        resize=d.resizing.conditions if not terminal else (),
        containers=containers,
        sandboxes=sandboxes,
        start_errors=d.reasons,
        terminal=terminal,
        probes=_probe_results(d),
        gates=m.gates,
        now=d.now,
        kill=kill,
        kubelet_started=d.kubelet_since,
    )
    _trigger_readiness(d, derived)
    return derived


def as_pod(d: Draft, pod: Pod) -> Pod:
    """The Pod with the status it is derived from: the kubelet's own latest one."""
    return pod if d.status is None else msgspec.structs.replace(pod, status=d.status)


def _probe_results(d: Draft) -> Mapping[str, Mapping[ProbeKind, ProbeResult]]:
    results: dict[str, dict[ProbeKind, ProbeResult]] = {}
    if not d.results_of:
        return results
    seen: set[str] = set()
    for c in d.live:
        if c.name not in seen:
            seen.add(c.name)
            for kind in ProbeKind:
                found = d.results_of.get((kind, c.id))
                if found is not None:
                    results.setdefault(c.name, {})[kind] = found
    return results


def _trigger_readiness(d: Draft, derived: PodStatus) -> None:
    from podfsm.world.probing import trigger_readiness

    for kind, name in list(d.probes):
        if kind is ProbeKind.READINESS:
            shown = next(
                (s for s in (*derived.containerStatuses, *derived.initContainerStatuses) if s.name == name), None
            )
            if shown is not None and shown.state.running is not None and shown.started and not shown.ready:
                trigger_readiness(d, name)


def set_status(m: Model, d: Draft, new: PodStatus, *, worker: WorkerState | None = None) -> None:
    """Keep a derived status and report it. `worker`: how far the worker will have come when it is written."""
    spec = d.seen.spec if d.seen is not None else None
    settled = settle(new, d.status, d.now, spec=spec, gates=m.gates)
    if settled == d.status and worker is None and not d.finished:
        return
    before, d.status = d.status, settled
    if d.parked:
        wake_probes(d, before, settled)
    _note_passed(d, settled)
    _arm_deadline(m, d)
    flush(m, d, worker or d.worker)


def _note_passed(d: Draft, status: PodStatus) -> None:
    """Remember init entries that have done their part in this sandbox: exited 0, or started."""
    for one in status.initContainerStatuses:
        if one.name not in d.passed:
            done = one.state.terminated is not None and one.state.terminated.exitCode == 0
            sidecar = d.roles[one.name][0] is Role.SIDECAR
            if (one.started and one.state.running is not None) if sidecar else done:
                d.passed |= {one.name}


def wake_probes(d: Draft, before: PodStatus | None, after: PodStatus) -> None:
    """Probe workers that had nothing to do look again."""
    from podfsm.world.probing import wake  # probing reports through this module

    wake(d, before, after)


def _arm_deadline(m: Model, d: Draft) -> None:
    if d.seen is None or d.seen.spec.activeDeadlineSeconds is None or d.worker is not WorkerState.SYNCING:
        return
    at = deadline.deadline_at(as_pod(d, d.seen))
    if at is not None:
        d.at(m.profile.next_tick(max(at, d.now)), "deadline")


def flush(m: Model, d: Draft, worker: WorkerState) -> None:
    """Write the kubelet's status to the API if it differs, and let a finished Pod go."""
    from podfsm.world import api

    if not d.exists or d.status is None:
        return
    could_run = worker in (WorkerState.SYNCING, WorkerState.TERMINATING)
    merged = merge_status(d.api.status, d.status, could_run=could_run, gates=m.gates, now=d.now)
    if merged != d.api.status:
        api.report(m, d, merged)
        if needs_readiness_sync(m, d.api):
            d.at(d.now + m.profile.notice, "observe")  # the kubelet sees its own write, and that Ready lags behind
    if d.finished:
        api.remove_finished(m, d)


def condition(status: PodStatus | None, kind: str) -> str:
    """The status of a condition; empty when it is absent."""
    if status is None:
        return ""
    return next((c.status for c in status.conditions if c.type == kind), "")


def set_readiness(m: Model, d: Draft, container_id: str, *, ready: bool) -> None:
    """A readiness result changes `ready` at once, and with it Ready and ContainersReady."""
    if d.status is None:
        return
    changed = _with_container(d.status, container_id, ready=ready)
    if changed is not None:
        set_status(m, d, _with_ready_conditions(m, d, changed))


def set_startup(m: Model, d: Draft, container_id: str, *, started: bool) -> None:
    """A startup result changes `started` at once."""
    if d.status is None:
        return
    changed = _with_container(d.status, container_id, started=started)
    if changed is not None:
        set_status(m, d, changed)


def _with_container(status: PodStatus, container_id: str, **changes: bool) -> PodStatus | None:
    """The status with one container changed; None if nothing changes."""
    for group in ("containerStatuses", "initContainerStatuses"):
        statuses: tuple[ContainerStatus, ...] = getattr(status, group)
        for index, one in enumerate(statuses):
            if one.containerID == container_id and any(getattr(one, k) != v for k, v in changes.items()):
                new = msgspec.structs.replace(one, **changes)
                return msgspec.structs.replace(status, **{group: (*statuses[:index], new, *statuses[index + 1 :])})
    return None


def _with_ready_conditions(m: Model, d: Draft, status: PodStatus) -> PodStatus:
    assert d.seen is not None
    containers, whole = ready_conditions(m, d.seen, status)
    fresh = {"ContainersReady": containers, "Ready": whole}
    conditions = tuple(_renewed(c, fresh.get(c.type)) for c in status.conditions)
    return msgspec.structs.replace(status, conditions=conditions)


def ready_conditions(m: Model, pod: Pod, status: PodStatus) -> tuple[Judgement, Judgement]:
    """ContainersReady and Ready as they follow from container statuses and readiness gates."""
    statuses = (*status.initContainerStatuses, *status.containerStatuses)
    containers = containers_ready(pod.spec, statuses, status.phase, m.gates)
    return containers, ready(pod.spec, containers, by_type(status.conditions))


def _renewed(old: PodCondition, new: Judgement | None) -> PodCondition:
    if new is None:
        return old
    return msgspec.structs.replace(old, status=new[0], reason=new[1], message=new[2])


def needs_readiness_sync(m: Model, pod: Pod) -> bool:
    """Whether Ready is not what it would be now, by other people's conditions."""
    if not pod.spec.readinessGates:
        return False
    _, fresh = ready_conditions(m, pod, pod.status)
    lags: bool = needs_reconcile(True, by_type(pod.status.conditions).get("Ready"), fresh)
    return lags


def running(d: Draft) -> bool:
    """Whether any process of the Pod is left."""
    return any(c.state is RuntimeState.RUNNING for c in d.live)
