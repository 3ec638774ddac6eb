"""The columns READY, STATUS and RESTARTS that the API server prints for a Pod and kubectl shows.

They are a pure function of the Pod object and the present time; none of them is a field of the Pod. STATUS starts from
phase or status.reason, is overruled by the first init container that holds the Pod up, else by the app containers, and
at last by a deletion.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from attrs import frozen

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
)
from podfsm.kube.times import instant
from podfsm.rules.init_checks import init_entry_passed, kubectl_status
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.sidecar import is_sidecar

COMPLETED, NODE_LOST = "Completed", "NodeLost"

_DEBUG = docs("tasks/debug/debug-application/debug-pods.md#debugging-pods")
_PRINT = source("pkg/printers/internalversion/printers.go", "printPod")

_RUNS = ContainerStatus("app", ContainerState(running=ContainerStateRunning()), ready=True)
_WAITS = ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting("ErrImagePull")))


def _ended(code: int, reason: str = "", signal: int = 0) -> ContainerStatus:
    return ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(code, signal, reason)))


@frozen
class Columns:
    """What kubectl prints of a Pod."""

    ready: str
    """Ready containers of all that count: `1/2`."""
    status: str
    restarts: str
    """The number of restarts and, where it is known, when the last was: `3 (5m ago)`."""


@derivation(
    "kubectl-reason-of-container",
    cites=[_DEBUG, _PRINT],
    observable="column STATUS of kubectl get pods",
    examples=[
        example(_WAITS, gives="ErrImagePull"),
        example(_ended(1, "Error"), gives="Error"),
        example(_ended(137, signal=9), gives="Signal:9"),
        example(_ended(3), gives="ExitCode:3"),
        example(_RUNS, gives=""),
    ],
)
def reason_of(status: ContainerStatus) -> str:
    """What an app container has to say in STATUS: why it waits or ended, or by which signal or exit code.

    "" if it runs, or waits without a reason.
    """
    waiting, end = status.state.waiting, status.state.terminated
    if waiting is not None and waiting.reason:
        return waiting.reason
    if end is None:
        return ""
    return end.reason or (f"Signal:{end.signal}" if end.signal else f"ExitCode:{end.exitCode}")


@derivation(
    "kubectl-status-of-apps",
    cites=[_DEBUG, _PRINT],
    observable="column STATUS of kubectl get pods",
    examples=[
        example("Running", (_RUNS,), True, gives="Running"),
        example("Running", (_RUNS, _WAITS, _ended(1, "Error")), True, gives="ErrImagePull"),
        example("Running", (_ended(0, COMPLETED), _RUNS), True, gives="Running"),
        example("Running", (_ended(0, COMPLETED), _ended(2, "Error"), _RUNS), False, gives="Error"),
        example(
            "Running", (_ended(0, COMPLETED), _ended(2, "Error"), _RUNS), False, errors_first=False, gives="NotReady"
        ),
        example("Running", (_ended(0, COMPLETED), _RUNS), False, gives="NotReady"),
        example("Succeeded", (_ended(0, COMPLETED),), False, gives="Completed"),
    ],
)
def status_of_apps(otherwise: str, apps: Sequence[ContainerStatus], pod_ready: bool, errors_first: bool = True) -> str:
    """Once a Pod is initialized, STATUS is what its first app container that waits or has ended says; else the phase.

    Completed gives way to Running if another one is running and ready and so is the Pod; else to the first error of
    another (`errors_first`, not up to 1.32); else to NotReady if another one is running and ready.
    """
    said = next((reason for reason in map(reason_of, apps) if reason), otherwise)
    if said != COMPLETED:
        return said
    some_run = any(status.ready and status.state.running is not None and not reason_of(status) for status in apps)
    if some_run and pod_ready:
        return "Running"
    error = _first_error(apps) if errors_first else ""
    return error or ("NotReady" if some_run else said)


def _first_error(apps: Iterable[ContainerStatus]) -> str:
    for status in apps:
        end = status.state.terminated
        waits = status.state.waiting is not None and status.state.waiting.reason
        if end is not None and end.exitCode and not waits:
            return str(reason_of(status))
    return ""


@derivation(
    "kubectl-status-while-deleted",
    cites=[_DEBUG, _PRINT],
    observable="column STATUS of kubectl get pods",
    examples=[
        example("Running", "Running", "", gives="Terminating"),
        example("Error", "Failed", "", gives="Error"),
        example("NodeLost", "Running", NODE_LOST, gives="Unknown"),
    ],
)
def status_while_deleted(otherwise: str, phase: str, reason: str) -> str:
    """A Pod that is being deleted shows Terminating unless its phase is terminal; Unknown if its reason is NodeLost."""
    if reason == NODE_LOST:
        return "Unknown"
    return otherwise if phase in TERMINAL else "Terminating"


@derivation(
    "kubectl-duration",
    cites=[_DEBUG, source("staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go", "HumanDuration")],
    observable="columns RESTARTS and AGE of kubectl get pods",
    examples=[
        example(-5, gives="<invalid>"),
        example(-1, gives="0s"),
        example(119, gives="119s"),
        example(120, gives="2m"),
        example(150, gives="2m30s"),
        example(3 * 3600 - 1, gives="179m"),
        example(3 * 3600 + 120, gives="3h2m"),
        example(47 * 3600, gives="47h"),
        example(50 * 3600, gives="2d2h"),
        example(8 * 86400, gives="8d"),
        example(752 * 86400, gives="2y22d"),
        example(3000 * 86400, gives="8y"),
    ],
)
def human_duration(seconds: int) -> str:
    """A span is printed in its largest unit, with the next smaller one while the number is small; seconds up to 2 min.

    `seconds` are cut to whole ones. Spans of less than -1 s are <invalid>.
    """
    if seconds < 120:
        return "<invalid>" if seconds < -1 else f"{max(seconds, 0)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if days < 730:
        return f"{days}d"
    return _two(days // 365, "y", days % 365, "d") if days < 365 * 8 else f"{days // 365}y"


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"


@derivation(
    "kubectl-restarts",
    cites=[_DEBUG, _PRINT],
    observable="column RESTARTS of kubectl get pods",
    examples=[
        example(0, instant(0), instant(9), gives="0"),
        example(3, instant(0), instant(300), gives="3 (5m ago)"),
        example(3, None, instant(300), gives="3"),
    ],
)
def restarts_column(count: int, newest_end: datetime | None, now: datetime | None) -> str:
    """RESTARTS is the sum of the restart counts and, if there were any, how long ago the last instance had ended.

    `newest_end` is the newest lastState.terminated.finishedAt; without it, or without a `now`, the number stands alone.
    """
    if not count or newest_end is None or now is None:
        return str(count)
    return f"{count} ({human_duration(int((now - newest_end).total_seconds()))} ago)"


def kubectl_columns(pod: Pod, now: datetime | None, gates: Gates) -> Columns:
    """READY, STATUS and RESTARTS of a Pod at the instant `now`, as the API server of this version prints them.

    While the Pod initialises RESTARTS counts its init containers; then sidecars and app containers.
    """
    status = pod.status
    sidecars = tuple(container.name for container in pod.spec.initContainers if is_sidecar(container, gates))
    total = len(pod.spec.containers) + len(sidecars)
    said = _before_containers(pod)
    reached = _reached(status.initContainerStatuses, sidecars)
    initializing = reached < len(status.initContainerStatuses)
    seen = status.initContainerStatuses[: reached + 1]
    ready = sum(s.ready for s in seen[:reached] if s.name in sidecars and s.started and not _succeeded(s))
    counted: tuple[ContainerStatus, ...] = seen
    if initializing:
        said = kubectl_status(status.initContainerStatuses, len(pod.spec.initContainers), sidecars)
    if not initializing or _condition(pod, "Initialized"):
        apps = status.containerStatuses
        said = status_of_apps(said, apps, _condition(pod, "Ready"), gates.at_least("1.33"))
        ready += sum(s.ready and s.state.running is not None and not reason_of(s) for s in apps)
        counted = (*(s for s in seen if s.name in sidecars), *apps)
    if pod.metadata.deletionTimestamp is not None:
        said = status_while_deleted(said, status.phase, status.reason)
    return Columns(f"{ready}/{total}", said, _restarts(counted, now))


def _before_containers(pod: Pod) -> str:
    """What STATUS says if no container has anything to say."""
    gated = any(c.type == "PodScheduled" and c.reason == "SchedulingGated" for c in pod.status.conditions)
    return "SchedulingGated" if gated else pod.status.reason or pod.status.phase


def _reached(statuses: Sequence[ContainerStatus], sidecars: Sequence[str]) -> int:
    """The index of the first init container that holds the others up; their number if none does."""
    for index, status in enumerate(statuses):
        if not init_entry_passed(status, sidecars):
            return index
    return len(statuses)


def _succeeded(status: ContainerStatus) -> bool:
    end = status.state.terminated
    return end is not None and end.exitCode == 0


def _restarts(statuses: Sequence[ContainerStatus], now: datetime | None) -> str:
    ends = [end.finishedAt for s in statuses if (end := s.lastState.terminated) is not None and end.finishedAt]
    text: str = restarts_column(sum(s.restartCount for s in statuses), max(ends, default=None), now)
    return text


def _condition(pod: Pod, condition_type: str) -> bool:
    found: PodCondition | None = next((c for c in pod.status.conditions if c.type == condition_type), None)
    return found is not None and found.status == "True"
