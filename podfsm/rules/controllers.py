"""Controllers of Pods: which Pods they count, what they demand of a template, and when they replace one.

Rules of Jobs are in `job_failures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from podfsm.engine.rule import default, derivation, docs, example, invariant, source, validation
from podfsm.kube.objects import ObjectMeta, Pod, PodSpec, PodStatus, Toleration
from podfsm.kube.workloads import JobSpec, PodFailurePolicy, PodTemplateSpec
from podfsm.rules.facts import Policy
from podfsm.rules.phase_counts import TERMINAL
from podfsm.rules.taints import NO_EXECUTE, NO_SCHEDULE

JOB_CONTROLLER = "kubernetes.io/job-controller"

_LEAVING = ObjectMeta(deletionTimestamp=datetime(2026, 1, 1, tzinfo=UTC))
_FAULTS = docs("concepts/workloads/pods/pod-lifecycle.md#pod-fault-recovery")


def _job(policy: str, failures: PodFailurePolicy | None = None) -> JobSpec:
    return JobSpec(template=PodTemplateSpec(spec=PodSpec(restartPolicy=policy)), podFailurePolicy=failures)


@validation(
    "ctl-job-policy",
    machine=(),
    cites=[
        docs("concepts/workloads/controllers/job.md#pod-template"),
        source("pkg/apis/batch/validation/validation.go", "validateJobSpec"),
    ],
    seed=7,
    observable="spec.restartPolicy of a Job's Pods",
    allows=[_job("OnFailure"), _job("Never"), _job("Never", PodFailurePolicy())],
    refuses=[_job("Always"), _job(""), _job("OnFailure", PodFailurePolicy())],
)
def job_policy_accepted(spec: JobSpec) -> bool:
    """A Job's template has restartPolicy OnFailure or Never; beside a podFailurePolicy only Never."""
    policy = spec.template.spec.restartPolicy
    return policy == Policy.NEVER or (policy == Policy.ON_FAILURE and spec.podFailurePolicy is None)


@derivation(
    "ctl-job-managed-by",
    area="controllers",
    machine=(),
    cites=[
        docs("concepts/workloads/controllers/job.md#delegation-of-managing-a-job-object-to-external-controller"),
        source("pkg/controller/job/job_controller.go", "syncJob"),
    ],
    gate="JobManagedBy",
    seed=7,
    observable="Pods and status of a Job: none",
    examples=[
        example(JobSpec(), gives=False),
        example(JobSpec(managedBy=JOB_CONTROLLER), gives=False),
        example(JobSpec(managedBy="example.com/queue"), gives=True),
    ],
)
def managed_elsewhere(spec: JobSpec) -> bool:
    """A Job whose managedBy names another controller is left to that one: it gets no Pods and no status here."""
    return spec.managedBy is not None and spec.managedBy != JOB_CONTROLLER


@validation(
    "ctl-always-only",
    machine=(),
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#restart-behavior-comparison"),
        source("pkg/apis/apps/validation/validation.go", "ValidatePodTemplateSpecForReplicaSet"),
        source("pkg/apis/core/validation/validation.go", "ValidatePodTemplateSpecForRC"),
    ],
    seed=7,
    observable="spec.restartPolicy of owned Pods",
    allows=[PodSpec(restartPolicy="Always")],
    refuses=[PodSpec(restartPolicy="OnFailure"), PodSpec(restartPolicy="Never")],
)
def lasting_policy_accepted(spec: PodSpec) -> bool:
    """Templates of Deployments, ReplicaSets, DaemonSets, StatefulSets and ReplicationControllers have Always only."""
    return spec.restartPolicy == Policy.ALWAYS


def _tolerates(key: str, effect: str) -> Toleration:
    return Toleration(f"node.kubernetes.io/{key}", "Exists", "", effect)


_DAEMON = (
    _tolerates("not-ready", NO_EXECUTE),
    _tolerates("unreachable", NO_EXECUTE),
    _tolerates("disk-pressure", NO_SCHEDULE),
    _tolerates("memory-pressure", NO_SCHEDULE),
    _tolerates("pid-pressure", NO_SCHEDULE),
    _tolerates("unschedulable", NO_SCHEDULE),
)
_NO_NETWORK = _tolerates("network-unavailable", NO_SCHEDULE)


@default(
    "ctl-daemonset-tolerations",
    cites=[
        docs("concepts/scheduling-eviction/taint-and-toleration.md#taint-based-evictions"),
        source("pkg/controller/daemon/util/daemonset_util.go", "AddOrUpdateDaemonPodTolerations"),
    ],
    seed=7,
    observable="spec.tolerations of a DaemonSet's Pods",
    examples=[
        example((), gives=_DAEMON),
        example((_DAEMON[0],), True, gives=(*_DAEMON, _NO_NETWORK)),
        example((Toleration("own", "Exists"),), gives=(Toleration("own", "Exists"), *_DAEMON)),
    ],
)
def daemon_tolerations(own: Sequence[Toleration], host_network: bool = False) -> tuple[Toleration, ...]:
    """A DaemonSet's Pods tolerate lost nodes without a limit, pressure and cordons: node trouble does not evict them.

    On the host's network also a node without one.
    """
    added = (*_DAEMON, _NO_NETWORK) if host_network else _DAEMON
    return (*own, *(each for each in added if each not in own))


def _on(node: str, uid: str) -> Pod:
    return Pod(metadata=ObjectMeta(uid=uid), spec=PodSpec(nodeName=node))


@invariant(
    "ctl-replace-not-move",
    machine="pod",
    cites=[_FAULTS, source("pkg/controller/controller_utils.go")],
    seed=7,
    observable="new metadata.uid, same ownerReferences",
    allows=[(_on("n1", "u"), _on("n1", "u")), (_on("n1", "u"), _on("n2", "v")), (_on("", "u"), _on("n1", "u"))],
    refuses=[(_on("n1", "u"), _on("n2", "u"))],
)
def replaced_not_moved(before: Pod, after: Pod) -> bool:
    """A controller replaces a lost Pod by a new one with a new uid, maybe on another node; no Pod ever moves."""
    moved = before.spec.nodeName not in ("", after.spec.nodeName)
    return not moved or before.metadata.uid != after.metadata.uid


@derivation(
    "ctl-terminating-not-counted",
    machine="pod",
    cites=[
        docs("concepts/workloads/pods/disruptions.md#pdb-example"),
        source("pkg/controller/controller_utils.go", "IsPodActive"),
    ],
    seed=14,
    observable="creationTimestamp of the replacement and deletionTimestamp of the old Pod",
    examples=[
        example(Pod(status=PodStatus(phase="Running")), gives=True),
        example(Pod(status=PodStatus(phase="Failed")), gives=False),
        example(Pod(metadata=_LEAVING, status=PodStatus(phase="Running")), gives=False),
        example(Pod(metadata=_LEAVING, status=PodStatus(phase="Running")), "StatefulSet", gives=True),
    ],
)
def holds_a_place(pod: Pod, owner: str = "ReplicaSet") -> bool:
    """A Pod that is being deleted or has finished no longer counts, and its replacement is created at once.

    A StatefulSet waits until the old Pod is gone: names are given once.
    """
    if owner == "StatefulSet":
        return True
    return pod.metadata.deletionTimestamp is None and pod.status.phase not in TERMINAL
