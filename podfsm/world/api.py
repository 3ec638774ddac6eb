"""The API server's part: creating, binding, patching and deleting the Pod, and storing what the kubelet reports.

Every change of the stored object is a watch event (`Snapshot`). Whoever has to hear of it is put on the agenda.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from podfsm.errors import InputError, ScenarioError
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod, PodCondition, PodStatus
from podfsm.kube.times import instant, seconds_of
from podfsm.rules.condition_list import put, unscheduled_reason
from podfsm.rules.facts import WorkerState
from podfsm.rules.grace import deletion_marks
from podfsm.rules.qos import qos_class
from podfsm.rules.scheduling import gated
from podfsm.rules.termination import deletion_grace
from podfsm.world.firing import fire, may_fire, pod_facts, roles
from podfsm.world.model import Model
from podfsm.world.pod import Draft, Snapshot
from podfsm.world.updating import updated, updated_status

SCHEDULED = "PodScheduled"


def store(d: Draft, kind: str = "MODIFIED") -> None:
    """The stored Pod has changed: one watch event."""
    d.version += 1
    if kind != "DELETED" and d.api.spec.nodeName:
        d.history.append((d.now, d.api))
    d.snapshots.append(Snapshot(d.now, kind, d.api, d.raw, len(d.fired)))


def create(m: Model, d: Draft) -> None:
    """The Pod is accepted: Pending, QoS class fixed, gated Pods marked so; then the scheduler has its turn."""
    conditions: tuple[PodCondition, ...] = ()
    if gated(d.api.spec, m.gates):
        message = "Scheduling is blocked due to non-empty scheduling gates"
        conditions = (PodCondition(SCHEDULED, "False", unscheduled_reason(True, False), message),)
    status = PodStatus(phase="Pending", conditions=conditions, qosClass=qos_class(d.api.spec, m.gates))
    d.api = msgspec.structs.replace(d.api, status=status)
    store(d, "ADDED")
    if d.api.spec.nodeName:
        fire(m, d, "scheduling", "", "place", None)
        d.at(d.now + m.profile.notice, "observe")
    else:
        is_gated = gated(d.api.spec, m.gates)
        fire(m, d, "scheduling", "", "hold" if is_gated else "queue", pod_facts(m, d))
        d.at(d.now + m.profile.schedule, "schedule")


def bind(m: Model, d: Draft, node: str) -> None:
    """The Pod is bound to a node, once; PodScheduled turns True in the same write."""
    facts = pod_facts(m, d)
    fire(m, d, "pod", "", "bind", facts)
    fire(m, d, "scheduling", "", "bind", facts)
    _write_raw(m, d, _with(d.raw, "spec", nodeName=node))
    scheduled = PodCondition(SCHEDULED, "True", lastTransitionTime=instant(d.now))
    others = tuple(c for c in d.api.status.conditions if c.type != SCHEDULED)
    d.api = msgspec.structs.replace(
        d.api, status=msgspec.structs.replace(d.api.status, conditions=(*others, scheduled))
    )
    d.event("Normal", "Scheduled", f"Successfully assigned {d.key} to {node}")
    store(d)
    d.at(d.now + m.profile.notice, "observe")


def unschedulable(m: Model, d: Draft, message: str) -> None:
    """No node fits: PodScheduled False, and the Pod waits without limit (rule sched-pending-unschedulable)."""
    fire(m, d, "scheduling", "", "no_node", None)
    reason = unscheduled_reason(False, False)
    failed = PodCondition(SCHEDULED, "False", reason, message, lastTransitionTime=instant(d.now))
    d.event("Warning", "FailedScheduling", message)
    if not any((c.type, c.status, c.reason) == (SCHEDULED, "False", reason) for c in d.api.status.conditions):
        report(m, d, msgspec.structs.replace(d.api.status, conditions=put(d.api.status.conditions, failed)))


def patch(m: Model, d: Draft, subresource: str, kind: str, body: Any) -> None:
    """Apply a user's patch to the Pod or one of its subresources (status, ephemeralcontainers, resize)."""
    if subresource == "status":
        status = updated_status(d.raw, d.api, kind, body)
        if status == d.api.status:
            return
        d.api = msgspec.structs.replace(d.api, status=_stamped(d.api.status, status, d.now))
        store(d)
        d.at(d.now + m.profile.notice, "observe")
        return
    changed, _ = updated(d.raw, d.api, subresource, kind, body)
    if changed == d.raw:
        return
    was_gated = gated(d.api.spec, m.gates)
    if changed["spec"] != d.raw["spec"]:
        changed = _with(changed, "metadata", generation=d.api.metadata.generation + 1)
    _write_raw(m, d, changed)
    store(d)
    if d.finished:
        remove_finished(m, d)
    elif d.api.metadata.deletionTimestamp is not None and _remove_at_once(m, d):
        return  # the last finalizer is gone, and nobody else has to have a say
    elif d.api.spec.nodeName:
        d.at(d.now + m.profile.notice, "observe")
    elif was_gated and not gated(d.api.spec, m.gates):
        fire(m, d, "scheduling", "", "queue", pod_facts(m, d))
        d.at(d.now + m.profile.schedule, "schedule")


