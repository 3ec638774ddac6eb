"""The probe worker: one per container and kind of probe, ticking once a period, as a pure function.

`tick` is one run of the kubelet's worker. It reads the container's status as the kubelet last wrote it, decides whether
the check is run at all, counts equal results in a row, and publishes a result once its threshold is reached. The
kubelet acts on published results only: Failure of a liveness or startup probe kills, readiness sets `ready`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerStatus, PodSpec, Probe
from podfsm.kube.times import seconds_of
from podfsm.rules.facts import Policy, ProbeKind, ProbeResult
from podfsm.rules.restart_decision import pod_policy, restarts_after_exit
from podfsm.rules.sidecar import is_sidecar
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/workloads/pods/probes.md"
_DO_PROBE = source("pkg/kubelet/prober/worker.go", "doProbe")

_INITIAL = {
    ProbeKind.LIVENESS: ProbeResult.SUCCESS,
    ProbeKind.READINESS: ProbeResult.FAILURE,
    ProbeKind.STARTUP: ProbeResult.UNKNOWN,
}


@frozen
class ProbeWorker:
    """A worker's memory between ticks.

    `run` counts equal results in a row, up to the threshold of `last_result`. `cached` is the published result of the
    current container; None when there is none. On hold no check is run until a new container is seen.
    """

    kind: ProbeKind
    container: str
    container_id: str = ""
    run: int = 0
    last_result: ProbeResult = ProbeResult.SUCCESS
    on_hold: bool = False
    cached: ProbeResult | None = None


@frozen
class Tick:
    """What one tick did: the worker afterwards; whether it goes on; whether the check was run; whether it published."""

    worker: ProbeWorker
    keep_going: bool = True
    probed: bool = False
    published: bool = False
    """The published result of the current container changed (or came to be): the kubelet syncs the Pod."""


def new_worker(kind: ProbeKind, container: str) -> ProbeWorker:
    """The worker of one probe of the named container, before its first tick."""
    return ProbeWorker(kind, container)


@default(
    "probe-default-results",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#probe-results"), source("pkg/kubelet/prober/worker.go", "newWorker")],
    since="1.16",
    seed=3,
    observable="ready false until first readiness success; started false until startup success",
    examples=[
        example(None, gives=ProbeResult.SUCCESS),
        example(ProbeKind.LIVENESS, gives=ProbeResult.SUCCESS),
        example(ProbeKind.READINESS, gives=ProbeResult.FAILURE),
        example(ProbeKind.STARTUP, gives=ProbeResult.UNKNOWN),
    ],
)
def initial_result(kind: ProbeKind | None) -> ProbeResult:
    """Without a probe (None) the kubelet assumes Success.

    With one, the result before the first run is Success for liveness, Failure for readiness and Unknown for startup.
    """
    return ProbeResult.SUCCESS if kind is None else _INITIAL[kind]


@derivation(
    "probe-run-counter-carries-over",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#configure-probes"), _DO_PROBE],
    observable="ready true after one success although successThreshold is 3",
    documented="the page asks for successThreshold successes; it does not say that those before a restart count",
    examples=[
        example(ProbeResult.SUCCESS, 2, ProbeResult.SUCCESS, 3, gives=3),
        example(ProbeResult.SUCCESS, 3, ProbeResult.SUCCESS, 3, gives=3),
        example(ProbeResult.SUCCESS, 3, ProbeResult.FAILURE, 3, gives=1),
    ],
)
def counted(last: ProbeResult, run: int, result: ProbeResult, threshold: int) -> int:
    """The count of equal results in a row knows nothing of containers: a crash restart does not reset it.

    So with successThreshold above 1 a restarted container may be ready after fewer successes of its own. Only going
    on hold resets the count. It is kept up to the threshold, beyond which it decides nothing.
    """
    return min(run + 1, threshold) if result is last else 1


@derivation(
    "probe-kubelet-restart-keeps-ready",
    area="probes",
    machine="container",
    cites=[
        docs("reference/command-line-tools-reference/feature-gates/ChangeContainerStatusOnKubeletRestart.md"),
        source("pkg/kubelet/prober/prober_manager.go", "setReadyStateOnKubeletRestart"),
        _DO_PROBE,
    ],
    since="1.35",
    observable="ready stays true across a kubelet restart",
    examples=[
        example(0.0, 11.0, gives=True),
        example(0.0, 10.0, gives=False),
        example(None, 11.0, gives=False),
        example(0.0, None, gives=False),
    ],
)
def predates_kubelet(started_at: float | None, kubelet_started_at: float | None) -> bool:
    """A container that started more than 10 s before the kubelet did keeps started and ready until its probes answer.

    Both are instants in seconds; None for a container that does not run, or a kubelet that has run for long. The gate
    ChangeContainerStatusOnKubeletRestart brings the old behaviour back, which reset both.
    """
    if started_at is None or kubelet_started_at is None:
        return False
    return started_at < kubelet_started_at - timing_constant("probe-kubelet-restart-tolerance")


def probe_of(container: Container, kind: ProbeKind) -> Probe | None:
    """The container's probe of one kind."""
    if kind is ProbeKind.LIVENESS:
        return container.livenessProbe
    return container.readinessProbe if kind is ProbeKind.READINESS else container.startupProbe


