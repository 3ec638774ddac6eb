"""The machines of what is around Pods, moved on as nodes, Jobs and evictions change.

Nothing is decided here: controllers decide, and what became of it has to be a way that the machine has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from podfsm.engine.table import Table
from podfsm.rules.cluster_facts import AdmissionFacts, EvictionFacts, JobFacts, NodeFacts
from podfsm.rules.node_loss import grace_period, unknown_from
from podfsm.world.pod import Fired, PodWorld

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk
    from podfsm.world.cluster.state import NodeState, Thing

EVICTION = "eviction"


def fire(desk: Desk, machine: str, trigger: str, facts: Any, *, pod: str = "", instance: str = "") -> None:
    """Pull a trigger. Raises Refused if no transition accepts it."""
    key, table, state = _where(desk, machine, pod or instance)
    done = table.fire(state, trigger, facts)
    desk.c.states = desk.c.states.set(key, done.dest)
    desk.fired.append(Fired(desk.now, pod, machine, instance, trigger, state, done.dest, done.rules))


def _where(desk: Desk, machine: str, whose: str) -> tuple[str, Table, str]:
    key, table = f"{machine}/{whose}", desk.m.tables[machine]
    return key, table, desk.c.states.get(key) or table.spec.initial


def _follow(desk: Desk, machine: str, trigger: str, facts: Any, instance: str) -> None:
    """As `fire`, for objects whose status users may write, too: what makes no sense is noted."""
    _, table, state = _where(desk, machine, instance)
    verdict = table.ask(state, trigger, facts)
    if verdict:
        fire(desk, machine, trigger, facts, instance=instance)
    else:
        why = f" ({verdict.rule})" if verdict.rule else ""
        desk.note(f"at {desk.now:g} s: {machine} {instance}: its status was written so that {trigger} is refused{why}")


def _forget(desk: Desk, machine: str, whose: str) -> None:
    key = f"{machine}/{whose}"
    if key in desk.c.states:
        desk.c.states = desk.c.states.delete(key)


# Nodes

_REPORTS = {"True": "recover", "False": "fail", "Unknown": "lose"}


def node_changed(desk: Desk, before: NodeState | None, after: NodeState | None) -> None:
    """A node was created, changed or removed."""
    node = after or before
    assert node is not None
    if after is None:
        _follow(desk, "node", "delete", NodeFacts(now=desk.now), node.name)
        _forget(desk, "node", node.name)
        return
    old, new = _ready(before) if before is not None else "True", _ready(after)
    if old != new:
        _follow(desk, "node", _REPORTS[new], NodeFacts(new, desk.now, _silent_at(desk, before, after)), node.name)


def _ready(node: NodeState) -> str:
    found = next((c.status for c in node.node.status.conditions if c.type == "Ready"), "")
    return found if found in _REPORTS else "Unknown"


def _silent_at(desk: Desk, before: NodeState | None, after: NodeState) -> float | None:
    """When the silence of a node that does not report counts; at once for what somebody wrote into its status."""
    if before is None or after.alive:
        return desk.now
    return float(unknown_from(after.heartbeat, after.created, grace_period(desk.m.gates)))


# Jobs

_TOLD = (("SuccessCriteriaMet", "succeed"), ("FailureTarget", "give_up"), ("Complete", "complete"), ("Failed", "fail"))


def job_changed(desk: Desk, before: Thing | None, after: Thing | None) -> None:
    """A Job was created, changed or removed."""
    thing = after or before
    assert thing is not None
    name = f"{thing.namespace}/{thing.name}"
    if after is None:
        _follow(desk, "job", "remove", JobFacts(), name)
        _forget(desk, "job", name)
        return
    old, new = _true(before.status) if before is not None else set(), _true(after.status)
    facts = JobFacts(int(after.status.get("terminating", 0)))
    triggers = ["suspend"] if "Suspended" in new - old else ["resume"] if "Suspended" in old - new else []
    triggers += [trigger for kind, trigger in _TOLD if kind in new - old]
    for trigger in triggers:
        _follow(desk, "job", trigger, facts, name)


def _true(status: Mapping[str, Any]) -> set[str]:
    return {str(each.get("type")) for each in status.get("conditions") or () if each.get("status") == "True"}


# Evictions


def evicting(desk: Desk, pod: str, trigger: str, facts: EvictionFacts | None = None) -> None:
    """Somebody drives a Pod away, or means to; one that is on its way out already is left alone."""
    _, table, state = _where(desk, EVICTION, pod)
    if state not in table.spec.finals:
        fire(desk, EVICTION, trigger, facts or EvictionFacts(now=desk.now), pod=pod)


def pod_changed(desk: Desk, pod: PodWorld) -> None:
    """A Pod that is gone needs no eviction any more."""
    if pod.exists or f"{EVICTION}/{pod.key}" not in desk.c.states:
        return
    evicting(desk, pod.key, "leave")
    _forget(desk, EVICTION, pod.key)


# Admission


def admitted(desk: Desk, pod: str, facts: AdmissionFacts) -> None:
    """PodPresets were, or were not, applied to a new Pod."""
    fire(desk, "preset_admission", "admit", facts, pod=pod)
    _forget(desk, "preset_admission", pod)
