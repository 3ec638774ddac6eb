"""Grace periods: how long a Pod and each of its containers get to stop. All in whole seconds unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, source, timing
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ObjectMeta, PodSpec
from podfsm.rules.hooks import prestop_over
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/workloads/pods/pod-termination.md"
_KILL = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "killContainer")
_EFFECTIVE = source("pkg/kubelet/pod_workers.go", "calculateEffectiveGracePeriod")

LIVENESS_KILL, STARTUP_KILL = "LivenessProbe", "StartupProbe"
"""Kill reasons for which a probe's own grace period counts; every other reason takes the Pod's."""


@default(
    "term-default-grace",
    area="termination",
    machine="pod",
    cites=[docs(f"{_PAGE}#pod-termination-flow"), source("pkg/apis/core/v1/defaults.go", "SetDefaults_PodSpec")],
    seed=6,
    observable="spec.terminationGracePeriodSeconds",
    examples=[example(None, gives=30), example(0, gives=0), example(5, gives=5)],
)
def default_grace(given: int | None) -> int:
    """The Pod's terminationGracePeriodSeconds is 30 if it is not given; 0 is a value like any other."""
    return int(timing_constant("grace-default")) if given is None else given


@derivation(
    "term-deletion-timestamp",
    area="termination",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-termination-flow"),
        source("pkg/registry/core/pod/strategy.go", "CheckGracefulDelete"),
        source("staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go", "BeforeDelete"),
    ],
    seed=6,
    observable="metadata.deletionTimestamp, deletionGracePeriodSeconds",
    examples=[
        example(100.0, 30, gives=(130.0, 30)),
        example(105.0, 10, before=(130.0, 30), gives=(110.0, 10)),
        example(105.0, 3, before=(130.0, 30), gives=(105.0, 1)),
        example(105.0, 0, before=(130.0, 30), gives=(105.0, 0)),
        example(105.0, 60, before=(130.0, 30), gives=(130.0, 30)),
    ],
)
def deletion_marks(now: float, grace: int, before: tuple[float, int] | None = None) -> tuple[float, int]:
    """A graceful delete sets deletionTimestamp to now plus the grace, and deletionGracePeriodSeconds to the grace.

    Neither can be undone. A later delete (`before`: the marks that are there) can only shorten the grace, counted from
    the first delete; a longer one changes nothing. If that much time has passed already it ends now, with 1 s of grace
    left, or none if none was asked for.
    """
    if before is None:
        return now + grace, grace
    ends, current = before
    if grace >= current:
        return before
    shortened = ends - current + grace
    return (shortened, grace) if shortened >= now else (now, min(grace, 1))


def deleted_at(metadata: ObjectMeta) -> datetime | None:
    """When the first delete was asked for, by the marks that it left; None if there was none."""
    stamp = metadata.deletionTimestamp
    return None if stamp is None else stamp - timedelta(seconds=metadata.deletionGracePeriodSeconds or 0)


@timing(
    "term-worker-min-1s",
    area="termination",
    machine="pod_worker",
    cites=[
        docs(f"{_PAGE}#pod-termination-flow"),
        _EFFECTIVE,
        source("pkg/kubelet/pod_workers.go", "UpdatePod"),
    ],
    since="1.22",
    examples=[
        example(0, 30, 0, None, gives=1),
        example(0, 30, 5, None, gives=5),
        example(5, 30, 10, None, gives=5),
        example(0, 30, 0, 60, gives=60),
        example(0, 30, 5, 60, gives=5),
    ],
)
def worker_grace(current: int, spec_grace: int | None, deletion_grace: int | None, override: int | None) -> int:
    """The Pod worker's grace is never below 1 s and only shrinks while the Pod terminates.

    `current` is 0 before the first kill. Shortening it cancels and repeats the attempt to stop that is under way. A
    deletion grace of 0 reads as none where an eviction names a grace of its own (`override`).
    """
    grace, named = current, False
    for wanted in (deletion_grace, override):
        if wanted is not None and (grace == 0 or wanted < grace):
            grace, named = wanted, True
    if not named and grace == 0 and spec_grace is not None:
        grace = spec_grace
    return max(int(timing_constant("worker-grace-min")), grace)


def effective_grace(
    current: int, spec_grace: int | None, deletion_grace: int | None, override: int | None
) -> tuple[int, bool]:
    """The Pod worker's grace, and whether one that was in use changed (calculateEffectiveGracePeriod)."""
    grace: int = worker_grace(current, spec_grace, deletion_grace, override)
    return grace, current not in (0, grace)


def probe_grace_applies(probe_grace: int | None, *, deleting: bool) -> bool:
    """Whether the failed probe's own grace period decides a stop (rule probe-grace-override)."""
    return probe_grace is not None and not deleting


