"""The Kubernetes objects podfsm reads, typed and frozen, with the API's own field names.

Only fields that some rule reads are declared. Whatever else an object holds is kept beside it in its raw JSON form and
written back unchanged (see `podfsm.kube.read` and `podfsm.kube.write`). A field that is absent has the API's zero
value: "", 0, False, () or None. Defaults that the API server would fill in are applied by `podfsm.kube.defaults`.
Instants are timezone-aware datetimes; durations are whole seconds, as in the API.
"""

# Not `from __future__ import annotations`: msgspec would compile the text of each annotation again in every process,
# which takes longer than all the rest of reading a Pod.
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""An instant. Without a zone it is none."""


class Struct(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Base of all objects: frozen; fields that hold their default are not written."""


class OwnerReference(Struct, frozen=True):
    apiVersion: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False
    blockOwnerDeletion: bool = False


class ObjectMeta(Struct, frozen=True):
    name: str = ""
    generateName: str = ""
    namespace: str = ""
    uid: str = ""
    resourceVersion: str = ""
    generation: int = 0
    creationTimestamp: Time | None = None
    deletionTimestamp: Time | None = None
    deletionGracePeriodSeconds: int | None = None
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}
    finalizers: tuple[str, ...] = ()
    ownerReferences: tuple[OwnerReference, ...] = ()


class ExecAction(Struct, frozen=True):
    command: tuple[str, ...] = ()


class HTTPHeader(Struct, frozen=True):
    name: str = ""
    value: str = ""


class HTTPGetAction(Struct, frozen=True):
    path: str = ""
    port: int | str = 0
    host: str = ""
    scheme: str = ""
    httpHeaders: tuple[HTTPHeader, ...] = ()


class TCPSocketAction(Struct, frozen=True):
    port: int | str = 0
    host: str = ""


class GRPCAction(Struct, frozen=True):
    port: int = 0
    service: str | None = None


class SleepAction(Struct, frozen=True):
    seconds: int = 0


class Probe(Struct, frozen=True):
    exec: ExecAction | None = None
    httpGet: HTTPGetAction | None = None
    tcpSocket: TCPSocketAction | None = None
    grpc: GRPCAction | None = None
    initialDelaySeconds: int = 0
    timeoutSeconds: int = 0
    periodSeconds: int = 0
    successThreshold: int = 0
    failureThreshold: int = 0
    terminationGracePeriodSeconds: int | None = None


class LifecycleHandler(Struct, frozen=True):
    exec: ExecAction | None = None
    httpGet: HTTPGetAction | None = None
    tcpSocket: TCPSocketAction | None = None
    sleep: SleepAction | None = None


class Lifecycle(Struct, frozen=True):
    postStart: LifecycleHandler | None = None
    preStop: LifecycleHandler | None = None
    stopSignal: str = ""


class ExitCodes(Struct, frozen=True):
    operator: str = ""
    values: tuple[int, ...] = ()


class ContainerRestartRule(Struct, frozen=True):
    action: str = ""
    exitCodes: ExitCodes | None = None


class ContainerPort(Struct, frozen=True):
    name: str = ""
    containerPort: int = 0
    hostPort: int = 0
    protocol: str = ""
    hostIP: str = ""


class ResizePolicy(Struct, frozen=True):
    resourceName: str = ""
    restartPolicy: str = ""


class ResourceRequirements(Struct, frozen=True):
    requests: Mapping[str, str | int | float] = {}
    limits: Mapping[str, str | int | float] = {}


class EnvVar(Struct, frozen=True):
    name: str = ""
    value: str = ""
    valueFrom: dict[str, Any] | None = None


class KeyReference(Struct, frozen=True):
    name: str = ""
    optional: bool = False


class EnvFromSource(Struct, frozen=True):
    prefix: str = ""
    configMapRef: KeyReference | None = None
    secretRef: KeyReference | None = None


class VolumeMount(Struct, frozen=True):
    name: str = ""
    mountPath: str = ""
    subPath: str = ""
    readOnly: bool = False
    subPathExpr: str = ""


class Container(Struct, frozen=True):
    """An app, init or ephemeral container (`targetContainerName` belongs to the last)."""

    name: str = ""
    image: str = ""
    imagePullPolicy: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[EnvVar, ...] = ()
    envFrom: tuple[EnvFromSource, ...] = ()
    ports: tuple[ContainerPort, ...] = ()
    resources: ResourceRequirements | None = None
    resizePolicy: tuple[ResizePolicy, ...] = ()
    restartPolicy: str | None = None
    restartPolicyRules: tuple[ContainerRestartRule, ...] = ()
    volumeMounts: tuple[VolumeMount, ...] = ()
    livenessProbe: Probe | None = None
    readinessProbe: Probe | None = None
    startupProbe: Probe | None = None
    lifecycle: Lifecycle | None = None
    terminationMessagePath: str = ""
    terminationMessagePolicy: str = ""
    targetContainerName: str = ""
    workingDir: str = ""
    securityContext: dict[str, Any] | None = None
    volumeDevices: tuple[dict[str, Any], ...] = ()
    stdin: bool = False
    stdinOnce: bool = False
    tty: bool = False


