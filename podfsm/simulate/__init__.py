"""Simulating manifests: what Pods will do, without a cluster.

    from podfsm.simulate import simulate
    run = simulate("crash-loop.yaml")
    run.final("default/web").status.phase

`simulate` keeps everything a run produced; `Simulation` yields it step by step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import evolve, frozen

from podfsm.errors import UnknownName
from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.kube.read import read_documents
from podfsm.rules.gates import gates_for
from podfsm.simulate.admission import refuse_removed
from podfsm.simulate.rehearse import check_steps
from podfsm.simulate.run import Simulation
from podfsm.simulate.setup import created_document, read_setup
from podfsm.world.cluster.state import ThingEvent
from podfsm.world.model import make_model
from podfsm.world.pod import Fired, PodEvent, Snapshot
from podfsm.world.timing import profile


@frozen
class Run:
    """A finished run: every transition, watch event and core/v1 Event, in order; why it ended, and when (seconds)."""

    fired: tuple[Fired, ...]
    snapshots: tuple[Snapshot, ...]
    events: tuple[PodEvent, ...]
    ended: str
    now: float
    notes: tuple[str, ...] = ()
    things: tuple[ThingEvent, ...] = ()
    """The watch events of EndpointSlices, in order."""

    def final(self, key: str) -> Pod:
        """The last state of a Pod (namespace/name) that the API showed. Raises UnknownName."""
        shown = {f"{s.pod.metadata.namespace}/{s.pod.metadata.name}": s.pod for s in self.snapshots}
        if key not in shown:
            raise UnknownName("Pod", key, shown)
        return shown[key]


def prepare(
    documents: Sequence[Document],
    *,
    scenario: Document | None = None,
    until: float | None = None,
    kubernetes: str | None = None,
    feature_gates: Mapping[str, bool] | None = None,
    timing: str = "kubelet",
    seed: int | None = None,
) -> Simulation:
    """A run, ready to iterate. What is given here wins over what the Scenario says.

    `until` in seconds; `timing` names a profile; a `seed` turns the kubelet's jitter on.
    Raises InputError, NotModelled.
    """
    setup = read_setup(documents, scenario)
    check_steps(setup)
    version = kubernetes or setup.scenario.kubernetes or "1.36"
    gates = gates_for(version, {**setup.scenario.feature_gates, **(feature_gates or {})})
    made = [created_document(setup.scenario, step) for step in setup.scenario.steps if step.action == "create"]
    refuse_removed((*setup.objects, *made), gates.version)
    chosen = profile(timing)
    if seed is not None:
        chosen = evolve(chosen, jitter=True, seed=seed)
    return Simulation(make_model(gates, chosen), setup, until)


def simulate(
    source: str | Path | Sequence[Document],
    *,
    scenario: str | Path | None = None,
    until: float | None = None,
    kubernetes: str | None = None,
    feature_gates: Mapping[str, bool] | None = None,
    timing: str = "kubelet",
    seed: int | None = None,
) -> Run:
    """Run a manifest (a path, or documents read before) to its end and keep everything.

    Parameters and errors as for `prepare`; `scenario` is the path of a Scenario document of its own.
    """
    documents = read_documents(source) if isinstance(source, (str, Path)) else source
    script = read_documents(scenario)[0] if scenario is not None else None
    simulation = prepare(
        documents,
        scenario=script,
        until=until,
        kubernetes=kubernetes,
        feature_gates=feature_gates,
        timing=timing,
        seed=seed,
    )
    fired: list[Fired] = []
    snapshots: list[Snapshot] = []
    events: list[PodEvent] = []
    things: list[ThingEvent] = []
    for done in simulation:
        fired.extend(done.fired)
        snapshots.extend(done.snapshots)
        events.extend(done.events)
        things.extend(done.things)
    made = tuple(fired), tuple(snapshots), tuple(events)
    return Run(*made, simulation.ended, simulation.now, tuple(simulation.notes), tuple(things))
