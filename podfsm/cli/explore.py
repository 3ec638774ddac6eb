"""`podfsm explore`: every behaviour of a Pod within bounds."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from podfsm.cli.main import FINDINGS, FINE
from podfsm.cli.options import HELP, read_until
from podfsm.errors import UnknownName
from podfsm.explore.deviations import KINDS, USUAL
from podfsm.explore.properties import MODES
from podfsm.kube.read import read_documents

if TYPE_CHECKING:
    from podfsm.explore import Exploration
    from podfsm.explore.outcome import Answer

_SHOWN = 72
"""How much of a behaviour's description a line of the table holds."""


@click.command("explore", context_settings=HELP)
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@click.option("--always", multiple=True, metavar="WHAT", help=f"WHAT {MODES['always']}.")
@click.option("--never", multiple=True, metavar="WHAT", help=f"WHAT {MODES['never']}.")
@click.option("--sometimes", multiple=True, metavar="WHAT", help=f"WHAT {MODES['sometimes']}.")
@click.option("--finally", "at_last", multiple=True, metavar="WHAT", help=f"WHAT {MODES['finally']}.")
@click.option(
    "--vary",
    default=",".join(USUAL),
    show_default=True,
    metavar="KIND,...",
    help="; ".join(f"{kind}: {says}" for kind, says in KINDS.items()) + ".",
)
@click.option(
    "--deviations", type=click.IntRange(0, 9), default=2, show_default=True, help="How many of them in one behaviour."
)
@click.option(
    "--attempts", type=click.IntRange(1, 20), default=3, show_default=True, help="Starts of a container that may vary."
)
@click.option(
    "--until", metavar="DURATION", help="How long each behaviour goes on. Default: the Scenario's duration, or 2m."
)
@click.option(
    "--limit", type=click.IntRange(1), default=10_000, show_default=True, help="How many behaviours to run at most."
)
@click.option("--kubernetes", metavar="VERSION", help="Kubernetes minor version. Default: the Scenario's, or 1.36.")
@click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@click.option(
    "--counterexamples",
    type=click.Path(file_okay=False),
    metavar="FOLDER",
    help="Write the shortest counterexamples there, as files that `podfsm simulate` replays.",
)
def command(
    manifests: tuple[str, ...],
    always: tuple[str, ...],
    never: tuple[str, ...],
    sometimes: tuple[str, ...],
    at_last: tuple[str, ...],
    vary: str,
    deviations: int,
    attempts: int,
    until: str | None,
    limit: int,
    kubernetes: str | None,
    output: str,
    counterexamples: str | None,
) -> int:
    """Run every behaviour of the one Pod in MANIFEST... and say how each may end.

    A behaviour is a run in which processes exit, checks fail, images are missing or users delete the Pod, in as many
    places as --deviations allows; all places are tried, the fewest deviations first. The invariants of the lifecycle
    are asked of each, and the properties that you give. Exit status 1 if one of them does not hold.

    \b
    WHAT is `phase=Failed`, `Ready`, `not Ready`, `app.restarts>=3`, `app.reason=CrashLoopBackOff and deleting`:
      of the Pod:       phase, reason, deleting, restarts, every condition type
      of a container:   NAME.state, .reason, .ready, .started, .restarts, .exitCode

    \b
    Examples:
      podfsm explore web.yaml
      podfsm explore web.yaml --never phase=Failed --finally Ready
      podfsm explore web.yaml --vary process,sandbox --deviations 3 --counterexamples found
    """
    from podfsm.explore import Bounds, explore, property_of
    from podfsm.explore.search import subject_of

    documents = [document for name in manifests for document in read_documents(name)]
    pod, simulation = subject_of(documents, kubernetes)
    wanted = {"always": always, "never": never, "sometimes": sometimes, "finally": at_last}
    properties = [
        property_of(mode, text, pod, simulation.model.gates) for mode, texts in wanted.items() for text in texts
    ]
    found = explore(
        documents,
        properties,
        kinds=_kinds(vary),
        bounds=Bounds(deviations, attempts, read_until(until), limit),
        kubernetes=kubernetes,
        each=_progress(),
    )
    files = _write(found, Path(counterexamples)) if counterexamples is not None else {}
    if output == "json":
        print(json.dumps(_data(found, files), indent=1))
    else:
        print("\n".join(_text(found, files)))
    return FINDINGS if found.wrong else FINE


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(filter(None, (part.strip() for part in text.split(","))))
    for kind in kinds:
        if kind not in KINDS:
            raise UnknownName("kind of deviation", kind, KINDS)
    return kinds


