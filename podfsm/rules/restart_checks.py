"""Restarts as seen from outside: what a spec may say, and what holds between two snapshots of a Pod."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from podfsm.engine.rule import derivation, docs, example, guard, invariant, source, timing, validation
from podfsm.kube.objects import (
    Container,
    ContainerRestartRule,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ExitCodes,
    ObjectMeta,
    Pod,
    PodSpec,
    PodStatus,
)
from podfsm.rules.facts import Policy, RuleAction
from podfsm.rules.kubelet_facts import SandboxFacts
from podfsm.rules.phase_counts import RESTARTING_ALL
from podfsm.rules.timings import timing_constant

_LIFECYCLE = docs("concepts/workloads/pods/pod-lifecycle.md#restart-policy")
_RULES = docs("concepts/workloads/pods/container-restarts.md#container-restart-rules")
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")
_VALIDATION = "pkg/apis/core/validation/validation.go"

_RULE = ContainerRestartRule(action="Restart", exitCodes=ExitCodes(operator="In", values=(42,)))
_WITH_RULE = Container(name="app", restartPolicy="Never", restartPolicyRules=(_RULE,))
_RUNNING = ContainerState(running=ContainerStateRunning())


def _pod(*statuses: ContainerStatus, uid: str = "u", node: str = "n") -> Pod:
    return Pod(
        metadata=ObjectMeta(uid=uid), spec=PodSpec(nodeName=node), status=PodStatus(containerStatuses=tuple(statuses))
    )


def _status(name: str, container_id: str, restarts: int) -> ContainerStatus:
    return ContainerStatus(name=name, containerID=container_id, restartCount=restarts, state=_RUNNING)


def _statuses(pod: Pod) -> Iterable[ContainerStatus]:
    return (*pod.status.initContainerStatuses, *pod.status.containerStatuses)


@validation(
    "restart-policy-values",
    area="restart",
    machine="pod",
    cites=[_LIFECYCLE, source("pkg/apis/core/v1/defaults.go", "SetDefaults_PodSpec")],
    seed=5,
    observable="spec.restartPolicy",
    allows=[PodSpec(restartPolicy="OnFailure"), PodSpec()],
    refuses=[PodSpec(restartPolicy="Sometimes")],
)
def policy_values(spec: PodSpec) -> bool:
    """A Pod's restartPolicy is Always, OnFailure or Never; Always if none is given. It cannot be changed."""
    return spec.restartPolicy in ("", *Policy)


@invariant(
    "restart-same-node",
    area="restart",
    machine="container",
    cites=[_LIFECYCLE, source("pkg/kubelet/container/helpers.go", "ShouldContainerBeRestarted")],
    seed=5,
    observable="same uid and nodeName",
    allows=[(_pod(_status("a", "1", 0)), _pod(_status("a", "2", 1)))],
    refuses=[
        (_pod(_status("a", "1", 0)), _pod(_status("a", "2", 1), node="other")),
        (_pod(_status("a", "1", 0)), _pod(_status("a", "2", 1), uid="other")),
    ],
)
def same_node(before: Pod, after: Pod) -> bool:
    """A restart happens in the same Pod on the same node; a restartPolicy never makes a Pod anew elsewhere."""
    counts = {status.name: status.restartCount for status in _statuses(before)}
    restarted = any(status.restartCount > counts.get(status.name, 0) for status in _statuses(after))
    same = before.metadata.uid == after.metadata.uid and before.spec.nodeName == after.spec.nodeName
    return same or not restarted or not before.spec.nodeName


@invariant(
    "restart-independent",
    area="restart",
    machine="container",
    cites=[docs("concepts/workloads/pods/pod-lifecycle.md#pod-fault-recovery"), _ACTIONS],
    seed=5,
    observable="restartCount of the others unchanged",
    allows=[(_pod(_status("a", "1", 0), _status("b", "7", 0)), _pod(_status("a", "2", 1), _status("b", "7", 0)))],
    refuses=[(_pod(_status("a", "1", 0), _status("b", "7", 0)), _pod(_status("a", "2", 1), _status("b", "8", 0)))],
)
def independent(before: Pod, after: Pod) -> bool:
    """The restart of one app container leaves the others as they are: who has not been restarted is the same instance.

    What restarts all together, a new sandbox or a RestartAllContainers rule, raises every restartCount. A container
    that ended by itself has its end in lastState.
    """
    if before.metadata.uid != after.metadata.uid:
        return True
    old = {status.name: status for status in before.status.containerStatuses if status.state.running is not None}
    for status in after.status.containerStatuses:
        was = old.get(status.name)
        if was is None or status.state.running is None or status.restartCount != was.restartCount:
            continue
        last = status.lastState.terminated
        ended = last is not None and last.containerID == was.containerID
        if was.containerID and status.containerID and was.containerID != status.containerID and not ended:
            return False
    return True


