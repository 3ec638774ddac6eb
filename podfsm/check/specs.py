"""Snapshot level: specs that the API server does not store, and Pods that their controllers do not make."""

from __future__ import annotations

from collections.abc import Iterator

from podfsm.check.finding import Breach
from podfsm.engine.versions import Gates
from podfsm.kube.objects import ObjectMeta, OwnerReference, Pod
from podfsm.rules.controllers import daemon_tolerations, lasting_policy_accepted
from podfsm.rules.deadline import template_accepted
from podfsm.rules.facts import Policy
from podfsm.rules.problems import REQUIRED
from podfsm.rules.qos import requests_with_defaults
from podfsm.rules.validation import spec_problems

_LASTING = ("ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet")


def spec_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """What is wrong with the spec of a Pod that is said to come out of the API server."""
    if not pod.metadata.resourceVersion:
        return  # never stored, so never validated and without its defaults
    for problem in spec_problems(pod.spec, "spec", gates):
        if not problem.rule or (problem.type == REQUIRED and problem.rule == "restart-policy-values"):
            continue
        if problem.rule == "deadline-field" and pod.spec.activeDeadlineSeconds == 0 and pod.metadata.generation != 1:
            continue  # it may be lowered to 0 later
        yield Breach(problem.rule, f"{problem.field}: {problem.type}", problem.why)
    for container in (*pod.spec.containers, *pod.spec.initContainers):
        given = container.resources
        if given is not None and requests_with_defaults(given.requests, given.limits) != given.requests:
            seen = f"limits of {', '.join(sorted(set(given.limits) - set(given.requests)))} without requests"
            yield Breach("qos-requests-default-to-limits", seen, container=container.name)
    owner = controller_of(pod.metadata)
    if owner is not None:
        yield from _owner_breaches(pod, owner)


def controller_of(metadata: ObjectMeta) -> OwnerReference | None:
    """The controller that made a Pod, after which it is named; None of an adopted one, which may be anything."""
    for owner in metadata.ownerReferences:
        if owner.controller and metadata.name.startswith(f"{owner.name}-"):
            return owner
    return None


def _owner_breaches(pod: Pod, owner: OwnerReference) -> Iterator[Breach]:
    """A Pod that does not come from a template that its controller may have."""
    spec, seen = pod.spec, f"a Pod of {owner.kind} {owner.name}"
    if owner.kind == "Job" and spec.restartPolicy == Policy.ALWAYS:
        yield Breach("ctl-job-policy", f"{seen} with restartPolicy Always", "OnFailure or Never")
    if owner.kind not in _LASTING:
        return
    if spec.restartPolicy and not lasting_policy_accepted(spec):
        yield Breach("ctl-always-only", f"{seen} with restartPolicy {spec.restartPolicy}", "Always")
    if pod.metadata.generation == 1 and not template_accepted(spec):
        yield Breach("deadline-not-in-controllers", f"{seen} with activeDeadlineSeconds")
    if owner.kind == "DaemonSet":
        missing = [each.key for each in daemon_tolerations(()) if each not in spec.tolerations]
        if missing:
            yield Breach("ctl-daemonset-tolerations", f"{seen} that does not tolerate {', '.join(missing)}")