def delete(m: Model, d: Draft, grace: int | None) -> None:
    """A delete request. Graceful: the kubelet finishes it. At once: for unbound and finished Pods and for grace 0."""
    meta = d.api.metadata
    seconds = deletion_grace(d.api, grace)
    before = None
    if meta.deletionTimestamp is not None:
        before = (seconds_of(meta.deletionTimestamp), meta.deletionGracePeriodSeconds or 0)
        if seconds >= before[1]:
            return
    fire(m, d, "pod", "", "delete", pod_facts(m, d, grace=seconds))
    generation = meta.generation + (meta.deletionTimestamp is None)
    ends, seconds = deletion_marks(d.now, seconds, before)
    stamp = msgspec.to_builtins(instant(ends))
    _write_raw(
        m,
        d,
        _with(d.raw, "metadata", generation=generation, deletionTimestamp=stamp, deletionGracePeriodSeconds=seconds),
    )
    store(d)
    if not _remove_at_once(m, d) and d.api.spec.nodeName:
        d.at(d.now + m.profile.notice, "observe")


def _remove_at_once(m: Model, d: Draft) -> bool:
    """Remove a deleted Pod that waits for no kubelet, if no finalizer holds it; whether that was so."""
    facts = pod_facts(m, d)
    at_once = next((t for t in ("remove_at_once", "force_remove") if may_fire(m, d, "pod", "", t, facts)), None)
    if at_once is None:
        return False
    fire(m, d, "pod", "", at_once, facts)
    _remove(m, d)
    return True


def remove_finished(m: Model, d: Draft) -> None:
    """The kubelet lets the object go once the Pod is over, if it is being deleted and no finalizer holds it."""
    facts = pod_facts(m, d, worker=WorkerState.FINISHED)
    asked = d.api.metadata.deletionTimestamp is not None  # whatever rules are in force
    if d.exists and asked and may_fire(m, d, "pod", "", "remove", facts):
        fire(m, d, "pod", "", "remove", facts)
        _remove(m, d)


def _remove(m: Model, d: Draft) -> None:
    d.exists = False
    if not d.api.spec.nodeName:
        fire(m, d, "scheduling", "", "remove", None)
    store(d, "DELETED")
    d.at(d.now + m.profile.notice, "gone")


_PHASE_TRIGGERS = {"Pending": "wait", "Running": "run", "Succeeded": "succeed", "Failed": "fail"}


def report(m: Model, d: Draft, status: PodStatus) -> None:
    """Store a status that the kubelet, or the scheduler, reports."""
    if status.phase != d.api.status.phase:
        trigger = "exceed_deadline" if status.reason == "DeadlineExceeded" else _PHASE_TRIGGERS[status.phase]
        fire(m, d, "pod", "", trigger, pod_facts(m, d))
    d.api = msgspec.structs.replace(d.api, status=status)
    store(d)


def _write_raw(m: Model, d: Draft, raw: Mapping[str, Any]) -> None:
    """Store a changed object. What has not changed is shared with the old one, in typed form too."""
    parts = {part: raw.get(part) or {} for part in ("metadata", "spec") if raw.get(part) is not d.raw.get(part)}
    decoded = _decoded(parts, Pod, d.key)
    d.raw = raw
    d.api = msgspec.structs.replace(d.api, **{part: getattr(decoded, part) for part in parts})
    if "spec" in parts:
        d.roles = roles(d.api.spec, m)


def _with(raw: Mapping[str, Any], part: str, **changes: Any) -> dict[str, Any]:
    return {**raw, part: {**raw.get(part, {}), **changes}}


def _decoded(raw: Any, kind: type, key: str) -> Any:
    try:
        return convert(raw, kind)
    except InputError as wrong:
        raise ScenarioError(f"a patch makes {key} invalid: {wrong}") from wrong


def _stamped(old: PodStatus, new: PodStatus, now: float) -> PodStatus:
    """Give a patched condition a transition time where its status changed and the patch brought none."""
    before = {c.type: c for c in old.conditions}
    conditions = tuple(
        msgspec.structs.replace(c, lastTransitionTime=instant(now))
        if c.lastTransitionTime is None and (c.type not in before or before[c.type].status != c.status)
        else c
        for c in new.conditions
    )
    return msgspec.structs.replace(new, conditions=conditions)
