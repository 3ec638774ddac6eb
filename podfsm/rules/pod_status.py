"""The status of a Pod as its kubelet derives it, and as its status manager then keeps it.

`derive_status` is one call of generateAPIPodStatus: container statuses, phase, started and ready, conditions.
`settle` is what the status manager does to every status before it is compared, kept and sent.
"""

from __future__ import annotations

from itertools import zip_longest
from collections.abc import Collection, Mapping, Sequence

import msgspec
from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStatus, Pod, PodCondition, PodIP, PodSpec, PodStatus
from podfsm.kube.times import instant
from podfsm.rules import conditions as judge
from podfsm.rules.condition_parts import TRUE
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
    setting = setting_of(pod, gates, restarting=restarting, app_created=_app_created(spec, instances))
    init = _drafts(setting, spec.initContainers, instances, old.initContainerStatuses, start_errors, init=True)
    apps = _drafts(setting, spec.containers, instances, old.containerStatuses, start_errors)
    phase, reason, message = _phase(pod, api, init, apps, instances, terminal, gates, kill)
    probing = Probing(probes, workers, kubelet_started, _ready_in(api))
    shown_init = probed_inits(setting, init, probing)
    shown_apps = probed_apps(setting, apps, probing)
    ephemeral = _drafts(setting, spec.ephemeralContainers, instances, old.ephemeralContainerStatuses, start_errors)
    statuses = (*shown_init, *shown_apps)
    listed = _Conditions(pod, api, was, gates, now)
    listed.add_foreign()
    if gates.on(_NETWORK_GATE):
        listed.add(NETWORK, judge.network(spec, sandboxes))
    was_initialized = "Initialized" in was and was["Initialized"].status == "True"
    listed.add("Initialized", judge.initialized(spec, statuses, phase, gates, was_initialized=was_initialized))
    containers_ready = judge.containers_ready(spec, statuses, phase, gates)
    listed.add("Ready", judge.ready(spec, containers_ready, listed.by_type))
    listed.add("ContainersReady", containers_ready)
    listed.add("PodScheduled", TRUE)
    if has_rule and gates.on(_RESTARTING_GATE):
        listed.add(RESTARTING, judge.restarting_all(phase, restarting, not instances))
    for condition in resize:
        listed.all.append(condition)
    return PodStatus(
        phase=phase,
        reason=reason,
        message=message,
        conditions=tuple(listed.all),
        initContainerStatuses=shown_init,
        containerStatuses=shown_apps,
        ephemeralContainerStatuses=ephemeral,
        hostIP=old.hostIP or _HOST_IP,
        hostIPs=old.hostIPs or (PodIP(_HOST_IP),),
        podIP=_pod_ip(old, sandboxes),
        podIPs=_pod_ips(old, sandboxes),
        startTime=old.startTime,
        observedGeneration=listed.generation,
        qosClass=old.qosClass or api.qosClass,
    )


_HOST_IP = "10.0.0.1"
"""The address of the node; one address serves, since no rule compares nodes by it."""
_NETWORK_GATE = "PodReadyToStartContainersCondition"
_RESTARTING_GATE = "RestartAllContainersOnContainerExits"


def setting_of(pod: Pod, gates: Gates, *, restarting: bool = False, app_created: bool = False) -> Setting:
    """What the statuses of one Pod's containers have in common; see `Setting`."""
    return Setting(
        pod.spec,
        gates,
        pod.metadata.deletionTimestamp is not None,
        restarting and gates.on(_RESTARTING_GATE),
        app_created,
        gates.on(_RESTARTING_GATE),
        not gates.on("ChangeContainerStatusOnKubeletRestart"),
    )


class _Conditions:
    """The list of conditions under construction, in the kubelet's order."""

    def __init__(
        self, pod: Pod, api: PodStatus, was: Mapping[str, PodCondition], gates: Gates, now: float
    ) -> None:
        self.api, self.was, self.now = api, was, now
        self.gated = gated_types(gates)
        self.generation = observed_generation(pod.metadata.generation, gates.on("PodObservedGenerationTracking"))
        self.all: list[PodCondition] = []
        self.by_type: dict[str, PodCondition] = {}

    def add_foreign(self) -> None:
        """Conditions of others as the API shows them; DisruptionTarget as the kubelet may have set it itself."""
        for condition in self.api.conditions:
            if not owned(condition.type, self.gated):
                self._append(condition)
        disruption = self.was.get(DISRUPTION)
        if disruption is not None:
            self.all = list(put(self.all, disruption))
            self.by_type[DISRUPTION] = disruption

    def add(self, condition_type: str, judgement: tuple[str, str, str]) -> None:
        """One of the kubelet's own."""
        self._append(make_condition(condition_type, judgement, self.was.get(condition_type), self.now, self.generation))

    def _append(self, condition: PodCondition) -> None:
        self.all.append(condition)
        self.by_type.setdefault(condition.type, condition)


def settle(new: PodStatus, old: PodStatus | None, now: float) -> PodStatus:
    """What the status manager makes of a status before it keeps it (updateStatusInternal, normalizeStatus).

    The start time is set once, transition times change only with a condition's status, lists are sorted by name.
    """
    start = old.startTime if old is not None and old.startTime is not None else new.startTime
    was = by_type(old.conditions) if old is not None else {}
    conditions = tuple(_settled(condition, was.get(condition.type), now) for condition in new.conditions)
    changes: dict[str, object] = {}
    if start is None:
        changes["startTime"] = instant(now)
    elif start is not new.startTime:
        changes["startTime"] = start
    if any(one is not other for one, other in zip(conditions, new.conditions, strict=True)):
        changes["conditions"] = conditions
    for group in ("containerStatuses", "ephemeralContainerStatuses"):
        statuses = getattr(new, group)
        if len(statuses) > 1:
            changes[group] = tuple(sorted(statuses, key=_name))
    return msgspec.structs.replace(new, **changes) if changes else new


