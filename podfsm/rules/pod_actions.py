"""What the kubelet does to a Pod in one sync: the sandbox, and which containers to start, stop and remove.

The order of decisions is the kubelet's: RestartAllContainers, the sandbox, ephemeral containers, init entries (and
nothing else until initialisation is over), app containers one by one; if then no app container is kept or started, the
whole Pod is killed. See `computePodActions` in pkg/kubelet/kuberuntime/kuberuntime_manager.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import field, frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, PodSpec
from podfsm.rules.facts import Policy, ProbeResult, RuntimeContainer, RuntimeState, Sandbox
from podfsm.rules.init_actions import UNKNOWN_STATE, InitActions, Kill, Newest, init_actions, next_before_1_33
from podfsm.rules.restart_decision import asks_restart_all, own_policy, pod_policy, restart_due, restarts_after_kill
from podfsm.rules.sandbox import sandbox_changed
from podfsm.rules.sidecar import is_sidecar

__all__ = ["InitActions", "Kill", "PodActions", "Reset", "compute_pod_actions", "newest_by_name"]


@frozen
class Reset:
    """One container to remove for RestartAllContainers; `kill`: it has to be stopped first."""

    id: str
    kill: bool


@frozen
class PodActions:
    """What one sync is to do. Names stand in the order in which they are to be started, resets in that of removal."""

    kill_pod: bool = False
    """Stop everything with the sandbox; also true before a Pod's first sandbox is made."""
    create_sandbox: bool = False
    attempt: int = 0
    """The attempt number of the sandbox in use, or to be made."""
    init_to_start: tuple[str, ...] = ()
    apps_to_start: tuple[str, ...] = ()
    ephemeral_to_start: tuple[str, ...] = ()
    to_kill: tuple[Kill, ...] = ()
    to_reset: tuple[Reset, ...] = ()
    why: Mapping[str, str] = field(factory=dict)
    """Container name to the id of the rule that decided its start or stop; "" to the one that kills the Pod."""


def newest_by_name(containers: Iterable[RuntimeContainer]) -> dict[str, RuntimeContainer]:
    """The newest instance of each container, given instances newest first per name."""
    newest: dict[str, RuntimeContainer] = {}
    for instance in containers:
        if instance.name not in newest:
            newest[instance.name] = instance
    return newest


def compute_pod_actions(
    spec: PodSpec,
    *,
    deleting: bool,
    sandboxes: Sequence[Sandbox],
    containers: Sequence[RuntimeContainer],
    restart_all: bool,
    gates: Gates,
) -> PodActions:
    """What the next sync does, given the runtime's sandboxes and containers (newest first; containers: per name).

    `restart_all` says that RestartAllContainers is in progress. In-place resizes are not part of it.
    """
    changed, attempt, _ = sandbox_changed(spec, sandboxes)
    if restart_all:
        resets = tuple(_resets(spec, containers, gates))
        return PodActions(changed, changed, attempt, to_reset=resets, why={"": "restart-all-containers"})
    newest = newest_by_name(containers)
    if changed:
        return _with_new_sandbox(spec, attempt, newest, gates)
    ephemeral = tuple(entry.name for entry in spec.ephemeralContainers if entry.name not in newest)
    init = init_actions(spec, newest, gates, deleting=deleting)
    why = {**dict.fromkeys(ephemeral, "ephemeral-start-during-init"), **init.why}
    if not init.initialized:
        if init.fails:
            why[""] = "init-never-fails-pod"
        return PodActions(init.fails, False, attempt, init.start, (), ephemeral, init.kill, (), why)
    start, kill, kept = _app_actions(spec, newest, gates, why, deleting=deleting)
    if kept or start:
        return PodActions(False, False, attempt, init.start, start, ephemeral, (*init.kill, *kill), (), why)
    why[""] = "restart-all-done-kills-sandbox"
    return PodActions(True, False, attempt, (), (), ephemeral, (*init.kill, *kill), (), why)


