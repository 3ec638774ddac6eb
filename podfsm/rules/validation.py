"""Validation as the API server does it for the fields of the lifecycle: whole Pods and Pod specs, after defaulting.

Objects are typed and have their defaults (`podfsm.kube.defaults`). Not looked at: the sources of volumes, security
contexts, affinity, resource claims. Parts are in the modules validation_*; a problem names the rule behind it.
"""

from __future__ import annotations

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Pod, PodSpec
from podfsm.rules.ephemeral import append_only
from podfsm.rules.facts import Policy
from podfsm.rules.names import is_label, is_label_value, is_qualified, is_subdomain
from podfsm.rules.pod_preset import MIRROR
from podfsm.rules.problems import DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, Problem, Problems
from podfsm.rules.readiness_gates import well_named
from podfsm.rules.validation_affinity import affinity_problems
from podfsm.rules.validation_containers import containers_problems, untrimmed_images
from podfsm.rules.validation_scheduling import gate_problems, spread_problems, toleration_problems

LONGEST_DEADLINE = 2**31 - 1
_DNS = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")


def pod_problems(pod: Pod, gates: Gates) -> list[Problem]:
    """What the API server finds wrong with a Pod that is created, sorted; empty if it takes it."""
    return _sorted(_pod(pod, gates))


def _pod(pod: Pod, gates: Gates) -> Problems:
    spec = pod.spec
    yield from metadata_problems(pod.metadata.name, pod.metadata.labels, "metadata")
    yield from spec_problems(spec, "spec", gates)
    yield from untrimmed_images(spec, "spec")
    if spec.ephemeralContainers:
        why = "they are added later, through the ephemeralcontainers subresource"
        yield Problem("spec.ephemeralContainers", FORBIDDEN, why, "ephemeral-not-at-create")
    if spec.nodeName and spec.schedulingGates:
        yield Problem("spec.nodeName", FORBIDDEN, "a scheduling gate is left", "sched-gates-only-removed")


def metadata_problems(name: str, labels: object, path: str) -> Problems:
    """An object's name (unless it is generated, and so empty) and its labels."""
    if name and not is_subdomain(name):
        yield Problem(f"{path}.name", INVALID, "must be up to 253 lower-case letters, digits, inner hyphens and dots")
    if isinstance(labels, dict):
        yield from _labels(labels, f"{path}.labels")


def _labels(labels: dict[str, str], path: str) -> Problems:
    for key, value in labels.items():
        if not is_qualified(key) or not is_label_value(value):
            yield Problem(path, INVALID, f"{key}={value} is no label")


def spec_problems(spec: PodSpec, path: str, gates: Gates) -> Problems:
    """What is wrong with the spec of a Pod or of a template; `path` is where it stands."""
    volumes, found = _volumes(spec, f"{path}.volumes")
    yield from found
    yield from containers_problems(spec, volumes, path, gates)
    if spec.restartPolicy not in tuple(Policy):
        kind = NOT_SUPPORTED if spec.restartPolicy else REQUIRED
        yield Problem(f"{path}.restartPolicy", kind, "must be Always, OnFailure or Never", "restart-policy-values")
    if spec.dnsPolicy not in _DNS:
        yield Problem(f"{path}.dnsPolicy", NOT_SUPPORTED, f"must be one of {', '.join(_DNS)}")
    elif spec.dnsPolicy == "None" and not (spec.dnsConfig or {}).get("nameservers"):
        where = f"{path}.dnsConfig" if spec.dnsConfig is None else f"{path}.dnsConfig.nameservers"
        yield Problem(where, REQUIRED, "dnsPolicy None needs name servers")
    deadline = spec.activeDeadlineSeconds
    if deadline is not None and not 1 <= deadline <= LONGEST_DEADLINE:
        yield Problem(f"{path}.activeDeadlineSeconds", INVALID, f"must be 1 to {LONGEST_DEADLINE}", "deadline-field")
    yield from _labels(dict(spec.nodeSelector), f"{path}.nodeSelector")
    for index, gate in enumerate(spec.readinessGates):
        if not well_named(gate):
            at = f"{path}.readinessGates[{index}].conditionType"
            yield Problem(at, INVALID, "must be a qualified name", "gate-name-format")
    yield from gate_problems(spec.schedulingGates, f"{path}.schedulingGates")
    yield from toleration_problems(spec.tolerations, f"{path}.tolerations", gates)
    yield from affinity_problems(spec.affinity, f"{path}.affinity")
    yield from spread_problems(spec.topologySpreadConstraints, f"{path}.topologySpreadConstraints", gates)
    yield from _names(spec, path)
    yield from _host_network(spec, f"{path}.containers")


def _volumes(spec: PodSpec, path: str) -> tuple[frozenset[str], list[Problem]]:
    """The names of the volumes that can be mounted, and what is wrong with the others."""
    names: set[str] = set()
    found = []
    for index, volume in enumerate(spec.volumes):
        at, name = f"{path}[{index}].name", str(volume.get("name") or "")
        if not name:
            found.append(Problem(at, REQUIRED, "a volume has a name"))
        elif not is_label(name):
            found.append(Problem(at, INVALID, "must be up to 63 lower-case letters, digits and inner hyphens"))
        elif name in names:
            found.append(Problem(at, DUPLICATE, "another volume has this name"))
        else:
            names.add(name)
    return frozenset(names), found


def _names(spec: PodSpec, path: str) -> Problems:
    for key in ("nodeName", "priorityClassName"):
        name = getattr(spec, key)
        if name and not is_subdomain(name):
            yield Problem(
                f"{path}.{key}", INVALID, "must be up to 253 lower-case letters, digits, inner hyphens and dots"
            )


def _host_network(spec: PodSpec, path: str) -> Problems:
    if not spec.hostNetwork:
        return
    for index, container in enumerate(spec.containers):
        for place, port in enumerate(container.ports):
            if port.hostPort != port.containerPort:
                where = f"{path}[{index}].ports[{place}].containerPort"
                yield Problem(where, INVALID, "must equal hostPort on the host's network")


def ephemeral_problems(pod: Pod, old: PodSpec, gates: Gates) -> list[Problem]:
    """What is wrong with a Pod whose ephemeral containers are updated from `old`, sorted; empty if it is accepted."""
    return _sorted(_ephemeral(pod, old, gates))


def _ephemeral(pod: Pod, old: PodSpec, gates: Gates) -> Problems:
    yield from spec_problems(pod.spec, "spec", gates)
    yield from untrimmed_images(pod.spec, "spec")
    if MIRROR in pod.metadata.annotations:
        yield Problem("", FORBIDDEN, "static Pods have no ephemeral containers", "ephemeral-no-static")
    if not append_only(old, pod.spec):
        why = "those that are there can be neither changed nor removed"
        yield Problem("spec.ephemeralContainers", FORBIDDEN, why, "ephemeral-append-only")


def _sorted(found: Problems) -> list[Problem]:
    """By field and kind, each of them once."""
    return list({(each.field, each.type): each for each in sorted(found)}.values())
