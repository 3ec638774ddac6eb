"""Laws of the machines around a Pod: its way to a node, nodes, Jobs, evictions, PodPresets, namespaces, resizes."""

from __future__ import annotations

from typing import Any

from podfsm.rules.cluster_facts import AdmissionFacts, EvictionFacts, JobFacts, NamespaceFacts, NodeFacts, ResizeFacts
from podfsm.rules.facts import PodFacts
from podfsm.testing.laws.base import law


@law("scheduling", "queue", checks=["sched-gates"], typical=[{}, {"gated": True}])
def queued(facts: PodFacts, _state: str) -> bool:
    """The scheduler takes a Pod up when no scheduling gate is left."""
    return not facts.gated


@law("scheduling", "bind", checks=["sched-gates"], typical=[{}, {"gated": True}])
def bound(facts: PodFacts, _state: str) -> bool:
    """A Pod is bound when no scheduling gate is left."""
    return not facts.gated


@law("node", "recover", checks=["node-reports-ready"], typical=[{}, {"reported": "Unknown"}])
def recovers(facts: NodeFacts, _state: str) -> bool:
    """A node is ready again when it says so."""
    return facts.reported == "True"


@law("node", "fail", checks=["node-reports-not-ready"], typical=[{}, {"reported": "False"}])
def fails(facts: NodeFacts, _state: str) -> bool:
    """A node is not ready when it says so; one that says nothing is something else."""
    return facts.reported == "False"


@law(
    "node",
    "lose",
    checks=["node-silent"],
    typical=[
        {"reported": "Unknown", "now": 10.0, "silent_at": 10.0},
        {"reported": "Unknown", "now": 9.0, "silent_at": 10.0},
        {"reported": "Unknown"},
    ],
)
def lost(facts: NodeFacts, _state: str) -> bool:
    """A node is lost when it has been silent for the grace period, not a moment earlier."""
    return facts.reported == "Unknown" and facts.silent_at is not None and not facts.now < facts.silent_at


@law("job", "complete", checks=["job-ends-after-its-pods"], typical=[{}, {"terminating": 1}])
def completed(facts: JobFacts, _state: str) -> bool:
    """A Job is complete when none of its Pods terminates any more."""
    return not facts.terminating


@law("job", "fail", checks=["job-ends-after-its-pods"], typical=[{}, {"terminating": 1}])
def failed(facts: JobFacts, _state: str) -> bool:
    """A Job has failed when none of its Pods terminates any more."""
    return not facts.terminating


@law("eviction", "grant", checks=["eviction-granted"], typical=[{}, {"code": 429}])
def granted(facts: EvictionFacts, _state: str) -> bool:
    """An eviction that is answered with 201 takes place."""
    return facts.code == 201


@law("eviction", "refuse", checks=["eviction-refused"], typical=[{}, {"code": 429}, {"code": 500}])
def refused(facts: EvictionFacts, state: str) -> bool | str:
    """An eviction that is answered otherwise is refused, and a Pod whose time runs keeps its time."""
    if facts.code == 201:
        return False
    return "Planned" if state == "Planned" else "Refused"


@law(
    "eviction",
    "time_up",
    checks=["eviction-toleration-over"],
    typical=[{"now": 10.0, "due_at": 10.0}, {"now": 9.0, "due_at": 10.0}, {}],
)
def time_up(facts: EvictionFacts, _state: str) -> bool:
    """A tolerated taint evicts from the instant on at which the toleration ends, if it does."""
    return facts.due_at is not None and not facts.now < facts.due_at


@law(
    "preset_admission",
    "admit",
    checks=["preset-skips", "preset-selects-none", "preset-conflicts", "preset-applies"],
    typical=[
        {},
        {"in_scope": False, "matching": 1, "conflicts": 1},
        {"matching": 1},
        {"matching": 2, "conflicts": 1},
    ],
)
def admitted(facts: AdmissionFacts, _state: str) -> str:
    """Presets are applied where they may be, where some select the Pod, and where none contradicts: all or none."""
    if not facts.in_scope:
        return "Skipped"
    if not facts.matching:
        return "Unselected"
    return "Conflicting" if facts.conflicts else "Injected"


@law("namespace", "delete", checks=["namespace-may-go"], typical=[{}, {"name": "default"}])
def deleted(facts: NamespaceFacts, state: str) -> bool | str:
    """Those of the system stay; for one that is on its way another request changes nothing."""
    return "Terminating" if state == "Terminating" else facts.name not in ("default", "kube-system", "kube-public")


@law("namespace", "finalize", checks=["namespace-empty"], typical=[{}, {"remaining": 1}])
def finalized(facts: NamespaceFacts, _state: str) -> bool:
    """A namespace goes when it is empty."""
    return not facts.remaining


_RESIZES: list[dict[str, Any]] = [
    {},
    {"differs": True},
    {"asked": True, "room": "later"},
    {"asked": True, "room": "never"},
    {"asked": True, "room": "never", "differs": True},
]


@law("resize", "begin", checks=["resize-allocated", "resize-differs"], typical=_RESIZES)
def begins(facts: ResizeFacts, _state: str) -> bool:
    """A resize is under way while a container runs with other than was allocated, and nothing else is asked for."""
    return facts.differs and not facts.asked


@law("resize", "defer", checks=["resize-deferred"], typical=_RESIZES)
def deferred(facts: ResizeFacts, _state: str) -> bool:
    """A resize waits while more is asked for than there is room for now."""
    return facts.asked and facts.room == "later"


@law("resize", "retry", checks=["resize-deferred"], typical=_RESIZES)
def waits_on(facts: ResizeFacts, _state: str) -> bool:
    """A resize that was looked at again waits on if there is still no room."""
    return facts.asked and facts.room == "later"


@law("resize", "refuse", checks=["resize-infeasible"], typical=_RESIZES)
def infeasible(facts: ResizeFacts, _state: str) -> bool:
    """A resize cannot be where more is asked for than there will ever be."""
    return facts.asked and facts.room == "never"


@law("resize", "clear", checks=["resize-allocated", "resize-done"], typical=_RESIZES)
def cleared(facts: ResizeFacts, _state: str) -> bool:
    """Nothing waits where nothing is asked for besides what containers have."""
    return not facts.asked and not facts.differs


@law("resize", "settle", checks=["resize-done"], typical=_RESIZES)
def settles(facts: ResizeFacts, _state: str) -> bool:
    """A resize is over when every container has what was allocated to it."""
    return not facts.differs
