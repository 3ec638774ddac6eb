"""Lifecycle hooks: postStart holds a container's start up, preStop goes before its stop signal."""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.rule import derivation, docs, example, guard, source, timing, validation
from podfsm.engine.verdict import Verdict, refuse
from podfsm.kube.objects import ExecAction, HTTPGetAction, LifecycleHandler, SleepAction, TCPSocketAction
from podfsm.rules.facts import ContainerFacts, HookState, RuntimeState

_PAGE = "concepts/containers/container-lifecycle-hooks.md"
_HANDLERS = docs(f"{_PAGE}#hook-handler-implementations")
_EXECUTION = docs(f"{_PAGE}#hook-handler-execution")
_HOOKS = docs(f"{_PAGE}#container-hooks")
_START = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "startContainer")
_KILL = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "killContainer")
_PRESTOP = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "executePreStopHook")
_RUN = source("pkg/kubelet/lifecycle/handlers.go", "Run")
_MACHINES = ("container", "sidecar_container")

_RUNS = RuntimeState.RUNNING

OMITS = {
    "hook-at-least-once": "it allows a second delivery of any hook and forbids nothing, so there is nothing to check.",
}
"""Known rules of this area with nothing to execute here."""


@validation(
    "hook-types",
    machine=_MACHINES,
    cites=[_HANDLERS, _RUN, source("pkg/apis/core/validation/validation.go", "validateHandler")],
    seed=4,
    observable="spec.containers[].lifecycle",
    allows=[
        LifecycleHandler(exec=ExecAction()),
        LifecycleHandler(httpGet=HTTPGetAction()),
        LifecycleHandler(sleep=SleepAction(5)),
        LifecycleHandler(tcpSocket=TCPSocketAction()),
    ],
    refuses=[LifecycleHandler(), LifecycleHandler(exec=ExecAction(), sleep=SleepAction(5))],
)
def one_handler(hook: LifecycleHandler) -> bool:
    """A hook names exactly one handler: exec, httpGet or sleep.

    tcpSocket is accepted by the API, but deprecated, and fails when it is run.
    """
    return sum(handler is not None for handler in (hook.exec, hook.httpGet, hook.tcpSocket, hook.sleep)) == 1


@validation(
    "hook-sleep",
    machine=_MACHINES,
    cites=[_HANDLERS, source("pkg/apis/core/validation/validation.go", "validateSleepAction")],
    gate="PodLifecycleSleepAction",
    since="1.29",
    seed=4,
    observable="API rejection",
    allows=[(5, 30), (30, 30), (0, 30)],
    refuses=[(31, 30), (-1, 30), (0, 30, False)],
)
def sleep_accepted(seconds: int, grace: int, zero_allowed: bool = True) -> bool:
    """A sleep hook lasts from 0 s to the Pod's terminationGracePeriodSeconds.

    0 is accepted where PodLifecycleSleepActionAllowZero is on (`zero_allowed`), by default since 1.33.
    """
    return (0 if zero_allowed else 1) <= seconds <= grace


@timing(
    "hook-poststart-async",
    machine=_MACHINES,
    cites=[_EXECUTION, _START, _RUN],
    seed=4,
    observable="API shows waiting until the hook ends",
    examples=[example(10.0, 4.0, gives=14.0), example(10.0, None, gives=10.0)],
)
def shown_running_at(started_at: float, hook: float | None) -> float:
    """A postStart hook begins right after the container is started, in no order with its entrypoint, and is waited for.

    Only when it is over is the container shown running. `hook` is how long it takes, None without one; an exec hook
    has no time limit.
    """
    return started_at if hook is None else started_at + hook


