"""The scenarios under test, and running them."""

from functools import cache
from pathlib import Path

from attrs import evolve

from podfsm.data import specs_folder
from podfsm.kube.read import read_documents
from podfsm.rules.gates import gates_for
from podfsm.simulate import prepare
from podfsm.world.model import make_model
from podfsm.world.scripts import SandboxScript
from podfsm.world.step import Due, step

DATA = Path(__file__).parents[1] / "data"
SCENARIOS = sorted((DATA / "scenarios").glob("*.yaml"))
EXAMPLES = sorted((specs_folder() / "examples").glob("*.yaml"))
EVERY = SCENARIOS + EXAMPLES


@cache
def steps_of(path, **options):
    """Every step of a file's run."""
    return tuple(prepare(read_documents(path), **dict(options)))


def sandbox_fails_again(path, pod):
    """A run in which the sandboxes of one Pod cannot be made any more once the first is gone. Its steps.

    A scenario cannot say this: its sandboxes fail from the beginning, or not at all.
    """
    model = make_model(gates_for())
    simulation = prepare(read_documents(path), until=0.0)
    steps = list(simulation)
    world = simulation.world
    while (due := world.pods[pod].due_next) < 120.0:
        done = step(model, world, Due(pod), due)
        steps.append(done)
        world = done.world
        if any(one.machine == "sandbox" and one.trigger in ("die", "stop") for one in done.fired):
            broken = evolve(
                world.pods[pod], scripts=evolve(world.pods[pod].scripts, sandbox=SandboxScript(float("inf")))
            )
            world = evolve(world, pods=world.pods.set(pod, broken))
    return steps
