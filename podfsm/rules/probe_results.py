"""What one run of a check amounts to: each handler's raw result, and what the probe worker sees of it.

A check gives success, warning, failure or unknown, and possibly an error of the check itself. The worker sees Success
or Failure, or nothing at all when the check erred.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from attrs import frozen

from podfsm.engine.rule import default, derivation, docs, example, source
from podfsm.rules.facts import ProbeResult
from podfsm.rules.timings import timing_constant

_PAGE = "concepts/workloads/pods/probes.md"


class Raw(str, Enum):
    """A handler's own result."""

    SUCCESS = "success"
    WARNING = "warning"
    FAILURE = "failure"
    UNKNOWN = "unknown"


@frozen
class CheckOutcome:
    """One attempt of a check: its result, and whether the check itself could not be run."""

    raw: Raw
    error: bool = False

    @property
    def seen(self) -> ProbeResult | None:
        """What the worker sees: Success, Failure, or None when the attempt is discarded."""
        result: ProbeResult | None = seen_by_worker(self.raw, self.error)
        return result


SUCCEEDED = CheckOutcome(Raw.SUCCESS)
WARNED = CheckOutcome(Raw.WARNING)
FAILED = CheckOutcome(Raw.FAILURE)
ERRED = CheckOutcome(Raw.UNKNOWN, error=True)


@derivation(
    "probe-unknown-without-error-is-failure",
    area="probes",
    machine="probe",
    cites=[
        docs(f"{_PAGE}#probe-results"),
        source("pkg/kubelet/prober/prober.go", "probe"),
        source("pkg/kubelet/prober/prober.go", "runProbeWithRetries"),
    ],
    seed=3,
    observable='event Unhealthy "probe errored"',
    documented="the page says that an Unknown result has no effect at all",
    examples=[
        example(Raw.UNKNOWN, True, gives=None),
        example(Raw.FAILURE, True, gives=None),
        example(Raw.UNKNOWN, False, gives=ProbeResult.FAILURE),
        example(Raw.WARNING, False, gives=ProbeResult.SUCCESS),
    ],
)
def seen_by_worker(raw: Raw, error: bool) -> ProbeResult | None:
    """A check that errs is discarded and does not count; Unknown without an error counts as Failure.

    A warning counts as Success. Within one run a check that errs is tried up to three times (`settle`).
    """
    if error:
        return None
    return ProbeResult.SUCCESS if raw is Raw.SUCCESS or raw is Raw.WARNING else ProbeResult.FAILURE


def settle(attempts: Iterable[CheckOutcome]) -> CheckOutcome:
    """The outcome of one run: the first of up to three attempts that did not err, else the last one."""
    outcome = ERRED
    for _, outcome in zip(range(int(timing_constant("probe-error-attempts"))), attempts, strict=False):
        if not outcome.error:
            break
    return outcome


@derivation(
    "probe-exec-success",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#check-mechanisms"), source("pkg/probe/exec/exec.go", "Probe")],
    seed=3,
    observable="event Unhealthy",
    examples=[
        example(0, gives=SUCCEEDED),
        example(1, gives=FAILED),
        example(0, timed_out=True, gives=FAILED),
        example(0, error="container not found", gives=ERRED),
    ],
)
def outcome_of_exec(exit_code: int = 0, *, timed_out: bool = False, error: str = "") -> CheckOutcome:
    """An exec check succeeds if and only if its command exits 0; another exit code or a timeout is a failure.

    Trouble of the exec machinery itself (`error`) is Unknown with an error.
    """
    if timed_out:
        return FAILED
    if error:
        return ERRED
    return SUCCEEDED if exit_code == 0 else FAILED


@derivation(
    "probe-http-success",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#check-mechanisms"), source("pkg/probe/http/http.go", "DoHTTPProbe")],
    seed=3,
    observable='event Unhealthy "HTTP probe failed with statuscode: N"',
    examples=[
        example(200, gives=SUCCEEDED),
        example(399, gives=WARNED),
        example(199, gives=FAILED),
        example(400, gives=FAILED),
        example(error="connection refused", gives=FAILED),
    ],
)
def outcome_of_http(status_code: int = 0, *, error: str = "") -> CheckOutcome:
    """An httpGet check succeeds if and only if the final status code is at least 200 and below 400.

    From 300 on it is a warning, which counts as success. Failing to connect and timing out are failures, not errors.
    """
    if error or not 200 <= status_code < 400:
        return FAILED
    return SUCCEEDED if status_code < 300 else WARNED


@derivation(
    "probe-http-redirect",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#http-probes-redirects"), source("pkg/probe/http/http.go", "RedirectChecker")],
    since="1.14",
    seed=3,
    observable="event ProbeWarning",
    documented="the page says that too many redirects are a success with a warning",
    examples=[
        example(1, same_host=False, gives=WARNED),
        example(9, same_host=True, gives=None),
        example(10, same_host=True, gives=FAILED),
    ],
)
def outcome_of_redirect(requests_made: int, *, same_host: bool) -> CheckOutcome | None:
    """A redirect to another host name is not followed and counts as success with a warning; on one host it is followed.

    None means: followed. After ten requests one more redirect on the same host is a failure.
    """
    if not same_host:
        return WARNED
    return FAILED if requests_made >= timing_constant("probe-redirects-max") else None


@derivation(
    "probe-tcp-success",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#tcp-probes"), source("pkg/probe/tcp/tcp.go", "DoTCPProbe")],
    seed=3,
    observable="event Unhealthy",
    examples=[example(gives=SUCCEEDED), example(error="connection refused", gives=FAILED)],
)
def outcome_of_tcp(*, error: str = "") -> CheckOutcome:
    """A tcpSocket check succeeds if and only if a connection opens, even if the peer closes it at once.

    The kubelet connects from the node. Refusals and timeouts are failures, not errors.
    """
    return FAILED if error else SUCCEEDED


@derivation(
    "probe-grpc-success",
    area="probes",
    machine="probe",
    cites=[docs(f"{_PAGE}#grpc-probes"), source("pkg/probe/grpc/grpc.go", "Probe")],
    gate="GRPCContainerProbe",
    since="1.23",
    seed=3,
    observable="event Unhealthy",
    examples=[
        example("SERVING", gives=SUCCEEDED),
        example("NOT_SERVING", gives=FAILED),
        example(error="UNIMPLEMENTED", gives=FAILED),
    ],
)
def outcome_of_grpc(serving_status: str = "", *, error: str = "") -> CheckOutcome:
    """A grpc check succeeds if and only if the health service answers SERVING.

    A service that is not implemented, a wrong port and a timeout are failures, not errors.
    """
    return SUCCEEDED if serving_status == "SERVING" and not error else FAILED


@default(
    "probe-exec-timeout-enforced",
    area="probes",
    machine="probe",
    cites=[
        docs("tasks/configure-pod-container/configure-liveness-readiness-startup-probes.md"),
        source("pkg/features/kube_features.go", "ExecProbeTimeout"),
    ],
    gate="ExecProbeTimeout",
    since="1.20",
    seed=3,
    observable="event Unhealthy with timeout",
    examples=[example(5.0, 1.0, gives=1.0), example(0.4, 1.0, gives=0.4)],
)
def exec_duration(takes: float, timeout: float) -> float:
    """An exec check that would take longer than timeoutSeconds is cut off there, in seconds.

    The gate that allowed switching this off is locked on since 1.35.
    """
    return min(takes, timeout)