def startup_gate_open(kind: ProbeKind, started: bool) -> bool:
    """Startup probes run until the container has started, the others from then on (rule probe-startup-gates-others)."""
    return started != (kind is ProbeKind.STARTUP)


def goes_on_hold(kind: ProbeKind, published: ProbeResult) -> bool:
    """Whether publishing this result stops the checks until a new container (rule probe-onhold-after-failure)."""
    return kind is ProbeKind.STARTUP or (kind is ProbeKind.LIVENESS and published is ProbeResult.FAILURE)


def outlives_exit(container: Container, spec: PodSpec, exit_code: int, gates: Gates, *, sidecar: bool) -> bool:
    """Whether the worker goes on after its container exited: only if the container is going to run again.

    Without ContainerRestartRules the Pod's policy alone was asked, and whether it is Never. Releases before 1.33 did so
    for sidecars too, so that a restarted sidecar was left without its worker.
    """
    if gates.on("ContainerRestartRules"):
        return sidecar or restarts_after_exit(container, spec, exit_code, gates, sidecar=sidecar)
    return pod_policy(spec) is not Policy.NEVER or (sidecar and gates.at_least("1.33"))


def missing_workers(
    spec: PodSpec, alive: Collection[tuple[str, ProbeKind]], gates: Gates
) -> tuple[tuple[Container, ProbeKind], ...]:
    """The workers a sync of the Pod starts, given the (container name, kind) of those that are alive (AddPod).

    App containers come first, then sidecars; for each the kinds in the order startup, readiness, liveness. The first
    worker found alive ends the search, so one that ended by itself comes back only if none before it is alive.
    """
    found: list[tuple[Container, ProbeKind]] = []
    for container in (*spec.containers, *(entry for entry in spec.initContainers if is_sidecar(entry, gates))):
        for kind in (ProbeKind.STARTUP, ProbeKind.READINESS, ProbeKind.LIVENESS):
            if probe_of(container, kind) is None:
                continue
            if (container.name, kind) in alive:
                return tuple(found)
            found.append((container, kind))
    return tuple(found)


