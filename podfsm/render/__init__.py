"""Machines as diagrams. Every picture is drawn from the spec that runs."""

from __future__ import annotations

from collections.abc import Callable

from podfsm.engine.spec import MachineSpec
from podfsm.errors import InputError, nearest
from podfsm.render.dot import dot
from podfsm.render.mermaid import mermaid
from podfsm.render.parts import check_current
from podfsm.render.picture import png, svg
from podfsm.render.plantuml import plantuml
from podfsm.render.scxml import scxml
from podfsm.render.xstate import xstate

_BY_FORM: dict[str, Callable[..., str | bytes]] = {
    "mermaid": mermaid,
    "dot": dot,
    "svg": svg,
    "png": png,
    "plantuml": plantuml,
    "scxml": scxml,
    "xstate": xstate,
}

FORMS = tuple(_BY_FORM)
"""What `render` can make: text, but for png."""


def render(spec: MachineSpec, form: str, *, with_guards: bool = False, current: str | None = None) -> str | bytes:
    """The machine drawn as `form` (one of FORMS); bytes for png, text otherwise. The same spec gives the same output.

    `with_guards` writes the guards on the arrows; scxml and xstate are machines to run and always carry theirs.
    `current` is the state to mark. To draw a machine as it is under some feature gates, give `spec.under(gates)`.
    Raises InputError for an unknown form or state, and where svg and png need a program that is not installed.
    """
    if form not in _BY_FORM:
        raise InputError(f"no form {form!r}", hint=nearest(form, FORMS))
    check_current(spec, current)
    return _BY_FORM[form](spec, with_guards=with_guards, current=current)
