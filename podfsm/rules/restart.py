"""Restarts: which exited container runs again, and which rule says so.

The first restartPolicyRule that the exit code matches decides; else the container's own restartPolicy, if it has one;
else the Pod's (`decide`). The guards below say the same about `ContainerFacts`, one rule for each way to be decided: of
`restart-rules-first-match`, `restart-container-level-policy`, `restart-always`, `restart-onfailure` (which restart an
exited container), `restart-onfailure-done` and `restart-never` (which leave it) exactly one holds. They are not asked
for ephemeral containers. What concerns the spec and whole Pods is in `restart_checks`.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, guard, source
from podfsm.rules.facts import ContainerFacts, Policy, ProbeResult, Role, RuleAction, RuntimeState, WorkerState
from podfsm.rules.restart_decision import (
    asks_restart_all,
    could_restart,
    decide,
    decided,
    has_restart_all_rule,
    matched_action,
    matching_rule,
    own_policy,
    pod_policy,
    restart_all_requested,
    restart_due,
    restarts_after_exit,
    restarts_after_kill,
    should_be_restarted,
)

__all__ = [
    "asks_restart_all",
    "could_restart",
    "decide",
    "decided",
    "has_restart_all_rule",
    "matched_action",
    "matching_rule",
    "own_policy",
    "pod_policy",
    "restart_all_requested",
    "restart_due",
    "restarts_after_exit",
    "restarts_after_kill",
    "should_be_restarted",
]

_LIFECYCLE = docs("concepts/workloads/pods/pod-lifecycle.md#restart-policy")
_RULES = docs("concepts/workloads/pods/container-restarts.md#container-restart-rules")
_DECISION = source("pkg/api/v1/pod/util.go", "ContainerShouldRestart")
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")
_HELPER = source("pkg/kubelet/container/helpers.go", "ShouldContainerBeRestarted")


def _exit_decided_by(rule: str, facts: ContainerFacts) -> bool:
    return facts.instance is RuntimeState.EXITED and decided(facts)[1] == rule


_EXIT_0 = ContainerFacts(instance=RuntimeState.EXITED)
_EXIT_1 = ContainerFacts(instance=RuntimeState.EXITED, exit_code=1)
_ON_FAILURE_0 = ContainerFacts(pod_policy=Policy.ON_FAILURE, instance=RuntimeState.EXITED)
_ON_FAILURE_1 = ContainerFacts(pod_policy=Policy.ON_FAILURE, instance=RuntimeState.EXITED, exit_code=1)
_NEVER_0 = ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.EXITED)
_NEVER_1 = ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.EXITED, exit_code=1)
_OWN_ALWAYS = ContainerFacts(pod_policy=Policy.NEVER, own_policy=Policy.ALWAYS, instance=RuntimeState.EXITED)
_OWN_NEVER = ContainerFacts(own_policy=Policy.NEVER, instance=RuntimeState.EXITED, exit_code=1)
_MATCHED = ContainerFacts(
    pod_policy=Policy.NEVER,
    own_policy=Policy.NEVER,
    matched=RuleAction.RESTART,
    instance=RuntimeState.EXITED,
    exit_code=42,
)
_RUNNING = ContainerFacts(instance=RuntimeState.RUNNING)


@guard(
    "restart-always",
    machine="container",
    cites=[_LIFECYCLE, _DECISION],
    seed=5,
    observable="restartCount grows after exitCode 0",
    allows=[_EXIT_0, _EXIT_1],
    refuses=[_ON_FAILURE_1, _OWN_ALWAYS, _RUNNING],
)
def always(facts: ContainerFacts) -> bool:
    """Under the Pod's policy Always a container is restarted after every exit, exit code 0 included.

    This is also what a Pod without a policy does.
    """
    return _exit_decided_by("restart-always", facts)


@guard(
    "restart-onfailure",
    machine="container",
    cites=[_LIFECYCLE, _DECISION],
    seed=5,
    observable="restartCount grows only after a non-zero exitCode",
    allows=[_ON_FAILURE_1],
    refuses=[_ON_FAILURE_0, _EXIT_1, _NEVER_1],
)
def on_failure(facts: ContainerFacts) -> bool:
    """Under the Pod's policy OnFailure a container is restarted after an exit code other than zero, and only then."""
    return _exit_decided_by("restart-onfailure", facts)


