"""Testing with podfsm: the protocol of a cluster, verification, strategies, stateful suites, and a pytest plugin.

Names are imported on first use; those that need hypothesis (`pip install podfsm[testing]`) say so if it is missing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from podfsm.testing.case import Case
    from podfsm.testing.cluster import SimulatedCluster, make_cluster
    from podfsm.testing.conformance import assert_conforms
    from podfsm.testing.history import History, histories
    from podfsm.testing.invariants import Invariant, all_invariants, always
    from podfsm.testing.laws import Law, all_laws
    from podfsm.testing.protocol import CAPABILITIES, Cluster
    from podfsm.testing.simulation import PodSimulation, SharedClock
    from podfsm.testing.strategies import cases, container_histories, containers, legal_traces, pods
    from podfsm.testing.suites import MachineSuite, PodSuite, machine_suite
    from podfsm.testing.verify import Report

__all__ = [
    "CAPABILITIES",
    "Case",
    "Cluster",
    "History",
    "Invariant",
    "Law",
    "MachineSuite",
    "PodSimulation",
    "PodSuite",
    "Report",
    "SharedClock",
    "SimulatedCluster",
    "all_invariants",
    "all_laws",
    "always",
    "assert_conforms",
    "cases",
    "container_histories",
    "containers",
    "histories",
    "legal_traces",
    "machine_suite",
    "make_cluster",
    "pods",
]

_HOMES = {
    "case": "Case",
    "cluster": "SimulatedCluster make_cluster",
    "conformance": "assert_conforms",
    "history": "History histories",
    "invariants": "Invariant all_invariants always",
    "laws": "Law all_laws",
    "protocol": "CAPABILITIES Cluster",
    "simulation": "PodSimulation SharedClock",
    "strategies": "cases container_histories containers legal_traces pods",
    "suites": "MachineSuite PodSuite machine_suite",
    "verify": "Report",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'podfsm.testing' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(f"podfsm.testing.{_HOME[name]}"), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
