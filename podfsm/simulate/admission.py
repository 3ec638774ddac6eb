"""What the API server would refuse is not simulated: the first problem of an object is one located error."""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.rules.gates import gates_for
from podfsm.rules.problems import Problem
from podfsm.rules.validation import pod_problems
from podfsm.rules.validation_objects import object_problems


def refuse_invalid(document: Document, pod: Pod) -> None:
    """Raise InputError if the API server of the newest version would refuse the Pod (its defaults filled in).

    Fields that an older version does not know are dropped there rather than refused, so the version does not matter.
    """
    _refuse(document, pod_problems(pod, gates_for()))


def refuse_invalid_object(document: Document) -> None:
    """Raise InputError if the API server would refuse an object that is not a Pod, or if it does not decode."""
    with document.locating():
        problems = object_problems(document.raw, gates_for())
    _refuse(document, problems)


def _refuse(document: Document, problems: Sequence[Problem]) -> None:
    if problems:
        first = problems[0]
        more = f"; {len(problems) - 1} more, see `podfsm lint`" if len(problems) > 1 else ""
        raise document.error(f"refused by the API server: {first.why or first.type}{more}", first.field)
