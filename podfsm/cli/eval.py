"""`podfsm eval`: one derivation over JSON lines, for tools in any language."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import click
import msgspec
from attrs import define
from click.shell_completion import CompletionItem

from podfsm.cli.main import BAD_INPUT, FINDINGS, FINE, complain
from podfsm.cli.options import HELP, feature_gates_option, kubernetes_option, opened, read_gates
from podfsm.engine.versions import Gates
from podfsm.errors import InputError, PodfsmError
from podfsm.evaluate import evaluate, names, same

LONGEST_LINE = 16 << 20
"""Bytes of one case; longer lines are refused."""


@define
class Tally:
    """What became of the cases of one file."""

    seen: int = 0
    right: int = 0
    wrong: int = 0
    unreadable: int = 0


def _complete_name(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names() if name.startswith(incomplete)]


def _list(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo("\n".join(names()))
        ctx.exit()


@click.command("eval", context_settings=HELP)
@click.argument("name", shell_complete=_complete_name)
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]...")
@click.option(
    "--check", is_flag=True, help="Compare with each `want` and print the agreement; status 1 if any differs."
)
@click.option("--show", type=click.IntRange(0), default=3, show_default=True, help="With --check: how many to print.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List the names.")
@kubernetes_option
@feature_gates_option
def command(name: str, files: tuple[str, ...], check: bool, show: int, kubernetes: str, feature_gates: str) -> int:
    """Answer cases of the derivation NAME: a line {"id", "input"} in, a line {"id", "got"} out.

    FILE is standard input unless given, or where it is `-`.

    \b
    Examples:
      podfsm eval --list
      echo '{"id": "a", "input": {"httpGet": {"statusCode": 200}}}' | podfsm eval probe-result
      podfsm eval pod-phase cases.jsonl --check
    """
    gates = read_gates(kubernetes, feature_gates)
    if name not in names():
        evaluate(name, {}, gates)  # says what is wrong with the name
    status = FINE
    for file in files or ("-",):
        tally = Tally()
        with opened(file) as (source, lines):
            answers = _answers(name, _cases(lines, source, tally), gates, source, tally)
            if check:
                _check(name, answers, source, tally, show)
            else:
                _print(answers)
        if not tally.seen:
            status = complain(f'{source}: empty; expected JSON lines, each an object with an "input"')
        elif tally.unreadable:
            status = complain(
                f"{source}: {tally.unreadable} of {tally.seen} cases could not be {'checked' if check else 'answered'}"
            )
        elif tally.wrong and status != BAD_INPUT:
            status = FINDINGS
    return status


def _cases(lines: Iterable[bytes], source: str, tally: Tally) -> Iterator[tuple[int, dict[str, Any]]]:
    """The cases of a file with their line numbers; a line that is none is reported, and the rest still read."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        tally.seen += 1
        try:
            yield number, _case(line, source, number)
        except InputError as error:
            tally.unreadable += 1
            complain(str(error))


def _case(line: bytes, source: str, number: int) -> dict[str, Any]:
    if len(line) > LONGEST_LINE:
        raise InputError("line too long", source=source, line=number, expected=f"at most {LONGEST_LINE} bytes")
    try:
        case = json.loads(line.strip())
    except (ValueError, RecursionError) as error:
        column = getattr(error, "colno", None)
        what = getattr(error, "msg", str(error))
        raise InputError(f"not JSON: {what}", source=source, line=number, column=column) from error
    if not isinstance(case, dict) or not isinstance(case.get("input"), dict):
        raise InputError("not a case", source=source, line=number, expected='an object with an object "input"')
    return case


def _answers(
    name: str, cases: Iterable[tuple[int, dict[str, Any]]], gates: Gates, source: str, tally: Tally
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for number, case in cases:
        try:
            yield case, evaluate(name, case["input"], gates)
        except PodfsmError as error:
            tally.unreadable += 1
            complain(f"{source}:{number}: {error}")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            tally.unreadable += 1
            what, _, path = (f"no {error}" if isinstance(error, KeyError) else str(error)).partition(" - at ")
            place = path.strip("`").removeprefix("$.")
            complain(str(InputError(f"not an input of {name}: {what}", source=source, line=number, path=place)))


def _print(answers: Iterable[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    for case, got in answers:
        click.echo(_line({"id": case.get("id"), "got": got}))


def _check(
    name: str, answers: Iterable[tuple[dict[str, Any], dict[str, Any]]], source: str, tally: Tally, show: int
) -> None:
    differing: list[dict[str, Any]] = []
    for case, got in answers:
        if "want" not in case:
            tally.unreadable += 1
        elif same(got, case["want"]):
            tally.right += 1
        else:
            tally.wrong += 1
            if len(differing) < show:
                differing.append({"id": case.get("id"), "got": got, "want": case["want"]})
    total = tally.right + tally.wrong
    share = f"{100 * tally.right / total:.1f} %" if total else "none"
    click.echo(f"{source}: {name}: {tally.right} of {total} agree ({share})")
    for one in differing:
        click.echo(_line(one))


def _line(value: Any) -> str:
    return msgspec.json.encode(value).decode()