@timing(
    "hook-poststart-blocks",
    machine=_MACHINES,
    cites=[_EXECUTION, source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod"), _START],
    seed=4,
    observable="waiting ContainerCreating for long",
    examples=[
        example(0.0, [20.0, None, 3.0, None], gives=(0.0, 20.0, 20.0, 23.0)),
        example(5.0, [], gives=()),
    ],
)
def started_at(first: float, hooks: Sequence[float | None]) -> tuple[float, ...]:
    """A postStart that hangs keeps its container waiting in the API and holds up the start of all containers after it.

    `hooks` is how long the postStart of each container of one sync takes, in starting order. Gives when each is
    started, images and creation left out.
    """
    starts, now = [], first
    for hook in hooks:
        starts.append(now)
        now = shown_running_at(now, hook)
    return tuple(starts)


@guard(
    "hook-poststart-failure-kills",
    machine=_MACHINES,
    cites=[_EXECUTION, _START],
    seed=4,
    observable="event FailedPostStartHook",
    allows=[ContainerFacts(instance=_RUNS, poststart_failed=True)],
    refuses=[
        ContainerFacts(instance=_RUNS, poststart_failed=False),
        ContainerFacts(instance=RuntimeState.EXITED, poststart_failed=True),
    ],
)
def poststart_failed(facts: ContainerFacts) -> bool:
    """If postStart fails the container is stopped, with grace and preStop, and restarted as its policy says.

    Event FailedPostStartHook, waiting reason PostStartHookError. One that has exited meanwhile needs no stopping.
    """
    return facts.poststart_failed and facts.instance is _RUNS


@guard(
    "hook-prestop-when",
    machine=_MACHINES,
    cites=[_HOOKS, _KILL],
    seed=4,
    allows=[ContainerFacts(instance=_RUNS, prestop=HookState.PENDING)],
    refuses=[
        ContainerFacts(instance=RuntimeState.EXITED, prestop=HookState.PENDING),
        ContainerFacts(instance=_RUNS, prestop=None),
        ContainerFacts(instance=_RUNS, prestop=HookState.DONE),
    ],
)
def prestop_runs(facts: ContainerFacts) -> bool:
    """A preStop hook runs when the kubelet stops a running container: deletion, probe failure, eviction, changed spec.

    A container that exits by itself gets none.
    """
    return facts.instance is _RUNS and facts.prestop is HookState.PENDING


@guard(
    "hook-prestop-zero-grace",
    machine=_MACHINES,
    cites=[
        docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"),
        _KILL,
        source("pkg/kubelet/pod_workers.go", "calculateEffectiveGracePeriod"),
    ],
    seed=4,
    documented="the page says that a forced deletion runs no hook; the Pod worker raises a grace of 0 to 1 s first",
    allows=[ContainerFacts(grace=1), ContainerFacts(grace=30)],
    refuses=[ContainerFacts(grace=0)],
)
def time_for_prestop(facts: ContainerFacts) -> bool | Verdict:
    """A preStop hook is skipped when the stop has a grace of 0: restart of all containers, probe kill in a Pod with 0.

    When a whole Pod terminates the worker has raised 0 to 1 s before, so a hook may still run for that long.
    """
    return facts.grace > 0 or refuse("no grace period to run the hook in")


@timing(
    "hook-prestop-sync",
    machine=_MACHINES,
    cites=[_HOOKS, _PRESTOP],
    seed=4,
    examples=[example(100.0, 4.0, 30.0, gives=104.0), example(100.0, 20.0, 6.0, gives=106.0)],
)
def prestop_over(began: float, hook: float, grace: float) -> float:
    """The stop signal is not sent before preStop is over; the hook is abandoned when the grace period ends."""
    return began + min(hook, grace)


@guard(
    "hook-prestop-failure",
    machine=_MACHINES,
    cites=[_EXECUTION, _PRESTOP],
    seed=4,
    observable="event FailedPreStopHook",
    documented="the page says that a failing hook kills the container; it is being stopped anyway",
    allows=[
        ContainerFacts(prestop=HookState.FAILED),
        ContainerFacts(prestop=HookState.DONE),
        ContainerFacts(prestop=None),
        ContainerFacts(prestop=HookState.PENDING, grace=0),
    ],
    refuses=[ContainerFacts(prestop=HookState.RUNNING), ContainerFacts(prestop=HookState.PENDING)],
)
def signal_may_go(facts: ContainerFacts) -> bool:
    """A failing preStop is only reported (event FailedPreStopHook): the stop signal follows as after one that succeeds.

    Nor does anything wait for a hook that is not there, or that has no grace period to run in.
    """
    if facts.prestop is HookState.PENDING:
        return facts.grace <= 0
    return facts.prestop is not HookState.RUNNING


@derivation(
    "hook-http-status-ignored",
    machine=_MACHINES,
    cites=[_HANDLERS, source("pkg/kubelet/lifecycle/handlers.go", "runHTTPHandler")],
    seed=4,
    observable="event LifecycleHTTPFallback",
    examples=[
        example(status_code=500, gives=True),
        example(status_code=204, gives=True),
        example(error="connection refused", gives=False),
    ],
)
def http_hook_succeeds(status_code: int = 0, *, error: str = "") -> bool:
    """An httpGet hook succeeds on any HTTP answer, whatever its status code; only failing to get one fails it.

    An HTTPS hook that is answered in plain HTTP is tried again over HTTP, with event LifecycleHTTPFallback.
    """
    return not error and status_code != 0
