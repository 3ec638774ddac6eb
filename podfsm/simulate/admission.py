"""What the API server would refuse is not simulated: the first problem of an object is one located error."""

from __future__ import annotations

from collections.abc import Iterable

from podfsm.engine.versions import Version
from podfsm.errors import NotModelled
from podfsm.kube.document import Document
from podfsm.kube.misspelt import spelling
from podfsm.kube.objects import Pod
from podfsm.rules.gates import gates_for
from podfsm.rules.pod_preset import require_served
from podfsm.rules.problems import Problem
from podfsm.rules.validation import pod_problems
from podfsm.rules.validation_objects import object_problems


def refuse_invalid(document: Document, pod: Pod) -> None:
    """Raise InputError if the API server of the newest version would refuse the Pod (its defaults filled in).

    Fields that an older version does not know are dropped there rather than refused, so the version does not matter.
    """
    refuse_problems(document, pod_problems(pod, gates_for()))


def refuse_invalid_object(document: Document) -> None:
    """Raise InputError if the API server would refuse an object that is not a Pod, or if it does not decode."""
    with document.locating():
        problems = object_problems(document.raw, gates_for())
    refuse_problems(document, problems)


def refuse_removed(documents: Iterable[Document], version: Version) -> None:
    """Raise NotModelled for the first object of a kind that this version no longer serves."""
    for document in documents:
        if document.kind == "PodPreset":
            try:
                require_served(version)
            except NotModelled as gone:
                raise NotModelled(str(document.error(str(gone), "kind"))) from gone


def refuse_problems(document: Document, problems: Iterable[Problem]) -> None:
    """Raise InputError for the first of these problems, if there is any."""
    first, *rest = [*problems, None]
    if first is not None:
        more = f"; {len(rest) - 1} more, see `podfsm lint`" if len(rest) > 1 else ""
        with spelling(document):
            raise document.error(f"refused by the API server: {first.why or first.type}{more}", first.field)
