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

NOT_KNOWN = {"init-before-rules"}  # before 1.34 an init container that ran out of memory is retried after exit code 0


@pytest.mark.parametrize("path", [path for path in EVERY if path.stem not in NOT_KNOWN], ids=lambda path: path.stem)
def test_a_run_gives_nothing(path):
    simulation = prepare(read_documents(path))
    lines = map(json.loads, watch(simulation, False))
    seen = [
        Observation(one["type"], convert(one["object"], Pod), at=datetime.fromisoformat(one["at"])) for one in lines
    ]
    assert findings(seen, str(simulation.model.gates.version)) == []


def test_ready_that_a_lost_node_brings_back_is_checked_otherwise():
    """A kubelet's own False has a reason: going back to True with an old time is a mistake then."""
    path = next(path for path in EVERY if path.stem == "node-loss")
    events = list(map(json.loads, watch(prepare(read_documents(path)), False)))
    for event in events:
        for condition in event["object"]["status"].get("conditions", ()):
            if condition["type"] == "Ready" and condition["status"] == "False":
                condition["reason"] = "ContainersNotReady"
    seen = [
        Observation(one["type"], convert(one["object"], Pod), at=datetime.fromisoformat(one["at"])) for one in events
    ]
    assert "cond-lasttransition-only-on-status-change" in {found.rule for found in findings(seen)}
