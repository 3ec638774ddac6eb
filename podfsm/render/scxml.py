"""SCXML, the W3C's state machine notation, for interpreters as well as readers.

Guards are written as conditions over the event's data, `_event.data["rule-id"]`: whoever sends the event says which
rules hold. They are always written, for without them it would be another machine. What SCXML has no place for (actors,
original names, statements) stands in attributes of a namespace of its own.
"""

from __future__ import annotations

import json
from xml.sax.saxutils import quoteattr

from podfsm.engine.spec import MachineSpec, StateSpec, TransitionSpec
from podfsm.render.parts import clean, identifier, identifiers, shown

NAMESPACE = "https://podfsm.dev/scxml"


def scxml(spec: MachineSpec, *, with_guards: bool, current: str | None) -> str:  # noqa: ARG001  (guards are the machine)
    """The document's text."""
    names = identifiers(spec)
    head = _attributes(
        ("xmlns", "http://www.w3.org/2005/07/scxml"),
        ("xmlns:podfsm", NAMESPACE),
        ("version", "1.0"),
        ("datamodel", "ecmascript"),
        ("name", identifier(spec.name) or "machine"),
        ("initial", names[spec.initial]),
        ("podfsm:machine", spec.name),
        ("podfsm:says", spec.says),
    )
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<scxml{head}>"]
    for state in spec.states:
        lines += _state(spec, state, state.name == current)
    return "\n".join([*lines, "</scxml>"]) + "\n"


def _state(spec: MachineSpec, state: StateSpec, is_current: bool) -> list[str]:
    names = identifiers(spec)
    tag = "final" if state.final else "state"
    head = _attributes(
        ("id", names[state.name]),
        ("podfsm:state", state.name),
        ("podfsm:shows", shown(state)),
        ("podfsm:says", state.says),
        ("podfsm:current", "true" if is_current else ""),
    )
    if state.final:
        return [f"  <{tag}{head}/>"]
    rows = [_transition(row, names[target]) for source, target, row in spec.arrows() if source == state.name]
    return [f"  <{tag}{head}>", *rows, f"  </{tag}>"]


def _transition(row: TransitionSpec, target: str) -> str:
    """A transition that stays is one without a target."""
    condition = " && ".join(f"_event.data[{json.dumps(guard)}]" for guard in row.guards)
    attributes = _attributes(
        ("event", row.trigger),
        ("cond", condition),
        ("target", "" if row.internal else target),
        ("podfsm:by", row.by),
        ("podfsm:because", " ".join(rule.id for rule in row.because)),
        ("podfsm:gate", row.gate),
        ("podfsm:without-gate", row.without_gate),
        ("podfsm:says", row.says),
    )
    return f"    <transition{attributes}/>"


def _attributes(*pairs: tuple[str, str]) -> str:
    """Those that have a value."""
    return "".join(f" {name}={quoteattr(clean(value))}" for name, value in pairs if value)
