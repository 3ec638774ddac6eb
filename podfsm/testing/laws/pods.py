"""Laws of the Pod's own machine and of its worker."""

from __future__ import annotations

from podfsm.rules.facts import PodFacts, WorkerState
from podfsm.rules.kubelet_facts import WorkerFacts
from podfsm.testing.laws.base import law

_OVER = {"deleting": True, "phase": "Failed", "worker": WorkerState.FINISHED, "bound": True}


def over(facts: PodFacts) -> bool:
    """Whether the phase is terminal."""
    return facts.phase in ("Succeeded", "Failed")


@law("pod", "bind", checks=["sched-gates"])
def bound(facts: PodFacts, _state: str) -> bool:
    """A Pod is bound when no scheduling gate is left."""
    return not facts.gated


@law(
    "pod",
    "exceed_deadline",
    checks=["deadline-enforced"],
    typical=[{"deadline_at": 10.0, "now": 10.0}, {"deadline_at": 10.0, "now": 9.0}],
)
def exceeded(facts: PodFacts, _state: str) -> bool:
    """A deadline is exceeded from its instant on, if there is one."""
    return facts.deadline_at is not None and not facts.now < facts.deadline_at


@law(
    "pod", "remove", checks=["term-api-removal", "term-finalizers-hold"], typical=[_OVER, {**_OVER, "finalizers": True}]
)
def removed(facts: PodFacts, _state: str) -> bool:
    """The kubelet lets an object go that was deleted, is over, cleaned up and held by nothing; not a static Pod's."""
    done = facts.deleting and over(facts) and facts.worker is WorkerState.FINISHED
    return done and not facts.static and not facts.finalizers


@law(
    "pod",
    "remove_at_once",
    checks=["term-immediate-cases", "term-finalizers-hold"],
    typical=[{}, {"bound": True, "phase": "Succeeded"}, {"bound": True}],
)
def removed_at_once(facts: PodFacts, _state: str) -> bool:
    """A delete takes effect at once where no kubelet has a say, unless finalizers hold the object."""
    return (over(facts) or not facts.bound) and not facts.finalizers


@law(
    "pod",
    "force_remove",
    checks=["term-force", "term-finalizers-hold"],
    typical=[{"grace": 0}, {"grace": 1}, {"grace": 0, "finalizers": True}],
)
def forced(facts: PodFacts, _state: str) -> bool:
    """Grace 0 takes effect at once, unless finalizers hold the object."""
    return facts.grace == 0 and not facts.finalizers


@law(
    "pod_worker",
    "terminate",
    checks=["term-triggers"],
    typical=[{}, {"deleting": True}, {"gone": True}, {"api_terminal": True}, {"evicted": True}, {"finished": True}],
)
def terminates(facts: WorkerFacts, _state: str) -> bool:
    """A Pod is terminated for its deletion, removal, end or eviction, or because nothing of it goes on."""
    return any((facts.deleting, facts.gone, facts.api_terminal, facts.evicted, facts.finished))


@law("pod_worker", "stopped", checks=["worker-nothing-runs"], typical=[{}, {"containers_running": True}])
def stopped(facts: WorkerFacts, _state: str) -> bool:
    """A Pod has stopped when none of its containers runs."""
    return not facts.containers_running
