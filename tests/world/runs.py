"""The scenarios under test, and running them."""

from functools import cache
from pathlib import Path

from podfsm.data import specs_folder
from podfsm.kube.read import read_documents
from podfsm.simulate import prepare

DATA = Path(__file__).parents[1] / "data"
SCENARIOS = sorted((DATA / "scenarios").glob("*.yaml"))
EXAMPLES = sorted((specs_folder() / "examples").glob("*.yaml"))
EVERY = SCENARIOS + EXAMPLES


@cache
def steps_of(path):
    """Every step of a file's run."""
    return tuple(prepare(read_documents(path)))
