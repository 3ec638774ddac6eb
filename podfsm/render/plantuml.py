"""PlantUML state diagrams: arrows in the colour of the actor, with a legend."""

from __future__ import annotations

import re

from podfsm.engine.spec import MachineSpec
from podfsm.render.parts import arrows, clean, colours, identifiers, shown


def plantuml(spec: MachineSpec, *, with_guards: bool, current: str | None) -> str:
    """The diagram's text, from @startuml to @enduml."""
    names = identifiers(spec)
    colour = colours(spec)
    lines = ["@startuml", f"title {_text(spec.name)}", "hide empty description"]
    for state in spec.states:
        mark = " #ffe9a8" if state.name == current else ""
        lines.append(f'state "{_text(state.name)}" as {names[state.name]}{mark}')
        if state.shows:
            lines.append(f"{names[state.name]} : {_text(shown(state))}")
    lines.append(f"[*] --> {names[spec.initial]}")
    for arrow in arrows(spec, with_guards=with_guards):
        line = f"{names[arrow.source]} -[{colour[arrow.by]}]-> {names[arrow.target]}"
        lines.append(f"{line} : " + "\\n".join(_text(label) for label in arrow.labels))
    lines += [f"{names[name]} --> [*]" for name in spec.finals]
    lines.append("legend right")
    lines += [f"  <color:{paint}>{_text(actor)}</color>" for actor, paint in colour.items()]
    return "\n".join([*lines, "endlegend", "@enduml"]) + "\n"


def _text(text: str) -> str:
    """Everything that could be markup as `<U+0022>`; two signs in a row too, which are bold, italic and the like."""
    plain = re.compile(r"[^\w .,()\[\]:=+/-]|([_./=-])(?=\1)|^[^\w]|(?<=\w)__")
    return plain.sub(lambda found: "".join(f"<U+{ord(sign):04X}>" for sign in found[0]), clean(text))
