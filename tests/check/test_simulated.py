"""What `podfsm simulate` prints gives no finding either."""

import json
from datetime import datetime

import pytest

from podfsm.check import Observation
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import watch
from tests.check.traces import findings
from tests.world.runs import EVERY


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_a_run_gives_nothing(path):
    simulation = prepare(read_documents(path))
    lines = map(json.loads, watch(simulation, False))
    seen = [
        Observation(one["type"], convert(one["object"], Pod), at=datetime.fromisoformat(one["at"])) for one in lines
    ]
    assert findings(seen, str(simulation.model.gates.version)) == []
