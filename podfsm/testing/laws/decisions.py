"""Laws of decisions: guards that no machine asks, because what they decide lies within a transition."""

from __future__ import annotations

from podfsm.rules.facts import ContainerFacts, HookState, PodFacts, Policy, ProbeResult, Role, RuntimeState
from podfsm.rules.kubelet_facts import ProbeFacts, SandboxFacts
from podfsm.testing.laws.base import decision
from podfsm.testing.laws.containers import waited

_DUE = {"now": 10.0, "retry_at": 10.0}
_EARLY = {"now": 9.0, "retry_at": 10.0}


@decision("backoff-first-immediate", typical=[{}, _DUE])
def first(facts: ContainerFacts, _state: str) -> bool:
    """Only what has no delay in force is started at once."""
    return facts.retry_at is None


@decision("backoff-exit-zero-too", typical=[_DUE, _EARLY, {**_EARLY, "exit_code": 1}])
def exit_zero(facts: ContainerFacts, _state: str) -> bool:
    """After exit code 0 a delay counts as well."""
    return facts.exit_code != 0 or waited(facts)


@decision(
    "backoff-init-and-sidecar", typical=[{**_EARLY, "role": role} for role in Role] + [{**_DUE, "role": Role.INIT}]
)
def inits(facts: ContainerFacts, _state: str) -> bool:
    """For entries of initContainers a delay counts as well."""
    return facts.role in (Role.APP, Role.EPHEMERAL) or waited(facts)


@decision("hook-prestop-when", typical=[{"instance": RuntimeState.RUNNING, "prestop": HookState.PENDING}])
def prestop(facts: ContainerFacts, _state: str) -> bool:
    """A preStop hook that waits runs if its container does."""
    return facts.prestop is HookState.PENDING and facts.instance is RuntimeState.RUNNING


@decision("hook-prestop-zero-grace", typical=[{"grace": 0}, {"grace": 1}, {}])
def time_for_it(facts: ContainerFacts, _state: str) -> bool:
    """It needs some grace to run in."""
    return facts.grace >= 1


@decision("hook-prestop-failure", typical=[{"prestop": hook, "grace": grace} for hook in HookState for grace in (0, 1)])
def signal(facts: ContainerFacts, _state: str) -> bool:
    """The signal waits for a hook that runs, or is going to, and for nothing else."""
    going = facts.prestop is HookState.PENDING and facts.grace > 0
    return not going and facts.prestop is not HookState.RUNNING


@decision("init-deadline-applies", typical=[{"deadline_at": 10.0, "now": 10.0}, {"deadline_at": 10.0, "now": 9.0}])
def deadline(facts: PodFacts, _state: str) -> bool:
    """A deadline can pass while a Pod is Pending."""
    return facts.phase == "Pending" and facts.deadline_at is not None and facts.now >= facts.deadline_at


@decision(
    "init-image-change-no-rerun", typical=[{"role": Role.INIT, "instance": RuntimeState.EXITED, "spec_changed": True}]
)
def image_changed(facts: ContainerFacts, _state: str) -> bool:
    """It is a regular init container with a record whose image was changed and that is left alone."""
    return facts.spec_changed and facts.role is Role.INIT and facts.instance is not None


@decision(
    "phase-deleted-terminal-first",
    typical=[
        {"bound": True, "phase": "Failed"},
        {"bound": True, "grace": 0},
        {"bound": True, "grace": 1},
        {"bound": True},
    ],
)
def may_disappear(facts: PodFacts, _state: str) -> bool:
    """A bound Pod disappears when its phase is terminal, or by force."""
    return not facts.bound or facts.static or facts.grace == 0 or facts.phase in ("Succeeded", "Failed")


@decision(
    "probe-grace-override",
    typical=[
        {"liveness": ProbeResult.FAILURE, "probe_grace": 5},
        {"startup": ProbeResult.FAILURE, "probe_grace": 1},
        {"probe_grace": 5},
    ],
)
def probe_grace(facts: ContainerFacts, _state: str) -> bool:
    """A failed probe's own grace counts unless the Pod is deleted."""
    failed = ProbeResult.FAILURE in (facts.liveness, facts.startup)
    return failed and facts.probe_grace is not None and not facts.deleting


@decision(
    "probe-readiness-failure-unready", typical=[{"instance": RuntimeState.RUNNING, "readiness": ProbeResult.FAILURE}]
)
def unready(facts: ContainerFacts, _state: str) -> bool:
    """A running container whose readiness probe failed is not ready."""
    return facts.readiness is ProbeResult.FAILURE and facts.instance is RuntimeState.RUNNING


@decision("probe-targets", typical=[{"role": role} for role in Role])
def probed(facts: ProbeFacts, _state: str) -> bool:
    """Regular init and ephemeral containers are not probed."""
    return facts.role not in (Role.INIT, Role.EPHEMERAL)


@decision(
    "restart-all-done-kills-sandbox",
    typical=[
        {"sandboxes": 1, "something_to_start": False},
        {"sandboxes": 0, "something_to_start": False},
        {"sandboxes": 1},
    ],
)
def all_done(facts: SandboxFacts, _state: str) -> bool:
    """A Pod with a sandbox and nothing left to start is killed."""
    return facts.sandboxes >= 1 and not facts.something_to_start


@decision(
    "restart-never-exceptions",
    typical=[
        {"instance": state, "spec_changed": changed, "role": role}
        for state in (*RuntimeState, None)
        for changed in (True, False)
        for role in (Role.APP, Role.INIT)
    ],
)
def exceptions(facts: ContainerFacts, _state: str) -> bool:
    """Whatever the policy, what is not properly there is started, and what runs with another image is replaced."""
    if facts.instance is RuntimeState.EXITED:
        return False
    if facts.instance is RuntimeState.RUNNING:
        return facts.role is not Role.INIT and facts.spec_changed
    return True


@decision(
    "restart-rules-not-for-probe-kill",
    typical=[
        {"liveness": ProbeResult.FAILURE},
        {"startup": ProbeResult.FAILURE, "own_policy": Policy.NEVER},
        {"liveness": ProbeResult.FAILURE, "pod_policy": Policy.NEVER},
    ],
)
def after_probe(facts: ContainerFacts, _state: str) -> bool:
    """What a probe stopped starts again unless the policy in force is Never."""
    failed = ProbeResult.FAILURE in (facts.liveness, facts.startup)
    return failed and (facts.own_policy or facts.pod_policy) is not Policy.NEVER


@decision("sidecar-start-failure-skipped", typical=[{"role": role} for role in Role])
def passed_over(facts: ContainerFacts, _state: str) -> bool:
    """Only a regular init container that cannot be started keeps the others from it."""
    return facts.role is not Role.INIT
