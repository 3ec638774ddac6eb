"""`podfsm completion SHELL`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from podfsm.cli.options import HELP

SHELLS = ("bash", "zsh", "fish")


@click.command("completion", context_settings=HELP)
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    Put one of these where your shell starts:
      eval "$(podfsm completion bash)"            in ~/.bashrc
      eval "$(podfsm completion zsh)"             in ~/.zshrc
      podfsm completion fish > ~/.config/fish/completions/podfsm.fish
    """
    from podfsm.cli.main import podfsm

    found = get_completion_class(shell)
    assert found is not None, shell
    click.echo(found(podfsm, {}, "podfsm", "_PODFSM_COMPLETE").source())