def tick(
    worker: ProbeWorker,
    *,
    now: float,
    phase: str | None,
    status: ContainerStatus | None,
    container: Container,
    spec: PodSpec,
    gates: Gates,
    outcome: Callable[[], ProbeResult | None],
    sidecar: bool = False,
    deleting: bool = False,
    kubelet_started_at: float | None = None,
) -> Tick:
    """One tick of a worker at `now` (seconds).

    `phase` is the Pod's phase as the kubelet last wrote it, None while it has written no status; `status` is the
    container's entry there, None when there is none. The container's probe has its defaults filled in. `outcome` runs
    the check and is called at most once; it answers Success, Failure or None when the check erred.
    `deleting` means that the worker's copy of the Pod has a deletionTimestamp. A worker keeps the copy it was started
    with, so this is true only for workers started after the delete. `kubelet_started_at` is None for "long ago".
    """
    if phase in ("Succeeded", "Failed"):
        return Tick(worker, keep_going=False)
    if phase is None or status is None or not status.containerID:
        return Tick(worker)
    adopted = worker.container_id != status.containerID
    if adopted:
        worker = _adopt(worker, status, gates, sidecar, kubelet_started_at)
    published = adopted and worker.cached is not None
    if worker.on_hold:
        return Tick(worker, published=published)
    state = status.state
    if state.running is None:
        ended = state.terminated
        stays = ended is None or outlives_exit(container, spec, ended.exitCode, gates, sidecar=sidecar)
        return _publish(worker, ProbeResult.FAILURE, published, keep_going=stays)
    if deleting and worker.kind is not ProbeKind.READINESS:
        return _publish(worker, ProbeResult.SUCCESS, published, keep_going=False)
    probe = probe_of(container, worker.kind)
    if probe is None:
        raise ValueError(f"container {container.name} has no {worker.kind.value} probe")
    if not startup_gate_open(worker.kind, status.started is True):
        return Tick(worker, published=published)
    started_at = state.running.startedAt
    # The kubelet compares whole seconds, cut off towards zero.
    if started_at is not None and int(now - seconds_of(started_at)) < probe.initialDelaySeconds:
        return Tick(worker, published=published)
    return _run(worker, probe, outcome(), published)


def _run(worker: ProbeWorker, probe: Probe, result: ProbeResult | None, published: bool) -> Tick:
    """Count a result, and publish it if its threshold is reached."""
    if result is None:
        return Tick(worker, probed=True, published=published)
    threshold = probe.failureThreshold if result is ProbeResult.FAILURE else probe.successThreshold
    run: int = counted(worker.last_result, worker.run, result, threshold)
    cached, hold = worker.cached, False
    if run >= threshold:
        published = published or result is not cached
        cached, hold = result, goes_on_hold(worker.kind, result)
    if hold:
        run = 0
    elif run == worker.run and result is worker.last_result and cached is worker.cached:
        return Tick(worker, probed=True, published=published)
    after = ProbeWorker(worker.kind, worker.container, worker.container_id, run, result, hold, cached)
    return Tick(after, probed=True, published=published)


def _adopt(
    worker: ProbeWorker, status: ContainerStatus, gates: Gates, sidecar: bool, kubelet_started_at: float | None
) -> ProbeWorker:
    """The worker with a container it has not seen before: off hold, the result back at its initial value."""
    cached: ProbeResult | None = initial_result(worker.kind)
    if kubelet_started_at is not None and not gates.on("ChangeContainerStatusOnKubeletRestart"):
        running = status.state.running
        started_at = seconds_of(running.startedAt) if running and running.startedAt else None
        if predates_kubelet(started_at, kubelet_started_at):
            seeded = sidecar and worker.kind is ProbeKind.STARTUP and status.started is True
            cached = ProbeResult.SUCCESS if seeded else None
    return ProbeWorker(worker.kind, worker.container, status.containerID, worker.run, worker.last_result, False, cached)


def _publish(worker: ProbeWorker, result: ProbeResult, published: bool, *, keep_going: bool) -> Tick:
    """Set the published result without a check."""
    if worker.cached is result:
        return Tick(worker, keep_going=keep_going, published=published)
    after = ProbeWorker(
        worker.kind, worker.container, worker.container_id, worker.run, worker.last_result, worker.on_hold, result
    )
    return Tick(after, keep_going=keep_going, published=True)
