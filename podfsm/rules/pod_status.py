"""The status of a Pod as its kubelet derives it, and as its status manager then keeps it.

`derive_status` is one call of generateAPIPodStatus: container statuses, phase, started and ready, conditions.
`settle` is what the status manager does to every status before it is compared, kept and sent.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodCondition, PodIP, PodSpec, PodStatus
from podfsm.kube.times import seconds_of
from podfsm.rules import conditions as judge
from podfsm.rules.condition_list import (
    DISRUPTION,
    NETWORK,
    RESTARTING,
    by_type,
    gated_types,
    make_condition,
    observed_generation,
    owned,
    put,
    scheduled,
)
from podfsm.rules.container_readiness import init_ready, is_ready, is_started, ready_after_kubelet_restart
from podfsm.rules.container_state import StartError
from podfsm.rules.container_status import Setting, draft_status
from podfsm.rules.facts import ProbeKind, ProbeResult, RuntimeContainer, RuntimeState, Sandbox
from podfsm.rules.phase import FAILED, TERMINAL, decisive_statuses, is_static, pod_phase
from podfsm.rules.restart import has_restart_all_rule, restart_all_requested
from podfsm.rules.sidecar import is_sidecar

_NONE: Mapping[ProbeKind, ProbeResult] = {}
_KUBELET_RESTART_TOLERANCE = 10.0


@frozen
class KillReason:
    """What an eviction, a node shutdown or the active deadline makes of the status.

    `early`: it is asked while the status is derived, as the active deadline is, so the conditions see the phase;
    otherwise it changes the finished status, as an eviction does.
    """

    phase: str = FAILED
    reason: str = ""
    message: str = ""
    conditions: tuple[PodCondition, ...] = ()
    early: bool = False


@frozen
class Probing:
    """What the kubelet knows of a Pod's probes when it derives a status."""

    results: Mapping[str, Mapping[ProbeKind, ProbeResult]]
    """Cached results of the current instances, by container name."""
    workers: Mapping[str, Collection[ProbeKind]] | None = None
    """The live probe workers by container name; None: one for every probe in the spec."""
    kubelet_started: float | None = None
    """When the kubelet started, in seconds; None: before all containers."""
    pod_was_ready: bool = False
    """The API shows the Pod's Ready condition True."""

    def probes(self, container: Container, kind: ProbeKind) -> bool:
        """Whether a worker for this kind of probe exists."""
        if self.workers is not None:
            return kind in self.workers.get(container.name, ())
        return (container.startupProbe if kind is ProbeKind.STARTUP else container.readinessProbe) is not None


def derive_status(
    pod: Pod,
    *,
    containers: Sequence[RuntimeContainer],
    sandboxes: Sequence[Sandbox],
    start_errors: Mapping[str, StartError],
    terminal: bool,
    probes: Mapping[str, Mapping[ProbeKind, ProbeResult]],
    gates: Gates,
    now: float,
    restart_all: bool = False,
    kill: KillReason | None = None,
    api: PodStatus | None = None,
    workers: Mapping[str, Collection[ProbeKind]] | None = None,
    kubelet_started: float | None = None,
    resize: Sequence[PodCondition] = (),
) -> PodStatus:
    """The status of a Pod from what the runtime and the probes say (generateAPIPodStatus).

    `pod.status` is the previous status that the kubelet has; `api` the one in the API if that is another. `containers`
    and `sandboxes` come newest first. `start_errors` and `probes` go by container name. `terminal`: the Pod will never
    run again. `restart_all`: RestartAllContainers is known to be in progress (otherwise it is found out here). `resize`
    are the resize conditions. `now` in seconds. See `Probing` for `workers` and `kubelet_started`.
    """
    old = pod.status
    api = old if api is None else api
    spec = pod.spec
    instances: dict[str, list[RuntimeContainer]] = {}
    for instance in containers:
        instances.setdefault(instance.name, []).append(instance)
    was = by_type(old.conditions)
    has_rule = has_restart_all_rule(spec, gates)
    restarting = restart_all or (has_rule and _restarting(spec, was, instances, gates))
    setting = Setting(
        spec,
        gates,
        pod.metadata.deletionTimestamp is not None,
        restarting and gates.on("RestartAllContainersOnContainerExits"),
        _app_created(spec, instances),
        gates.on("RestartAllContainersOnContainerExits"),
        not gates.on("ChangeContainerStatusOnKubeletRestart"),
    )
    init = _drafts(setting, spec.initContainers, instances, old.initContainerStatuses, start_errors, init=True)
    apps = _drafts(setting, spec.containers, instances, old.containerStatuses, start_errors)
    phase, reason, message = _phase(pod, api, init, apps, instances, terminal, gates, kill)
    probing = Probing(probes, workers, kubelet_started, _ready_in(api))
    status = PodStatus(
        phase,
        reason,
        message,
        (),
        probed_inits(setting, init, probing),
        tuple(sorted(probed_apps(setting, apps, probing), key=_name)),
        tuple(sorted(_drafts(setting, spec.ephemeralContainers, instances, old.ephemeralContainerStatuses, start_errors), key=_name)),
    )
    ...