@guard(
    "restart-onfailure-done",
    machine="container",
    cites=[_LIFECYCLE, _DECISION],
    seed=5,
    observable="exitCode 0 stays terminated",
    allows=[_ON_FAILURE_0],
    refuses=[_ON_FAILURE_1, _EXIT_0, _NEVER_0],
)
def on_failure_done(facts: ContainerFacts) -> bool:
    """Where the policy in force is OnFailure, exit code 0 ends the container for good.

    The policy in force is the container's own if it has one, else the Pod's.
    """
    return _exit_decided_by("restart-onfailure-done", facts)


@guard(
    "restart-never",
    machine="container",
    cites=[_LIFECYCLE, _DECISION],
    seed=5,
    observable="restartCount stays 0",
    allows=[_NEVER_0, _NEVER_1, _OWN_NEVER],
    refuses=[_EXIT_1, _ON_FAILURE_1, _MATCHED],
)
def never(facts: ContainerFacts) -> bool:
    """Where the policy in force is Never, an exit ends the container for good, whatever the code.

    The policy in force is the container's own if it has one, else the Pod's. A restartPolicyRule that matches the exit
    code comes first.
    """
    return _exit_decided_by("restart-never", facts)


@guard(
    "restart-container-level-policy",
    machine=("container", "init_container"),
    cites=[_RULES, _DECISION, source("pkg/apis/core/validation/validation.go", "validateContainers")],
    gate="ContainerRestartRules",
    seed=5,
    observable="spec.containers[].restartPolicy",
    allows=[_OWN_ALWAYS],
    refuses=[_OWN_NEVER, _EXIT_1, _MATCHED],
)
def container_level_policy(facts: ContainerFacts) -> bool:
    """A container with a restartPolicy of its own is restarted by that one; the Pod's does not count for it.

    Before the feature only entries of initContainers could have one, and only Always.
    """
    return _exit_decided_by("restart-container-level-policy", facts)


@guard(
    "restart-rules-first-match",
    machine=("container", "init_container"),
    cites=[_RULES, source("pkg/api/v1/pod/util.go", "FindMatchingContainerRestartRule")],
    gate="ContainerRestartRules",
    seed=5,
    observable="exit code against restartPolicyRules",
    allows=[_MATCHED],
    refuses=[_OWN_NEVER, ContainerFacts(matched=RuleAction.RESTART, instance=RuntimeState.EXITED)],
)
def rules_first_match(facts: ContainerFacts) -> bool:
    """The first restartPolicyRule whose exit codes match restarts the container, whatever the policies.

    Rules are looked at only if the container has its own restartPolicy. NotIn matches exit code 0 too; a rule without
    exit codes never matches. Without a match the container's restartPolicy decides.
    """
    return _exit_decided_by("restart-rules-first-match", facts)


@guard(
    "restart-never-exceptions",
    machine=("container", "init_container"),
    cites=[_RULES, _ACTIONS, _HELPER],
    seed=5,
    observable="restartCount > 0 under Never",
    allows=[
        ContainerFacts(pod_policy=Policy.NEVER),
        ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.CREATED),
        ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.RUNNING, spec_changed=True),
    ],
    refuses=[_NEVER_1, ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.RUNNING)],
)
def never_exceptions(facts: ContainerFacts) -> bool:
    """Even under Never a container starts again if its image was changed, or the runtime lost it or left it half-made.

    Half-made means created or in an unknown state. A lost record cannot be told from a container that never ran, so
    running exactly once is not guaranteed.
    """
    if facts.instance is RuntimeState.RUNNING:
        return facts.spec_changed and facts.role is not Role.INIT
    return facts.instance is not RuntimeState.EXITED


