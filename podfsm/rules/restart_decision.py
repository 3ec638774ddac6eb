"""The restart decision: what the kubelet computes from a spec, the newest instance and its exit code.

The first restartPolicyRule that the exit code matches decides; else the container's own restartPolicy, if it has one;
else the Pod's. `restart` states the same as rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerRestartRule, PodSpec
from podfsm.rules.facts import ContainerFacts, Policy, RuleAction, RuntimeContainer, RuntimeState

_POLICIES = {policy.value: policy for policy in Policy}
_ACTIONS_BY_NAME = {action.value: action for action in RuleAction}


def pod_policy(spec: PodSpec) -> Policy:
    """The Pod's restartPolicy; one that is not set acts as Always."""
    return _POLICIES.get(spec.restartPolicy, Policy.ALWAYS)


def own_policy(container: Container, gates: Gates) -> Policy | None:
    """The container's own restartPolicy; None if it has none or the version does not look at it."""
    if container.restartPolicy is None or not gates.on("ContainerRestartRules"):
        return None
    return _POLICIES.get(container.restartPolicy)


def matches(rule: ContainerRestartRule, exit_code: int) -> bool:
    """Whether a restartPolicyRule applies to an exit code. Without exitCodes or a known operator it never does."""
    codes = rule.exitCodes
    if codes is None:
        return False
    if codes.operator == "In":
        return exit_code in codes.values
    return codes.operator == "NotIn" and exit_code not in codes.values


def matching_rule(container: Container, exit_code: int, gates: Gates) -> ContainerRestartRule | None:
    """The first restartPolicyRule that the exit code matches, exit code 0 included (FindMatchingContainerRestartRule).

    Rules count only beside a restartPolicy of the container itself.
    """
    if not container.restartPolicyRules or container.restartPolicy is None or not gates.on("ContainerRestartRules"):
        return None
    for rule in container.restartPolicyRules:
        if matches(rule, exit_code):
            return rule
    return None


def matched_action(container: Container, exit_code: int, gates: Gates) -> RuleAction | None:
    """What the first matching restartPolicyRule asks for; None if none matches or its action is not known."""
    rule = matching_rule(container, exit_code, gates)
    return None if rule is None else _ACTIONS_BY_NAME.get(rule.action)


def decide(pod: Policy, own: Policy | None, matched: RuleAction | None, exit_code: int) -> tuple[bool, str]:
    """Whether an exited container restarts, and the id of the rule that decides it (ContainerShouldRestart)."""
    if matched is not None:
        return True, "restart-rules-first-match"
    policy = pod if own is None else own
    if policy is Policy.NEVER:
        return False, "restart-never"
    if policy is Policy.ON_FAILURE and exit_code == 0:
        return False, "restart-onfailure-done"
    if own is not None:
        return True, "restart-container-level-policy"
    return True, "restart-always" if policy is Policy.ALWAYS else "restart-onfailure"


def restarts_after_exit(container: Container, spec: PodSpec, exit_code: int, gates: Gates, *, sidecar: bool) -> bool:
    """Whether a container restarts after exiting with `exit_code` (ContainerShouldRestart).

    Versions without container-level rules look at the Pod's policy alone here, for a sidecar too (it is started all the
    same: see `init_actions`).
    """
    return _after_exit(container, spec, exit_code, gates, sidecar=sidecar)[0]


def _after_exit(
    container: Container, spec: PodSpec, exit_code: int, gates: Gates, *, sidecar: bool
) -> tuple[bool, str]:
    if not gates.on("ContainerRestartRules"):
        return decide(pod_policy(spec), None, None, exit_code)
    if sidecar:
        return True, "sidecar-always-restart"
    matched = matched_action(container, exit_code, gates) if container.restartPolicyRules else None
    return decide(pod_policy(spec), own_policy(container, gates), matched, exit_code)


def restarts_after_kill(container: Container, spec: PodSpec, gates: Gates) -> bool:
    """Whether a container killed by a probe, or in an unknown state, is started again: its exit code plays no part."""
    if container.restartPolicy is not None and gates.on("ContainerRestartRules"):
        return container.restartPolicy != "Never"
    return spec.restartPolicy != "Never"


def could_restart(container: Container, spec: PodSpec, gates: Gates, *, sidecar: bool) -> bool:
    """Whether the container could be restarted by itself at all (IsContainerRestartable).

    A rule with action Restart suffices; one with RestartAllContainers does not count.
    """
    if sidecar and gates.on("ContainerRestartRules"):
        return True
    return restarts_after_kill(container, spec, gates) or (
        container.restartPolicy is not None
        and gates.on("ContainerRestartRules")
        and any(rule.action == "Restart" for rule in container.restartPolicyRules)
    )


def restart_due(
    container: Container,
    spec: PodSpec,
    instance: RuntimeContainer | None,
    gates: Gates,
    *,
    deleting: bool,
    sidecar: bool,
) -> str:
    """The id of the rule by which the kubelet is to start the container (again); "" if it is not to.

    `instance` is the newest one in the runtime. A container never seen, or left created or unknown, is always due.
    """
    if deleting:
        return ""
    if instance is None:
        return "init-before-app"
    state = instance.state
    if state is RuntimeState.RUNNING:
        return ""
    if state is not RuntimeState.EXITED:
        return "restart-never-exceptions"
    again, rule = _after_exit(container, spec, instance.exit_code, gates, sidecar=sidecar)
    return rule if again else ""


def should_be_restarted(
    container: Container,
    spec: PodSpec,
    instance: RuntimeContainer | None,
    gates: Gates,
    *,
    deleting: bool,
    sidecar: bool,
) -> bool:
    """Whether the kubelet is to start the container (again), given its newest instance (ShouldContainerBeRestarted)."""
    return restart_due(container, spec, instance, gates, deleting=deleting, sidecar=sidecar) != ""


def has_restart_all_rule(spec: PodSpec, gates: Gates) -> bool:
    """Whether some container has a rule with action RestartAllContainers (AllContainersCouldRestart)."""
    if not gates.on("RestartAllContainersOnContainerExits"):
        return False
    for containers in (spec.containers, spec.initContainers):
        for container in containers:
            for rule in container.restartPolicyRules:
                if rule.action == "RestartAllContainers":
                    return True
    return False


def asks_restart_all(container: Container, instance: RuntimeContainer | None, gates: Gates) -> bool:
    """Whether this exited instance matched a rule with action RestartAllContainers."""
    if instance is None or instance.state is not RuntimeState.EXITED:
        return False
    rule = matching_rule(container, instance.exit_code, gates)
    return rule is not None and rule.action == "RestartAllContainers"


def restart_all_requested(spec: PodSpec, newest: Mapping[str, RuntimeContainer], gates: Gates) -> bool:
    """Whether some exited container matched a RestartAllContainers rule (ShouldAllContainersRestart).

    `newest` holds the newest instance by container name.
    """
    if not has_restart_all_rule(spec, gates):
        return False
    containers = (*spec.containers, *spec.initContainers)
    return any(asks_restart_all(container, newest.get(container.name), gates) for container in containers)


def decided(facts: ContainerFacts) -> tuple[bool, str]:
    """`decide` over facts: whether the exit restarts the container, and by which rule. Rules need an own policy."""
    matched = None if facts.own_policy is None else facts.matched
    return decide(facts.pod_policy, facts.own_policy, matched, facts.exit_code)
