"""Ephemeral containers: added to a running Pod for debugging, started once, never changed, restarted or removed."""

from __future__ import annotations

from podfsm.engine.rule import derivation, docs, example, guard, source, validation
from podfsm.kube.objects import Container, ObjectMeta, Pod, PodSpec, Probe, VolumeMount
from podfsm.rules.facts import ContainerFacts, Role, RuntimeState

_PAGE = "concepts/workloads/pods/ephemeral-containers.md"
_WHAT = docs(f"{_PAGE}#what-is-an-ephemeral-container")
_UNDERSTANDING = docs(f"{_PAGE}#understanding-ephemeral-containers")
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")
_VALIDATION = "pkg/apis/core/validation/validation.go"
_GATE = "EphemeralContainers"

_DEBUG = Container(name="debug", image="busybox:1")
_APP = Container(name="app", image="web:1")
_PLAIN = PodSpec(containers=(_APP,))
_WITH_DEBUG = PodSpec(containers=(_APP,), ephemeralContainers=(_DEBUG,))
_OTHER_DEBUG = PodSpec(containers=(_APP,), ephemeralContainers=(Container(name="debug", image="busybox:2"),))
_TARGET_APP = Container(name="debug", image="busybox:1", targetContainerName="app")
_TARGET_NONE = Container(name="debug", image="busybox:1", targetContainerName="web")
_MIRROR = ObjectMeta(annotations={"kubernetes.io/config.mirror": "1"})


@validation(
    "ephemeral-not-at-create",
    cites=[_WHAT, source(_VALIDATION, "ValidatePodCreate")],
    gate=_GATE,
    seed=15,
    observable="spec.ephemeralContainers absent in the first snapshot",
    allows=[_PLAIN],
    refuses=[_WITH_DEBUG],
)
def not_at_create(spec: PodSpec) -> bool:
    """A Pod is created without ephemeral containers; they are added through the ephemeralcontainers subresource."""
    return not spec.ephemeralContainers


@validation(
    "ephemeral-append-only",
    cites=[_WHAT, source(_VALIDATION, "ValidatePodEphemeralContainersUpdate")],
    gate=_GATE,
    seed=15,
    observable="the list only grows",
    allows=[(_PLAIN, _WITH_DEBUG), (_WITH_DEBUG, _WITH_DEBUG)],
    refuses=[(_WITH_DEBUG, _PLAIN), (_WITH_DEBUG, _OTHER_DEBUG)],
)
def append_only(before: PodSpec, after: PodSpec) -> bool:
    """An ephemeral container once added can be neither changed nor removed; the order of the list is free."""
    now = {container.name: container for container in after.ephemeralContainers}
    return all(now.get(container.name) == container for container in before.ephemeralContainers)


@guard(
    "ephemeral-never-restart",
    machine="ephemeral_container",
    cites=[_WHAT, _ACTIONS, source(_VALIDATION, "ValidateEphemeralContainerStateTransition")],
    gate=_GATE,
    seed=15,
    observable="restartCount 0",
    allows=[ContainerFacts(role=Role.EPHEMERAL)],
    refuses=[
        ContainerFacts(role=Role.EPHEMERAL, instance=RuntimeState.EXITED, exit_code=1),
        ContainerFacts(role=Role.EPHEMERAL, instance=RuntimeState.UNKNOWN),
    ],
)
def never_restart(facts: ContainerFacts) -> bool:
    """An ephemeral container is started once and never again, however it ended.

    Holds as long as the runtime has no record of it.
    """
    return facts.instance is None


@validation(
    "ephemeral-forbidden-fields",
    cites=[_WHAT, source(_VALIDATION, "allowedEphemeralContainerFields")],
    gate=_GATE,
    seed=15,
    observable="refused by the API",
    allows=[_DEBUG, _TARGET_APP],
    refuses=[
        Container(name="debug", readinessProbe=Probe()),
        Container(name="debug", restartPolicy="Never"),
        Container(name="debug", volumeMounts=(VolumeMount(name="v", mountPath="/v", subPath="x"),)),
    ],
)
def without_forbidden_fields(container: Container) -> bool:
    """An ephemeral container has no ports, resources, lifecycle, probes, resizePolicy or restartPolicy, and no subPath.

    Nor restartPolicyRules, where the version knows them.
    """
    forbidden = (
        container.ports,
        container.resources is not None and (container.resources.requests or container.resources.limits),
        container.lifecycle is not None,
        container.livenessProbe is not None,
        container.readinessProbe is not None,
        container.startupProbe is not None,
        container.resizePolicy,
        container.restartPolicy is not None,
        container.restartPolicyRules,
        any(mount.subPath for mount in container.volumeMounts),
    )
    return not any(forbidden)


@guard(
    "ephemeral-start-during-init",
    machine="ephemeral_container",
    cites=[_UNDERSTANDING, _ACTIONS, source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod")],
    gate=_GATE,
    seed=15,
    observable="an ephemeral container runs while Initialized is False",
    allows=[ContainerFacts(role=Role.EPHEMERAL), ContainerFacts(role=Role.EPHEMERAL, earlier_done=False)],
    refuses=[ContainerFacts(role=Role.APP, earlier_done=False), ContainerFacts(role=Role.INIT, earlier_done=False)],
)
def start_during_init(facts: ContainerFacts) -> bool:
    """An ephemeral container may start while the Pod is still initialising; in one sync it goes first."""
    return facts.earlier_done or facts.role is Role.EPHEMERAL


@validation(
    "ephemeral-target",
    cites=[
        _UNDERSTANDING,
        source(_VALIDATION, "validateEphemeralContainers"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "getTargetID"),
    ],
    gate=_GATE,
    seed=15,
    observable="waiting CreateContainerConfigError while the target has no container",
    allows=[_WITH_DEBUG, PodSpec(containers=(_APP,), ephemeralContainers=(_TARGET_APP,))],
    refuses=[PodSpec(containers=(_APP,), ephemeralContainers=(_TARGET_NONE,))],
)
def target_exists(spec: PodSpec) -> bool:
    """A targetContainerName names an app or init container of the Pod, which must have been created before."""
    names = {container.name for container in (*spec.containers, *spec.initContainers)}
    return all(not c.targetContainerName or c.targetContainerName in names for c in spec.ephemeralContainers)


@validation(
    "ephemeral-no-static",
    cites=[_WHAT, source(_VALIDATION, "ValidatePodEphemeralContainersUpdate")],
    since="1.27",
    seed=15,
    observable="refused by the API",
    allows=[Pod(spec=_WITH_DEBUG), Pod(metadata=_MIRROR, spec=_PLAIN)],
    refuses=[Pod(metadata=_MIRROR, spec=_WITH_DEBUG)],
)
def not_on_static_pod(pod: Pod) -> bool:
    """A static Pod takes no ephemeral containers; in the API it is a mirror Pod."""
    return not pod.spec.ephemeralContainers or "kubernetes.io/config.mirror" not in pod.metadata.annotations


@derivation(
    "ephemeral-no-qos",
    cites=[_WHAT, source("pkg/apis/core/v1/helper/qos/qos.go", "ComputePodQOS")],
    since="1.16",
    seed=15,
    observable="qosClass unchanged by an ephemeral container",
    examples=[example(_WITH_DEBUG, gives=(_APP,)), example(_PLAIN, gives=(_APP,))],
)
def counted_for_resources(spec: PodSpec) -> tuple[Container, ...]:
    """Ephemeral containers do not count for the QoS class or the Pod's resources; app and init containers do."""
    return (*spec.containers, *spec.initContainers)
