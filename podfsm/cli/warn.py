"""Warnings on standard error about what is taken as it stands and may not be meant so."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from podfsm.errors import InputError
from podfsm.kube.document import Document
from podfsm.kube.misspelt import strange_fields

_PLACEMENT = ("nodeSelector", "affinity", "topologySpreadConstraints")
"""Fields of a Pod's spec that choose among nodes."""


def warn_misspelt(documents: Iterable[Document]) -> None:
    """Fields that the API does not have are not passed over without a word."""
    for document in documents:
        for path, hint in strange_fields(document):
            _warn(document.error("no such field, so it is ignored", path, hint=hint))


def warn_of_references(documents: Sequence[Document]) -> None:
    """Say which objects are missing, and what two of them claim."""
    from podfsm.lint import references

    for each in references(documents):
        print(f"podfsm: {each.severity}: {each.place}: {each.why}", file=sys.stderr)


def warn_of_placement(documents: Sequence[Document]) -> None:
    """Say what Pods ask of nodes when there are none: the one that is assumed fits every Pod."""
    if any(document.kind == "Node" for document in documents):
        return
    for document in documents:
        spec = document.raw.get("spec") if document.kind == "Pod" else None
        for name in _PLACEMENT:
            if isinstance(spec, dict) and spec.get(name):
                why = "taken as met: there is no Node object, and the node assumed fits all"
                _warn(document.error(why, f"spec.{name}"))


def _warn(why: InputError) -> None:
    print(f"podfsm: warning: {why}", file=sys.stderr)
