"""What a fired transition costs in a simulation, snapshots included, and how that grows with Pods."""

import gc
from types import SimpleNamespace

from podfsm.engine.machine import build_machine
from podfsm.kube.read import documents_of
from podfsm.machines import machine_spec
from podfsm.rules.facts import ContainerFacts, RuntimeState
from podfsm.rules.gates import gates_for
from podfsm.simulate import prepare
from tests.benchmarks.measure import Row, best

CRASH = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec: {containers: [{name: app, image: "example/app:1"}]}
---
"""
BUSY = """
apiVersion: v1
kind: Pod
metadata: {name: %s}
spec:
  initContainers:
    - {name: prepare, image: "example/app:1"}
    - name: proxy
      image: "example/app:1"
      restartPolicy: Always
      startupProbe: {exec: {command: [x]}}
  containers:
    - {name: app, image: "example/app:1", readinessProbe: {exec: {command: [x]}}}
    - {name: web, image: "example/app:1", livenessProbe: {exec: {command: [x]}}}
---
"""
SCENARIO = """
apiVersion: podfsm.dev/v1alpha1
kind: Scenario
metadata: {name: bench}
spec:
  containers:
    - {container: app, attempts: [{run: 3s, exit: 1}]}
"""
PREPARES = "    - {container: prepare, attempts: [{run: 2s, exit: 0}]}\n"


def ready(manifest, pods, until):
    text = (
        "".join(manifest % f"p{number}" for number in range(pods)) + SCENARIO + (PREPARES if manifest is BUSY else "")
    )
    return documents_of(text, "bench"), until


def run(documents, until):
    """How many transitions fired. The collector of cycles is set as `podfsm simulate` sets it."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        return sum(len(step.fired) for step in prepare(documents, until=until))
    finally:
        gc.set_threshold(*before)


def each(manifest, pods, until, *, repeat=3):
    """Seconds for each fired transition."""
    documents, until = ready(manifest, pods, until)
    fired = run(documents, until)
    return best(lambda: run(documents, until), repeat=repeat, least=0.0) / fired


def one_trigger():
    """Seconds for one trigger of the container machine through `transitions`."""
    machine = build_machine(machine_spec("container"), gates_for())
    model = SimpleNamespace()
    machine.add_model(model)
    facts = ContainerFacts(instance=RuntimeState.EXITED, exit_code=1)

    def restart():
        model.state = "Exited"
        assert model.restart(facts)

    return best(restart)


def rows():
    yardstick = one_trigger()
    name = "one transitions trigger"
    yield Row("simulate, a crash loop over 24 h, each transition", each(CRASH, 1, 86400.0), name, yardstick, 15)
    yield Row(
        "simulate, a Pod with three probes over ten minutes, each transition", each(BUSY, 1, 600.0), name, yardstick, 15
    )
    few = each(CRASH, 1000, 10.0, repeat=2)
    for pods in (2000, 4000, 10_000):
        what = f"simulate, {pods:,} Pods, each transition"
        yield Row(what, each(CRASH, pods, 10.0, repeat=2), "the same with 1,000 Pods", few, 1.5)
