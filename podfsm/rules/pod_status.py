"""The status of a Pod as its kubelet derives it: one call of generateAPIPodStatus.

Container statuses first, then the phase, then `started` and `ready`, then the conditions. `settle`, from
`settled_status`, is what the status manager makes of it before it keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec
from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodCondition, PodIP, PodSpec, PodStatus
from podfsm.kube.times import instant
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
from podfsm.rules.condition_parts import Judgement
from podfsm.rules.container_probing import Probing, probed_apps, probed_inits
from podfsm.rules.container_state import StartError
from podfsm.rules.container_status import Setting, draft_status
from podfsm.rules.facts import ProbeKind, ProbeResult, RuntimeContainer, Sandbox
from podfsm.rules.phase import FAILED, TERMINAL, decisive_statuses, is_static, pod_phase
from podfsm.rules.restart import has_restart_all_rule, restart_all_requested
from podfsm.rules.settled_status import settle
from podfsm.rules.sidecar import is_sidecar

__all__ = ["KillReason", "derive_status", "settle"]

Instances = Mapping[str, Sequence[RuntimeContainer]]
"""The runtime's containers by name, newest first."""

_HOST_IP = "10.0.0.1"
"""The address of the node; one address serves, since no rule compares nodes by it."""
_RESTART_ALL = "RestartAllContainersOnContainerExits"


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
    instances = _by_name(containers)
    was = by_type(old.conditions)
    restarting = restart_all or _restarting(pod.spec, was, instances, gates)
    setting = _setting(pod, gates, instances, restarting=restarting)
    init = _drafts(setting, pod.spec.initContainers, instances, old.initContainerStatuses, start_errors, init=True)
    apps = _drafts(setting, pod.spec.containers, instances, old.containerStatuses, start_errors)
    found = _phase(pod, api, init, apps, instances, gates, terminal=terminal)
    phase, reason, message = _overridden(found, api, kill)
    probing = Probing(probes, workers, setting.carries_started, kubelet_started, _ready_in(api))
    ip = (sandboxes[0].ip if sandboxes else "") or old.podIP
    status = PodStatus(
        phase=phase,
        reason=reason,
        message=message,
        initContainerStatuses=probed_inits(pod.spec, init, probing, gates),
        containerStatuses=_sorted(probed_apps(pod.spec, apps, probing)),
        ephemeralContainerStatuses=_sorted(
            _drafts(setting, pod.spec.ephemeralContainers, instances, old.ephemeralContainerStatuses, start_errors)
        ),
        hostIP=old.hostIP or _HOST_IP,
        hostIPs=old.hostIPs or (PodIP(_HOST_IP),),
        podIP=ip,
        podIPs=(PodIP(ip),) if ip else (),
        startTime=old.startTime,
        observedGeneration=observed_generation(pod.metadata.generation, gates.on("PodObservedGenerationTracking")),
        qosClass=old.qosClass or api.qosClass,
    )
    listed = _Conditions(pod, api, status, was, gates, now)
    listed.copy(() if terminal else resize)
    listed.derive(sandboxes, instances, restarting=restarting)
    return _killed(status, listed.all, kill, was, now)


def _by_name(containers: Sequence[RuntimeContainer]) -> Instances:
    instances: dict[str, list[RuntimeContainer]] = {}
    for instance in containers:
        instances.setdefault(instance.name, []).append(instance)
    return instances


def _setting(pod: Pod, gates: Gates, instances: Instances, *, restarting: bool) -> Setting:
    keeps_history = gates.on(_RESTART_ALL)
    return Setting(
        pod.spec,
        gates,
        pod.metadata.deletionTimestamp is not None,
        restarting and keeps_history,
        any(app.name in instances for app in pod.spec.containers),
        keeps_history,
        not gates.on("ChangeContainerStatusOnKubeletRestart"),
    )


def _restarting(spec: PodSpec, was: Mapping[str, PodCondition], instances: Instances, gates: Gates) -> bool:
    """RestartAllContainers has begun before, or an exit asks for it now."""
    if not has_restart_all_rule(spec, gates):
        return False
    before = was.get(RESTARTING)
    if before is not None and before.status == "True":
        return True
    return restart_all_requested(spec, {name: group[0] for name, group in instances.items()}, gates)


def _drafts(
    setting: Setting,
    containers: Sequence[Container],
    instances: Instances,
    old: Sequence[ContainerStatus],
    errors: Mapping[str, StartError],
    *,
    init: bool = False,
) -> tuple[ContainerStatus, ...]:
    """The statuses of one list of containers before the probes are asked, in the spec's order."""
    before = {status.name: status for status in old}
    return tuple(
        [
            draft_status(
                setting,
                container,
                instances.get(container.name, ()),
                before.get(container.name),
                errors.get(container.name),
                init=init,
                sidecar=init and is_sidecar(container, setting.gates),
            )
            for container in containers
        ]
    )


