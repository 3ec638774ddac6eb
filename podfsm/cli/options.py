"""Options that several verbs share, and the few things that touch the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from podfsm.engine.versions import Gates
from podfsm.errors import InputError
from podfsm.kube.duration import parse_duration
from podfsm.rules.gates import gates_for

HELP = {"help_option_names": ["-h", "--help"]}
"""`context_settings` of every verb."""

Decorated = Callable[..., Any]


def kubernetes_option(function: Decorated) -> Decorated:
    """`--kubernetes VERSION`: the minor version whose rules and gates apply; the newest one unless given."""
    return click.option(
        "--kubernetes",
        metavar="VERSION",
        default="1.36",
        show_default=True,
        help="Kubernetes minor version whose rules and feature gates apply, 1.18 to 1.36.",
    )(function)


def feature_gates_option(function: Decorated) -> Decorated:
    """`--feature-gates A=true,B=false`."""
    return click.option(
        "--feature-gates",
        metavar="NAME=BOOL,...",
        default="",
        help="Switch feature gates, as the kubelet's option of this name does: A=true,B=false.",
    )(function)


def read_gates(kubernetes: str, feature_gates: str) -> Gates:
    """The gates in force. Raises InputError or UnknownName for what does not exist."""
    return gates_for(kubernetes, gate_overrides(feature_gates))


def gate_overrides(text: str) -> dict[str, bool]:
    """Read `A=true,B=false`. Raises InputError."""
    overrides = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if not name or value.lower() not in ("true", "false"):
            raise InputError(
                "not a feature gate setting",
                source="--feature-gates",
                expected="NAME=true or NAME=false",
                found=repr(part),
            )
        overrides[name] = value.lower() == "true"
    return overrides


def read_until(text: str | None) -> float | None:
    """What `--until` says, in seconds; None if it was not given. Raises InputError."""
    if text is None:
        return None
    try:
        return parse_duration(text)
    except InputError as error:
        error.source = "--until"
        raise


def coloured() -> bool:
    """Colours only on a terminal, and never with NO_COLOR or a dumb terminal."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()


def bold(text: str) -> str:
    """`text`, emphasised where that shows."""
    return click.style(text, bold=True) if coloured() else text


@contextmanager
def opened(name: str) -> Iterator[tuple[str, BinaryIO]]:
    """A file to read bytes from, and what to call it in messages; `-` is standard input."""
    if name == "-":
        yield "<stdin>", sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield name, file
