"""A small operator, written with plain functions: it keeps a load balancer in step with the Pods behind it.

A Pod with the readiness gate `example.com/balancer` is registered once its containers are ready; only then does the
operator satisfy the gate, so that the Pod becomes Ready. A Pod that is going away is taken out before it stops, and one
that keeps crashing is reported once.
"""

from dataclasses import dataclass, field

GATE = "example.com/balancer"
TOO_OFTEN = 3


@dataclass
class Balancer:
    """What the operator knows: who is registered, and who was reported."""

    members: set[str] = field(default_factory=set)
    reported: set[str] = field(default_factory=set)


def reconcile(pod: dict, balancer: Balancer) -> dict | None:
    """Bring the balancer in step with one Pod. Gives the status patch that the Pod needs, if any."""
    name = pod["metadata"]["name"]
    serves = condition(pod, "ContainersReady") == "True" and "deletionTimestamp" not in pod["metadata"]
    if serves:
        balancer.members.add(name)
    else:
        balancer.members.discard(name)
    wanted = "True" if serves else "False"
    if gated(pod) and (condition(pod, GATE) or "False") != wanted:
        return {"status": {"conditions": [{"type": GATE, "status": wanted}]}}
    return None


def crashing(pod: dict, balancer: Balancer) -> list[str]:
    """The containers that have crashed too often and have not been reported yet."""
    found = []
    for status in pod["status"].get("containerStatuses", ()):
        key = f"{pod['metadata']['uid']}/{status['name']}"
        if status["restartCount"] >= TOO_OFTEN and key not in balancer.reported:
            balancer.reported.add(key)
            found.append(status["name"])
    return found


def gated(pod: dict) -> bool:
    """Whether the Pod waits for this operator."""
    return any(gate["conditionType"] == GATE for gate in pod["spec"].get("readinessGates", ()))


def condition(pod: dict, kind: str) -> str:
    """The status of a condition; empty when the Pod does not have it."""
    return next((c["status"] for c in pod["status"].get("conditions", ()) if c["type"] == kind), "")
