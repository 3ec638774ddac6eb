"""What all drawings share: identifiers, arrows with their labels, and a colour for each actor."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import frozen

from podfsm.engine.spec import MachineSpec, StateSpec, TransitionSpec
from podfsm.errors import InputError, nearest

# Okabe and Ito's colours, told apart by colour-blind readers and legible on white and on black.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#4a9fd4", "#8c564b", "#7f7f7f")

# Words that Mermaid or PlantUML read as their own, in any case.
_RESERVED = {
    *("accdescr", "acctitle", "as", "class", "classdef", "click", "default", "href", "note", "remove", "restore"),
    *("root_end", "root_start", "scale", "state", "statediagram", "style"),
}


@frozen
class Arrow:
    """One arrow of a drawing: from state to state, who pulls it, and a label for each trigger that leads along it.

    A label is `trigger`, or `trigger [guard, guard]`.
    """

    source: str
    target: str
    by: str
    labels: tuple[str, ...]


def arrows(spec: MachineSpec, *, with_guards: bool) -> tuple[Arrow, ...]:
    """The arrows to draw, in the spec's order: one for all that the same actor pulls between the same states."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for source, target, row in spec.arrows():
        depends = conditions(row) if with_guards else ()
        label = f"{row.trigger} [{', '.join(depends)}]" if depends else row.trigger
        found.setdefault((source, target, row.by), {})[label] = None
    return tuple(Arrow(*place, tuple(labels)) for place, labels in found.items())


def conditions(row: TransitionSpec) -> tuple[str, ...]:
    """Everything a row depends on: its guards, and the feature gate it is written for."""
    gate = (f"gate {row.gate}",) if row.gate else ()
    without = (f"without gate {row.without_gate}",) if row.without_gate else ()
    return tuple(clean(guard) for guard in row.guards) + gate + without


def identifiers(spec: MachineSpec) -> Mapping[str, str]:
    """For each state a name that every form accepts as it is: its own where possible, else `S3` and the like."""
    names = set(spec.state_names)
    found = {}
    for place, name in enumerate(spec.state_names):
        given = identifier(name)
        if not given:
            given = f"S{place}"
            while given in names:
                given += "_"
        found[name] = given
    return found


def identifier(name: str) -> str:
    """The name itself if it is a plain word that means nothing to any form; otherwise nothing."""
    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) and "__" not in name
    return name if plain and name.lower() not in _RESERVED else ""


def shown(state: StateSpec) -> str:
    """`waiting: CrashLoopBackOff`, or nothing."""
    return clean(", ".join(f"{key}: {value}" if value else key for key, value in state.shows))


def colours(spec: MachineSpec) -> Mapping[str, str]:
    """The colour of each actor that pulls a trigger, in the spec's order; machines with the same actors agree."""
    busy = {row.by for row in spec.transitions}
    return {actor: _COLOURS[place % len(_COLOURS)] for place, actor in enumerate(spec.actors) if actor in busy}


def awaited(spec: MachineSpec, state: str) -> str:
    """The one actor that can move the machine on from `state`; empty when several can, or none."""
    actors = {row.by for source, target, row in spec.arrows() if source == state and target != state}
    return actors.pop() if len(actors) == 1 else ""


def tint(colour: str) -> str:
    """The colour, four fifths of the way to white: black text can be read on it."""
    parts = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return "#" + "".join(f"{part + (255 - part) * 4 // 5:02x}" for part in parts)


def clean(text: str) -> str:
    """One line of printable text; what cannot be printed becomes U+FFFD."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in " ".join(text.split()))


def check_current(spec: MachineSpec, current: str | None) -> None:
    """Raises InputError when there is no such state."""
    if current is not None and current not in spec.state_names:
        raise InputError(f"machine {spec.name} has no state {current!r}", hint=nearest(current, spec.state_names))
