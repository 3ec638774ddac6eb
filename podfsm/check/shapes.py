"""Shapes: what is left of a snapshot without its times and ids. Snapshots of one shape are judged alike.

Fleets show the same few shapes again and again, so what depends on the shape alone is judged once for each of them (and
for each two in a row). A rule that reads anything else is asked every time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any

from podfsm.check.reads import names_in
from podfsm.kube import objects
from podfsm.kube.objects import Container, ContainerState, ContainerStatus, Pod, PodSpec

_MOST = 100_000
"""How many shapes, and how many pairs of them, are remembered before everything is forgotten."""

SHAPED = frozenset(
    {
        *(
            "metadata",
            "spec",
            "status",
            "uid",
            "deletionTimestamp",
            "conditions",
            "containerStatuses",
            "phase",
            "reason",
        ),
        *(
            "containerStatuses",
            "initContainerStatuses",
            "ephemeralContainerStatuses",
            "containers",
            "initContainers",
            "ephemeralContainers",
        ),
        *("restartPolicy", "nodeName", "readinessGates", "conditionType", "type", "name", "state", "lastState"),
        *("ready", "started", "restartCount", "waiting", "running", "terminated", "exitCode", "signal"),
        *("restartPolicyRules", "action", "exitCodes", "operator", "values", "schedulingGates"),
    }
)
"""The fields of Pods that a shape holds (of deletionTimestamp, whether there is one)."""


@lru_cache(maxsize=4096)
def by_shape(function: Callable[..., Any]) -> bool:
    """Whether a rule reads nothing of a Pod but what its shape holds."""
    names = names_in(function)
    return names is not None and (names & _fields()) <= SHAPED


@lru_cache(maxsize=1)
def _fields() -> frozenset[str]:
    """The names of all fields that Pods have somewhere."""
    kinds = [kind for kind in vars(objects).values() if isinstance(kind, type) and issubclass(kind, objects.Struct)]
    return frozenset(name for kind in kinds for name in kind.__struct_fields__)


class Shapes:
    """Shapes by number, and which of them were judged to be in order."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[Any, ...], int] = {}
        self._specs: dict[tuple[Any, ...], int] = {}
        self._next = 0
        self.fine: set[Any] = set()

    def spec(self, spec: PodSpec) -> int:
        """The number of what the shape holds of a spec."""
        key = (
            spec.restartPolicy,
            spec.nodeName,
            tuple(gate.conditionType for gate in spec.readinessGates),
            tuple(gate.name for gate in spec.schedulingGates),
            tuple(map(_container, spec.containers)),
            tuple(map(_container, spec.initContainers)),
            tuple(container.name for container in spec.ephemeralContainers),
        )
        return self._specs.setdefault(key, len(self._specs))

    def number(self, pod: Pod, spec: int) -> int:
        """The number of a snapshot's shape."""
        status = pod.status
        key = (
            spec,
            status.phase,
            status.reason,
            pod.metadata.deletionTimestamp is None,
            tuple(map(_condition, status.conditions)),
            tuple(map(_status, status.containerStatuses)),
            tuple(map(_status, status.initContainerStatuses)),
            tuple(map(_status, status.ephemeralContainerStatuses)),
        )
        found = self._numbers.get(key)
        if found is None:
            if len(self._numbers) >= _MOST or len(self.fine) >= _MOST:
                self._forget()
            found = self._numbers[key] = self._next
            self._next += 1  # no number is given twice, also if all are forgotten
        return found

    def _forget(self) -> None:
        self._numbers.clear()
        self.fine.clear()


_condition = attrgetter("type", "status", "reason", "message")


def _container(container: Container) -> tuple[Any, ...]:
    rules = tuple(
        (rule.action, rule.exitCodes and (rule.exitCodes.operator, rule.exitCodes.values))
        for rule in container.restartPolicyRules
    )
    probed = (container.startupProbe is not None, container.readinessProbe is not None)
    return (container.name, container.restartPolicy, rules, probed)


def _status(status: ContainerStatus) -> tuple[Any, ...]:
    last = status.lastState
    return (
        status.name,
        status.ready,
        status.started,
        status.restartCount,
        not status.containerID,
        _state(status.state),
        _state(last),
    )


def _state(state: ContainerState) -> Any:
    waiting, running, end = state.waiting, state.running, state.terminated
    if end is not None:
        return (end.exitCode, end.signal, end.reason, waiting is None, running is None, end.finishedAt is None)
    if waiting is not None:
        return (waiting.reason, running is None)
    return running is not None and (running.startedAt is None,)
