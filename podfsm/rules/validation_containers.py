"""Validation of containers, after defaulting: what all kinds share, and what each kind may not have.

Source: `pkg/apis/core/validation/validation.go` (validateContainerCommon, validateContainers, validateInitContainers,
validateEphemeralContainers).
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, ContainerPort, PodSpec
from podfsm.rules.facts import Policy
from podfsm.rules.names import is_label
from podfsm.rules.problems import DUPLICATE, FORBIDDEN, INVALID, NOT_FOUND, NOT_SUPPORTED, REQUIRED, Problem, Problems
from podfsm.rules.resize import init_not_restarted
from podfsm.rules.sidecar import is_sidecar
from podfsm.rules.timings import timing_constant
from podfsm.rules.validation_handlers import hook_problems, probe_problems
from podfsm.rules.validation_parts import environment_problems, mount_problems, port_problems, resize_problems
from podfsm.rules.validation_resources import resource_problems
from podfsm.rules.validation_restart import restart_problems

_PULL = ("Always", "IfNotPresent", "Never")
_MESSAGES = ("File", "FallbackToLogsOnError")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_NOT_EPHEMERAL = ("ports", "resources", "lifecycle", *_PROBES, "resizePolicy", "restartPolicy", "restartPolicyRules")
_UNIQUE = "init-unique-names"


def containers_problems(spec: PodSpec, volumes: frozenset[str], path: str, gates: Gates) -> Problems:
    """App, init and ephemeral containers of a spec whose grace period is filled in; `volumes`: names there are."""
    if spec.containers:
        yield from _apps(spec, volumes, f"{path}.containers", gates)
    else:
        yield Problem(f"{path}.containers", REQUIRED, "a Pod has at least one container")
    yield from _inits(spec, volumes, f"{path}.initContainers", gates)
    yield from _ephemerals(spec, volumes, f"{path}.ephemeralContainers", gates)


def untrimmed_images(spec: PodSpec, path: str) -> Problems:
    """Images with blanks around their names: refused in Pods, not in templates."""
    for key in ("containers", "initContainers"):
        yield from _blanks(getattr(spec, key), f"{path}.{key}")


def _blanks(containers: Sequence[Container], path: str) -> Problems:
    for index, container in enumerate(containers):
        if container.image != container.image.strip():
            yield Problem(f"{path}[{index}].image", INVALID, "has blanks before or after the name")


def _apps(spec: PodSpec, volumes: frozenset[str], path: str, gates: Gates) -> Problems:
    names: set[str] = set()
    for index, container in enumerate(spec.containers):
        at = f"{path}[{index}]"
        yield from _common(container, spec, volumes, at, gates)
        yield from _unique(container.name, names, at)
        yield from _active(container, spec, at, gates)
        yield from restart_problems(container, at, gates, init=False)
    yield from _host_ports(spec.containers, path)


def _inits(spec: PodSpec, volumes: frozenset[str], path: str, gates: Gates) -> Problems:
    names = {container.name for container in spec.containers}
    for index, container in enumerate(spec.initContainers):
        at = f"{path}[{index}]"
        yield from _common(container, spec, volumes, at, gates)
        yield from restart_problems(container, at, gates, init=True)
        yield from _unique(container.name, names, at, remember=bool(container.name))
        yield from _host_ports([container], path)  # as the API server does it: always under index 0
        if is_sidecar(container, gates):
            yield from _active(container, spec, at, gates)
        else:
            yield from _passive(container, at, gates)


def _active(container: Container, spec: PodSpec, path: str, gates: Gates) -> Problems:
    """What containers may have that run for long."""
    if container.lifecycle is not None:
        yield from hook_problems(container.lifecycle, _grace(spec), f"{path}.lifecycle", gates)
    yield from probe_problems(container, path)


def _grace(spec: PodSpec) -> int:
    """The grace period that hooks are measured against; the API server reads a negative one as 1 s."""
    given = spec.terminationGracePeriodSeconds
    return int(timing_constant("grace-default")) if given is None else 1 if given < 0 else given


def _passive(container: Container, path: str, gates: Gates) -> Problems:
    for name in ("lifecycle", *_PROBES):
        if getattr(container, name) is not None and not (name == "lifecycle" and _only_signal(container, gates)):
            why = "an init container that is no sidecar runs to its end"
            yield Problem(f"{path}.{name}", FORBIDDEN, why, "init-no-probes-no-lifecycle")
    if init_not_restarted.in_force(gates) and not init_not_restarted(container):
        why = "must be NotRequired in an init container that is no sidecar"
        yield Problem(f"{path}.resizePolicy", INVALID, why, init_not_restarted.id)


def _only_signal(container: Container, gates: Gates) -> bool:
    """A lifecycle that holds only a stopSignal is dropped with it while ContainerStopSignals is off."""
    lifecycle = container.lifecycle
    if lifecycle is None or not lifecycle.stopSignal or not gates.at_least("1.33"):
        return False
    return lifecycle.postStart is None and lifecycle.preStop is None and not gates.on("ContainerStopSignals")


def _ephemerals(spec: PodSpec, volumes: frozenset[str], path: str, gates: Gates) -> Problems:
    targets = {container.name for container in (*spec.containers, *spec.initContainers)}
    names = set(targets)
    yield from _blanks(spec.ephemeralContainers, path)
    for index, container in enumerate(spec.ephemeralContainers):
        at = f"{path}[{index}]"
        yield from _common(container, spec, volumes, at, gates)
        yield from _unique(container.name, names, at)
        if container.targetContainerName and container.targetContainerName not in targets:
            yield Problem(f"{at}.targetContainerName", NOT_FOUND, "no such container", "ephemeral-target")
        yield from _without(container, at, gates)


def _without(container: Container, path: str, gates: Gates) -> Problems:
    rule = "ephemeral-forbidden-fields"
    for name in _NOT_EPHEMERAL:
        value = getattr(container, name)
        empty = value is None or value == () or (name == "resources" and not (value.requests or value.limits))
        unknown = name == "restartPolicyRules" and not gates.on("ContainerRestartRules")
        if not empty and not unknown:
            yield Problem(f"{path}.{name}", FORBIDDEN, "ephemeral containers have none", rule)
    for index, mount in enumerate(container.volumeMounts):
        for name in ("subPath", "subPathExpr"):
            if getattr(mount, name):
                yield Problem(f"{path}.volumeMounts[{index}].{name}", FORBIDDEN, "not in ephemeral containers", rule)


def _common(container: Container, spec: PodSpec, volumes: frozenset[str], path: str, gates: Gates) -> Problems:
    if not container.name:
        yield Problem(f"{path}.name", REQUIRED, "a container has a name")
    elif not is_label(container.name):
        yield Problem(f"{path}.name", INVALID, "must be up to 63 lower-case letters, digits and inner hyphens")
    if not container.image:
        yield Problem(f"{path}.image", REQUIRED, "a container has an image")
    yield from _one_of(container.terminationMessagePolicy, _MESSAGES, f"{path}.terminationMessagePolicy")
    yield from _one_of(container.imagePullPolicy, _PULL, f"{path}.imagePullPolicy")
    yield from port_problems(container.ports, path)
    yield from environment_problems(container.env, path, gates)
    yield from mount_problems(container.volumeMounts, volumes, path)
    yield from resource_problems(container.resources, f"{path}.resources")
    yield from resize_problems(container.resizePolicy, never=spec.restartPolicy == Policy.NEVER, path=path)


def _one_of(value: str, known: Sequence[str], path: str) -> Problems:
    if not value:
        yield Problem(path, REQUIRED)
    elif value not in known:
        yield Problem(path, NOT_SUPPORTED, f"must be one of {', '.join(known)}")


def _unique(name: str, names: set[str], path: str, *, remember: bool = True) -> Problems:
    if name in names:
        yield Problem(f"{path}.name", DUPLICATE, "another container has this name", _UNIQUE)
    elif remember:
        names.add(name)


def _host_ports(containers: Sequence[Container], path: str) -> Problems:
    seen: set[tuple[str, str, int]] = set()
    for index, container in enumerate(containers):
        for place, port in enumerate(container.ports):
            claim = _claim(port)
            if claim[2] and claim in seen:
                at = f"{path}[{index}].ports[{place}].hostPort"
                yield Problem(at, DUPLICATE, "another port of the Pod claims this port of the host")
            seen.add(claim)


def _claim(port: ContainerPort) -> tuple[str, str, int]:
    return port.protocol, port.hostIP, port.hostPort
