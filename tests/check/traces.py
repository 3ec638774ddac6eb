"""Recordings for tests: as plain events, as observations, and checked."""

import gzip
import json
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from podfsm.check import Checker, Observation, Place
from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod
from podfsm.rules.gates import gates_for

FOLDER = Path(__file__).parents[1] / "data" / "recordings"
RECORDINGS = sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.glob("*.jsonl.gz"))


@lru_cache(maxsize=64)
def _text(name):
    return gzip.decompress((FOLDER / f"{name}.jsonl.gz").read_bytes()).decode()


def events(name):
    """A recording's events, free to change."""
    return [json.loads(line) for line in _text(name).splitlines()]


def seen(watched):
    """Events as observations."""
    return [
        Observation(
            event["type"],
            convert(event["object"], Pod),
            Place("trace", number, number),
            datetime.fromisoformat(event["receivedAt"]) if "receivedAt" in event else None,
        )
        for number, event in enumerate(watched, 1)
    ]


def findings(observations, kubernetes="1.36"):
    """What the checker finds."""
    checker = Checker(gates_for(kubernetes))
    return [finding for one in observations for finding in checker.see(one)]
