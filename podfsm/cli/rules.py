"""`podfsm rules`: list, show, diff."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from podfsm.cli.options import HELP, bold, read_gates
from podfsm.engine.rule import KINDS, Rule
from podfsm.engine.versions import Gates
from podfsm.errors import UnknownName
from podfsm.rules.catalogue import all_rules, omitted
from podfsm.rules.describe import as_data, as_markdown, as_text, table
from podfsm.rules.gates import all_gates

FORMATS = ("text", "json", "markdown")
format_option = click.option(
    "--format", "-o", "form", type=click.Choice(FORMATS), default="text", help="How to print it."
)


@click.group("rules", invoke_without_command=True, context_settings=HELP)
@click.pass_context
def command(ctx: click.Context) -> None:
    """The rules themselves: each one's statement, sources, versions and examples.

    \b
    Examples:
      podfsm rules list --area backoff
      podfsm rules show backoff-sequence
      podfsm rules diff 1.27 1.36
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_rules)


@command.command("list", context_settings=HELP)
@click.option("--area", help="Only this area, such as backoff or probes.")
@click.option("--kind", type=click.Choice(KINDS), help="Only this kind of rule.")
@click.option("--machine", help="Only the rules of this machine, such as container.")
@click.option("--kubernetes", metavar="VERSION", help="Only the rules in force in this minor version, 1.18 to 1.36.")
@click.option(
    "--observable", type=click.Choice(("yes", "no")), help="Only the rules that Pod objects show, or only the others."
)
@format_option
def list_rules(
    area: str | None = None,
    kind: str | None = None,
    machine: str | None = None,
    kubernetes: str | None = None,
    observable: str | None = None,
    form: str = "text",
) -> None:
    """List the rules, one a line: id, kind and statement.

    \b
    Examples:
      podfsm rules list --kind invariant
      podfsm rules list --kubernetes 1.27 --format json
    """
    rules = list(all_rules())
    _check("area", area, {rule.area for rule in rules})
    _check("machine", machine, {name for rule in rules for name in rule.machines})
    gates = read_gates(kubernetes, "") if kubernetes else None
    chosen = [
        rule
        for rule in rules
        if area in (None, rule.area)
        and kind in (None, rule.kind)
        and (machine is None or machine in rule.machines)
        and (gates is None or rule.in_force(gates))
        and observable in (None, "yes" if rule.observable else "no")
    ]
    if form == "json":
        _print_json([as_data(rule) for rule in chosen])
    elif form == "markdown":
        click.echo(table(("rule", "kind", "area", "statement"), (_row(rule) for rule in chosen)))
    else:
        width = max((len(rule.id) for rule in chosen), default=0)
        for rule in chosen:
            click.echo(f"{bold(rule.id.ljust(width))}  {rule.kind:<10}  {rule.statement}")


def _check(what: str, name: str | None, known: set[str]) -> None:
    if name is not None and name not in known:
        raise UnknownName(what, name, known)


def _row(rule: Rule) -> tuple[str, ...]:
    return (rule.id, rule.kind, rule.area, rule.statement)


def _complete_rule(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(rule.id, help=rule.statement) for rule in all_rules() if rule.id.startswith(incomplete)]


@command.command("show", context_settings=HELP)
@click.argument("rule_id", metavar="ID", shell_complete=_complete_rule)
@format_option
def show(rule_id: str, form: str) -> None:
    """Show one rule: statement, remarks, versions, sources with links, and examples that the tests run.

    \b
    Example:
      podfsm rules show restart-onfailure
    """
    rules = all_rules()
    if rule_id not in rules and rule_id in omitted():
        click.echo(f"{rule_id} is not modelled: {omitted()[rule_id]}")
        return
    rule = rules[rule_id]
    if form == "json":
        _print_json(as_data(rule))
    elif form == "markdown":
        click.echo(as_markdown(rule, all_gates()), nl=False)
    else:
        heading, _, rest = as_text(rule, all_gates()).partition("\n")
        click.echo(f"{bold(heading)}\n{rest}")


@command.command("diff", context_settings=HELP)
@click.argument("old")
@click.argument("new")
@format_option
def diff(old: str, new: str, form: str) -> None:
    """What differs between two Kubernetes versions: rules in force in one of them only, and gates switched.

    \b
    Example:
      podfsm rules diff 1.27 1.36
    """
    found = difference(read_gates(old, ""), read_gates(new, ""))
    if form == "json":
        _print_json(found)
        return
    for title, rows in _sections(old, new, found):
        if form == "markdown":
            click.echo(f"## {title}\n\n{table(('name', 'what'), rows)}\n")
            continue
        click.echo(bold(f"{title}: {len(rows)}"))
        width = max((len(name) for name, _ in rows), default=0)
        for name, what in rows:
            click.echo(f"  {name.ljust(width)}  {what}")


def difference(old: Gates, new: Gates) -> dict[str, Any]:
    """The rules in force in one version only, and the gates whose default differs, as plain JSON."""
    rules = list(all_rules())
    return {
        "gone": [_short(rule) for rule in rules if rule.in_force(old) and not rule.in_force(new)],
        "come": [_short(rule) for rule in rules if rule.in_force(new) and not rule.in_force(old)],
        "gates": [
            {"name": name, "old": old.on(name), "new": new.on(name), "what": gate.what}
            for name, gate in sorted(all_gates().items())
            if old.on(name) != new.on(name)
        ],
    }


def _short(rule: Rule) -> dict[str, str]:
    return {"id": rule.id, "statement": rule.statement}


def _sections(old: str, new: str, found: dict[str, Any]) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    yield f"Rules in {old} only", [(one["id"], one["statement"]) for one in found["gone"]]
    yield f"Rules in {new} only", [(one["id"], one["statement"]) for one in found["come"]]
    switched = [(one["name"], f"{_on(one['old'])} -> {_on(one['new'])}: {one['what']}") for one in found["gates"]]
    yield "Feature gates whose default changed", switched


def _on(value: bool) -> str:
    return "on" if value else "off"


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
