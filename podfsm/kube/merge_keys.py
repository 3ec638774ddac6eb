"""How a strategic merge patch treats the lists of each kind of object: merged by a key, merged as a set, or replaced.

Source: the `patchStrategy` and `patchMergeKey` tags in `k8s.io/api` (core/v1, apps/v1, batch/v1, policy/v1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Part(NamedTuple):
    """What the schema knows of one field.

    `key`: a list of objects is merged by this key; "" for a set of plain values; None: replaced as a whole. `fields`:
    the parts of the object, or of each object in the list. `replace`: an object that is replaced, never merged.
    """

    key: str | None = None
    fields: Mapping[str, Part] = {}
    replace: bool = False


PLAIN = Part()
"""A field without a strategy: objects are merged, lists are replaced."""


def _by(key: str, **fields: Part) -> Part:
    return Part(key, fields)


def _of(**fields: Part) -> Part:
    return Part(None, fields)


METADATA = _of(ownerReferences=_by("uid"), finalizers=_by(""))
CONDITIONS = _of(conditions=_by("type"))

_CONTAINERS = _by(
    "name",
    ports=_by("containerPort"),
    env=_by("name"),
    volumeMounts=_by("mountPath"),
    volumeDevices=_by("devicePath"),
)
_STATUSES = Part(None, {"volumeMounts": _by("mountPath"), "allocatedResourcesStatus": _by("name")})

POD_SPEC = _of(
    volumes=_by("name"),
    initContainers=_CONTAINERS,
    containers=_CONTAINERS,
    ephemeralContainers=_CONTAINERS,
    imagePullSecrets=_by("name"),
    hostAliases=_by("ip"),
    topologySpreadConstraints=_by("topologyKey"),
    schedulingGates=_by("name"),
    resourceClaims=_by("name"),
)
POD_STATUS = _of(
    conditions=_by("type"),
    hostIPs=_by("ip"),
    podIPs=_by("ip"),
    resourceClaimStatuses=_by("name"),
    initContainerStatuses=_STATUSES,
    containerStatuses=_STATUSES,
    ephemeralContainerStatuses=_STATUSES,
)

_TEMPLATE = _of(metadata=METADATA, spec=POD_SPEC)
_WORKLOAD = _of(metadata=METADATA, spec=_of(template=_TEMPLATE), status=CONDITIONS)
_JOB_SPEC = _of(template=_TEMPLATE)
_OTHER = _of(metadata=METADATA)

KINDS: Mapping[str, Part] = {
    "Pod": _of(metadata=METADATA, spec=POD_SPEC, status=POD_STATUS),
    "Node": _of(
        metadata=METADATA,
        spec=_of(podCIDRs=_by("")),
        status=_of(conditions=_by("type"), addresses=_by("type")),
    ),
    **dict.fromkeys(("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"), _WORKLOAD),
    "Job": _of(metadata=METADATA, spec=_JOB_SPEC, status=CONDITIONS),
    "CronJob": _of(metadata=METADATA, spec=_of(jobTemplate=_of(metadata=METADATA, spec=_JOB_SPEC))),
    "PodTemplate": _of(metadata=METADATA, template=_TEMPLATE),
    "PodDisruptionBudget": _of(metadata=METADATA, spec=_of(selector=Part(replace=True)), status=CONDITIONS),
    "Namespace": _of(metadata=METADATA, status=CONDITIONS),
    "ServiceAccount": _of(metadata=METADATA, secrets=_by("name")),
    "Service": _of(metadata=METADATA, spec=_of(ports=_by("port")), status=CONDITIONS),
    **dict.fromkeys(("ConfigMap", "Secret", "PriorityClass", "LimitRange", "ResourceQuota"), _OTHER),
}
"""The built-in kinds that podfsm works with. The API server knows strategic merge for built-in kinds only."""
