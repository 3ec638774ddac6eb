"""Every invariant asked of every snapshot, and of every two in a row."""

import inspect
from functools import cache

from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for


@cache
def invariants(gates):
    """(rule, number of snapshots it looks at), for the rules in force."""
    rules = [rule for rule in all_rules() if rule.kind == "invariant" and rule.in_force(gates)]
    return [(rule, len(inspect.signature(rule.function).parameters)) for rule in rules]


def broken(events, gates=None):
    """(rule id, Pod, number of the event) for each invariant in force that watch events break."""
    last, found = {}, []
    for number, event in enumerate(events, 1):
        if event["type"] not in ("ADDED", "MODIFIED", "DELETED"):
            continue
        pod = convert(event["object"], Pod)
        key = pod.metadata.uid or f"{pod.metadata.namespace}/{pod.metadata.name}"
        for rule, looks_at in invariants(gates or gates_for()):
            seen = (pod,) if looks_at == 1 else (last[key], pod) if key in last else None
            if seen is not None and not rule(*seen):
                found.append((rule.id, pod.metadata.name, number))
        last[key] = pod
    return found
