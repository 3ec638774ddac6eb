"""Which kinds the API server knows under which apiVersion, from Kubernetes 1.18 to 1.36.

Only groups that hold a kind which podfsm reads. Source: the documentation's deprecated API migration guide
(reference/using-api/deprecation-guide.md), and `k8s.io/api`.
"""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.errors import close_to, nearest
from podfsm.kube.words import quoted

SERVED: Mapping[str, tuple[str, ...]] = {
    "v1": (
        *("Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "LimitRange", "List", "Namespace", "Node"),
        *("PersistentVolume", "PersistentVolumeClaim", "Pod", "PodTemplate", "ReplicationController", "ResourceQuota"),
        *("Secret", "Service", "ServiceAccount"),
    ),
    "apps/v1": ("ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
    "batch/v1beta1": ("CronJob",),
    "policy/v1": ("Eviction", "PodDisruptionBudget"),
    "policy/v1beta1": ("Eviction", "PodDisruptionBudget", "PodSecurityPolicy"),
    "discovery.k8s.io/v1": ("EndpointSlice",),
    "discovery.k8s.io/v1beta1": ("EndpointSlice",),
    "scheduling.k8s.io/v1": ("PriorityClass",),
    "scheduling.k8s.io/v1beta1": ("PriorityClass",),
    "scheduling.k8s.io/v1alpha1": ("PriorityClass", "PodGroup", "Workload"),
    "settings.k8s.io/v1alpha1": ("PodPreset",),
}
"""Kinds by apiVersion."""
LAST: Mapping[str, str] = {
    "batch/v1beta1": "1.24",
    "policy/v1beta1": "1.24",
    "discovery.k8s.io/v1beta1": "1.24",
    "scheduling.k8s.io/v1beta1": "1.21",
}
"""The last minor version that serves an apiVersion which is no longer served."""
REAL = frozenset(kind for kinds in SERVED.values() for kind in kinds)


def homes(kind: str) -> tuple[str, ...]:
    """The apiVersions that have a kind, the one to use first; none for a kind that is not listed here."""
    return tuple(version for version, kinds in SERVED.items() if kind in kinds)


def foreign(api_version: str) -> bool:
    """Whether an apiVersion is of a group that is not Kubernetes' own: what its kinds are is not known here."""
    group = api_version.rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def unserved(api_version: str, kind: str) -> tuple[str, str, str] | None:
    """What is wrong with an object that no version serves: the field, the fault and the remedy; None if it is served.

    Groups that are not listed here may have kinds of any other name.
    """
    if foreign(api_version):
        return None
    if kind in REAL:
        where = homes(kind)
        if api_version in where:
            return None
        return "apiVersion", f"no {kind} in {quoted(api_version)}", f"write {where[0]}"
    if api_version in SERVED:
        kinds = SERVED[api_version]
        return (
            "kind",
            f"no kind {quoted(kind)} in {api_version}",
            nearest(kind, kinds if close_to(kind, kinds) else REAL),
        )
    return None
