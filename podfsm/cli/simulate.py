"""`podfsm simulate`: what the Pods of a manifest will do."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from podfsm.cli.options import HELP, feature_gates_option, gate_overrides, read_until
from podfsm.cli.warn import warn_misspelt, warn_of_placement, warn_of_references
from podfsm.kube.document import Document
from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import FORMATS, writer
from podfsm.simulate.run import Simulation
from podfsm.simulate.written import written
from podfsm.world.timing import PROFILES

PICTURES = ("svg", "html", "perfetto")
"""Forms that show a whole run; `podfsm.render.timeline` draws them."""


@click.command("simulate", context_settings=HELP)
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@click.option("--scenario", metavar="FILE", help="A Scenario document, if it is not among the manifests.")
@click.option(
    "--until", metavar="DURATION", help="How long to simulate: 90s, 10m, 24h. Default: the Scenario's duration, or 10m."
)
@click.option(
    "-o",
    "--output",
    type=click.Choice([*FORMATS, *PICTURES]),
    default="timeline",
    show_default=True,
    help="What to print.",
)
@click.option(
    "--events", is_flag=True, help="Also print core/v1 Events (Pulled, Started, BackOff, Killing, Unhealthy ...)."
)
@click.option("--endpoints", is_flag=True, help="With -o watch, also print EndpointSlices as watch events.")
@click.option(
    "--timing",
    type=click.Choice(list(PROFILES)),
    default="kubelet",
    show_default=True,
    help="The kubelet's latencies, or none.",
)
@click.option(
    "--seed", type=int, metavar="N", help="Draw the kubelet's random delays; the same seed gives the same run."
)
@click.option(
    "--kubernetes", metavar="VERSION", help="Kubernetes minor version, 1.18 to 1.36. Default: the Scenario's, or 1.36."
)
@feature_gates_option
def command(
    manifests: tuple[str, ...],
    scenario: str | None,
    until: str | None,
    output: str,
    events: bool,
    endpoints: bool,
    timing: str,
    seed: int | None,
    kubernetes: str | None,
    feature_gates: str,
) -> None:
    """Show what the Pods of MANIFEST... will do: every phase, condition and container state, when, and by which rule.

    A MANIFEST is YAML or JSON with Pods and, if you like, a Scenario that says how images, processes and probes
    behave and what users do; `-` is standard input. Without a Scenario everything goes well.

    \b
    Examples:
      podfsm simulate web.yaml
      podfsm simulate crash.yaml --until 30m --events
      podfsm simulate crash.yaml -o watch > crash.jsonl
    """
    documents = [document for name in manifests for document in read_documents(name)]
    simulation = prepare(
        documents,
        scenario=_scenario(scenario) if scenario is not None else None,
        until=read_until(until),
        kubernetes=kubernetes,
        feature_gates=gate_overrides(feature_gates),
        timing=timing,
        seed=seed,
    )
    warn_misspelt((*documents, *written(simulation.setup.scenario)))
    warn_of_references(documents)
    warn_of_placement(documents)
    # Worlds hold no cycles, and a large run holds millions of objects: looking for cycles often would only cost.
    gc.set_threshold(200_000, 20, 20)
    out = sys.stdout
    with _progress(simulation) as tell:
        for line in _lines(simulation, output, events, endpoints):
            out.write(line + "\n")
            tell()


def _lines(simulation: Simulation, output: str, events: bool, endpoints: bool) -> Iterator[str]:
    """What to print, line by line where it can be told before the run is over."""
    if output in FORMATS:
        yield from writer(output)(simulation, events, endpoints)
        return
    from podfsm.render.timeline import PICTURES as DRAWN
    from podfsm.render.timeline import lanes_of

    snapshots = [snapshot for step in simulation for snapshot in step.snapshots]
    yield DRAWN[output](lanes_of(snapshots, simulation.now), simulation.now)


@contextmanager
def _progress(simulation: Simulation) -> Iterator[Callable[[], None]]:
    """How far the virtual clock is, on a terminal whose output goes elsewhere."""
    if not sys.stderr.isatty() or sys.stdout.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("simulating", total=simulation.end)
        yield lambda: bar.update(task, completed=simulation.now)


def _scenario(name: str) -> Document:
    """The one Scenario that a file of its own holds."""
    document, *more = read_documents(name, kinds=("Scenario",))
    if more:
        raise more[0].error("a second Scenario", expected="one")
    return document
