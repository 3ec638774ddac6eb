"""Mermaid `stateDiagram-v2`, as GitHub draws it.

Mermaid cannot colour arrows, so each label names the actor, and a state has the colour of the only actor it waits for.
"""

from __future__ import annotations

import re

from podfsm.engine.spec import MachineSpec
from podfsm.render.parts import arrows, awaited, clean, colours, identifiers, shown, tint


def mermaid(spec: MachineSpec, *, with_guards: bool, current: str | None) -> str:
    """The diagram's text."""
    names = identifiers(spec)
    lines = [
        "stateDiagram-v2",
        f"    %% machine {clean(spec.name)}; a state has the colour of the only actor it waits for",
    ]
    for state in spec.states:
        name = names[state.name]
        lines.append(f'    state "{_text(state.name)}" as {name}')
        if state.shows:
            lines.append(f"    {name} : {_text(shown(state))}")
    lines.append(f"    [*] --> {names[spec.initial]}")
    for arrow in arrows(spec, with_guards=with_guards):
        label = _text(f"{' / '.join(arrow.labels)} ({arrow.by})")
        lines.append(f"    {names[arrow.source]} --> {names[arrow.target]} : {label}")
    lines += [f"    {names[name]} --> [*]" for name in spec.finals]
    lines += _classes(spec, current)
    return "\n".join(lines) + "\n"


def _classes(spec: MachineSpec, current: str | None) -> list[str]:
    names = identifiers(spec)
    lines = []
    for place, (actor, colour) in enumerate(colours(spec).items()):
        waiting = [names[state] for state in spec.state_names if awaited(spec, state) == actor]
        if waiting:
            lines.append(f"    %% actor{place}: {clean(actor)}")
            lines.append(f"    classDef actor{place} fill:{tint(colour)},stroke:{colour},color:#000000")
            lines.append(f"    class {','.join(waiting)} actor{place}")
    if current is not None:
        lines.append("    classDef current stroke:#d00000,stroke-width:4px,font-weight:bold")
        lines.append(f"    class {names[current]} current")
    return lines


def _text(text: str) -> str:
    """Everything but plain characters as Mermaid's entities (`#58;` is a colon)."""
    return re.sub(r"[^\w .,()\[\]/=+-]|--", lambda found: "".join(f"#{ord(sign)};" for sign in found[0]), clean(text))
