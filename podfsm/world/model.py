"""What every step of a run shares: gates, timing profile, compiled machines, limits. Frozen."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from podfsm.engine.table import Table, compile_table
from podfsm.engine.versions import Gates
from podfsm.machines import machine_names, machine_spec
from podfsm.rules.crash_backoff import limits
from podfsm.rules.gates import gates_for
from podfsm.rules.timings import timing_constant
from podfsm.world.timing import KUBELET, Profile


@frozen(eq=False)
class Model:
    """The lifecycle at one Kubernetes version under one timing profile."""

    gates: Gates
    profile: Profile
    tables: Mapping[str, Table]
    backoff_initial: float
    backoff_max: float
    backoff_expiry: float
    resync: float
    resync_jitter: float
    retry: float
    network_retry: float
    pod_relist: bool
    """The kubelet relists one Pod on request (PLEGOnDemandRelist)."""
    waits_for_backoff: bool
    """A sync that only back-off holds up is repeated when that ends, not after the pause for errors (1.33 on)."""


def make_model(
    gates: Gates | None = None, profile: Profile = KUBELET, *, node_backoff_max: float | None = None
) -> Model:
    """The model of one version.

    `node_backoff_max` is the kubelet's crashLoopBackOff.maxContainerRestartPeriod, in seconds.
    """
    gates = gates or gates_for()
    initial, maximum = limits(gates, node_backoff_max)
    return Model(
        gates=gates,
        profile=profile,
        tables={name: compile_table(machine_spec(name), gates) for name in machine_names()},
        backoff_initial=initial,
        backoff_max=maximum,
        backoff_expiry=timing_constant("crash-backoff-reset"),
        resync=timing_constant("pod-resync"),
        resync_jitter=timing_constant("resync-jitter"),
        retry=timing_constant("sync-error-retry"),
        network_retry=timing_constant("network-not-ready-retry"),
        pod_relist=gates.on("PLEGOnDemandRelist"),
        waits_for_backoff=gates.at_least("1.33"),
    )
