"""What the API server would refuse is not simulated: the first problem of a Pod is one located error."""

from __future__ import annotations

from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.rules.gates import gates_for
from podfsm.rules.validation import pod_problems


def refuse_invalid(document: Document, pod: Pod) -> None:
    """Raise InputError if the API server of the newest version would refuse the Pod (its defaults filled in).

    Fields that an older version does not know are dropped there rather than refused, so the version does not matter.
    """
    problems = pod_problems(pod, gates_for())
    if problems:
        first = problems[0]
        more = f"; {len(problems) - 1} more, see `podfsm lint`" if len(problems) > 1 else ""
        raise document.error(f"refused by the API server: {first.why or first.type}{more}", first.field)
