"""`podfsm verify`: the invariant suite, over podfsm's own model or somebody else's implementation."""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podfsm.cli.main import FINDINGS, FINE
from podfsm.cli.options import HELP
from podfsm.errors import InputError

if TYPE_CHECKING:
    from podfsm.testing.verify import Report

PROFILES = ("quick", "ci", "deep")


@click.command("verify", context_settings=HELP)
@click.option(
    "--implementation",
    metavar="MODULE:FACTORY",
    help="What to verify: a callable that makes a new cluster. Default: podfsm's own simulation.",
)
@click.option(
    "--profile", type=click.Choice(PROFILES), default="quick", show_default=True, help="About a minute, five, an hour."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed gives the same report, to the byte."
)
@click.option("--cases", type=click.IntRange(1), metavar="N", help="How many cases to run, whatever the profile says.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0),
    help="Seconds that one call may take; 0: any. Default: 10 for an implementation, any for podfsm itself.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "summary", "json"]),
    default="text",
    show_default=True,
    help="Every violation with its script, only the table, or all of it as JSON.",
)
@click.option("--junit", type=click.Path(dir_okay=False), metavar="FILE", help="Also write JUnit XML there.")
@click.option(
    "--counterexamples",
    type=click.Path(file_okay=False),
    default="counterexamples",
    show_default=True,
    metavar="FOLDER",
    help="Where the smallest counterexamples go, as Scenarios; the folder is made when there is one.",
)
@click.option(
    "--faults", is_flag=True, help="How good is the suite? Plant faults in the guards and see what it notices."
)
def command(
    implementation: str | None,
    profile: str,
    seed: int,
    cases: int | None,
    time_limit: float | None,
    output: str,
    junit: str | None,
    counterexamples: str,
    faults: bool,
) -> int:
    """Check the invariants of the Pod lifecycle over random Pods, and every machine over random triggers.

    Prints for each invariant how much it looked at, what was covered, and for each one broken the smallest
    counterexample, as a Scenario that `podfsm simulate` replays. Exit status 1 if anything is broken.

    \b
    Examples:
      podfsm verify
      podfsm verify --profile ci --seed 7 --junit verify.xml
      podfsm verify --implementation mymodule:make_cluster --cases 200
      podfsm verify --faults
    """
    if faults:
        return _faults(profile, seed)
    from podfsm.testing import report as reports
    from podfsm.testing.verify import verify

    known: dict[str, Any] = {"factory": load(implementation), "name": implementation} if implementation else {}
    found = verify(profile=profile, seed=seed, limit=time_limit, cases=cases, progress=_progress(), **known)
    files = reports.write_counterexamples(found, Path(counterexamples))
    if junit is not None:
        Path(junit).write_text(reports.junit(found, files), encoding="utf-8")
    _print(found, files, output)
    return FINDINGS if found.failures else FINE


def _print(found: Report, files: dict[str, str], output: str) -> None:
    from podfsm.testing import report as reports

    if output == "json":
        print(json.dumps(reports.data(found, files), indent=1))
        return
    for line in reports.text(found, files, details=output == "text"):
        print(line)


def load(name: str) -> Callable[[], Any]:
    """The factory that MODULE:FACTORY names; modules of the current folder are found. Raises InputError."""
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise InputError(
            "not an implementation", source="--implementation", expected="MODULE:FACTORY", found=repr(name)
        )
    if (here := os.getcwd()) not in sys.path:  # noqa: PTH109 - as `python -m` does
        sys.path.insert(0, here)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise InputError("cannot be loaded", source="--implementation", path=name, found=what) from error
    if not callable(found):
        raise InputError("not callable", source="--implementation", path=name, found=type(found).__name__)
    factory: Callable[[], Any] = found
    return factory


def _progress() -> Callable[[int, int], None]:
    """On a terminal, how far it is; elsewhere nothing."""
    if not sys.stderr.isatty():
        return lambda _done, _all: None

    def show(done: int, everything: int) -> None:
        if done % 20 == 0 or done == everything:
            end = "\r" if done < everything else "\n"
            print(f"{done} of {everything} cases", end=end, file=sys.stderr, flush=True)

    return show


def _faults(profile: str, seed: int) -> int:
    """Print what came of every planted fault; nothing noticed is a finding."""
    from podfsm.testing import verify
    from podfsm.testing.faults import plant_all

    chosen = verify.PROFILES[profile]
    noticed, survivors = 0, 0
    for found in plant_all(steps=chosen.steps, cases=chosen.cases // 10, seed=str(seed)):
        noticed, survivors = noticed + bool(found.by), survivors + (not found.by)
        print(f"{found.rule:36} {found.kind:16} {f'{found.by}: {found.what}' if found.by else 'NOT NOTICED'}")
    print(f"{noticed} of {noticed + survivors} planted faults noticed ({100 * noticed / (noticed + survivors):.1f} %)")
    return FINDINGS if survivors else FINE
