"""Validation over plain JSON: what the API server finds wrong with a manifest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from podfsm.engine.versions import Gates
from podfsm.evaluate.registry import evaluator
from podfsm.kube.defaults import default_pod
from podfsm.kube.objects import Pod
from podfsm.kube.workload_defaults import default_workload
from podfsm.kube.workloads import TYPES
from podfsm.rules.problems import Problem
from podfsm.rules.validation import ephemeral_problems, pod_problems
from podfsm.rules.validation_workloads import workload_problems


@evaluator("pod-validate")
def pod_validate(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What is wrong with a Pod that is created."""
    return {"errors": _listed(pod_problems(_pod(given["manifest"], gates), gates))}


@evaluator("workload-validate")
def workload_validate(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What is wrong with an object that owns Pods."""
    raw = default_workload(given["manifest"], pod_level_resources=gates.on("PodLevelResources"))
    return {"errors": _listed(workload_problems(msgspec.convert(raw, TYPES[raw["kind"]]), gates))}


@evaluator("ephemeral-update")
def ephemeral_update(given: dict[str, Any], gates: Gates) -> dict[str, Any]:
    """What is wrong with a change of a Pod's ephemeral containers."""
    old = given["pod"]
    new = {**old, "spec": {**old["spec"], "ephemeralContainers": given.get("newEphemeralContainers") or []}}
    return {"errors": _listed(ephemeral_problems(_pod(new, gates), _pod(old, gates).spec, gates))}


def _pod(raw: dict[str, Any], gates: Gates) -> Pod:
    return msgspec.convert(default_pod(raw, pod_level_resources=gates.on("PodLevelResources")), Pod)


def _listed(problems: Iterable[Problem]) -> list[dict[str, str]]:
    ordered = sorted(problems, key=lambda each: each.field + each.type)
    return [{"field": each.field, "type": each.type} for each in ordered]
