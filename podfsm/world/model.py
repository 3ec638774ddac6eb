"""What every step of a run shares: gates, timing profile, compiled machines, limits. Frozen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from attrs import frozen

from podfsm.data import specs_folder
from podfsm.engine.spec import MachineSpec, load_spec
from podfsm.engine.table import Table, compile_table
from podfsm.engine.versions import Gates
from podfsm.rules.catalogue import all_rules
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
    pod_relist: bool
    """The kubelet relists one Pod on request (PLEGOnDemandRelist)."""


@lru_cache(maxsize=1)
def machine_specs() -> dict[str, MachineSpec]:
    """Every machine of specs/machines by name."""
    all_rules()
    specs = (load_spec(path) for path in sorted((specs_folder() / "machines").glob("*.yaml")))
    return {spec.name: spec for spec in specs}


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
        tables={name: compile_table(spec, gates) for name, spec in machine_specs().items()},
        backoff_initial=initial,
        backoff_max=maximum,
        backoff_expiry=timing_constant("crash-backoff-reset"),
        resync=timing_constant("pod-resync"),
        resync_jitter=timing_constant("resync-jitter"),
        retry=timing_constant("sync-error-retry"),
        pod_relist=gates.on("PLEGOnDemandRelist"),
    )