@guard(
    "restart-not-when-deleting",
    machine=("container", "init_container", "sidecar_container", "ephemeral_container"),
    cites=[docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"), _HELPER],
    seed=6,
    observable="no new containerID after deletionTimestamp",
    allows=[ContainerFacts(), _EXIT_1],
    refuses=[ContainerFacts(deleting=True), ContainerFacts(worker=WorkerState.TERMINATING)],
)
def not_when_deleting(facts: ContainerFacts) -> bool:
    """Nothing is started any more once the Pod has a deletionTimestamp or its worker has begun to terminate it."""
    return not facts.deleting and facts.worker is WorkerState.SYNCING


_UNHEALTHY = ContainerFacts(instance=RuntimeState.RUNNING, liveness=ProbeResult.FAILURE)


@guard(
    "restart-rules-not-for-probe-kill",
    machine="container",
    cites=[_RULES, _ACTIONS],
    gate="ContainerRestartRules",
    observable="a container killed by a probe under its own policy Never stays terminated in that sync",
    allows=[_UNHEALTHY, ContainerFacts(own_policy=Policy.ALWAYS, pod_policy=Policy.NEVER, startup=ProbeResult.FAILURE)],
    refuses=[
        ContainerFacts(own_policy=Policy.NEVER, matched=RuleAction.RESTART, liveness=ProbeResult.FAILURE),
        ContainerFacts(pod_policy=Policy.NEVER, liveness=ProbeResult.FAILURE),
        _RUNNING,
    ],
)
def after_probe_kill(facts: ContainerFacts) -> bool:
    """A container killed by a probe starts again unless its policy, or else the Pod's, is Never, whatever its rules.

    There is no exit code yet when this is decided. Once it has exited, a later sync does look at the rules.
    """
    policy = facts.pod_policy if facts.own_policy is None else facts.own_policy
    failed = facts.liveness is ProbeResult.FAILURE or facts.startup is ProbeResult.FAILURE
    return failed and policy is not Policy.NEVER


@guard(
    "restart-all-containers",
    machine=("container", "init_container", "sidecar_container"),
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#restart-all-containers"),
        _ACTIONS,
        source("pkg/kubelet/container/helpers.go", "ShouldAllContainersRestart"),
    ],
    gate="RestartAllContainersOnContainerExits",
    observable="AllContainersRestarting True, then restartCount + 1 everywhere",
    allows=[ContainerFacts(restart_all=True, instance=RuntimeState.RUNNING)],
    refuses=[_EXIT_1, ContainerFacts(restart_all=True, role=Role.EPHEMERAL, instance=RuntimeState.RUNNING)],
)
def restart_all(facts: ContainerFacts) -> bool:
    """An exit code that matches a RestartAllContainers rule stops and removes every container, then all start anew.

    Finished ones are removed too; ephemeral ones are left alone. No preStop hook runs and the grace period is 0 (raised
    to the usual least). Those whose exit asked for it are removed last. Uid, sandbox, address and volumes stay.
    """
    return facts.restart_all and facts.instance is not None and facts.role is not Role.EPHEMERAL


@guard(
    "restart-spec-image-change",
    machine=("container",),
    cites=[
        docs("concepts/workloads/pods/sidecar-containers.md#differences-from-init-containers"),
        source("pkg/kubelet/container/helpers.go", "HashContainer"),
        _ACTIONS,
    ],
    seed=10,
    observable='event Killing, "definition changed"',
    allows=[ContainerFacts(pod_policy=Policy.NEVER, instance=RuntimeState.RUNNING, spec_changed=True)],
    refuses=[_RUNNING, ContainerFacts(instance=RuntimeState.EXITED, spec_changed=True)],
)
def spec_image_change(facts: ContainerFacts) -> bool:
    """A running app container whose image was changed is stopped and started anew, whatever the policy; no other is.

    Only name and image are compared.
    """
    return facts.role is Role.APP and facts.instance is RuntimeState.RUNNING and facts.spec_changed
