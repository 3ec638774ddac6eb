"""Which Pods a kubelet kills so that a critical one fits on its node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import field, frozen

from podfsm.engine.rule import derivation, docs, example, source

PODS = "pods"
"""The resource of which each Pod takes one."""
_ORDER = ("Guaranteed", "Burstable", "BestEffort")
_COMPARED = ("memory", "cpu")


@frozen
class Lesser:
    """A Pod that the critical one may displace: its QoS class, and what it requests, in whole units."""

    pod: str
    qos: str = "BestEffort"
    requests: Mapping[str, int] = field(factory=dict)

    def asks(self, resource: str) -> int:
        """What it requests of a resource."""
        return 1 if resource == PODS else self.requests.get(resource, 0)


def _burstable(pod: str, cpu: int) -> Lesser:
    return Lesser(pod, "Burstable", {"cpu": cpu})


@derivation(
    "node-kubelet-preemption-victims",
    area="node-loss",
    machine="pod",
    cites=[
        docs("tasks/administer-cluster/guaranteed-scheduling-critical-addon-pods.md"),
        source("pkg/kubelet/preemption/preemption.go", "getPodsToPreempt"),
        source("pkg/kubelet/preemption/preemption.go", "getPodsToPreemptByDistance"),
    ],
    observable="which Pods get status.reason Preempting",
    examples=[
        example({"cpu": 500}, (_burstable("a", 400), _burstable("b", 600)), gives=("b",)),
        example({"cpu": 500}, (_burstable("a", 900), _burstable("b", 600)), gives=("b",)),
        example({"cpu": 500}, (_burstable("a", 300), _burstable("b", 300)), gives=("a", "b")),
        example({"cpu": 500}, (Lesser("a", "Guaranteed", {"cpu": 500}), _burstable("b", 500)), gives=("b",)),
        example({"pods": 1}, (_burstable("a", 100), Lesser("b")), gives=("b",)),
        example({"cpu": 500}, (_burstable("a", 100),), gives=None),
    ],
)
def victims(short: Mapping[str, int], running: Sequence[Lesser]) -> tuple[str, ...] | None:
    """As few Pods as need be go, BestEffort ones before Burstable and Guaranteed ones; those closest to what is short.

    `short` is what the node lacks of each resource. None if all of `running` together would not make room.
    """
    if _without(short, running):
        return None
    chosen: list[Lesser] = []
    classes = {qos: [pod for pod in running if pod.qos == qos] for qos in _ORDER}
    for place, qos in enumerate(_ORDER):
        cheaper = [pod for other in _ORDER[place + 1 :] for pod in classes[other]]
        chosen = [*_closest(_without(short, [*cheaper, *chosen]), classes[qos]), *chosen]
    return tuple(pod.pod for pod in chosen)


def _without(short: Mapping[str, int], gone: Collection[Lesser]) -> dict[str, int]:
    """What is still short when these Pods are gone."""
    left = {name: amount - sum(pod.asks(name) for pod in gone) for name, amount in short.items()}
    return {name: amount for name, amount in left.items() if amount > 0}


def _closest(short: Mapping[str, int], pods: Sequence[Lesser]) -> list[Lesser]:
    """Of one class the Pods that go, one after another: the one that leaves least, among equals the smaller one."""
    left, chosen = list(pods), []
    while short:
        best = min(left, key=lambda pod: (_distance(short, pod), *(pod.asks(name) for name in _COMPARED)))
        left.remove(best)
        chosen.append(best)
        short = _without(short, [best])
    return chosen


def _distance(short: Mapping[str, int], pod: Lesser) -> float:
    return float(sum((max(amount - pod.asks(name), 0) / amount) ** 2 for name, amount in short.items()))