def _sorted(statuses: tuple[ContainerStatus, ...]) -> tuple[ContainerStatus, ...]:
    return statuses if len(statuses) < 2 else tuple(sorted(statuses, key=lambda status: status.name))


def _phase(
    pod: Pod,
    api: PodStatus,
    init: Sequence[ContainerStatus],
    apps: Sequence[ContainerStatus],
    instances: Instances,
    gates: Gates,
    *,
    terminal: bool,
) -> tuple[str, str, str]:
    """Phase, reason and message: terminal phases stay, and a reason stays with its phase."""
    old = pod.status
    initialized = any(c.in_active_sandbox for app in pod.spec.containers for c in instances.get(app.name, ()))
    static = is_static(pod.metadata)
    phase = pod_phase(pod.spec, init, apps, terminal=terminal, initialized=initialized, static=static, gates=gates)
    if phase not in TERMINAL:
        phase = old.phase if old.phase in TERMINAL else api.phase if api.phase in TERMINAL else phase
    if phase != old.phase:
        return phase, "", ""
    return phase, old.reason or api.reason, old.message or api.message


def _overridden(found: tuple[str, str, str], api: PodStatus, kill: KillReason | None) -> tuple[str, str, str]:
    """An early kill overrides what was found, and a terminal phase in the API overrides any other."""
    phase, reason, message = found
    if kill is not None and kill.early:
        phase, reason, message = kill.phase, kill.reason, kill.message
    return api.phase if api.phase in TERMINAL else phase, reason, message


def _ready_in(api: PodStatus) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in api.conditions)


class _Conditions:
    """The list of conditions under construction, in the kubelet's order."""

    def __init__(
        self, pod: Pod, api: PodStatus, status: PodStatus, was: Mapping[str, PodCondition], gates: Gates, now: float
    ) -> None:
        self.pod, self.api, self.status, self.was, self.gates, self.now = pod, api, status, was, gates, now
        self.all: list[PodCondition] = []

    def copy(self, resize: Sequence[PodCondition]) -> None:
        """Conditions of others as the API shows them; DisruptionTarget as the kubelet may have set it itself."""
        gated = gated_types(self.gates)
        self.all = [condition for condition in self.api.conditions if not owned(condition.type, gated)]
        self.all.extend(resize)
        if DISRUPTION in self.was:
            self.all = list(put(self.all, self.was[DISRUPTION]))

    def derive(self, sandboxes: Sequence[Sandbox], instances: Instances, *, restarting: bool) -> None:
        """The kubelet's own conditions."""
        spec, phase, gates, was = self.pod.spec, self.status.phase, self.gates, self.was
        statuses = decisive_statuses(self.status)
        if gates.on("PodReadyToStartContainersCondition"):
            self._add(NETWORK, judge.network(spec, sandboxes))
        was_initialized = "Initialized" in was and was["Initialized"].status == "True"
        self._add("Initialized", judge.initialized(spec, statuses, phase, gates, was_initialized=was_initialized))
        containers = judge.containers_ready(spec, statuses, phase, gates)
        self._add("Ready", judge.ready(spec, containers, by_type(self.all) if spec.readinessGates else {}))
        self._add("ContainersReady", containers)
        self.all.append(scheduled(was.get("PodScheduled"), self.now, self.status.observedGeneration))
        if has_restart_all_rule(spec, gates):
            removed = not any(c.name in instances for c in (*spec.initContainers, *spec.containers))
            judgement = judge.restarting_all(phase, restarting, removed)
            self.all.append(make_condition(RESTARTING, judgement, was.get(RESTARTING), self.now, 0))

    def _add(self, condition_type: str, judgement: Judgement) -> None:
        generation = self.status.observedGeneration
        self.all.append(make_condition(condition_type, judgement, self.was.get(condition_type), self.now, generation))


def _killed(
    status: PodStatus,
    conditions: Sequence[PodCondition],
    kill: KillReason | None,
    was: Mapping[str, PodCondition],
    now: float,
) -> PodStatus:
    """The finished status with its conditions, and what a late kill makes of it."""
    if kill is None or (kill.early and not kill.conditions):
        return msgspec.structs.replace(status, conditions=tuple(conditions))
    for condition in kill.conditions:
        old = was.get(condition.type)
        since = old.lastTransitionTime if old is not None and old.status == condition.status else instant(now)
        conditions = put(conditions, msgspec.structs.replace(condition, lastTransitionTime=since))
    changed = msgspec.structs.replace(status, conditions=tuple(conditions))
    if kill.early:
        return changed
    return msgspec.structs.replace(changed, phase=kill.phase, reason=kill.reason, message=kill.message)
