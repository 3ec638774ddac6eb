"""KWOK's stock stages, rendered to traces by hand, get the findings that they deserve."""

from pathlib import Path

import pytest

from podfsm.check.readers import observations
from tests.check.traces import findings

FOLDER = Path(__file__).parents[1] / "data" / "kwok"

DESERVED = {
    "general-init": {"order-init-containers", "status-ready-runs", "cond-initialized-true"},
    "general-complete": {"cond-containersready-terminal", "status-ready-runs"},
    "general-gates": {"gate-ready-requires-all"},
    "fast-gates": {"cond-kubelet-owned-set"},
    "chaos-failed": {
        "phase-running",
        "phase-terminal-after-containers-stop",
        "phase-terminal-sticky",
        "cond-containersready-terminal",
        "cstate-starttime-immutable",
    },
}


@pytest.mark.parametrize("name", DESERVED)
def test_stage_gets_what_it_deserves(name):
    found = findings(observations([str(FOLDER / f"{name}.jsonl")]))
    assert {one.rule for one in found} >= DESERVED[name]
    assert {one.severity for one in found} <= {"error", "warning"}


def test_every_rendered_stage_is_asked():
    assert {path.stem for path in FOLDER.glob("*.jsonl")} == set(DESERVED)
