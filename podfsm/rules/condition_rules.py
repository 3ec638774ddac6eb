"""Which rule a condition's value or a container's state comes from, for those who show it."""

from __future__ import annotations

from podfsm.kube.objects import ContainerState, PodCondition
from podfsm.rules.condition_list import marked_lost

_BY_REASON = {
    ("PodScheduled", "SchedulingGated"): "sched-gates",
    ("PodScheduled", "Unschedulable"): "cond-podscheduled-unschedulable",
    ("Initialized", "PodCompleted"): "cond-initialized-podcompleted",
    ("Ready", "ReadinessGatesNotReady"): "gate-reason",
    ("Ready", "PodCompleted"): "cond-containersready-terminal",
    ("Ready", "PodFailed"): "cond-containersready-terminal",
    ("ContainersReady", "PodCompleted"): "cond-containersready-terminal",
    ("ContainersReady", "PodFailed"): "cond-containersready-terminal",
}
_BY_TYPE = {
    ("PodScheduled", "True"): "cond-podscheduled-true-on-bind",
    ("Initialized", "True"): "cond-initialized-true",
    ("Initialized", "False"): "cond-initialized-true",
    ("ContainersReady", "True"): "cond-containersready",
    ("ContainersReady", "False"): "cond-containersready",
    ("Ready", "True"): "gate-ready-requires-all",
    ("Ready", "False"): "cond-ready-copies-containersready",
    ("PodReadyToStartContainers", "True"): "cond-podreadytostart-true",
    ("PodReadyToStartContainers", "False"): "cond-podreadytostart-true",
    ("AllContainersRestarting", "True"): "cond-allcontainersrestarting",
    ("AllContainersRestarting", "False"): "cond-allcontainersrestarting",
    ("DisruptionTarget", "True"): "cond-disruptiontarget-reasons",
    ("PodResizeInProgress", "True"): "resize-in-progress",
    ("PodResizePending", "True"): "resize-pending",
}


def rule_of(condition: PodCondition) -> str:
    """The id of the rule that gave the condition this status and reason; the gate rule for conditions of others."""
    if marked_lost(condition):
        return "node-pods-unready"
    by_reason = _BY_REASON.get((condition.type, condition.reason))
    return by_reason or _BY_TYPE.get((condition.type, condition.status), "cond-kubelet-owned-set")


def rule_of_state(state: ContainerState, *, has_inits: bool) -> str:
    """The id of the rule that gives a container this state by itself, where no transition explains it."""
    if state.terminated is not None:
        unseen = state.terminated.reason == "ContainerStatusUnknown"
        return "term-missing-status-137" if unseen else "cstate-terminated-fields"
    if state.running is not None:
        return "cstate-ready"
    reason = state.waiting.reason if state.waiting is not None else ""
    first = "PodInitializing" if has_inits else "ContainerCreating"
    if reason == "RestartingAllContainers":
        return "restart-all-waiting-state"
    return "cstate-default-waiting" if reason == first else "cstate-waiting-reasons"
