"""Laws of the probe workers."""

from __future__ import annotations

from podfsm.rules.facts import ProbeKind, ProbeResult
from podfsm.rules.kubelet_facts import ProbeFacts
from podfsm.testing.laws.base import law

_FAILED = {"outcome": ProbeResult.FAILURE, "kind": ProbeKind.LIVENESS}


@law("probe", "adopt", checks=["probe-new-container-resets-result"], typical=[{"same_container": False}, {}])
def adopted(facts: ProbeFacts, _state: str) -> bool:
    """A worker takes up a container that it has not seen."""
    return not facts.same_container


@law(
    "probe",
    "delay_over",
    checks=["probe-initial-delay-from-start"],
    typical=[{"now": 10.0, "due_at": 10.0}, {"now": 9.0, "due_at": 10.0}],
)
def delay_over(facts: ProbeFacts, _state: str) -> bool:
    """The initial delay is over from its instant on."""
    return facts.now >= facts.due_at


@law("probe", "gate_open", checks=["probe-startup-gates-others"], typical=[{"kind": kind} for kind in ProbeKind])
def gate_open(facts: ProbeFacts, _state: str) -> bool:
    """A startup probe checks what has not started, the others what has."""
    return facts.started if facts.kind in (ProbeKind.READINESS, ProbeKind.LIVENESS) else not facts.started


@law(
    "probe",
    "publish",
    checks=["probe-threshold-consecutive"],
    typical=[
        {"outcome": ProbeResult.SUCCESS, "run": 3, "threshold": 3},
        {"outcome": ProbeResult.FAILURE, "run": 2, "threshold": 3},
    ],
)
def published(facts: ProbeFacts, _state: str) -> bool:
    """A result counts when there is one, for the threshold-th time in a row."""
    return facts.outcome is not None and facts.threshold <= facts.run


@law(
    "probe",
    "hold",
    checks=["probe-onhold-after-failure"],
    typical=[
        _FAILED,
        {**_FAILED, "kind": ProbeKind.STARTUP},
        {"outcome": ProbeResult.SUCCESS, "kind": ProbeKind.STARTUP},
    ],
)
def held(facts: ProbeFacts, _state: str) -> bool:
    """Startup probes are done with any result, liveness probes with a failure, readiness probes never."""
    if facts.kind is ProbeKind.LIVENESS:
        return facts.outcome is ProbeResult.FAILURE
    return facts.kind is ProbeKind.STARTUP and facts.outcome is not None


@law(
    "probe",
    "lose",
    checks=["probe-non-running-failure"],
    typical=[{"running": False}, {"running": False, "on_hold": True}],
)
def lost(facts: ProbeFacts, _state: str) -> bool:
    """A worker that is not on hold loses a container that does not run."""
    return not (facts.running or facts.on_hold)


@law(
    "probe",
    "leave",
    checks=["probe-stop-on-terminal", "probe-container-done"],
    typical=[{"pod_terminal": True}, {"will_restart": False, "running": False}, {}],
)
def left(facts: ProbeFacts, state: str) -> bool:
    """A worker goes with its Pod, and with a container that it watches and that will not run again.

    On hold it does not look, and while it waits there is none.
    """
    return facts.pod_terminal or (state not in ("OnHold", "WaitContainer") and not facts.will_restart)


@law(
    "probe",
    "stop",
    checks=["probe-stop-liveness-on-terminate"],
    typical=[{"terminating": True, "kind": ProbeKind.LIVENESS}, {"terminating": True, "kind": ProbeKind.STARTUP}],
)
def stopped(facts: ProbeFacts, _state: str) -> bool:
    """When a Pod terminates, liveness and startup workers stop, but not those of sidecars."""
    return facts.terminating and facts.kind in (ProbeKind.LIVENESS, ProbeKind.STARTUP) and not facts.sidecar
