"""Every invariant asked of every snapshot, and of every two in a row."""

import inspect
from functools import lru_cache

from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.rules.catalogue import all_rules


@lru_cache(maxsize=1)
def invariants():
    """(rule, number of snapshots it looks at)."""
    rules = [rule for rule in all_rules() if rule.kind == "invariant"]
    return [(rule, len(inspect.signature(rule.function).parameters)) for rule in rules]


def broken(events):
    """(rule id, Pod, number of the event) for each invariant that watch events break."""
    last, found = {}, []
    for number, event in enumerate(events, 1):
        if event["type"] not in ("ADDED", "MODIFIED", "DELETED"):
            continue
        pod = convert(event["object"], Pod)
        key = pod.metadata.uid or f"{pod.metadata.namespace}/{pod.metadata.name}"
        for rule, looks_at in invariants():
            seen = (pod,) if looks_at == 1 else (last[key], pod) if key in last else None
            if seen is not None and not rule(*seen):
                found.append((rule.id, pod.metadata.name, number))
        last[key] = pod
    return found