def _text(found: Exploration, files: dict[str, str]) -> Iterator[str]:
    """The table of endings, then what was asked."""
    more = "" if found.complete else "; there are more, --limit ended the search"
    yield f"Kubernetes {found.kubernetes}: {found.behaviours} behaviours, {found.different} of them different{more}"
    yield f"\n{'ends as':34} {'in':>6}  first when"
    for ending in sorted(found.endings.values(), key=lambda one: -one.count):
        first = str(ending.first)
        shown = first if len(first) <= _SHOWN else first[: _SHOWN - 3] + "..."
        yield f"{f'{ending.status} {ending.ready}'.strip():34} {ending.count:6}  {shown}"
    yield ""
    for answer in (*found.properties, *(one for one in found.invariants.values() if not one.right)):
        yield from _answer(answer, files)
    kept = sum(answer.right for answer in found.invariants.values())
    yield f"{kept} of {len(found.invariants)} invariants hold in every behaviour"


def _answer(answer: Answer, files: dict[str, str]) -> Iterator[str]:
    if answer.first is None:
        yield f"{answer.name}: {'met in no behaviour' if answer.wanted else 'holds'}"
        return
    verb = "met" if answer.wanted else "BROKEN"
    yield f"{answer.name}: {verb} in {answer.count}, first {answer.what} when {answer.first}"
    if answer.name in files:
        yield f"  podfsm simulate {files[answer.name]}"


def _data(found: Exploration, files: dict[str, str]) -> dict[str, Any]:
    return {
        "kubernetes": found.kubernetes,
        "behaviours": found.behaviours,
        "different": found.different,
        "complete": found.complete,
        "endings": [
            {
                "ready": one.ready,
                "status": one.status,
                "count": one.count,
                "first": list(map(str, one.first.deviations)),
            }
            for one in found.endings.values()
        ],
        "properties": [_answer_data(answer, files) for answer in found.properties],
        "invariants": [_answer_data(answer, files) for answer in found.invariants.values()],
    }


def _answer_data(answer: Answer, files: dict[str, str]) -> dict[str, Any]:
    first = None if answer.first is None else list(map(str, answer.first.deviations))
    return {
        "name": answer.name,
        "holds": answer.right,
        "count": answer.count,
        "first": first,
        "what": answer.what,
        "file": files.get(answer.name),
    }


def _write(found: Exploration, folder: Path) -> dict[str, str]:
    """The shortest counterexample of each answer that is wrong, and what shows that something may be; files by name."""
    files: dict[str, str] = {}
    told = [answer for answer in (*found.properties, *found.wrong) if answer.first is not None]
    for answer in told:
        if answer.name in files or answer.first is None:
            continue
        folder.mkdir(parents=True, exist_ok=True)
        name = "".join(letter if letter.isalnum() else "-" for letter in answer.name).strip("-")
        path = folder / f"{name}.yaml"
        says = f"{answer.name}: {answer.what} when {answer.first}"
        path.write_text(answer.first.case.to_yaml(name.lower(), says), encoding="utf-8")
        files[answer.name] = str(path)
    return files


def _progress() -> Callable[..., None]:
    """On a terminal, how far it is; elsewhere nothing."""
    if not sys.stderr.isatty():
        return lambda *_: None
    numbers = count(1)

    def show(*_: object) -> None:
        if (done := next(numbers)) % 20 == 0:
            print(f"{done} behaviours", end="\r", file=sys.stderr, flush=True)

    return show
