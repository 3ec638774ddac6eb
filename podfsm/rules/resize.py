"""In-place resize: changing cpu and memory of a container that runs."""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.engine.rule import docs, guard, source, validation
from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, PodSpec, ResizePolicy, ResourceRequirements
from podfsm.kube.quantity import parse_quantity
from podfsm.rules.facts import ContainerFacts, RuntimeState
from podfsm.rules.gates import gates_for
from podfsm.rules.qos import qos_class
from podfsm.rules.resize_conditions import GATE
from podfsm.rules.sidecar import is_sidecar

RESTART = "RestartContainer"
_PAGE = docs("concepts/workloads/pods/pod-condition.md#pod-resize-conditions")
_NONE = ResourceRequirements()

Quantities = Mapping[str, str | int | float]


def _sized(cpu: str, memory: str = "64Mi", *policies: ResizePolicy) -> Container:
    return Container("app", resources=ResourceRequirements({"cpu": cpu, "memory": memory}), resizePolicy=policies)


def changed_resources(container: Container, actual: ResourceRequirements | None) -> frozenset[str]:
    """The resources (cpu, memory) whose request or limit in the spec differs from what the container runs with."""
    wanted, given = container.resources or _NONE, actual or _NONE
    return frozenset(
        name
        for name in ("cpu", "memory")
        if _differs(wanted.requests, given.requests, name) or _differs(wanted.limits, given.limits, name)
    )


def _differs(one: Quantities, other: Quantities, name: str) -> bool:
    if (name in one) != (name in other):
        return True
    return name in one and parse_quantity(one[name]) != parse_quantity(other[name])


def needs_restart(container: Container, changed: frozenset[str]) -> bool:
    """Whether the resizePolicy of a changed resource asks for a restart; NotRequired is the default."""
    return any(policy.restartPolicy == RESTART and policy.resourceName in changed for policy in container.resizePolicy)


@validation(
    "resize-init-no-restart",
    machine="init_container",
    cites=[_PAGE, source("pkg/apis/core/validation/validation.go", "validateInitContainers")],
    since="1.36",
    allows=[Container("setup"), _sized("1", "1Gi", ResizePolicy("memory", "NotRequired"))],
    refuses=[_sized("1", "1Gi", ResizePolicy("memory", RESTART))],
)
def init_not_restarted(container: Container) -> bool:
    """The resizePolicy of an init container that is no sidecar does not ask for a restart.

    Versions before accepted it without effect: such containers could not be resized.
    """
    return all(policy.restartPolicy != RESTART for policy in container.resizePolicy)


@validation(
    "resize-node-capacity",
    machine="pod",
    cites=[_PAGE, source("plugin/pkg/admission/podresize/admission.go")],
    since="1.36",
    documented="the kubelet says Infeasible in PodResizePending, as it did before 1.36",
    allows=[({"cpu": 1500, "memory": 64}, {"cpu": 2000, "memory": 512}), ({}, {"cpu": 2000})],
    refuses=[({"cpu": 50_000}, {"cpu": 2000})],
)
def within_node(asked: Mapping[str, int], allocatable: Mapping[str, int]) -> bool:
    """A resize to more cpu or memory than the Pod's node can allocate at all is refused by the API server."""
    return all(asked.get(name, 0) <= allocatable.get(name, 0) for name in ("cpu", "memory"))


@guard(
    "resize-restart-policy",
    machine=("container", "sidecar_container"),
    cites=[_PAGE, source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodResizeAction")],
    gate=GATE,
    observable="restartCount grows with a resize of a resource whose policy is RestartContainer",
    allows=[ContainerFacts(instance=RuntimeState.RUNNING, resize="restart")],
    refuses=[
        ContainerFacts(instance=RuntimeState.RUNNING, resize="in place"),
        ContainerFacts(instance=RuntimeState.EXITED, resize="restart"),
        ContainerFacts(instance=RuntimeState.RUNNING),
    ],
)
def restarts_for_resize(facts: ContainerFacts) -> bool:
    """A container is stopped and started anew for a resize only if the resizePolicy of a changed resource says so.

    The default is NotRequired; under the Pod's policy Never nothing else is allowed.
    """
    return facts.instance is RuntimeState.RUNNING and facts.resize == "restart"


_BEFORE = PodSpec((_sized("100m"),))
_ALL = {"cpu": "100m", "memory": "64Mi"}


@validation(
    "resize-subresource",
    machine="pod",
    cites=[_PAGE, source("pkg/apis/core/validation/validation.go", "ValidatePodResize")],
    gate=GATE,
    allows=[(_BEFORE, PodSpec((_sized("200m"),)))],
    refuses=[
        (_BEFORE, PodSpec((Container("app", image="x:2"),))),
        (_BEFORE, PodSpec((_sized("100m"),), restartPolicy="Never")),
        (_BEFORE, PodSpec((Container("app", resources=ResourceRequirements(_ALL, _ALL)),))),
    ],
)
def only_resources_change(before: PodSpec, after: PodSpec) -> bool:
    """The resize subresource changes cpu and memory of containers, and nothing else: neither spec nor QoS class."""
    gates = gates_for()  # whether a Pod's own resources decide its class is the same before and after
    same_class = qos_class(before, gates) == qos_class(after, gates)
    return same_class and _without_resources(before) == _without_resources(after)


def _without_resources(spec: PodSpec) -> tuple[object, ...]:
    containers = tuple(
        (c.name, c.image, c.resizePolicy, c.restartPolicy, c.command, c.args)
        for c in (*spec.initContainers, *spec.containers)
    )
    return containers, spec.restartPolicy, spec.nodeName, spec.ephemeralContainers


@validation(
    "resize-ephemeral-none",
    machine="ephemeral_container",
    cites=[
        docs("concepts/workloads/pods/ephemeral-containers.md#what-is-an-ephemeral-container"),
        source("pkg/apis/core/validation/validation.go", "allowedEphemeralContainerFields"),
    ],
    since="1.27",
    allows=[Container("debug")],
    refuses=[_sized("100m")],
)
def ephemeral_without_resources(container: Container) -> bool:
    """Ephemeral containers have no resources, at creation or later."""
    return container.resources is None or container.resources == _NONE


def resizable(container: Container, gates: Gates, *, init: bool) -> bool:
    """Whether a container can be resized in place: app containers, sidecars and, with a gate, other init containers."""
    if not gates.on(GATE):
        return False
    return not init or is_sidecar(container, gates) or gates.on("InPlacePodVerticalScalingInitContainers")
