"""The group of verbs, and the one place where errors become messages and exit statuses."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from podfsm.cli import FRONT_PAGE, closed_pipe
from podfsm.errors import PodfsmError, nearest

VERBS = ("simulate", "check", "explain", "lint", "explore", "diagram", "rules", "eval", "verify", "completion")
"""In the order of the front page. Each is `podfsm.cli.<verb>.command`, loaded when it is called."""

FINE, FINDINGS, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Front(click.Group):
    """A group that loads a verb's module only when the verb is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command = import_module(f"podfsm.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"no verb {args[0]!r}; {nearest(args[0], VERBS)}", ctx)
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        return FRONT_PAGE.rstrip("\n")


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        click.echo(f"podfsm {version('podfsm')}")
        ctx.exit()


@click.group(cls=Front, name="podfsm", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version)
def podfsm() -> None:
    """The Kubernetes Pod lifecycle as executable, citable rules."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line. Gives the status: 0 fine, 1 findings, 2 bad input, 130 interrupted, 141 closed pipe."""
    try:
        status = _invoke(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        return closed_pipe()
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        return complain(error.format_message())
    except PodfsmError as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return closed_pipe() if error.errno == errno.EPIPE else complain(_system(error))
    return status


def complain(text: str) -> int:
    """One line on standard error; the exit status that goes with it."""
    print(f"podfsm: {text}", file=sys.stderr)
    return BAD_INPUT


def _invoke(arguments: Sequence[str]) -> int:
    """What click's own `main` does, without its ideas about closed pipes and interrupts."""
    if "_PODFSM_COMPLETE" in os.environ:
        podfsm.main(list(arguments), prog_name="podfsm")
    try:
        with podfsm.make_context("podfsm", list(arguments)) as context:
            answer = podfsm.invoke(context)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    return answer if isinstance(answer, int) else FINE


def _usage(error: click.UsageError) -> int:
    where = error.ctx.command_path if error.ctx is not None else "podfsm"
    text = " ".join(error.format_message().split())
    return complain(f"{text[:1].lower()}{text[1:].rstrip('.')} (see `{where} --help`)")


def _system(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what
