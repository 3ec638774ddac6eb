"""Write the pages that come from what runs: rules, machines, the reference, and the output shown in the README.

And `specs/compiled.json`, from which podfsm itself reads its tables; it comes first.

`python docs/generate.py` writes them; `--check` compares, says what differs, and ends with status 1 if anything does.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

import click

import podfsm
from podfsm.cli.main import VERBS
from podfsm.cli.main import podfsm as front
from podfsm.engine.rule import Rule
from podfsm.engine.spec import MachineSpec, TransitionSpec
from podfsm.machines import class_name, machine_names, machine_spec
from podfsm.render import render
from podfsm.rules.catalogue import all_rules, omitted
from podfsm.rules.describe import Markdown, as_markdown, code, escaped, history, link, table
from podfsm.rules.gates import all_gates
from podfsm.rules.timings import timings

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

import sections  # noqa: E402 - stands beside this file, wherever it is run from
import tables  # noqa: E402 - the same

GENERATED = ("rules", "machines", "reference/generated")
NOTE = "<!-- Written by docs/generate.py; changes go into what it is made from. -->\n\n"

README = "../README.md"
TABLES = "../specs/compiled.json"
SHOWN = re.compile(r"(?<=<!-- simulate-output -->\n```text\n).*?(?=```\n<!-- end -->)", re.DOTALL)
COMMAND = re.compile(r"^    pip install \. && podfsm (.*)$", re.MULTILINE)

Pages = dict[str, str]


def pages() -> Pages:
    """Every generated page: path below docs to text."""
    found = {**rule_pages(), **machine_pages(), **reference_pages()}
    noted = {name: NOTE + text.rstrip() + "\n" for name, text in found.items()}
    return noted | {README: readme(), TABLES: tables.compiled()}


def readme() -> str:
    """The README with what its first command prints."""
    text = (DOCS / README).read_text(encoding="utf-8")
    command = COMMAND.search(text)
    if command is None or not SHOWN.search(text):
        sys.exit("README.md has no place for the output of its first command")
    arguments = [sys.executable, "-m", "podfsm", *command[1].split()]
    shown = subprocess.run(arguments, capture_output=True, text=True, cwd=DOCS.parent, check=False)
    if shown.returncode:
        sys.exit(f"the README's first command fails: {shown.stderr}")
    return SHOWN.sub(lambda _: shown.stdout, text)


def rule_pages() -> Pages:
    """A page an area, the index of both areas and rules, and what is left out."""
    rules = sorted(all_rules(), key=lambda rule: (rule.area, rule.id))
    areas = {area: list(group) for area, group in groupby(rules, key=lambda rule: rule.area)}
    found = {f"rules/{area}.md": _area_page(area, members) for area, members in areas.items()}
    found["rules/index.md"] = _rule_index(areas)
    found["rules/omitted.md"] = _omitted_page()
    return found


def _area_page(area: str, rules: list[Rule]) -> str:
    gates = all_gates()
    parts = [f"# {_title(area)}", "", table(("rule", "kind", "statement"), _rows(rules, "")), ""]
    for rule in rules:
        parts.append(_linked(as_markdown(rule, gates, heading="##")))
        used = list(_used_by(rule))
        if used:
            parts.append(f"Used by {', '.join(used)}.\n")
    return "\n".join(parts)


def _linked(text: str) -> str:
    """Ids of rules, where they stand alone in backticks, become links."""
    rules = all_rules()

    def link_to(found: re.Match[str]) -> str:
        name = found[1]
        return link(name, f"{rules[name].area}.md#{name}") if name in rules else found[0]

    return re.sub(r"(?<!\[)`([a-z0-9-]+)`", link_to, text)


def _used_by(rule: Rule) -> Iterator[str]:
    for name in machine_names():
        triggers = dict.fromkeys(row.trigger for row in machine_spec(name).transitions if rule.id in row.cited)
        if triggers:
            yield f"the machine [{name}](../machines/{name}.md) ({', '.join(triggers)})"


def _rows(rules: list[Rule], page: str) -> list[tuple[str, ...]]:
    return [(link(rule.id, f"{page}#{rule.id}"), rule.kind, rule.statement) for rule in rules]


def _rule_index(areas: dict[str, list[Rule]]) -> str:
    total = sum(map(len, areas.values()))
    parts = [
        "# Rules",
        "",
        f"{total} rules in {len(areas)} areas. `podfsm rules show ID` prints each of them.",
        "Examples are run as tests. *Authority* tells whether the documentation, the source, or both say so.",
        "",
        _toctree([*areas, "omitted"]),
    ]
    for area, rules in areas.items():
        parts += [f"## {_title(area)}", "", table(("rule", "kind", "statement"), _rows(rules, f"{area}.md")), ""]
    return "\n".join(parts)


def _omitted_page() -> str:
    rows = omitted().items()
    said = table(("id", "why it is no rule"), rows) if rows else "None."
    parts = ["# Left out", "", "Documented rules of the areas above that are not among the rules.", "", said, ""]
    parts += ["## By the machines", ""]
    for name in machine_names():
        omits = machine_spec(name).omits
        parts += [f"- [{name}](../machines/{name}.md): {escaped('; '.join(omits))}"] if omits else []
    return "\n".join(parts)


def machine_pages() -> Pages:
    """A page a machine, and their index."""
    specs = [machine_spec(name) for name in machine_names()]
    found = {f"machines/{spec.name}.md": _machine_page(spec) for spec in specs}
    rows = [
        (
            link(spec.name, f"{spec.name}.md"),
            spec.instances,
            str(len(spec.states)),
            str(len(spec.transitions)),
            str(len({cited for row in spec.transitions for cited in row.cited})),
        )
        for spec in specs
    ]
    heads = ("machine", "one for each", "states", "transitions", "rules")
    note = "Each is a spec in `specs/machines`; `podfsm diagram NAME` draws it."
    parts = ["# Machines", "", note, "", table(heads, rows), "", _toctree([spec.name for spec in specs])]
    found["machines/index.md"] = "\n".join(parts)
    return found


def _machine_page(spec: MachineSpec) -> str:
    about = [escaped(text) for text in (spec.says, spec.visible and f"Visible as {spec.visible}.") if text]
    states = [(state.name, _shows(state.shows), state.says) for state in spec.states]
    parts = [f"# {spec.name}", "", *about, ""]
    parts += [f"In Python `podfsm.{class_name(spec.name)}`; on the command line `podfsm diagram {spec.name}`.", ""]
    parts += ["```mermaid", str(render(spec, "mermaid", with_guards=False)).rstrip(), "```", ""]
    parts += ["## States", "", f"It starts in {spec.initial}.", "", table(("state", "shows", "says"), states), ""]
    heads = ("trigger", "from", "to", "by", "guards", "because", "says")
    parts += ["## Transitions", "", table(heads, (_transition(row) for row in spec.transitions)), ""]
    if spec.omits:
        parts += ["## Not modelled", "", *(f"- {escaped(text)}" for text in spec.omits)]
    return "\n".join(parts)


def _transition(row: TransitionSpec) -> tuple[str, ...]:
    dest = "stays" if row.internal else row.dest
    gate = [f"with {row.gate}" if row.gate else "", f"without {row.without_gate}" if row.without_gate else ""]
    says = "; ".join(filter(None, (row.says, *gate)))
    return (row.trigger, ", ".join(row.sources), dest, row.by, _links(row.rules), _links(row.because), says)


def _links(rules: Iterable[Rule]) -> Markdown:
    return Markdown(", ".join(link(rule.id, f"../rules/{rule.area}.md#{rule.id}") for rule in rules))


def _shows(shows: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"{name}: {value}" if value else name for name, value in shows)


def reference_pages() -> Pages:
    """The sections of the lifecycle, the command line, the public names, the constants and the gates."""
    return {
        "reference/generated/sections.md": sections.page(),
        "reference/generated/cli.md": _cli_page(),
        "reference/generated/api.md": _api_page(),
        "reference/generated/timing.md": _timing_page(),
        "reference/generated/gates.md": _gates_page(),
    }


def _cli_page() -> str:
    parts = ["# Command line", "", "```text", front.get_help(click.Context(front, info_name="podfsm")), "```", ""]
    for verb in VERBS:
        for path, command in _commands(("podfsm", verb)):
            parts += [f"## {' '.join(path)}", "", "```text", _help(path, command), "```", ""]
    return "\n".join(parts)


def _commands(path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    command: click.Command | None = front
    for name in path[1:]:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None, path
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands((*path, name))


def _help(path: tuple[str, ...], command: click.Command) -> str:
    settings = {**command.context_settings, "terminal_width": 100, "max_content_width": 100}
    context = click.Context(command, info_name=" ".join(path), **settings)
    return command.get_help(context)


def _api_page() -> str:
    rows = [(code(name), _summary(getattr(podfsm, name))) for name in sorted(podfsm.__all__)]
    note = "What `from podfsm import ...` offers. Everything else may change."
    return f"# Python names\n\n{note}\n\n{table(('name', 'what it is'), rows)}"


def _summary(value: object) -> str:
    if isinstance(value, type) or callable(value):
        return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    return f"The value `{value}`."


def _timing_page() -> str:
    rows = [(one.name, f"{one.value:g} {one.unit}", one.what, code(one.source)) for one in timings().values()]
    note = "From `specs/timing.yaml`; sources are files and identifiers of the Kubernetes 1.36.2 tree."
    return f"# Constants\n\n{note}\n\n{table(('name', 'value', 'what', 'source'), rows)}"


def _gates_page() -> str:
    rows = [(name, history(gate), gate.what) for name, gate in sorted(all_gates().items())]
    note = "From `specs/gates.yaml`: from which version on each gate is in which stage, and its default there."
    return f"# Feature gates\n\n{note}\n\n{table(('gate', 'stages', 'what'), rows)}"


def _title(area: str) -> str:
    return area.replace("-", " ").capitalize()


def _toctree(names: list[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```", ""])


def _existing() -> set[str]:
    return {path.relative_to(DOCS).as_posix() for folder in GENERATED for path in (DOCS / folder).glob("*.md")}


def write(wanted: Pages) -> list[str]:
    """Write what differs, remove what no longer belongs; gives the pages touched."""
    touched = differing(wanted)
    for name in touched:
        path = DOCS / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
        else:
            path.unlink()
    return touched


def differing(wanted: Pages) -> list[str]:
    """The pages that are missing, out of date, or no longer belong."""
    return sorted(name for name in _existing() | set(wanted) if _text(name) != wanted.get(name))


def _text(name: str) -> str | None:
    path = DOCS / name
    return path.read_text(encoding="utf-8") if path.is_file() else None


def main(arguments: list[str]) -> int:
    """The command: status 0, or 1 if `--check` finds a difference."""
    os.environ["NO_COLOR"] = "1"
    check = arguments == ["--check"]
    if arguments and not check:
        sys.exit("usage: python docs/generate.py [--check]")
    if not check and tables.renew():
        print(f"wrote: docs/{TABLES}")
        # this process has loaded the tables as they were
        return subprocess.run([sys.executable, __file__], check=False).returncode
    act: Callable[[Pages], list[str]] = differing if check else write
    found = act(pages())
    for name in found:
        print(f"{'out of date' if check else 'wrote'}: docs/{name}")
    if check and found:
        print("run `python docs/generate.py` and commit the pages")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
