"""`podfsm diagram`: a machine as a picture."""

from __future__ import annotations

import sys

import click
from click.shell_completion import CompletionItem

from podfsm.cli.options import HELP, feature_gates_option, kubernetes_option, read_gates
from podfsm.engine.spec import MachineSpec, load_spec
from podfsm.errors import InputError
from podfsm.machines import machine_names, machine_spec
from podfsm.render import FORMS, render
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import all_gates


def _complete_machine(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in machine_names() if name.startswith(incomplete)]


def _list(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo("\n".join(machine_names()))
        ctx.exit()


@click.command("diagram", context_settings=HELP)
@click.argument("machine", shell_complete=_complete_machine)
@click.option(
    "-o", "--format", "form", type=click.Choice(FORMS), default="mermaid", show_default=True, help="What to draw it as."
)
@click.option("--with-guards", is_flag=True, help="Write the rules on the arrows.")
@click.option("--current", metavar="STATE", help="Mark this state.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List the machines.")
@kubernetes_option
@feature_gates_option
def command(
    machine: str, form: str, with_guards: bool, current: str | None, kubernetes: str, feature_gates: str
) -> None:
    """Draw MACHINE: one of podfsm's own (see --list), or a spec file of yours ending in .yaml.

    svg and png need Graphviz's `dot`; the other forms need nothing.

    \b
    Examples:
      podfsm diagram container
      podfsm diagram pod -o svg > pod.svg
      podfsm diagram probe --with-guards --current Probing
      podfsm diagram init_container --kubernetes 1.27
    """
    spec = _spec(machine).under(read_gates(kubernetes, feature_gates))
    if current is not None:
        spec.state(current)
    drawn = render(spec, form, with_guards=with_guards, current=current)
    if isinstance(drawn, bytes):
        if sys.stdout.isatty():
            raise InputError(f"{form} is no text for a terminal", hint=f"write it to a file: > {spec.name}.{form}")
        sys.stdout.buffer.write(drawn)
        sys.stdout.buffer.flush()
    else:
        click.echo(drawn, nl=not drawn.endswith("\n"))


def _spec(name: str) -> MachineSpec:
    if name.endswith((".yaml", ".yml")):
        return load_spec(name, registry=all_rules(), gates=all_gates())
    return machine_spec(name)
