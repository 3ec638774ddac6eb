"""`podfsm check`: recorded Pods against the rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from attrs import define, evolve, field

from podfsm.check.baseline import baseline_text, read_baseline
from podfsm.check.finding import NOTE, SEVERITIES, Finding
from podfsm.check.many import Found, in_processes, in_turn, on_dask
from podfsm.check.readers import Trouble
from podfsm.check.recording import Order
from podfsm.check.report import WRITERS
from podfsm.cli.main import BAD_INPUT, FINDINGS, FINE
from podfsm.cli.options import HELP, feature_gates_option, gate_overrides, kubernetes_option, read_gates
from podfsm.errors import InputError
from podfsm.rules.catalogue import all_rules


@define
class Sum:
    """What all recordings came to."""

    events: int = 0
    troubles: int = 0
    severities: dict[str, int] = field(factory=lambda: dict.fromkeys(SEVERITIES, 0))
    accepted: int = 0


@click.command("check", context_settings=HELP)
@click.argument("recordings", nargs=-1, required=True, metavar="RECORDING...")
@click.option(
    "-o", "--format", "form", type=click.Choice(list(WRITERS)), default="text", show_default=True, help="What to print."
)
@click.option(
    "--strict", is_flag=True, help="Notes count too: they are printed, and the status is 1. Unknown fields are said."
)
@click.option("--ignore", multiple=True, metavar="RULE", help="Leave out findings of this rule; may be repeated.")
@click.option("--baseline", metavar="FILE", help="Leave out the findings that this file accepts.")
@click.option("--write-baseline", metavar="FILE", help="Accept all findings of this run: write them to FILE.")
@click.option(
    "--workers", type=click.IntRange(1), default=1, show_default=True, help="Processes, for several RECORDINGs."
)
@click.option("--dask", metavar="ADDRESS", help="Run on this Dask cluster; its workers must see the files.")
@kubernetes_option
@feature_gates_option
def command(
    recordings: tuple[str, ...],
    form: str,
    strict: bool,
    ignore: tuple[str, ...],
    baseline: str | None,
    write_baseline: str | None,
    workers: int,
    dask: str | None,
    kubernetes: str,
    feature_gates: str,
) -> int:
    """Say where recorded Pods depart from the documented lifecycle: rule, place, what was seen, what was allowed.

    A RECORDING is a file, a folder or `-` for standard input, and is taken by itself: watch events (concatenated or one
    a line), lists and arrays, single Pods, tables with objects, API audit logs (level Request and above), must-gather
    and `kubectl cluster-info dump` folders, KWOK recordings, what `podfsm simulate` prints; JSON or YAML, plain, gzip
    or zstd.

    \b
    Status: 0 nothing found, 1 findings, 2 some of the input could not be read (the rest was).

    \b
    Examples:
      kubectl get pods -A -w -o json --output-watch-events | podfsm check -
      podfsm check audit.log.gz must-gather/ run.jsonl
      podfsm check run.jsonl --format sarif > podfsm.sarif
    """
    read_gates(kubernetes, feature_gates)
    for rule in ignore:
        all_rules()[rule]  # says what is wrong with the name
    accepted = read_baseline(baseline) if baseline is not None else frozenset()
    gates = tuple(sorted(gate_overrides(feature_gates).items()))
    orders = [Order(path, kubernetes, gates, strict) for path in recordings]
    total = Sum()
    kept: list[Finding] = []
    found = _chosen(_run(orders, workers, dask), total, frozenset(ignore), accepted, strict=strict)
    for piece in WRITERS[form](_noted(found, kept) if write_baseline is not None else found):
        sys.stdout.write(piece)
    if write_baseline is not None:
        Path(write_baseline).write_text(baseline_text(kept), encoding="utf-8")
    sys.stdout.flush()
    print(_summary(total, len(recordings)), file=sys.stderr)
    if total.troubles:
        return BAD_INPUT
    counted = sum(total.severities.values()) - (0 if strict else total.severities[NOTE])
    return FINDINGS if counted else FINE


def _run(orders: Sequence[Order], workers: int, dask: str | None) -> Found:
    if dask is not None:
        if any(order.path == "-" for order in orders):
            raise InputError("standard input cannot be sent to a cluster", source="--dask")
        return on_dask([evolve(order, path=str(Path(order.path).resolve())) for order in orders], dask)
    if workers > 1 and len(orders) > 1 and all(order.path != "-" for order in orders):
        return in_processes(orders, workers)
    return in_turn(orders)


def _chosen(
    found: Found, total: Sum, ignored: frozenset[str], accepted: frozenset[str], *, strict: bool
) -> Iterator[Finding]:
    """The findings to print; complaints about the input go to standard error on the way."""
    for tally, one in found:
        if one is None:
            total.events += tally.events
        elif isinstance(one, Trouble):
            total.troubles += not one.harmless
            print(f"podfsm: {one}", file=sys.stderr)
        elif one.rule in ignored or one.key in accepted:
            total.accepted += 1
        else:
            total.severities[one.severity] += 1
            if strict or one.severity != NOTE:
                yield one


def _noted(findings: Iterator[Finding], kept: list[Finding]) -> Iterator[Finding]:
    for finding in findings:
        kept.append(finding)
        yield finding


def _summary(total: Sum, recordings: int) -> str:
    counts = [f"{number} {name}{'s' if number != 1 else ''}" for name, number in total.severities.items() if number]
    parts = [f"{recordings} recording{'s' if recordings != 1 else ''}", f"{total.events} sights of Pods"]
    parts.append(", ".join(counts) if counts else "nothing found")
    if total.accepted:
        parts.append(f"{total.accepted} left out as asked")
    if total.troubles:
        parts.append(f"{total.troubles} part{'s' if total.troubles != 1 else ''} could not be read")
    return "podfsm: " + "; ".join(parts)
