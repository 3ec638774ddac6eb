"""When a probe worker ticks. All instants and durations in seconds."""

from __future__ import annotations

import math

from podfsm.engine.rule import docs, example, source, timing

_NUMBERS = docs("concepts/workloads/pods/probes.md#configure-probes")


@timing(
    "probe-tick-quantised",
    area="probes",
    machine="probe",
    cites=[_NUMBERS, source("pkg/kubelet/prober/worker.go", "run")],
    seed=3,
    observable="event times",
    documented="a page says that the delay is ignored if the period is longer; it is rounded up to the next tick",
    examples=[
        example(0.0, 10.0, 5.0, gives=10.0),
        example(0.0, 10.0, 20.0, gives=20.0),
        example(3.0, 10.0, 20.0, gives=23.0),
        example(3.0, 10.0, 1.0, gives=3.0),
    ],
)
def first_check(first_tick: float, period: float, due_at: float) -> float:
    """A worker ticks every periodSeconds from its own start, so its first check is the first tick at or after `due_at`.

    `due_at` is startedAt plus initialDelaySeconds; the check comes up to one period after it. Within one period after a
    kubelet start, workers sleep a random part of a period before their first tick.
    """
    return first_tick + max(0, math.ceil((due_at - first_tick) / period)) * period


@timing(
    "probe-readiness-manual-trigger",
    area="probes",
    machine="probe",
    cites=[
        _NUMBERS,
        source("pkg/kubelet/prober/prober_manager.go", "UpdatePodStatus"),
        source("pkg/kubelet/prober/worker.go", "run"),
    ],
    since="1.21",
    seed=3,
    observable="readiness flips earlier than a multiple of the period",
    examples=[
        example(20.0, 12.5, started=True, ready=False, gives=12.5),
        example(20.0, 12.5, started=True, ready=True, gives=20.0),
        example(20.0, 12.5, started=False, ready=False, gives=20.0),
    ],
)
def next_readiness_check(next_tick: float, status_at: float, *, started: bool, ready: bool) -> float:
    """Whenever a status is made of a container that started but is not ready, readiness is checked at once.

    Its ticks begin anew from there. `status_at` is when the status is made, `next_tick` when the worker would tick.
    """
    return min(next_tick, status_at) if started and not ready else next_tick


@timing(
    "probe-min-time-to-kill",
    area="probes",
    machine="probe",
    cites=[_NUMBERS, source("pkg/kubelet/prober/worker.go", "doProbe")],
    seed=3,
    observable="finishedAt - startedAt",
    examples=[example(0.0, 15, 10, 3, gives=35.0), example(100.0, 0, 1, 1, gives=100.0)],
)
def earliest_kill(started_at: float, initial_delay: float, period: float, failure_threshold: int) -> float:
    """With steady failures nothing is killed before initialDelaySeconds and failureThreshold - 1 periods have gone by.

    Up to one period and the time the checks take come on top.
    """
    return started_at + initial_delay + (failure_threshold - 1) * period
