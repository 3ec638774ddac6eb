"""The pytest plugin: fixtures `pod_simulation`, `virtual_clock`, `assert_trace_conforms`, and the marker `podfsm`.

Loaded by pytest wherever podfsm is installed, so it imports nothing until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from podfsm.testing.simulation import PodSimulation, SharedClock

MARKER = (
    'podfsm(kubernetes="1.36", feature_gates={}, timing="kubelet", seed=None): how this test\'s simulation runs: the '
    "Kubernetes version, feature gates, the timing profile (kubelet or ideal), a seed for the kubelet's random delays"
)
KEYS = ("kubernetes", "feature_gates", "timing", "seed")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def virtual_clock() -> SharedClock:
    """A clock that moves only when told to: `virtual_clock.advance("30s")`; `virtual_clock()` gives its seconds.

    The Pods of `pod_simulation` live by it, and so may the program under test.
    """
    from podfsm.testing.simulation import SharedClock

    return SharedClock()


@pytest.fixture
def pod_simulation(request: pytest.FixtureRequest, virtual_clock: SharedClock) -> PodSimulation:
    """Simulated Pods: `apply` manifests, `advance` the time, `read` what the API shows; see PodSimulation."""
    from attrs import evolve

    from podfsm.rules.gates import gates_for
    from podfsm.testing.cluster import SimulatedCluster
    from podfsm.testing.simulation import PodSimulation
    from podfsm.world.timing import profile

    chosen = _options(request)
    timing = profile(chosen.get("timing", "kubelet"))
    if chosen.get("seed") is not None:
        timing = evolve(timing, jitter=True, seed=int(chosen["seed"]))
    version, gates = str(chosen.get("kubernetes", "1.36")), dict(chosen.get("feature_gates", {}))
    gates_for(version, gates)  # says at once what does not exist
    return PodSimulation(virtual_clock, SimulatedCluster(profile=timing, kubernetes=version, feature_gates=gates))


@pytest.fixture
def assert_trace_conforms() -> Callable[..., None]:
    """`assert_trace_conforms(events)`: fails with every finding of `podfsm check` in these watch events.

    `events` are watch events (dicts with `type` and `object`), Pods, or a `pod_simulation`. `ignore` names rules.
    """
    from podfsm.testing.conformance import assert_conforms

    return assert_conforms


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the nearest marker says; one on the test wins over one on its class or module."""
    found: dict[str, Any] = {}
    for marker in reversed(list(request.node.iter_markers("podfsm"))):
        unknown = [key for key in marker.kwargs if key not in KEYS]
        if unknown or marker.args:
            what = ", ".join(unknown) or f"{len(marker.args)} without a name"
            raise pytest.UsageError(f"marker podfsm: unknown {what}; it takes {', '.join(KEYS)}")
        found.update(marker.kwargs)
    return found
