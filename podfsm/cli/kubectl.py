"""The executable `kubectl-podfsm`, which kubectl finds: `kubectl podfsm VERB`."""

from __future__ import annotations

import os

from podfsm.cli import main as podfsm


def main() -> None:
    """The same verbs; `explain` takes names of Pods in the cluster."""
    os.environ["PODFSM_KUBECTL_PLUGIN"] = "1"
    podfsm()
