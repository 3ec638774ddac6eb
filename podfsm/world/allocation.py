"""What a kubelet has allocated to the containers of a Pod, which is not always what the Pod's spec asks for.

Source: pkg/kubelet/allocation/allocation_manager.go (UpdatePodFromAllocation).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from attrs import field, frozen

from podfsm.kube.objects import Container, Pod, PodCondition, PodSpec, ResourceRequirements
from podfsm.rules.resize import changed_resources

Resources = Mapping[str, ResourceRequirements | None]
"""Requests and limits by the name of the container."""


@frozen
class Resizing:
    """How far a resize has come on the Pod's node."""

    waits: bool = False
    """The spec has changed, and the kubelet has not looked for room yet."""
    allocated: Resources | None = None
    """What is allocated to each container, once it has ever been another than the spec's."""
    actual: Resources = field(factory=dict)
    """What containers had when the resize in progress began."""
    pending: PodCondition | None = None
    progress: PodCondition | None = None

    @property
    def conditions(self) -> tuple[PodCondition, ...]:
        """What the kubelet says of it in the Pod's status."""
        return tuple(condition for condition in (self.pending, self.progress) if condition is not None)


NO_RESIZE = Resizing()


def resources_of(spec: PodSpec) -> Resources:
    """What a spec asks for."""
    return {container.name: container.resources for container in (*spec.initContainers, *spec.containers)}


def same_resources(spec: PodSpec, allocated: Resources | None) -> bool:
    """Whether a spec asks for what is allocated; nothing said of the allocation means that it does."""
    if allocated is None:
        return True
    containers = (*spec.initContainers, *spec.containers)
    return not any(changed_resources(container, allocated.get(container.name)) for container in containers)


def as_allocated(pod: Pod, allocated: Resources | None) -> Pod:
    """The Pod with what is allocated in the place of what its spec asks for."""
    if allocated is None or same_resources(pod.spec, allocated):
        return pod
    spec = msgspec.structs.replace(
        pod.spec,
        containers=_given(pod.spec.containers, allocated),
        initContainers=_given(pod.spec.initContainers, allocated),
    )
    given: Pod = msgspec.structs.replace(pod, spec=spec)
    return given


def _given(containers: tuple[Container, ...], allocated: Resources) -> tuple[Container, ...]:
    return tuple(msgspec.structs.replace(c, resources=allocated.get(c.name, c.resources)) for c in containers)
