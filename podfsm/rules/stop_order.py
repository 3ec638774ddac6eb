"""The order in which the containers of a Pod may be stopped: sidecars last, in reverse spec order.

Every container is asked to stop at once, but a sidecar's stop signal waits for all app containers and for the next
sidecar after it (spec order), as long as they run and its grace lasts. Nobody waits for other init containers or for
ephemeral ones, and those wait for nobody.
Source: pkg/kubelet/kuberuntime/kuberuntime_termination_order.go, newTerminationOrdering.
"""

from __future__ import annotations

from collections.abc import Collection

from podfsm.engine.versions import Gates
from podfsm.kube.objects import PodSpec
from podfsm.rules.sidecar import is_sidecar

_NOBODY: frozenset[str] = frozenset()


def waits_for(spec: PodSpec, name: str, running: Collection[str], gates: Gates) -> frozenset[str]:
    """The names of running containers that must be gone before the named one gets its stop signal."""
    following = ""
    for entry in reversed(spec.initContainers):
        if not is_sidecar(entry, gates):
            continue
        if entry.name == name:
            ahead = {container.name for container in spec.containers}
            ahead.add(following)
            return frozenset(ahead.intersection(running))
        following = entry.name
    return _NOBODY


def waves(spec: PodSpec, running: Collection[str], gates: Gates) -> tuple[tuple[str, ...], ...]:
    """Who gets the stop signal together, in order, if each stops at once; names are sorted within a wave."""
    left = set(running)
    found = []
    while left:
        # Names given twice (which the API refuses) could wait for each other; nothing is held back for ever.
        wave = tuple(sorted(name for name in left if not waits_for(spec, name, left, gates))) or tuple(sorted(left))
        found.append(wave)
        left.difference_update(wave)
    return tuple(found)
