"""What the kubelet does with a container's probe results: liveness and startup Failure stop it, readiness marks it."""

from __future__ import annotations

from podfsm.engine.rule import docs, guard, source
from podfsm.engine.verdict import Verdict, refuse
from podfsm.rules.facts import ContainerFacts, ProbeResult, Role, RuntimeState, WorkerState
from podfsm.rules.grace import probe_grace_applies

_PAGE = "concepts/workloads/pods/probes.md"
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")

_RUNS = RuntimeState.RUNNING
_SUCCESS, _FAILURE = ProbeResult.SUCCESS, ProbeResult.FAILURE


@guard(
    "probe-liveness-failure-kills",
    area="probes",
    machine=("container", "sidecar_container"),
    cites=[docs(f"{_PAGE}#liveness-probe"), _ACTIONS],
    seed=3,
    observable='event Killing "failed liveness probe", restartCount + 1',
    allows=[ContainerFacts(instance=_RUNS, liveness=_FAILURE)],
    refuses=[
        ContainerFacts(instance=_RUNS, liveness=_SUCCESS),
        ContainerFacts(instance=RuntimeState.EXITED, liveness=_FAILURE),
        ContainerFacts(instance=_RUNS, liveness=_FAILURE, worker=WorkerState.TERMINATING),
        ContainerFacts(role=Role.SIDECAR, instance=_RUNS, liveness=_FAILURE, startup_probe=True),
    ],
)
def unhealthy(facts: ContainerFacts) -> bool | Verdict:
    """Liveness Failure makes the kubelet stop the container, hooks and grace period included.

    It is restarted if the policy allows; under Never it is stopped all the same. Of a sidecar the startup probe is
    looked at first.
    """
    if facts.liveness is not _FAILURE or not _probed(facts):
        return False
    if facts.role is Role.SIDECAR and facts.startup_probe and facts.startup is not _SUCCESS:
        return refuse("a sidecar's startup probe comes first")
    return True


@guard(
    "probe-startup-failure-kills",
    area="probes",
    machine=("container", "sidecar_container"),
    cites=[docs(f"{_PAGE}#startup-probe"), _ACTIONS],
    gate="StartupProbe",
    since="1.16",
    seed=3,
    observable='event Killing "failed startup probe"',
    allows=[ContainerFacts(instance=_RUNS, startup=_FAILURE)],
    refuses=[
        ContainerFacts(instance=_RUNS, startup=ProbeResult.UNKNOWN),
        ContainerFacts(instance=None, startup=_FAILURE),
        ContainerFacts(instance=_RUNS, startup=_FAILURE, liveness=_FAILURE),
    ],
)
def never_started(facts: ContainerFacts) -> bool | Verdict:
    """Startup Failure is handled like liveness Failure.

    The time a container has to start is about initialDelaySeconds + failureThreshold x periodSeconds. Of an app
    container the liveness probe is looked at first.
    """
    if facts.startup is not _FAILURE or not _probed(facts):
        return False
    if facts.role is Role.APP and facts.liveness is _FAILURE:
        return refuse("liveness comes first")
    return True


@guard(
    "probe-readiness-failure-unready",
    area="probes",
    machine=("container", "sidecar_container"),
    cites=[
        docs(f"{_PAGE}#readiness-probe"),
        source("pkg/kubelet/prober/prober_manager.go", "UpdatePodStatus"),
        source("pkg/kubelet/status/status_manager.go", "SetContainerReadiness"),
    ],
    seed=3,
    observable="ready true -> false with same containerID",
    allows=[
        ContainerFacts(instance=_RUNS, readiness=_FAILURE),
        ContainerFacts(instance=_RUNS, readiness=_FAILURE, deleting=True, worker=WorkerState.TERMINATING),
    ],
    refuses=[
        ContainerFacts(instance=_RUNS, readiness=_SUCCESS),
        ContainerFacts(instance=_RUNS, readiness=None),
        ContainerFacts(instance=RuntimeState.EXITED, readiness=_FAILURE),
    ],
)
def unready(facts: ContainerFacts) -> bool:
    """Readiness Failure never kills: it makes the running container unready, and with it the Pod and its endpoint.

    Probing goes on for the whole life of the container, its stopping included.
    """
    return facts.instance is _RUNS and facts.readiness is _FAILURE


@guard(
    "probe-grace-override",
    area="probes",
    machine=("container", "sidecar_container"),
    cites=[
        docs(f"{_PAGE}#probe-level-terminationgraceperiodseconds"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "setTerminationGracePeriod"),
        source("pkg/apis/core/validation/validation.go", "validateReadinessProbe"),
    ],
    gate="ProbeTerminationGracePeriod",
    since="1.21",
    observable="time between Killing event and finishedAt",
    allows=[
        ContainerFacts(instance=_RUNS, liveness=_FAILURE, probe_grace=5),
        ContainerFacts(instance=_RUNS, startup=_FAILURE, probe_grace=5),
    ],
    refuses=[
        ContainerFacts(instance=_RUNS, liveness=_FAILURE, probe_grace=None),
        ContainerFacts(instance=_RUNS, liveness=_FAILURE, probe_grace=5, deleting=True),
        ContainerFacts(instance=_RUNS, readiness=_FAILURE, probe_grace=5),
    ],
)
def probe_decides_grace(facts: ContainerFacts) -> bool:
    """A stop caused by a liveness or startup Failure takes the probe's terminationGracePeriodSeconds, not the Pod's.

    At least 1, not allowed on readiness probes, and ignored once the Pod itself is being deleted.
    """
    failed = facts.liveness is _FAILURE or facts.startup is _FAILURE
    return failed and probe_grace_applies(facts.probe_grace, deleting=facts.deleting)


def _probed(facts: ContainerFacts) -> bool:
    """The kubelet acts on liveness and startup results of this container: it runs, and its Pod is being synced."""
    return (
        facts.instance is _RUNS
        and facts.worker is WorkerState.SYNCING
        and (facts.role is Role.APP or facts.role is Role.SIDECAR)
    )