@validation(
    "restart-rules-validation",
    area="restart",
    machine="container",
    cites=[_RULES, source(_VALIDATION, "validateContainerRestartPolicy")],
    gate="ContainerRestartRules",
    seed=5,
    observable="spec.containers[].restartPolicyRules",
    documented="the API's own comments know the action Restart only; RestartAllContainers is accepted too",
    allows=[_WITH_RULE, Container(name="app")],
    refuses=[
        Container(name="app", restartPolicyRules=(_RULE,)),
        Container(name="app", restartPolicy="Never", restartPolicyRules=(_RULE,) * 21),
        Container(name="app", restartPolicy="Never", restartPolicyRules=(ContainerRestartRule(action="Restart"),)),
        Container(name="app", restartPolicy="Never", restartPolicyRules=(ContainerRestartRule(action="Stop"),)),
    ],
)
def valid_rules(container: Container) -> bool:
    """A container has restartPolicyRules only beside a restartPolicy: at most 20, each with up to 255 exit codes.

    The operator is In or NotIn, the action Restart or RestartAllContainers. Empty, repeated or impossible exit codes
    are accepted.
    """
    rules = container.restartPolicyRules
    if not rules:
        return True
    return (
        container.restartPolicy is not None
        and len(rules) <= timing_constant("restart-rules-max")
        and all(_valid_rule(rule) for rule in rules)
    )


def _valid_rule(rule: ContainerRestartRule) -> bool:
    codes = rule.exitCodes
    if codes is None or rule.action not in tuple(RuleAction):
        return False
    return codes.operator in ("In", "NotIn") and len(codes.values) <= timing_constant("restart-rule-values-max")


@derivation(
    "restart-all-waiting-state",
    area="restart",
    machine="container",
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#restart-all-containers"),
        source("pkg/kubelet/kubelet_pods.go", "convertToAPIContainerStatuses"),
        source("pkg/kubelet/kubelet_pods.go", "getPhase"),
    ],
    gate="RestartAllContainersOnContainerExits",
    observable="waiting.reason RestartingAllContainers",
    examples=[
        example(
            gives=(
                ContainerState(waiting=ContainerStateWaiting(reason=RESTARTING_ALL)),
                ContainerState(terminated=ContainerStateTerminated(exitCode=137, reason=RESTARTING_ALL)),
            )
        )
    ],
)
def state_while_restarting_all() -> tuple[ContainerState, ContainerState]:
    """A container removed by RestartAllContainers is waiting with reason RestartingAllContainers until it starts anew.

    Its last state is terminated with exit code 137 and the same reason, which counts as restartable for the phase.
    Gives state and lastState.
    """
    return (
        ContainerState(waiting=ContainerStateWaiting(reason=RESTARTING_ALL)),
        ContainerState(terminated=ContainerStateTerminated(exitCode=137, reason=RESTARTING_ALL)),
    )


@guard(
    "restart-all-done-kills-sandbox",
    area="restart",
    machine="sandbox",
    cites=[docs("concepts/workloads/pods/sidecar-containers.md#jobs-with-sidecar-containers"), _ACTIONS],
    observable="PodReadyToStartContainers False in the final status",
    allows=[SandboxFacts(sandboxes=1, ready=1, something_to_start=False)],
    refuses=[SandboxFacts(sandboxes=1, ready=1), SandboxFacts(something_to_start=False)],
)
def all_done(facts: SandboxFacts) -> bool:
    """When no app container is kept or to be started, the whole Pod is killed, sidecars and sandbox included.

    An ephemeral container that runs does not prevent it.
    """
    return facts.sandboxes > 0 and not facts.something_to_start


@timing(
    "restart-sequential-start",
    area="restart",
    machine="container",
    cites=[
        docs("concepts/workloads/pods/init-containers.md#using-init-containers"),
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "startContainer"),
    ],
    seed=9,
    observable="startedAt follows the order of the spec on first start",
    examples=[example(10.0, (2.0, 0.5, 1.0), gives=(10.0, 12.0, 12.5)), example(0.0, (), gives=())],
)
def start_instants(sync_at: float, takes: Sequence[float]) -> tuple[float, ...]:
    """In one sync containers start one after another in spec order; a slow pull or postStart hook delays the rest.

    `takes` are the seconds that pull, start and hook of each need; the answer is when the kubelet turns to each. That
    one app container fails to start does not stop the others.
    """
    return tuple(accumulate(takes, initial=sync_at))[: len(takes)]
