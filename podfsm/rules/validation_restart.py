"""Validation of restart policies and restart rules of containers.

Source: `pkg/apis/core/validation/validation.go` (validateContainerRestartPolicy, validateInitContainerRestartPolicy).
"""

from __future__ import annotations

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerRestartRule
from podfsm.rules.facts import Policy, RuleAction
from podfsm.rules.problems import FORBIDDEN, NOT_SUPPORTED, REQUIRED, TOO_MANY, Problem, Problems
from podfsm.rules.timings import timing_constant

_RULE = "restart-rules-validation"
_POLICY = "restart-container-level-policy"


def restart_problems(container: Container, path: str, gates: Gates, *, init: bool) -> Problems:
    """RestartPolicy and restartPolicyRules of one app or init container.

    Before 1.34 only sidecars have a restartPolicy, and nobody knows restartPolicyRules.
    """
    policy = container.restartPolicy
    if not gates.on("ContainerRestartRules"):
        if policy is not None and not init:
            yield Problem(f"{path}.restartPolicy", FORBIDDEN, "only init containers have one", _POLICY)
        elif policy is not None and policy != Policy.ALWAYS:
            yield Problem(f"{path}.restartPolicy", NOT_SUPPORTED, "must be Always in an init container", _POLICY)
        return
    if policy is not None and policy not in tuple(Policy):
        yield Problem(f"{path}.restartPolicy", NOT_SUPPORTED, "must be Always, OnFailure or Never", _POLICY)
    rules = container.restartPolicyRules
    if rules and policy is None:
        yield Problem(f"{path}.restartPolicy", REQUIRED, "restartPolicyRules need a restartPolicy beside them", _RULE)
        if init:
            return  # the API server then looks no further
    most = int(timing_constant("restart-rules-max"))
    if len(rules) > most:
        yield Problem(f"{path}.restartPolicyRules", TOO_MANY, f"at most {most}", _RULE)
    for index, rule in enumerate(rules):
        yield from _rule(rule, f"{path}.restartPolicyRules[{index}]", gates)


def _rule(rule: ContainerRestartRule, path: str, gates: Gates) -> Problems:
    all_containers = gates.on("RestartAllContainersOnContainerExits")
    actions = tuple(RuleAction) if all_containers else (RuleAction.RESTART,)
    if rule.action not in actions:
        yield Problem(f"{path}.action", NOT_SUPPORTED, f"must be {' or '.join(actions)}", _RULE)
    if rule.exitCodes is None:
        yield Problem(f"{path}.exitCodes", REQUIRED, "a rule names exit codes", _RULE)
        return
    if rule.exitCodes.operator not in ("In", "NotIn"):
        yield Problem(f"{path}.exitCodes.operator", NOT_SUPPORTED, "must be In or NotIn", _RULE)
    most = int(timing_constant("restart-rule-values-max"))
    if len(rule.exitCodes.values) > most:
        yield Problem(f"{path}.exitCodes.values", TOO_MANY, f"at most {most}", _RULE)