class PodReadinessGate(Struct, frozen=True):
    conditionType: str = ""


class PodSchedulingGate(Struct, frozen=True):
    name: str = ""


class Toleration(Struct, frozen=True):
    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""
    tolerationSeconds: int | None = None


class LabelSelectorRequirement(Struct, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class LabelSelector(Struct, frozen=True):
    matchLabels: Mapping[str, str] = {}
    matchExpressions: tuple[LabelSelectorRequirement, ...] = ()


class TopologySpreadConstraint(Struct, frozen=True):
    maxSkew: int = 0
    topologyKey: str = ""
    whenUnsatisfiable: str = ""
    labelSelector: LabelSelector | None = None
    minDomains: int | None = None
    nodeAffinityPolicy: str | None = None
    nodeTaintsPolicy: str | None = None
    matchLabelKeys: tuple[str, ...] = ()


class PodSpec(Struct, frozen=True):
    containers: tuple[Container, ...] = ()
    initContainers: tuple[Container, ...] = ()
    ephemeralContainers: tuple[Container, ...] = ()
    restartPolicy: str = ""
    terminationGracePeriodSeconds: int | None = None
    activeDeadlineSeconds: int | None = None
    readinessGates: tuple[PodReadinessGate, ...] = ()
    schedulingGates: tuple[PodSchedulingGate, ...] = ()
    nodeName: str = ""
    nodeSelector: Mapping[str, str] = {}
    affinity: dict[str, Any] | None = None
    tolerations: tuple[Toleration, ...] = ()
    topologySpreadConstraints: tuple[TopologySpreadConstraint, ...] = ()
    hostNetwork: bool = False
    priority: int | None = None
    priorityClassName: str = ""
    preemptionPolicy: str | None = None
    schedulerName: str = ""
    overhead: Mapping[str, str | int | float] = {}
    resources: ResourceRequirements | None = None
    volumes: tuple[dict[str, Any], ...] = ()
    shareProcessNamespace: bool = False
    os: dict[str, Any] | None = None
    dnsPolicy: str = ""
    dnsConfig: dict[str, Any] | None = None
    serviceAccountName: str = ""
    automountServiceAccountToken: bool | None = None
    hostPID: bool = False
    hostIPC: bool = False
    hostname: str = ""
    subdomain: str = ""
    runtimeClassName: str | None = None
    enableServiceLinks: bool | None = None


class ContainerStateWaiting(Struct, frozen=True):
    reason: str = ""
    message: str = ""


class ContainerStateRunning(Struct, frozen=True):
    startedAt: Time | None = None


class ContainerStateTerminated(Struct, frozen=True):
    exitCode: int = 0
    signal: int = 0
    reason: str = ""
    message: str = ""
    startedAt: Time | None = None
    finishedAt: Time | None = None
    containerID: str = ""


class ContainerState(Struct, frozen=True):
    """At most one field is set; none set reads as waiting."""

    waiting: ContainerStateWaiting | None = None
    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None


NO_STATE = ContainerState()


class ContainerStatus(Struct, frozen=True):
    name: str = ""
    state: ContainerState = NO_STATE
    lastState: ContainerState = NO_STATE
    ready: bool = False
    restartCount: int = 0
    image: str = ""
    imageID: str = ""
    containerID: str = ""
    started: bool | None = None


class PodCondition(Struct, frozen=True):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    lastProbeTime: Time | None = None
    lastTransitionTime: Time | None = None
    observedGeneration: int = 0


class PodIP(Struct, frozen=True):
    ip: str = ""


class PodStatus(Struct, frozen=True):
    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[PodCondition, ...] = ()
    initContainerStatuses: tuple[ContainerStatus, ...] = ()
    containerStatuses: tuple[ContainerStatus, ...] = ()
    ephemeralContainerStatuses: tuple[ContainerStatus, ...] = ()
    hostIP: str = ""
    hostIPs: tuple[PodIP, ...] = ()
    podIP: str = ""
    podIPs: tuple[PodIP, ...] = ()
    startTime: Time | None = None
    observedGeneration: int = 0
    qosClass: str = ""
    nominatedNodeName: str = ""
    resize: str = ""


class Pod(Struct, frozen=True):
    apiVersion: str = "v1"
    kind: str = "Pod"
    metadata: ObjectMeta = ObjectMeta()
    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()
