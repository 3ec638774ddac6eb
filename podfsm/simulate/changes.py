"""What changed from one watch event to the next, in words, each change with the rules behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import define, field, frozen

from podfsm.kube.objects import ContainerState, ContainerStatus, Pod, PodStatus
from podfsm.rules.condition_rules import rule_of, rule_of_state
from podfsm.world.firing import MACHINE_OF
from podfsm.world.pod import Fired, Snapshot

CONTAINER_MACHINES = frozenset(MACHINE_OF.values())
AROUND = {"node": "Node", "job": "Job", "namespace": "Namespace"}
"""Machines of objects that are no Pods: each of their transitions is a change by itself."""


@frozen
class Change:
    """One thing that a watcher sees change. `subject` is the Pod's phase, a condition or a container.

    For what is no Pod `pod` is the object's name and `subject` its kind.
    """

    at: float
    pod: str
    subject: str
    text: str
    rules: tuple[str, ...] = ()


@define
class Teller:
    """Tells the changes of a run, step by step; remembers each Pod's last state and the rules not yet told."""

    _last: dict[str, Pod] = field(factory=dict)
    _rules: dict[tuple[str, str], dict[str, None]] = field(factory=dict)

    def tell(self, fired: Sequence[Fired], snapshots: Iterable[Snapshot]) -> Iterator[Change]:
        """The changes of one step, each explained by what had fired when it was stored, not by what came after."""
        noted = 0
        for one in fired:
            if one.machine in AROUND and one.source != one.dest:
                yield Change(one.at, one.instance, AROUND[one.machine], one.dest, one.rules)
        for snapshot in snapshots:
            self._note(fired[noted : snapshot.fired])
            noted = snapshot.fired
            yield from self._compare(snapshot)
        self._note(fired[noted:])

    def _note(self, fired: Iterable[Fired]) -> None:
        for one in fired:
            if one.machine in AROUND:
                continue
            subject = one.instance if one.machine in CONTAINER_MACHINES else one.machine
            self._rules.setdefault((one.pod, subject), {}).update(dict.fromkeys(one.rules))

    def _compare(self, snapshot: Snapshot) -> Iterator[Change]:
        pod = snapshot.pod
        key = f"{pod.metadata.namespace}/{pod.metadata.name}"
        before = self._last.get(key)
        self._last[key] = pod
        if snapshot.type == "DELETED":
            yield Change(snapshot.at, key, "Pod", "deleted", self._take(key, "pod"))
            return
        yield from self._phase(snapshot.at, key, before, pod)
        old = before.status if before is not None else PodStatus()
        yield from self._conditions(snapshot.at, key, old, pod.status)
        for group in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"):
            known = {status.name: status for status in getattr(old, group)}
            for status in getattr(pod.status, group):
                if (text := container_change(known.get(status.name), status)) is not None:
                    rules = self._take(key, status.name)
                    by_itself = rule_of_state(status.state, has_inits=bool(pod.spec.initContainers))
                    yield Change(snapshot.at, key, status.name, text, rules or (by_itself,))

    def _phase(self, at: float, key: str, before: Pod | None, pod: Pod) -> Iterator[Change]:
        if before is None:
            rules = ("phase-initial-pending", *self._take(key, "preset_admission"))
            yield Change(at, key, "Pod", f"created, {pod.status.phase}", rules)
            return
        if before.metadata.deletionTimestamp is None and pod.metadata.deletionTimestamp is not None:
            grace = pod.metadata.deletionGracePeriodSeconds
            yield Change(at, key, "Pod", f"delete requested, grace {grace} s", self._take(key, "pod"))
        if before.spec.nodeName != pod.spec.nodeName:
            yield Change(at, key, "Pod", f"bound to {pod.spec.nodeName}", self._take(key, "pod"))
        if (before.status.phase, before.status.reason) != (pod.status.phase, pod.status.reason):
            reason = f" ({pod.status.reason})" if pod.status.reason else ""
            yield Change(at, key, "Pod", f"{pod.status.phase}{reason}", self._take(key, "pod"))

    def _conditions(self, at: float, key: str, old: PodStatus, new: PodStatus) -> Iterator[Change]:
        known = {c.type: (c.status, c.reason) for c in old.conditions}
        for condition in new.conditions:
            if known.get(condition.type) != (condition.status, condition.reason):
                reason = f" ({condition.reason})" if condition.reason else ""
                yield Change(at, key, condition.type, f"{condition.status}{reason}", (rule_of(condition),))
        kept = {c.type for c in new.conditions}
        for gone in known:
            if gone not in kept:
                yield Change(at, key, gone, "removed", ())

    def _take(self, key: str, subject: str) -> tuple[str, ...]:
        """The rules behind a subject's transitions since it was last told of."""
        return tuple(self._rules.pop((key, subject), {}))


def container_change(old: ContainerStatus | None, new: ContainerStatus) -> str | None:
    """How a container's status changed; None if nothing a reader cares about did."""
    parts = []
    shown = state_text(new.state)
    if old is None or state_text(old.state) != shown or old.containerID != new.containerID:
        parts.append(shown)
    if (old.restartCount if old is not None else 0) != new.restartCount:
        parts.append(f"restart {new.restartCount}")
    if bool(old and old.started) != bool(new.started) and new.state.running is not None:
        parts.append("started" if new.started else "not started")
    if bool(old and old.ready) != new.ready:
        parts.append("ready" if new.ready else "not ready")
    return ", ".join(parts) if parts else None


def state_text(state: ContainerState) -> str:
    """A container's state in a few words."""
    if state.running is not None:
        return "running"
    if state.terminated is not None:
        ended = state.terminated
        return f"terminated {ended.reason or 'without reason'}, exit code {ended.exitCode}"
    reason = state.waiting.reason if state.waiting is not None else ""
    return f"waiting {reason}".rstrip()
