"""The page that goes through the lifecycle section by section: rules, example and tests of each.

`docs/sections.yaml` names the sections; which rules belong to one, the rules say themselves.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from attrs import frozen

from podfsm.engine.rule import Rule
from podfsm.rules.catalogue import all_rules, omitted
from podfsm.rules.describe import Markdown, code, escaped, link, table

FILE = Path(__file__).with_name("sections.yaml")


@frozen
class Section:
    """One section of the notes, with everything that stands for it."""

    number: int
    title: str
    says: str
    rules: tuple[Rule, ...]
    left_out: tuple[str, ...]
    machines: tuple[str, ...]
    examples: tuple[str, ...]
    tests: tuple[str, ...]


def sections() -> tuple[Section, ...]:
    """All sections, numbered from 1."""
    given: list[dict[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["sections"]
    return tuple(_section(number, each) for number, each in enumerate(given, 1))


def _section(number: int, given: dict[str, Any]) -> Section:
    registry = all_rules()
    own = [rule for rule in registry if rule.seed == number]
    also = [registry[name] for name in given.get("rules", ())]
    others = (tuple(given.get(key, ())) for key in ("left_out", "machines", "examples", "tests"))
    return Section(number, given["title"], given["says"], (*own, *also), *others)


def page() -> str:
    """The page: a table of the sections, and the rules of each below it."""
    found = sections()
    note = (
        "What podfsm knows of each part of a Pod's life: the rules that say it, examples to run, and tests. "
        "An example is run with `podfsm simulate specs/examples/NAME.yaml`."
    )
    heads = ("", "section", "rules", "examples", "tests")
    parts = ["# Section by section", "", note, "", table(heads, map(_row, found)), ""]
    for section in found:
        parts += [f"## {section.title}", "", escaped(section.says), ""]
        if section.machines:
            drawn = (link(name, f"../../machines/{name}.md") for name in section.machines)
            parts += [f"Machines: {', '.join(drawn)}.", ""]
        parts += [table(("rule", "statement"), [(_linked(rule), rule.statement) for rule in section.rules]), ""]
        if section.left_out:
            reasons = [(name, omitted()[name]) for name in section.left_out]
            parts += ["Not a rule here:", "", table(("id", "why"), reasons), ""]
    return "\n".join(parts)


def _row(section: Section) -> tuple[str, ...]:
    anchor = section.title.lower().replace(" ", "-")
    return (
        str(section.number),
        link(section.title, f"#{anchor}"),
        str(len(section.rules)),
        Markdown(", ".join(map(code, section.examples))),
        Markdown(", ".join(map(code, section.tests))),
    )


def _linked(rule: Rule) -> str:
    return link(rule.id, f"../../rules/{rule.area}.md#{rule.id}")
