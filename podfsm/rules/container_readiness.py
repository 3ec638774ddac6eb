"""Whether a container has started and is ready, from its state and the cached results of its probes."""

from __future__ import annotations

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.objects import ContainerState
from podfsm.rules.container_state import COMPLETED_UNSEEN, LOST_AT_END, POD_INITIALIZING
from podfsm.rules.facts import ProbeResult

_UPDATE = source("pkg/kubelet/prober/prober_manager.go", "UpdatePodStatus")


@derivation(
    "cstate-started",
    area="container-state",
    machine="container",
    cites=[
        docs("concepts/workloads/pods/sidecar-containers.md#sidecar-containers-and-pod-lifecycle"),
        source("pkg/kubelet/prober/prober_manager.go", "isContainerStarted"),
    ],
    seed=3,
    observable="containerStatuses[].started",
    examples=[
        example(True, None, False, False, gives=True),
        example(True, None, True, False, gives=False),
        example(True, ProbeResult.SUCCESS, True, False, gives=True),
        example(True, ProbeResult.UNKNOWN, True, True, gives=False),
        example(True, None, True, True, gives=True),
        example(False, ProbeResult.SUCCESS, True, True, gives=False),
    ],
)
def is_started(running: bool, startup: ProbeResult | None, probed: bool, carried: bool) -> bool:
    """A running container has started when its startup probe succeeded, or when it has none.

    Without a result yet, a status that already said so (`carried`) is believed; that is how it survives a restart of
    the kubelet, and why a restarted container can look started until the probe's first run.
    """
    if not running:
        return False
    if startup is not None:
        return startup is ProbeResult.SUCCESS
    return carried or not probed


@derivation(
    "cstate-ready",
    area="container-state",
    machine="container",
    cites=[docs("concepts/workloads/pods/probes.md#readiness-probe"), _UPDATE],
    seed=3,
    observable="containerStatuses[].ready",
    examples=[
        example(True, None, False, gives=True),
        example(True, ProbeResult.SUCCESS, True, gives=True),
        example(True, ProbeResult.FAILURE, True, gives=False),
        example(True, None, True, gives=False),
        example(False, ProbeResult.SUCCESS, True, gives=False),
    ],
)
def is_ready(running: bool, readiness: ProbeResult | None, probed: bool) -> bool:
    """A started container is ready while it runs and its readiness probe's last result is Success, or it has none."""
    return running and (readiness is ProbeResult.SUCCESS or not probed)


@derivation(
    "cstate-init-ready",
    area="container-state",
    machine="init_container",
    cites=[docs("concepts/workloads/pods/init-containers.md#detailed-behavior"), _UPDATE],
    seed=8,
    observable="initContainerStatuses[].ready",
    examples=[
        example(COMPLETED_UNSEEN, gives=True),
        example(ContainerState(terminated=LOST_AT_END), gives=False),
        example(POD_INITIALIZING, gives=False),
    ],
)
def init_ready(state: ContainerState) -> bool:
    """A regular init container is ready when it has terminated with exit code 0, and only then."""
    return state.terminated is not None and state.terminated.exitCode == 0


def ready_after_kubelet_restart(ready: bool, *, known: bool, probed: bool, pod_was_ready: bool) -> bool:
    """Readiness of a container that was running more than 10 s before its kubelet started (1.35 and newer).

    `known`: there is a cached result for it; `probed`: it has a readiness probe; `pod_was_ready`: the API shows Ready
    True. Before the first result the Pod's condition decides, so that it does not flap.
    """
    if probed and not pod_was_ready:
        return False
    return ready or not known
