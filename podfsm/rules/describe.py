"""A rule in words and as data: what `podfsm rules`, the generated pages and messages say about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import Enum
from textwrap import TextWrapper
from typing import Any

import attrs
import msgspec

from podfsm.engine.rule import Citation, Rule
from podfsm.engine.versions import Gate, Gates

WIDTH = 100
TREE = "https://github.com/kubernetes/kubernetes/blob/v1.36.2/"


def as_data(rule: Rule) -> dict[str, Any]:
    """The rule as plain JSON; examples as text."""
    return {
        "id": rule.id,
        "kind": rule.kind,
        "area": rule.area,
        "machines": list(rule.machines),
        "statement": rule.statement,
        "remarks": rule.remarks,
        "authority": rule.authority,
        "documentedOtherwise": rule.documented,
        "cites": [{"kind": cite.kind, "text": str(cite), "url": address(cite)} for cite in rule.cites],
        "since": rule.since,
        "until": rule.until,
        "gate": rule.gate,
        "withoutGate": rule.without_gate,
        "observable": rule.observable,
        "examples": examples(rule),
    }


def address(cite: Citation) -> str:
    """Where a citation can be opened: the documentation's page, or the file in the 1.36.2 tree."""
    return cite.url or TREE + cite.where


def versions(rule: Rule, gates: Mapping[str, Gate]) -> str:
    """When the rule is in force, in words: by its gate with the gate's history, or from one version to another."""
    if rule.gate is not None:
        return f"with feature gate {rule.gate} ({history(gates[rule.gate])})"
    text = f"since {rule.since}" if rule.since else "in every version"
    text += f" until {rule.until}" if rule.until else ""
    without = rule.without_gate
    return f"{text}, without feature gate {without} ({history(gates[without])})" if without is not None else text


def history(gate: Gate) -> str:
    """A gate's stages in words: `1.34 alpha off; 1.35 beta on`."""
    return "; ".join(f"{stage.since} {stage.stage} {'on' if stage.default else 'off'}" for stage in gate.stages)


def examples(rule: Rule) -> list[str]:
    """The rule's examples, one line each."""
    lines = [f"holds: {_given(one)}" for one in rule.allows]
    lines += [f"does not hold: {_given(one)}" for one in rule.refuses]
    for one in rule.examples:
        given = [brief(value) for value in one.given] + [f"{name}={brief(value)}" for name, value in one.also.items()]
        lines.append(f"{', '.join(given) or 'nothing'} gives {brief(one.gives)}")
    return lines


def _given(one: Any) -> str:
    return " then ".join(map(brief, one)) if isinstance(one, tuple) else brief(one)


def brief(value: Any) -> str:
    """A value in one line: of a frozen class, only the fields that differ from their defaults."""
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Gates):
        return f"gates of {value.version}" + "".join(f" {name}={on}" for name, on in value.overrides.items())
    if attrs.has(type(value)):
        said = (
            (field.alias or field.name, getattr(value, field.name), field.default)
            for field in attrs.fields(type(value))
        )
        return _constructed(value, said)
    if isinstance(value, msgspec.Struct):
        structure = msgspec.structs.fields(type(value))
        return _constructed(value, ((field.name, getattr(value, field.name), field.default) for field in structure))
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{brief(key)}: {brief(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(map(brief, value))) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(brief, value)) + "]"
    return repr(value) if isinstance(value, str) else str(value)


def _constructed(value: Any, fields: Iterable[tuple[str, Any, Any]]) -> str:
    said = [f"{name}={brief(item)}" for name, item, default in fields if item != default and not _empty(item)]
    return f"{type(value).__name__}({', '.join(said)})"


def _empty(item: Any) -> bool:
    return isinstance(item, (tuple, list, dict, frozenset)) and not item


def as_text(rule: Rule, gates: Mapping[str, Gate]) -> str:
    """The rule for a terminal."""
    lines = [rule.id, _filled(rule.statement), ""]
    if rule.remarks:
        lines += [_filled(rule.remarks), ""]
    lines += [f"  {name:<14}{text}" for name, text in _facts(rule, gates)]
    lines.append("  sources")
    for cite in rule.cites:
        lines += [f"    {cite}", f"      {address(cite)}"]
    said = examples(rule)
    if said:
        lines += ["  examples", *(_filled(line, "    ", "      ") for line in said)]
    return "\n".join(lines)


def as_markdown(rule: Rule, gates: Mapping[str, Gate], *, heading: str = "#") -> str:
    """The rule for a page, under a heading of the given depth."""
    lines = [f"{heading} {rule.id}", "", escaped(rule.statement), ""]
    if rule.remarks:
        lines += [escaped(rule.remarks), ""]
    lines += [f"- {name}: {escaped(text)}" for name, text in _facts(rule, gates)]
    lines += [f"- source: [{code(str(cite))}]({address(cite)})" for cite in rule.cites]
    said = examples(rule)
    if said:
        lines += ["", "Examples:", "", *(f"- {code(line)}" for line in said)]
    return "\n".join(lines) + "\n"


def _facts(rule: Rule, gates: Mapping[str, Gate]) -> list[tuple[str, str]]:
    facts = [
        ("kind", rule.kind),
        ("area", rule.area),
        ("machines", ", ".join(rule.machines)),
        ("authority", rule.authority),
        ("in force", versions(rule, gates)),
        ("docs differ", rule.documented),
        ("seen in", rule.observable),
    ]
    return [(name, text) for name, text in facts if text]


def _filled(text: str, first: str = "  ", rest: str = "  ") -> str:
    wrapper = TextWrapper(WIDTH, first, rest, break_on_hyphens=False, break_long_words=False)
    return "\n\n".join(wrapper.fill(" ".join(one.split())) for one in text.split("\n\n"))


def escaped(text: str) -> str:
    """`text` as Markdown that shows it as it is; spans in backticks stay code."""
    parts = re.split(r"(`+[^`]+`+)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([\\*<\[\]|$])", r"\\\1", part) for part in parts)


def code(text: str) -> Markdown:
    """`text` as a span of code."""
    return Markdown(f"`{text}`" if "`" not in text else f"`` {text} ``")


class Markdown(str):
    """Text that is Markdown already and is not to be escaped in a table."""

    __slots__ = ()


def link(text: str, to: str) -> Markdown:
    """A Markdown link."""
    return Markdown(f"[{text}]({to})")


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table; cells are escaped unless they are `Markdown`."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in rows:
        cells = (cell if isinstance(cell, Markdown) else escaped(cell) for cell in row)
        lines.append(f"| {' | '.join(' '.join(cell.split()) for cell in cells)} |")
    return "\n".join(lines)
