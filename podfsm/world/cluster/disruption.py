"""PodDisruptionBudgets: their status, and evictions, which ask them first.

Source: pkg/controller/disruption/disruption.go; pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec
from attrs import evolve

from podfsm.kube.cluster import Condition, PodDisruptionBudget
from podfsm.kube.objects import Pod, PodCondition
from podfsm.kube.times import instant, seconds_of
from podfsm.rules.cluster_facts import EvictionFacts
from podfsm.rules.disruption_budget import BudgetStatus, Controller, budget_status, forgotten_at
from podfsm.rules.eviction import after_grant, condition_before_deletion, evict
from podfsm.world.cluster import tracking
from podfsm.world.cluster.state import NO_KEYS, Thing
from podfsm.world.cluster.watch import BUDGET, STALE, disruption_stale_at
from podfsm.world.outside import Report
from podfsm.world.step import Delete

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

_SCALED = ("ReplicaSet", "ReplicationController", "Deployment")


def sync(desk: Desk, key: str) -> None:
    """Work out a budget's status anew."""
    thing = desk.thing(key)
    if thing is None or thing.budget is None:
        return
    pods = [pod.api for pod in desk.pods(desk.c.guarded.get(key, NO_KEYS))]
    found = budget_status(thing.budget, pods, controllers(desk, pods), desk.now)
    _store(desk, thing, _with_status(desk, thing.budget, found))
    for granted in found.disrupted.values():
        desk.later(BUDGET, key, forgotten_at(seconds_of(granted)) + 1.0)


def take_back(desk: Desk, key: str) -> None:
    """A disruption was announced and did not follow: DisruptionTarget becomes False (syncStalePodDisruption)."""
    pod = desk.world.pods[key]
    due = disruption_stale_at(pod.api) if pod.exists else None
    if due is not None and due > desk.now:
        desk.later(STALE, key, due)
    elif due is not None:
        desk.pod(Report(key, (PodCondition("DisruptionTarget", "False"),)))


def controllers(desk: Desk, pods: Iterable[Pod]) -> tuple[Controller, ...]:
    """The objects with a scale that own these Pods, and the Deployments that own them."""
    uids = dict.fromkeys(owner.uid for pod in pods for owner in pod.metadata.ownerReferences if owner.controller)
    owners = [thing for uid in uids if (thing := desk.c.things.get(desk.c.uids.get(uid, ""))) is not None]
    above = dict.fromkeys(f"Deployment/{thing.namespace}/{name}" for thing in owners if (name := _deployment(thing)))
    found = [*owners, *(desk.c.things[key] for key in above if key in desk.c.things)]
    return tuple(
        Controller(thing.kind, thing.name, thing.uid, int(thing.spec.get("replicas") or 0), _deployment(thing))
        for thing in found
        if thing.kind in _SCALED
    )


def _deployment(thing: Thing) -> str:
    """The Deployment that owns an object; empty without one."""
    owners = thing.metadata.get("ownerReferences") or ()
    return next((str(owner["name"]) for owner in owners if owner.get("kind") == "Deployment"), "")


def _with_status(desk: Desk, budget: PodDisruptionBudget, found: BudgetStatus) -> PodDisruptionBudget:
    """The budget with its new status; a sync that failed leaves the figures as they were."""
    old = budget.status
    before = next((c for c in old.conditions if c.type == "DisruptionAllowed"), None)
    same = before is not None and before.status == found.condition
    since = before.lastTransitionTime if before is not None and same else instant(desk.now)
    generation = budget.metadata.generation
    said = Condition("DisruptionAllowed", found.condition, found.reason, "", generation, since)
    figures = {
        "expectedPods": found.expected,
        "desiredHealthy": found.desired,
        "currentHealthy": found.current,
        "observedGeneration": generation if found.expected is not None else None,
    }
    known = {name: value for name, value in figures.items() if value is not None}
    others = tuple(c for c in old.conditions if c.type != "DisruptionAllowed")
    status = msgspec.structs.replace(
        old,
        disruptionsAllowed=found.allowed,
        disruptedPods=found.disrupted,
        conditions=(*others, said),
        **known,
    )
    return msgspec.structs.replace(budget, status=status)


def _store(desk: Desk, thing: Thing, budget: PodDisruptionBudget) -> None:
    if budget.status != (thing.budget.status if thing.budget is not None else None):
        status = msgspec.to_builtins(budget.status)
        desk.c.things = desk.c.things.set(thing.key, evolve(thing, budget=budget, status=status))


def evict_pod(desk: Desk, key: str, grace: int | None) -> None:
    """An eviction request; what the API answers to one that it refuses is noted."""
    pod = desk.world.pods[key]
    things = [t for t in desk.of_kind(BUDGET) if t.namespace == pod.api.metadata.namespace and t.budget is not None]
    budgets = [thing.budget for thing in things if thing.budget is not None]
    answer = evict(pod.api, budgets, desk.m.gates)
    tracking.evicting(desk, key, "grant" if answer.allowed else "refuse", EvictionFacts(answer.code, desk.now))
    if not answer.allowed:
        why = f"{answer.message} {answer.cause}".strip()
        desk.note(f"at {desk.now:g} s: eviction of {key} is answered with {answer.code}: {why}")
        return
    if answer.spends:
        _spend(desk, things, key)
    condition = condition_before_deletion(answer)
    if condition is not None and desk.m.gates.on("PodDisruptionConditions"):
        desk.pod(Report(key, (condition,), generation=False))
    desk.pod(Delete(key, grace))


def _spend(desk: Desk, things: list[Thing], key: str) -> None:
    """The one budget that matches loses a disruption at once; its controller confirms that later."""
    from podfsm.kube.selector import matches

    pod = desk.world.pods[key].api
    thing = next(t for t in things if matches(t.selector, pod.metadata.labels))
    assert thing.budget is not None
    status = after_grant(thing.budget.status, pod.metadata.name, desk.now)
    _store(desk, thing, msgspec.structs.replace(thing.budget, status=status))
    desk.soon(BUDGET, thing.key)
