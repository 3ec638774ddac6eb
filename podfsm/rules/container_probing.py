"""What the probes make of the container statuses: `started` and `ready` (UpdatePodStatus of the prober manager)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerState, ContainerStatus, PodSpec
from podfsm.kube.times import seconds_of
from podfsm.rules.container_readiness import init_ready, is_ready, is_started, ready_after_kubelet_restart
from podfsm.rules.facts import ProbeKind, ProbeResult
from podfsm.rules.sidecar import is_sidecar

_NONE: Mapping[ProbeKind, ProbeResult] = {}
_KUBELET_RESTART_TOLERANCE = 10.0
"""Seconds by which a container must be older than its kubelet to count as running before the kubelet's restart."""


@frozen
class Probing:
    """What the kubelet knows of a Pod's probes when it derives a status."""

    results: Mapping[str, Mapping[ProbeKind, ProbeResult]]
    """Cached results of the current instances, by container name."""
    workers: Mapping[str, Collection[ProbeKind]] | None = None
    """The live probe workers by container name; None: one for every probe in the spec."""
    keeps_state: bool = True
    """`started` and `ready` outlive a restart of the kubelet (gate ChangeContainerStatusOnKubeletRestart off)."""
    kubelet_started: float | None = None
    """When the kubelet started, in seconds; None: before all containers."""
    pod_was_ready: bool = False
    """The API shows the Pod's Ready condition True."""

    def probes(self, container: Container, kind: ProbeKind) -> bool:
        """Whether a worker for the startup or readiness probe of a container exists."""
        if self.workers is not None:
            return kind in self.workers.get(container.name, ())
        return (container.startupProbe if kind is ProbeKind.STARTUP else container.readinessProbe) is not None

    def survives(self, state: ContainerState) -> bool:
        """Whether a container has been running since well before the kubelet started."""
        if not self.keeps_state or self.kubelet_started is None or state.running is None:
            return False
        since = state.running.startedAt
        return since is not None and seconds_of(since) < self.kubelet_started - _KUBELET_RESTART_TOLERANCE


def probed_apps(spec: PodSpec, drafts: Sequence[ContainerStatus], probing: Probing) -> tuple[ContainerStatus, ...]:
    """App container statuses with `started` and `ready`, in the order given."""
    by_name = {container.name: container for container in spec.containers}
    return tuple(_probed(draft, by_name[draft.name], probing) for draft in drafts)


def probed_inits(
    spec: PodSpec, drafts: Sequence[ContainerStatus], probing: Probing, gates: Gates
) -> tuple[ContainerStatus, ...]:
    """Init container statuses with `started` and `ready`; a regular one is ready once it has exited 0.

    Statuses and containers of the spec go together by place; where their names differ `ready` is left alone.
    """
    by_name = {container.name: container for container in spec.initContainers}
    shown = []
    for index, draft in enumerate(drafts):
        container = by_name.get(draft.name)
        if container is None or index >= len(spec.initContainers) or spec.initContainers[index] is not container:
            shown.append(_with(draft, _started(draft, container, probing), draft.ready))
        elif is_sidecar(container, gates):
            shown.append(_probed(draft, container, probing))
        else:
            ready = draft.ready or init_ready(draft.state)
            shown.append(_with(draft, _started(draft, container, probing), ready))
    return tuple(shown)


def _probed(draft: ContainerStatus, container: Container, probing: Probing) -> ContainerStatus:
    started = _started(draft, container, probing)
    if not started:
        return _with(draft, started, draft.ready)
    result = probing.results.get(container.name, _NONE).get(ProbeKind.READINESS)
    ready: bool = is_ready(started, result, probing.probes(container, ProbeKind.READINESS))
    if result is not ProbeResult.SUCCESS and probing.survives(draft.state):
        ready = ready_after_kubelet_restart(
            ready,
            known=result is not None,
            probed=container.readinessProbe is not None,
            pod_was_ready=probing.pod_was_ready,
        )
    return _with(draft, started, ready)


def _started(draft: ContainerStatus, container: Container | None, probing: Probing) -> bool:
    result = probing.results.get(draft.name, _NONE).get(ProbeKind.STARTUP)
    probed = container is not None and probing.probes(container, ProbeKind.STARTUP)
    started: bool = is_started(
        draft.state.running is not None, result, probed, probing.keeps_state and draft.started is True
    )
    return started


def _with(draft: ContainerStatus, started: bool, ready: bool) -> ContainerStatus:
    if draft.started is started and draft.ready is ready:
        return draft
    return ContainerStatus(
        draft.name,
        draft.state,
        draft.lastState,
        ready,
        draft.restartCount,
        draft.image,
        draft.imageID,
        draft.containerID,
        started,
    )
