"""The objects that own Pods, typed and frozen: Jobs, Deployments, ReplicaSets, DaemonSets and the rest.

As in `podfsm.kube.objects`: the API's own field names, only fields that some rule reads, zero values where one is
absent. Defaults are in `podfsm.kube.workload_defaults`.
"""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.kube.objects import LabelSelector, ObjectMeta, PodSpec, Struct


class PodTemplateSpec(Struct, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()


class OnExitCodes(Struct, frozen=True):
    containerName: str | None = None
    operator: str = ""
    values: tuple[int, ...] = ()


class OnPodCondition(Struct, frozen=True):
    type: str = ""
    status: str = ""


class PodFailurePolicyRule(Struct, frozen=True):
    action: str = ""
    onExitCodes: OnExitCodes | None = None
    onPodConditions: tuple[OnPodCondition, ...] = ()


class PodFailurePolicy(Struct, frozen=True):
    rules: tuple[PodFailurePolicyRule, ...] = ()


class SuccessPolicyRule(Struct, frozen=True):
    succeededIndexes: str | None = None
    succeededCount: int | None = None


class SuccessPolicy(Struct, frozen=True):
    rules: tuple[SuccessPolicyRule, ...] = ()


class JobSpec(Struct, frozen=True):
    parallelism: int | None = None
    completions: int | None = None
    activeDeadlineSeconds: int | None = None
    podFailurePolicy: PodFailurePolicy | None = None
    successPolicy: SuccessPolicy | None = None
    backoffLimit: int | None = None
    backoffLimitPerIndex: int | None = None
    maxFailedIndexes: int | None = None
    selector: LabelSelector | None = None
    manualSelector: bool = False
    template: PodTemplateSpec = PodTemplateSpec()
    ttlSecondsAfterFinished: int | None = None
    completionMode: str = ""
    suspend: bool = False
    podReplacementPolicy: str = ""
    managedBy: str | None = None


class Job(Struct, frozen=True):
    apiVersion: str = "batch/v1"
    kind: str = "Job"
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()


class JobTemplateSpec(Struct, frozen=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: JobSpec = JobSpec()


class CronJobSpec(Struct, frozen=True):
    schedule: str = ""
    concurrencyPolicy: str = ""
    startingDeadlineSeconds: int | None = None
    successfulJobsHistoryLimit: int | None = None
    failedJobsHistoryLimit: int | None = None
    jobTemplate: JobTemplateSpec = JobTemplateSpec()


class CronJob(Struct, frozen=True):
    apiVersion: str = "batch/v1"
    kind: str = "CronJob"
    metadata: ObjectMeta = ObjectMeta()
    spec: CronJobSpec = CronJobSpec()


class RollingUpdate(Struct, frozen=True):
    maxUnavailable: int | str | None = None
    maxSurge: int | str | None = None


class DeploymentStrategy(Struct, frozen=True):
    type: str = ""
    rollingUpdate: RollingUpdate | None = None


class SetSpec(Struct, frozen=True):
    """What Deployments, ReplicaSets, DaemonSets and StatefulSets ask for; each kind has some of the fields."""

    replicas: int | None = None
    selector: LabelSelector | None = None
    template: PodTemplateSpec = PodTemplateSpec()
    minReadySeconds: int = 0
    revisionHistoryLimit: int | None = None
    paused: bool = False
    progressDeadlineSeconds: int | None = None
    strategy: DeploymentStrategy = DeploymentStrategy()
    updateStrategy: DeploymentStrategy = DeploymentStrategy()
    serviceName: str = ""


class Workload(Struct, frozen=True):
    """A Deployment, ReplicaSet, DaemonSet or StatefulSet, as `kind` says."""

    apiVersion: str = "apps/v1"
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()
    spec: SetSpec = SetSpec()


class ReplicationControllerSpec(Struct, frozen=True):
    replicas: int | None = None
    selector: Mapping[str, str] = {}
    template: PodTemplateSpec | None = None
    minReadySeconds: int = 0


class ReplicationController(Struct, frozen=True):
    apiVersion: str = "v1"
    kind: str = "ReplicationController"
    metadata: ObjectMeta = ObjectMeta()
    spec: ReplicationControllerSpec = ReplicationControllerSpec()


SETS = ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet")
TYPES: Mapping[str, type[Struct]] = {
    "Job": Job,
    "CronJob": CronJob,
    "ReplicationController": ReplicationController,
    **dict.fromkeys(SETS, Workload),
}
"""The class of each kind that owns Pods."""