def _resets(spec: PodSpec, containers: Sequence[RuntimeContainer], gates: Gates) -> Iterable[Reset]:
    """Everything the runtime holds of app containers, then of init entries; those whose exit asked for it come last."""
    later = []
    for entry in (*spec.containers, *spec.initContainers):
        for instance in containers:
            if instance.name == entry.name:
                reset = Reset(instance.id, kill=instance.state is not RuntimeState.EXITED)
                if asks_restart_all(entry, instance, gates):
                    later.append(reset)
                else:
                    yield reset
    yield from later


def _with_new_sandbox(spec: PodSpec, attempt: int, newest: Newest, gates: Gates) -> PodActions:
    """Kill what is left and make a sandbox, unless nothing may or need run in it; then start from the beginning.

    Under the Pod's policy Never there is no second sandbox once containers exist, whatever container-level rules say.
    """
    if spec.restartPolicy == "Never" and attempt != 0 and newest:
        return PodActions(kill_pod=True, attempt=attempt, why={"": "restart-never"})
    start = tuple(app.name for app in spec.containers if not _finished(app, spec, newest.get(app.name), gates))
    if not start and _initialized_before(spec, newest, gates):
        return PodActions(kill_pod=True, attempt=attempt, why={"": "restart-all-done-kills-sandbox"})
    if spec.initContainers:
        first = spec.initContainers[0].name
        why = {first: "init-rerun-on-new-sandbox" if newest else "init-sequential"}
        return PodActions(True, True, attempt, init_to_start=(first,), why=why)
    return PodActions(True, True, attempt, apps_to_start=start, why=dict.fromkeys(start, "init-before-app"))


def _finished(app: Container, spec: PodSpec, instance: RuntimeContainer | None, gates: Gates) -> bool:
    """Under OnFailure a container with exit code 0 is not run again in a new sandbox; rules are not asked.

    One that was only created has exit code 0 as well (containerSucceeded asks for no more than that it does not run).
    """
    if instance is None or instance.exit_code != 0:
        return False
    if instance.state is RuntimeState.RUNNING or instance.state is RuntimeState.UNKNOWN:
        return False
    return (own_policy(app, gates) or pod_policy(spec)) is Policy.ON_FAILURE


def _initialized_before(spec: PodSpec, newest: Newest, gates: Gates) -> bool:
    if not gates.at_least("1.33") and not any(is_sidecar(entry, gates) for entry in spec.initContainers):
        return next_before_1_33(spec, newest)[1]
    return any(app.name in newest and newest[app.name].state is not RuntimeState.UNKNOWN for app in spec.containers)


def _app_actions(
    spec: PodSpec, newest: Newest, gates: Gates, why: dict[str, str], *, deleting: bool
) -> tuple[tuple[str, ...], list[Kill], int]:
    """App containers to start and to stop, and how many are kept; adds to `why`."""
    start: list[str] = []
    kill: list[Kill] = []
    kept = 0
    for app in spec.containers:
        name = app.name
        instance = newest.get(name)
        if instance is None or instance.state is not RuntimeState.RUNNING:
            rule = restart_due(app, spec, instance, gates, deleting=deleting, sidecar=False)
            if rule:
                start.append(name)
                why[name] = rule
                if instance is not None and instance.state is RuntimeState.UNKNOWN:
                    kill.append(Kill(instance.id, name, "Unknown", f"Container {UNKNOWN_STATE}"))
            continue
        reason, what, rule = _stop_reason(instance)
        if not rule:
            kept += 1
            continue
        why[name] = rule
        if instance.spec_changed or restarts_after_kill(app, spec, gates):
            start.append(name)
            what += ", will be restarted"
        kill.append(Kill(instance.id, name, reason, f"Container {name} {what}"))
    return tuple(start), kill, kept


def _stop_reason(instance: RuntimeContainer) -> tuple[str, str, str]:
    """Why a running app container is to be stopped: reason, words and rule; the rule is "" if it is to be kept."""
    if instance.spec_changed:
        return "", "definition changed", "restart-spec-image-change"
    if instance.liveness is ProbeResult.FAILURE:
        return "LivenessProbe", "failed liveness probe", "probe-liveness-failure-kills"
    if instance.startup is ProbeResult.FAILURE:
        return "StartupProbe", "failed startup probe", "probe-startup-failure-kills"
    return "", "", ""
