"""Validation of the smaller parts of a container: ports, environment, mounts, resize policy.

Source: `pkg/apis/core/validation/validation.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.versions import Gates
from podfsm.kube.objects import ContainerPort, EnvVar, ResizePolicy, VolumeMount
from podfsm.rules.names import is_port_name, is_port_number, is_variable
from podfsm.rules.problems import DUPLICATE, INVALID, NOT_FOUND, NOT_SUPPORTED, REQUIRED, Problem, Problems

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_NOT_RESTARTED = "NotRequired"


def port_problems(ports: Sequence[ContainerPort], path: str) -> Problems:
    """Names, numbers and protocols of a container's ports."""
    names: set[str] = set()
    for index, port in enumerate(ports):
        at = f"{path}.ports[{index}]"
        if port.name and not is_port_name(port.name):
            yield Problem(f"{at}.name", INVALID, "must be up to 15 lower-case letters, digits and inner hyphens")
        elif port.name in names:
            yield Problem(f"{at}.name", DUPLICATE, "another port of the container has this name")
        elif port.name:
            names.add(port.name)
        if not port.containerPort:
            yield Problem(f"{at}.containerPort", REQUIRED, "there is no port")
        elif not is_port_number(port.containerPort):
            yield Problem(f"{at}.containerPort", INVALID, "must be 1 to 65535")
        if port.hostPort and not is_port_number(port.hostPort):
            yield Problem(f"{at}.hostPort", INVALID, "must be 1 to 65535")
        if port.protocol not in _PROTOCOLS:
            kind = NOT_SUPPORTED if port.protocol else REQUIRED
            yield Problem(f"{at}.protocol", kind, f"must be one of {', '.join(_PROTOCOLS)}")


def environment_problems(env: Sequence[EnvVar], path: str, gates: Gates) -> Problems:
    """Names of a container's environment variables, and that each has one source."""
    relaxed = gates.at_least("1.32")
    for index, variable in enumerate(env):
        at = f"{path}.env[{index}]"
        if not variable.name:
            yield Problem(f"{at}.name", REQUIRED, "a variable has a name")
        elif not is_variable(variable.name, relaxed=relaxed):
            yield Problem(f"{at}.name", INVALID, "is no name of an environment variable")
        if variable.valueFrom is not None and variable.value:
            yield Problem(f"{at}.valueFrom", INVALID, "the variable has a value already")


def mount_problems(mounts: Sequence[VolumeMount], volumes: frozenset[str], path: str) -> Problems:
    """Mounts: each of a volume of the Pod, at a path of its own. A bad subPath is reported without an index."""
    places: set[str] = set()
    for index, mount in enumerate(mounts):
        at = f"{path}.volumeMounts[{index}]"
        if not mount.name:
            yield Problem(f"{at}.name", REQUIRED, "a mount names its volume")
        if mount.name not in volumes:
            yield Problem(f"{at}.name", NOT_FOUND, "the Pod has no such volume")
        if not mount.mountPath:
            yield Problem(f"{at}.mountPath", REQUIRED, "a mount has a path")
        if mount.mountPath in places:
            yield Problem(f"{at}.mountPath", INVALID, "another volume is mounted there")
        places.add(mount.mountPath)
        for name in ("subPath", "subPathExpr"):
            below = getattr(mount, name)
            if below.startswith("/") or ".." in below.split("/"):
                yield Problem(f"{path}.volumeMounts.{name}", INVALID, "must be a path below the volume")
        if mount.subPath and mount.subPathExpr:
            yield Problem(f"{path}.volumeMounts.subPathExpr", INVALID, "there is a subPath already")


def resize_problems(policies: Sequence[ResizePolicy], *, never: bool, path: str) -> Problems:
    """resizePolicy: once for each of cpu and memory; under restartPolicy Never (`never`) without a restart."""
    seen: set[str] = set()
    for index, policy in enumerate(policies):
        at, name, restart = f"{path}.resizePolicy", policy.resourceName, policy.restartPolicy
        if name in seen:
            yield Problem(f"{at}[{index}]", DUPLICATE, "the resource has a policy already")
        seen.add(name)
        if name not in ("cpu", "memory"):
            yield Problem(at, NOT_SUPPORTED if name else REQUIRED, "must be of cpu or memory")
        if restart not in (_NOT_RESTARTED, "RestartContainer"):
            yield Problem(at, NOT_SUPPORTED if restart else REQUIRED, "must be NotRequired or RestartContainer")
        if never and restart != _NOT_RESTARTED:
            why = "must be NotRequired under restartPolicy Never"
            yield Problem(at, INVALID, why, "resize-restart-policy")