def _settled(new: PodCondition, old: PodCondition | None, now: float) -> PodCondition:
    if old is new:
        return new
    if old is not None and old.status == new.status and old.lastTransitionTime is not None:
        return msgspec.structs.replace(new, lastTransitionTime=old.lastTransitionTime)
    if old is not None and old.status != new.status:
        return msgspec.structs.replace(new, lastTransitionTime=instant(now))
    return new if new.lastTransitionTime is not None else msgspec.structs.replace(new, lastTransitionTime=instant(now))


def _name(status: ContainerStatus) -> str:
    return status.name


def _restarting(
    spec: PodSpec, was: Mapping[str, PodCondition], instances: Mapping[str, list[RuntimeContainer]], gates: Gates
) -> bool:
    """RestartAllContainers has begun before, or an exit asks for it now."""
    before = was.get(RESTARTING)
    if before is not None and before.status == "True":
        return True
    return restart_all_requested(spec, {name: group[0] for name, group in instances.items()}, gates)


def _app_created(spec: PodSpec, instances: Mapping[str, list[RuntimeContainer]]) -> bool:
    return any(app.name in instances for app in spec.containers)


def _drafts(
    setting: Setting,
    containers: Sequence[Container],
    instances: Mapping[str, list[RuntimeContainer]],
    old: Sequence[ContainerStatus],
    errors: Mapping[str, StartError],
    *,
    init: bool = False,
) -> tuple[ContainerStatus, ...]:
    """The statuses of one list of containers before the probes are asked, in the spec's order."""
    before = {status.name: status for status in reversed(old)}
    return tuple(
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
    )


def _phase(
    pod: Pod,
    api: PodStatus,
    init: Sequence[ContainerStatus],
    apps: Sequence[ContainerStatus],
    instances: Mapping[str, list[RuntimeContainer]],
    terminal: bool,
    gates: Gates,
    kill: KillReason | None,
) -> tuple[str, str, str]:
    """Phase, reason and message: terminal phases stay, a reason stays with its phase, a kill overrides."""
    old = pod.status
    initialized = any(c.in_active_sandbox for app in pod.spec.containers for c in instances.get(app.name, ()))
    phase = pod_phase(
        pod.spec, init, apps, terminal=terminal, initialized=initialized, static=is_static(pod.metadata), gates=gates
    )
    if phase not in TERMINAL:
        phase = next((p for p in (old.phase, api.phase) if p in TERMINAL), phase)
    reason = message = ""
    if phase == old.phase:
        reason, message = old.reason or api.reason, old.message or api.message
    if kill is not None:
        phase, reason, message = kill.phase, kill.reason, kill.message
    if api.phase in TERMINAL:
        phase = api.phase
    return phase, reason, message


def _ready_in(api: PodStatus) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in api.conditions)


def probed_apps(
    setting: Setting, drafts: Sequence[ContainerStatus], probing: Probing
) -> tuple[ContainerStatus, ...]:
    """App container statuses with `started` and `ready` (UpdatePodStatus)."""
    by_name = {container.name: container for container in setting.spec.containers}
    return tuple(_probed(setting, draft, by_name[draft.name], probing) for draft in drafts)


def probed_inits(
    setting: Setting, drafts: Sequence[ContainerStatus], probing: Probing
) -> tuple[ContainerStatus, ...]:
    """Init container statuses likewise; a regular one is ready once it has exited 0.

    A status that does not stand in its container's place in the spec keeps its `ready`, as the kubelet goes by place.
    """
    by_name = {container.name: container for container in setting.spec.initContainers}
    shown = []
    for draft, placed in zip_longest(drafts, setting.spec.initContainers[: len(drafts)]):
        container = by_name.get(draft.name)
        sidecar = container is not None and is_sidecar(container, setting.gates)
        if container is not None and sidecar:
            probed = _probed(setting, draft, container, probing)
            started, ready = probed.started is True, probed.ready
        else:
            started, ready = draft.state.running is not None, draft.ready or init_ready(draft.state)
        if placed is None or placed.name != draft.name:
            ready = draft.ready
        if (started, ready) != (draft.started, draft.ready):
            draft = msgspec.structs.replace(draft, started=started, ready=ready)
        shown.append(draft)
    return tuple(shown)


def _probed(setting: Setting, draft: ContainerStatus, container: Container, probing: Probing) -> ContainerStatus:
    running = draft.state.running is not None
    results = probing.results.get(container.name, _NONE)
    carried = setting.carries_started and draft.started is True
    probed = probing.probes(container, ProbeKind.STARTUP)
    started = is_started(running, results.get(ProbeKind.STARTUP), probed, carried)
    ready = False
    if started:
        ready = is_ready(running, results.get(ProbeKind.READINESS), probing.probes(container, ProbeKind.READINESS))
    if (started, ready) == (draft.started, draft.ready):
        return draft
    return msgspec.structs.replace(draft, started=started, ready=ready)


def _pod_ip(old: PodStatus, sandboxes: Sequence[Sandbox]) -> str:
    if sandboxes and sandboxes[0].ip:
        return sandboxes[0].ip
    return old.podIP


def _pod_ips(old: PodStatus, sandboxes: Sequence[Sandbox]) -> tuple[PodIP, ...]:
    ip = _pod_ip(old, sandboxes)
    return (PodIP(ip),) if ip else ()
