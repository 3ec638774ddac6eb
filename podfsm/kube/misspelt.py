"""Fields that the API does not have, for every kind whose fields are known, and the complaints that they explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from podfsm.errors import InputError, meant, nearest
from podfsm.kube.api_fields import FIELDS, SETS
from podfsm.kube.cluster import Node, PodDisruptionBudget
from podfsm.kube.decode import UnknownField, unknown_fields
from podfsm.kube.document import Document
from podfsm.kube.objects import Pod, Struct
from podfsm.kube.paths import join, steps_of
from podfsm.kube.presets import PodPreset
from podfsm.kube.services import EndpointSlice, Service
from podfsm.kube.workloads import TYPES

KNOWN: Mapping[str, type[Struct]] = {
    "Pod": Pod,
    **TYPES,
    "PodDisruptionBudget": PodDisruptionBudget,
    "Service": Service,
    "EndpointSlice": EndpointSlice,
    "Node": Node,
    "PodPreset": PodPreset,
}
"""The kinds whose fields are known, with their classes."""


def strange_fields(document: Document) -> list[UnknownField]:
    """The fields of an object that its kind does not have in the API; none for a kind whose fields are not known."""
    type_ = KNOWN.get(document.kind)
    if type_ is None:
        return []
    return [*unknown_fields(document.raw, type_), *_others_fields(document)]


def _others_fields(document: Document) -> Iterator[UnknownField]:
    """Fields that a Deployment has and a DaemonSet has not, or the other way round: their class is the same."""
    own, spec = SETS.get(document.kind, ()), document.raw.get("spec")
    for name in spec if own and isinstance(spec, dict) else ():
        if name not in own and name in FIELDS["SetSpec"]:
            yield UnknownField(join("spec", name), nearest(name, own))


@contextmanager
def spelling(document: Document) -> Iterator[None]:
    """Complaints about this object that are raised inside name the misspelt field behind them, if there is one."""
    try:
        yield
    except InputError as error:
        error.hint = error.hint or _remedy(document, error.path)
        raise


def _remedy(document: Document, path: str) -> str:
    """How to mend what is wrong at a path: the misspelling of the field there, of one around it or right inside it."""
    wrong = steps_of(path)
    for field in strange_fields(document):
        *above, name = steps_of(field.path)
        right = meant(field.hint)
        wanted = (*above, right)
        if right and (wrong[: len(wanted)] == wanted or tuple(above) == wrong):
            return f"rename {name} to {right}?"
    return ""
