"""Graphviz DOT: arrows in the colour of the actor, with a legend."""

from __future__ import annotations

from podfsm.engine.spec import MachineSpec, StateSpec
from podfsm.render.parts import arrows, clean, colours, identifiers, shown


def dot(spec: MachineSpec, *, with_guards: bool, current: str | None) -> str:
    """The graph's text."""
    names = identifiers(spec)
    colour = colours(spec)
    lines = [
        f"digraph {_quoted(spec.name)} {{",
        f"    graph [label={_label(spec.name)}, labelloc=t, fontname=Helvetica, nodesep=0.5];",
        '    node [shape=box, style="rounded,filled", fillcolor=white, fontname=Helvetica];',
        "    edge [fontname=Helvetica, fontsize=11];",
        '    "[initial]" [shape=point, width=0.15, fillcolor=black, label=""];',
    ]
    lines += [f"    {_quoted(names[state.name])} [{_node(state, state.name == current)}];" for state in spec.states]
    lines.append(f'    "[initial]" -> {_quoted(names[spec.initial])};')
    for arrow in arrows(spec, with_guards=with_guards):
        paint = colour[arrow.by]
        label = _label("\n".join(arrow.labels))
        look = f'label={label}, color="{paint}", fontcolor="{paint}"'
        lines.append(f"    {_quoted(names[arrow.source])} -> {_quoted(names[arrow.target])} [{look}];")
    return "\n".join([*lines, *_legend(spec), "}"]) + "\n"


def _node(state: StateSpec, is_current: bool) -> str:
    label = f"{state.name}\n{shown(state)}" if state.shows else state.name
    look = f"label={_label(label)}"
    if state.final:
        look += ", peripheries=2"
    if is_current:
        look += ', penwidth=3, color="#d00000", fillcolor="#ffe9a8"'
    return look


def _legend(spec: MachineSpec) -> list[str]:
    lines = ["    subgraph cluster_legend {", '        label="who"; fontsize=10; color="#bbbbbb";']
    for actor, paint in colours(spec).items():
        look = f'shape=plaintext, style="", height=0.2, fontsize=10, label={_label(actor)}, fontcolor="{paint}"'
        lines.append(f"        {_quoted('[actor] ' + actor)} [{look}];")
    return [*lines, "    }"]


def _quoted(name: str) -> str:
    """A quoted identifier. A backslash at its end would hide the closing quote, hence the doubling."""
    return '"' + clean(name).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(text: str) -> str:
    """A quoted label of one or more lines; Graphviz reads backslashes and HTML entities in it."""
    lines = (clean(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in text.split("\n"))
    return '"' + "\\n".join(lines) + '"'