@derivation(
    "term-grace-precedence",
    area="termination",
    machine="container",
    cites=[
        docs("concepts/workloads/pods/probes.md#probe-level-terminationgraceperiodseconds"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "setTerminationGracePeriod"),
        _KILL,
    ],
    since="1.21",
    seed=6,
    examples=[
        example(spec_grace=30, gives=30),
        example(spec_grace=30, probe_grace=5, gives=5),
        example(spec_grace=30, probe_grace=5, deletion_grace=10, gives=10),
        example(spec_grace=30, deletion_grace=10, override=1, gives=1),
        example(probe_grace=5, gives=2),
    ],
)
def preferred_grace(
    *,
    spec_grace: int | None = None,
    probe_grace: int | None = None,
    deletion_grace: int | None = None,
    override: int | None = None,
) -> int:
    """A stop takes deletionGracePeriodSeconds if the Pod is deleted, else the failed probe's grace, else the Pod's own.

    An explicit override (eviction, shutdown, restart of all containers) beats them all. A probe's grace counts only
    beside one of the Pod; without either it is 2 s.
    """
    if override is not None:
        return override
    if deletion_grace is not None:
        return deletion_grace
    if spec_grace is None:
        return int(timing_constant("container-grace-min"))
    if probe_grace is not None and probe_grace_applies(probe_grace, deleting=False):
        return probe_grace
    return spec_grace


def container_grace(
    spec: PodSpec,
    container: Container,
    *,
    deletion_grace: int | None,
    kill_reason: str = "",
    override: int | None = None,
    gates: Gates | None = None,
) -> int:
    """The grace of one container's stop, before preStop and waiting are taken off it (setTerminationGracePeriod).

    `kill_reason` is "LivenessProbe", "StartupProbe" or anything else; without `gates` probes may have their own grace.
    """
    probe = None
    if kill_reason == LIVENESS_KILL:
        probe = container.livenessProbe
    elif kill_reason == STARTUP_KILL:
        probe = container.startupProbe
    if gates is not None and not gates.on("ProbeTerminationGracePeriod"):
        probe = None
    grace: int = preferred_grace(
        spec_grace=spec.terminationGracePeriodSeconds,
        probe_grace=None if probe is None else probe.terminationGracePeriodSeconds,
        deletion_grace=deletion_grace,
        override=override,
    )
    return grace


@timing(
    "term-prestop-consumes-grace",
    area="termination",
    machine="container",
    cites=[docs("concepts/containers/container-lifecycle-hooks.md#container-hooks"), _KILL],
    seed=6,
    observable="finishedAt - deletion start",
    examples=[example(30, [4.0], gives=26), example(30, [1.9, 0.9], gives=29), example(6, [20.0], gives=-14)],
)
def grace_left(grace: float, spent: Sequence[float]) -> float:
    """The grace period starts before preStop; the time spent in the hook and waiting is taken off what the signal gets.

    Each share of `spent` (seconds) is cut off to whole seconds first.
    """
    return grace - sum(int(share) for share in spent)


@timing(
    "term-min-2s",
    area="termination",
    machine="container",
    cites=[
        docs(f"{_PAGE}#pod-termination-flow"),
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "minimumGracePeriodInSeconds"),
    ],
    seed=6,
    documented="the page tells of a single extension by 2 s when preStop overruns; it is a floor for every stop",
    examples=[example(0, gives=2), example(-14, gives=2), example(26, gives=26)],
)
def at_least_the_minimum(left: float) -> float:
    """A container never gets less than 2 s between stop signal and KILL, even with no grace left."""
    return max(timing_constant("container-grace-min"), left)


def stop_timeout(grace: float, *used: float) -> float:
    """Seconds between stop signal and KILL, after the time used by preStop and by waiting for others."""
    timeout: float = at_least_the_minimum(grace_left(grace, used))
    return timeout


@frozen
class Stop:
    """The instants of one container's stop: hook over, signal sent, and KILL if it still runs then."""

    hook_over: float
    signal_at: float
    kill_at: float


@timing(
    "term-flow-order",
    area="termination",
    machine="pod",
    cites=[
        docs(f"{_PAGE}#pod-termination-flow"),
        _KILL,
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "killContainersWithSyncResult"),
    ],
    seed=6,
    observable="events Killing per container",
    examples=[
        example(100.0, 30, gives=Stop(100.0, 100.0, 130.0)),
        example(100.0, 30, hook=4.0, gives=Stop(104.0, 104.0, 130.0)),
        example(100.0, 6, hook=20.0, gives=Stop(106.0, 106.0, 108.0)),
        example(100.0, 30, hook=4.0, turn_at=112.0, gives=Stop(104.0, 112.0, 130.0)),
        example(100.0, 0, hook=4.0, turn_at=112.0, gives=Stop(100.0, 100.0, 102.0)),
    ],
)
def stop_schedule(began: float, grace: float, *, hook: float | None = None, turn_at: float | None = None) -> Stop:
    """A container stops in this order: preStop hook, waiting for its turn, stop signal, KILL when the grace is used up.

    `hook` is how long its preStop would take, None without one; `turn_at` is when those it waits for are gone (sidecars
    only). Both end at the latest with the grace. All containers of a Pod go through this at the same time.
    """
    hook_over: float = prestop_over(began, hook, grace) if hook is not None and grace > 0 else began
    spent = hook_over - began
    left = grace - int(spent)
    waited = 0.0
    if turn_at is not None and left > 0:
        waited = min(max(0.0, turn_at - hook_over), left)
    signal_at = hook_over + waited
    return Stop(hook_over, signal_at, signal_at + stop_timeout(grace, spent, waited))
