"""Validation of the objects that own Pods, after defaulting.

Source: `pkg/apis/apps/validation/validation.go`, `pkg/apis/core/validation/validation.go`
(ValidateReplicationControllerSpec).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from podfsm.engine.versions import Gates
from podfsm.kube.objects import LabelSelector, PodSpec, Struct
from podfsm.kube.selector import matches
from podfsm.kube.workloads import (
    CronJob,
    DeploymentStrategy,
    Job,
    PodTemplateSpec,
    ReplicationController,
    RollingUpdate,
    SetSpec,
    Workload,
)
from podfsm.rules.deadline import template_accepted
from podfsm.rules.disruption_budget import scaled
from podfsm.rules.facts import Policy
from podfsm.rules.problems import FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, Problem, Problems
from podfsm.rules.validation import metadata_problems, spec_problems
from podfsm.rules.validation_jobs import cron_job_problems, job_problems
from podfsm.rules.validation_scheduling import selector_problems


def workload_problems(owner: Struct, gates: Gates) -> list[Problem]:
    """What the API server finds wrong with an object that owns Pods (of `kube.workloads.TYPES`), sorted."""
    found = sorted(_workload(owner, gates))
    return list({(each.field, each.type): each for each in found}.values())


def _workload(owner: Struct, gates: Gates) -> Problems:
    metadata = getattr(owner, "metadata")  # noqa: B009 - each class of TYPES has it
    yield from metadata_problems(metadata.name, metadata.labels, "metadata")
    if isinstance(owner, Job):
        yield from job_problems(owner, gates)
    elif isinstance(owner, CronJob):
        yield from cron_job_problems(owner, gates)
    elif isinstance(owner, ReplicationController):
        yield from _controller(owner, gates)
    else:
        yield from _set(cast(Workload, owner), gates)


def _controller(owner: ReplicationController, gates: Gates) -> Problems:
    spec = owner.spec
    yield from _not_negative(spec, ("replicas", "minReadySeconds"))
    if not spec.selector:
        yield Problem("spec.selector", REQUIRED, "an empty selector would claim every Pod")
    if spec.template is None:
        yield Problem("spec.template", REQUIRED, "there is nothing to make Pods from")
        return
    yield from _template(spec.template, LabelSelector(spec.selector) if spec.selector else None, gates)


def _set(owner: Workload, gates: Gates) -> Problems:
    spec = owner.spec
    yield from _not_negative(spec, ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"))
    selector = spec.selector
    if selector is None:
        yield Problem("spec.selector", REQUIRED, "says which Pods are its own")
    elif not (selector.matchLabels or selector.matchExpressions):
        yield Problem("spec.selector", INVALID, "an empty selector would claim every Pod")
        selector = None
    else:
        yield from selector_problems(selector, "spec.selector")
    yield from _template(spec.template, selector, gates)
    if owner.kind == "Deployment":
        yield from _rollout(spec)
    elif owner.kind == "DaemonSet":
        yield from _daemons(spec.updateStrategy, "spec.updateStrategy")


def _rollout(spec: SetSpec) -> Problems:
    strategy = spec.strategy
    if strategy.type not in ("Recreate", "RollingUpdate"):
        yield Problem("spec.strategy.type", NOT_SUPPORTED, "must be Recreate or RollingUpdate")
    elif strategy.type == "Recreate" and strategy.rollingUpdate is not None:
        yield Problem("spec.strategy.rollingUpdate", FORBIDDEN, "Recreate takes none")
    elif strategy.rollingUpdate is not None:
        yield from _rolling(strategy.rollingUpdate, "spec.strategy.rollingUpdate")
    if spec.progressDeadlineSeconds is not None and 0 <= spec.progressDeadlineSeconds <= spec.minReadySeconds:
        yield Problem("spec.progressDeadlineSeconds", INVALID, "must be longer than minReadySeconds")


def _daemons(strategy: DeploymentStrategy, path: str) -> Problems:
    """A node gets its new Pod beside the old one or after it. Source: ValidateDaemonSetUpdateStrategy."""
    rolling = strategy.rollingUpdate
    if strategy.type not in ("OnDelete", "RollingUpdate"):
        yield Problem(f"{path}.type", NOT_SUPPORTED, "must be RollingUpdate or OnDelete")
    elif strategy.type == "RollingUpdate" and rolling is not None:
        yield from _rolling(rolling, f"{path}.rollingUpdate")
        if scaled(rolling.maxUnavailable or 0, 100) and scaled(rolling.maxSurge or 0, 100):
            yield Problem(f"{path}.rollingUpdate.maxSurge", INVALID, "must be 0 while maxUnavailable is not")


def _rolling(update: RollingUpdate, path: str) -> Problems:
    amounts: dict[str, int | None] = {}
    for name in ("maxUnavailable", "maxSurge"):
        value = getattr(update, name)
        amount = amounts[name] = scaled(0 if value is None else value, 100)
        if amount is None or amount < 0:
            yield Problem(f"{path}.{name}", INVALID, "must be a number from 0 on or a percentage")
    if isinstance(update.maxUnavailable, str) and (amounts["maxUnavailable"] or 0) > 100:
        yield Problem(f"{path}.maxUnavailable", INVALID, "must not exceed 100%")
    if amounts == {"maxUnavailable": 0, "maxSurge": 0}:
        yield Problem(f"{path}.maxUnavailable", INVALID, "must not be 0 while maxSurge is: nothing could move")


def _not_negative(spec: Struct, names: Sequence[str]) -> Problems:
    for name in names:
        if (getattr(spec, name, None) or 0) < 0:
            yield Problem(f"spec.{name}", INVALID, "must not be negative")


def _template(template: PodTemplateSpec, selector: LabelSelector | None, gates: Gates) -> Problems:
    """A template of Pods that are to run for good, and that the selector finds again."""
    if selector is not None and _sound(selector) and not matches(selector, template.metadata.labels):
        yield Problem("spec.template.metadata.labels", INVALID, "the selector does not match the template's labels")
    yield from spec_problems(template.spec, "spec.template.spec", gates)
    yield from lasting_problems(template.spec, "spec.template.spec")


def _sound(selector: LabelSelector) -> bool:
    return not list(selector_problems(selector, ""))


def lasting_problems(spec: PodSpec, path: str) -> Problems:
    """What only Pods that end may have."""
    if spec.restartPolicy != Policy.ALWAYS:
        yield Problem(
            f"{path}.restartPolicy", NOT_SUPPORTED, "must be Always: these Pods run for good", "ctl-always-only"
        )
    if not template_accepted(spec):
        why = "these Pods run for good"
        yield Problem(f"{path}.activeDeadlineSeconds", FORBIDDEN, why, "deadline-not-in-controllers")
    if spec.ephemeralContainers:
        yield Problem(f"{path}.ephemeralContainers", FORBIDDEN, "not in templates", "ephemeral-not-at-create")
