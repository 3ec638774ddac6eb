"""Properties: what has to be so always, never, in the end, or in some behaviour; written as one reads a Pod.

`phase=Failed`, `Ready`, `not Ready`, `app.restarts>=3`, `app.reason=CrashLoopBackOff and deleting`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.errors import InputError, nearest
from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.rules.condition_list import lifecycle_types
from podfsm.rules.instances import statuses_of

MODES = {
    "always": "holds of every snapshot of every behaviour",
    "never": "holds of no snapshot of any behaviour",
    "sometimes": "holds of some snapshot of some behaviour",
    "finally": "holds of the last snapshot of every behaviour",
}

_TERM = re.compile(r"\s*(?P<not>not\s+)?(?P<subject>[\w./-]+?)\s*(?:(?P<op>>=|<=|!=|=|>|<)\s*(?P<value>[^\s]+))?\s*$")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Value = str | int | bool


def _shown(status: ContainerStatus) -> str:
    state = status.state
    return "running" if state.running is not None else "terminated" if state.terminated is not None else "waiting"


def _reason(status: ContainerStatus) -> str:
    end, waiting = status.state.terminated, status.state.waiting
    if end is not None:
        return end.reason
    return "" if waiting is None else waiting.reason


def _exit_code(status: ContainerStatus) -> int:
    """Of the newest run that has ended; -1 if none has."""
    end = status.state.terminated or status.lastState.terminated
    return -1 if end is None else end.exitCode


POD: dict[str, Callable[[Pod], Value]] = {
    "phase": lambda pod: pod.status.phase,
    "reason": lambda pod: pod.status.reason,
    "deleting": lambda pod: pod.metadata.deletionTimestamp is not None,
    "restarts": lambda pod: sum(status.restartCount for status in statuses_of(pod)),
}
"""What can be asked of a Pod, beside its conditions."""
CONTAINER: dict[str, Callable[[ContainerStatus], Value]] = {
    "state": _shown,
    "reason": _reason,
    "ready": lambda status: status.ready,
    "started": lambda status: bool(status.started),
    "restarts": lambda status: status.restartCount,
    "exitCode": _exit_code,
}
"""What can be asked of a container, as NAME.what. A container without a status is waiting, and has none of the rest."""


@frozen
class Property:
    """One property. `holds` looks at one snapshot."""

    mode: str
    text: str
    holds: Callable[[Pod], bool]

    def __str__(self) -> str:
        return f"{self.mode} {self.text}"


def property_of(mode: str, text: str, pod: Pod, gates: Gates) -> Property:
    """Read a property of this Pod: terms joined by `and`. Raises InputError with what there is to ask."""
    terms = [_term(part, text, mode, pod, gates) for part in re.split(r"\s+and\s+", text.strip())]
    return Property(mode, text.strip(), lambda seen: all(term(seen) for term in terms))


def _term(part: str, text: str, mode: str, pod: Pod, gates: Gates) -> Callable[[Pod], bool]:
    found = _TERM.match(part)
    if found is None:
        raise _wrong("not a property", mode, "SUBJECT, or SUBJECT=VALUE, joined by `and`", text)
    look = _subject(found["subject"], mode, pod, gates)
    negated = found["not"] is not None
    if found["op"] is None:
        return lambda seen: bool(look(seen)) is not negated
    compare, wanted = _OPERATORS[found["op"]], found["value"]

    def holds(seen: Pod) -> bool:
        value = look(seen)
        return compare(value, _like(value, wanted, part, mode)) is not negated

    holds(pod)  # a value of another type is told at once
    return holds


def _like(value: Value, wanted: str, part: str, mode: str) -> Value:
    """The value asked for, as something to compare with what was found."""
    if isinstance(value, bool):
        if wanted.lower() not in ("true", "false"):
            raise _wrong("not a truth value", mode, "true or false", part)
        return wanted.lower() == "true"
    if isinstance(value, int):
        if re.fullmatch(r"-?\d+", wanted) is None:
            raise _wrong("not a number", mode, "a whole number", part)
        return int(wanted)
    return wanted


def _subject(name: str, mode: str, pod: Pod, gates: Gates) -> Callable[[Pod], Value]:
    if name in POD:
        return POD[name]
    container, _, what = name.rpartition(".")
    spec = pod.spec
    containers = [c.name for c in (*spec.initContainers, *spec.containers)]
    if container in containers and what in CONTAINER:
        return _of_container(container, CONTAINER[what], what)
    conditions = sorted({*lifecycle_types(gates), *(gate.conditionType for gate in spec.readinessGates)})
    if name in conditions:
        return lambda seen: any(c.type == name and c.status == "True" for c in seen.status.conditions)
    known = [*POD, *(f"{one}.{what}" for one in containers for what in CONTAINER), *conditions]
    raise _wrong("nothing of this name to ask", mode, ", ".join(known), f"{name}; {nearest(name, known)}")


def _of_container(name: str, look: Callable[[ContainerStatus], Value], what: str) -> Callable[[Pod], Value]:
    without: dict[str, Value] = {"state": "waiting", "reason": "", "restarts": 0, "exitCode": -1}
    absent = without.get(what, False)

    def value(seen: Pod) -> Value:
        return next((look(status) for status in statuses_of(seen) if status.name == name), absent)

    return value


def _wrong(problem: str, mode: str, expected: str, found: str) -> InputError:
    return InputError(problem, source=f"--{mode}", expected=expected, found=found)
