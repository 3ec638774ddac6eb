"""Why a Pod is as it is: what it does, which rule holds it there, what has to happen next, and when at the earliest."""

from __future__ import annotations

import sys
from datetime import datetime
from types import ModuleType

from podfsm.engine.versions import Gates
from podfsm.explain.becoming import can_become
from podfsm.explain.ending import announced, due_later
from podfsm.explain.model import Explanation, Next, Reason
from podfsm.explain.pods import explain_pod
from podfsm.kube.objects import Pod
from podfsm.rules.gates import gates_for
from podfsm.rules.kubectl_columns import Columns
from podfsm.rules.kubectl_columns import kubectl_columns as _columns

__all__ = ["Columns", "Explanation", "Next", "Reason", "can_become", "explain", "kubectl_columns"]


def explain(pod: Pod, *, now: datetime | None = None, gates: Gates | None = None) -> Explanation:
    """What one Pod object tells. `now` is used for the column RESTARTS, and to say what is overdue."""
    gates = gates or gates_for()
    part = explain_pod(pod, gates, now)
    metadata = pod.metadata
    return Explanation(
        pod=f"{metadata.namespace or 'default'}/{metadata.name or metadata.generateName}",
        columns=_columns(pod, now, gates),
        state=part.state,
        holds=part.holds + announced(pod),
        next=part.next + due_later(pod),
        unknown=part.unknown,
    )


def kubectl_columns(pod: Pod, *, now: datetime | None = None, gates: Gates | None = None) -> Columns:
    """READY, STATUS and RESTARTS as kubectl prints them; without `now` RESTARTS is the number alone."""
    return _columns(pod, now, gates or gates_for())


class _Callable(ModuleType):
    """The package, which called is its function: `from podfsm import explain` gives one thing however it is reached."""

    def __call__(self, pod: Pod, *, now: datetime | None = None, gates: Gates | None = None) -> Explanation:
        """As `explain`."""
        return explain(pod, now=now, gates=gates)


sys.modules[__name__].__class__ = _Callable
