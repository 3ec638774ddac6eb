"""Probes: which containers have them, when a check is run, when its result counts, and when probing ends.

The guards here are read by the machine of the probe worker; those of containers are in `probe_kills`. The worker as a
function is in `probe_worker`, what a check's answer amounts to in `probe_results`, defaults in `probe_defaults`, timing
in `probe_timing`. Guards and worker share their predicates.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, guard, source
from podfsm.engine.verdict import Verdict, refuse, wait_until
from podfsm.rules.facts import ProbeKind, ProbeResult, Role
from podfsm.rules.kubelet_facts import ProbeFacts
from podfsm.rules.probe_worker import goes_on_hold, startup_gate_open

_PAGE = "concepts/workloads/pods/probes.md"
_DO_PROBE = source("pkg/kubelet/prober/worker.go", "doProbe")

OMITS = {
    "probe-exec-env-static": "which variables the command of an exec probe may use never shows in the lifecycle.",
}
"""Known rules of this area with nothing to execute here."""

_SUCCESS, _FAILURE = ProbeResult.SUCCESS, ProbeResult.FAILURE


@guard(
    "probe-targets",
    machine="probe",
    cites=[
        docs("concepts/workloads/pods/init-containers.md#differences-from-regular-containers"),
        source("pkg/kubelet/prober/prober_manager.go", "AddPod"),
        source("pkg/apis/core/validation/validation.go", "validateInitContainers"),
    ],
    since="1.28",
    seed=3,
    observable="spec.initContainers[] without probes unless restartPolicy Always",
    allows=[ProbeFacts(role=Role.APP), ProbeFacts(role=Role.SIDECAR)],
    refuses=[ProbeFacts(role=Role.INIT), ProbeFacts(role=Role.EPHEMERAL)],
)
def probed_role(facts: ProbeFacts) -> bool:
    """Only app containers and sidecars are probed; regular init and ephemeral containers cannot have probes."""
    return facts.role is Role.APP or facts.role is Role.SIDECAR


@guard(
    "probe-initial-delay-from-start",
    machine="probe",
    cites=[docs(f"{_PAGE}#configure-probes"), _DO_PROBE],
    seed=3,
    observable="first Unhealthy event vs startedAt",
    documented="the page lets the delay of liveness and readiness begin when the startup probe has succeeded",
    allows=[ProbeFacts(now=20.0, due_at=20.0), ProbeFacts(now=21.0, due_at=20.0)],
    refuses=[ProbeFacts(now=19.0, due_at=20.0)],
)
def delay_over(facts: ProbeFacts) -> bool | Verdict:
    """No check is run before the container's startedAt plus initialDelaySeconds, whatever the kind of probe.

    The delay does not begin anew when the startup probe succeeds.
    """
    if facts.now < facts.due_at:
        return wait_until(facts.due_at, "initialDelaySeconds after the container's start")
    return True


@guard(
    "probe-startup-gates-others",
    machine="probe",
    cites=[docs(f"{_PAGE}#startup-probe"), _DO_PROBE],
    gate="StartupProbe",
    since="1.16",
    seed=3,
    observable="started false => ready false",
    allows=[
        ProbeFacts(kind=ProbeKind.STARTUP, started=False),
        ProbeFacts(kind=ProbeKind.LIVENESS, started=True),
    ],
    refuses=[
        ProbeFacts(kind=ProbeKind.LIVENESS, started=False),
        ProbeFacts(kind=ProbeKind.READINESS, started=False),
        ProbeFacts(kind=ProbeKind.STARTUP, started=True),
    ],
)
def its_turn(facts: ProbeFacts) -> bool:
    """Liveness and readiness are not checked until the container has started; from then on the startup probe is not.

    Without a startup probe a running container counts as started.
    """
    return startup_gate_open(facts.kind, facts.started)


@guard(
    "probe-threshold-consecutive",
    machine="probe",
    cites=[docs(f"{_PAGE}#configure-probes"), _DO_PROBE],
    seed=3,
    observable="events Unhealthy count before Killing",
    allows=[
        ProbeFacts(outcome=_FAILURE, run=3, threshold=3),
        ProbeFacts(outcome=_SUCCESS, run=1, threshold=1),
    ],
    refuses=[
        ProbeFacts(outcome=_FAILURE, run=2, threshold=3),
        ProbeFacts(outcome=None, run=3, threshold=3),
    ],
)
def often_enough(facts: ProbeFacts) -> bool:
    """A result takes effect only after failureThreshold failures, or successThreshold successes, in a row.

    One opposite result restarts the count; below the threshold the previous value stays. A check that erred does not
    count either way.
    """
    return facts.outcome is not None and facts.run >= facts.threshold


@guard(
    "probe-onhold-after-failure",
    machine="probe",
    cites=[docs(f"{_PAGE}#probe-results"), _DO_PROBE],
    seed=3,
    observable="no further Unhealthy events while terminating",
    allows=[
        ProbeFacts(kind=ProbeKind.LIVENESS, outcome=_FAILURE),
        ProbeFacts(kind=ProbeKind.STARTUP, outcome=_SUCCESS),
    ],
    refuses=[
        ProbeFacts(kind=ProbeKind.LIVENESS, outcome=_SUCCESS),
        ProbeFacts(kind=ProbeKind.READINESS, outcome=_FAILURE),
        ProbeFacts(kind=ProbeKind.STARTUP, outcome=None),
    ],
)
def holds_after(facts: ProbeFacts) -> bool:
    """Once a liveness Failure or any startup result took effect, nothing is checked until a new container is seen.

    The count of equal results is set back to 0 then. Whether the result takes effect is probe-threshold-consecutive.
    """
    return facts.outcome is not None and goes_on_hold(facts.kind, facts.outcome)


@guard(
    "probe-new-container-resets-result",
    machine="probe",
    cites=[docs(f"{_PAGE}#probe-results"), _DO_PROBE],
    seed=3,
    observable="ready false right after a restart if a readiness probe exists",
    allows=[ProbeFacts(same_container=False), ProbeFacts(same_container=False, on_hold=True)],
    refuses=[ProbeFacts(same_container=True)],
)
def new_container(facts: ProbeFacts) -> bool:
    """At a new containerID the worker drops its result for the initial one, and probes again if it was on hold.

    The initial result (probe-default-results) is Success for liveness, Failure for readiness, Unknown for startup.
    """
    return not facts.same_container


@guard(
    "probe-non-running-failure",
    machine="probe",
    cites=[docs(f"{_PAGE}#probe-results"), _DO_PROBE],
    seed=3,
    observable="ready false while not running",
    allows=[ProbeFacts(running=False), ProbeFacts(running=False, will_restart=False)],
    refuses=[ProbeFacts(running=True), ProbeFacts(running=False, on_hold=True)],
)
def not_running(facts: ProbeFacts) -> bool | Verdict:
    """A container that is not running sets the result to Failure, for every kind of probe.

    The worker then waits for it, or ends if it will not be restarted (`probe_worker.outlives_exit`). On hold the worker
    does not even look.
    """
    if facts.on_hold:
        return refuse("on hold until there is a new container")
    return not facts.running


@guard(
    "probe-stop-on-terminal",
    machine="probe",
    cites=[docs(f"{_PAGE}#probe-results"), _DO_PROBE],
    seed=3,
    observable="no Unhealthy events after terminal phase",
    allows=[ProbeFacts(pod_terminal=True)],
    refuses=[ProbeFacts(pod_terminal=False)],
)
def pod_over(facts: ProbeFacts) -> bool:
    """All workers of a Pod end once its phase is Succeeded or Failed; the last results stay."""
    return facts.pod_terminal


@guard(
    "probe-stop-liveness-on-terminate",
    machine="probe",
    cites=[
        docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"),
        source("pkg/kubelet/prober/prober_manager.go", "StopLivenessAndStartup"),
        source("pkg/kubelet/kubelet.go", "SyncTerminatingPod"),
    ],
    since="1.22",
    observable="ready may still flip while deletionTimestamp is set; no liveness kills",
    allows=[
        ProbeFacts(kind=ProbeKind.LIVENESS, terminating=True),
        ProbeFacts(kind=ProbeKind.STARTUP, terminating=True),
    ],
    refuses=[
        ProbeFacts(kind=ProbeKind.READINESS, terminating=True),
        ProbeFacts(kind=ProbeKind.LIVENESS, terminating=True, sidecar=True),
        ProbeFacts(kind=ProbeKind.LIVENESS, terminating=False),
    ],
)
def ends_with_termination(facts: ProbeFacts) -> bool:
    """When the Pod begins to terminate, liveness and startup workers of app containers end.

    Readiness goes on until the containers are dead, and workers of sidecars are not stopped at this point.
    """
    return facts.terminating and facts.kind is not ProbeKind.READINESS and not facts.sidecar
