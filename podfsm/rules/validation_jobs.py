"""Validation of Jobs and CronJobs, after defaulting.

Source: `pkg/apis/batch/validation/validation.go` (validateJobSpec, validatePodFailurePolicy).
"""

from __future__ import annotations

from podfsm.engine.versions import Gates
from podfsm.kube.objects import PodSpec
from podfsm.kube.workloads import CronJob, Job, JobSpec, OnExitCodes, PodFailurePolicyRule
from podfsm.rules.facts import Policy
from podfsm.rules.job_progress import readable_indexes
from podfsm.rules.problems import (
    DUPLICATE,
    INVALID,
    NOT_SUPPORTED,
    REQUIRED,
    TOO_MANY,
    Problem,
    Problems,
)
from podfsm.rules.validation import spec_problems

INDEXED, NON_INDEXED = "Indexed", "NonIndexed"

_NOT_NEGATIVE = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_ACTIONS = ("FailJob", "Ignore", "Count", "FailIndex")
_MOST_RULES, _MOST_VALUES = 20, 255
_RULE = "ctl-job-policy"


def job_problems(job: Job, gates: Gates) -> Problems:
    """What is wrong with a Job."""
    return job_spec_problems(job.spec, "spec", gates)


def cron_job_problems(job: CronJob, gates: Gates) -> Problems:
    """What is wrong with a CronJob; of its schedule only that there is one."""
    if not job.spec.schedule:
        yield Problem("spec.schedule", REQUIRED, "a CronJob has a schedule")
    for name in ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"):
        if (getattr(job.spec, name) or 0) < 0:
            yield Problem(f"spec.{name}", INVALID, "must not be negative")
    if job.spec.concurrencyPolicy not in ("Allow", "Forbid", "Replace"):
        yield Problem("spec.concurrencyPolicy", NOT_SUPPORTED, "must be Allow, Forbid or Replace")
    if len(job.metadata.name) > 52:
        yield Problem("metadata.name", INVALID, "must have 52 characters at most: its Jobs get longer names")
    yield from job_spec_problems(job.spec.jobTemplate.spec, "spec.jobTemplate.spec", gates)


def job_spec_problems(spec: JobSpec, path: str, gates: Gates) -> Problems:
    """What is wrong with a Job's spec that stands at `path`."""
    for name in _NOT_NEGATIVE:
        if (getattr(spec, name) or 0) < 0:
            yield Problem(f"{path}.{name}", INVALID, "must not be negative")
    yield from _modes(spec, path)
    if spec.podFailurePolicy is not None:
        yield from _failure_policy(spec, f"{path}.podFailurePolicy")
    yield from spec_problems(spec.template.spec, f"{path}.template.spec", gates)
    yield from _policy(spec, f"{path}.template.spec.restartPolicy")


def _modes(spec: JobSpec, path: str) -> Problems:
    indexed = spec.completionMode == INDEXED
    if spec.completionMode not in (INDEXED, NON_INDEXED):
        yield Problem(f"{path}.completionMode", NOT_SUPPORTED, f"must be {INDEXED} or {NON_INDEXED}")
    if indexed and spec.completions is None:
        yield Problem(f"{path}.completions", REQUIRED, "an Indexed Job has a number of completions")
    if not indexed:
        for name in ("backoffLimitPerIndex", "successPolicy"):
            if getattr(spec, name) is not None:
                yield Problem(f"{path}.{name}", INVALID, f"needs completionMode {INDEXED}")
    for index, rule in enumerate(spec.successPolicy.rules if spec.successPolicy is not None else ()):
        if rule.succeededIndexes is not None and not readable_indexes(rule.succeededIndexes, spec.completions or 0):
            where = f"{path}.successPolicy.rules[{index}].succeededIndexes"
            yield Problem(where, INVALID, "must be indexes below completions, in order, as in 0,2-4")
    if spec.maxFailedIndexes is not None and spec.backoffLimitPerIndex is None:
        yield Problem(f"{path}.backoffLimitPerIndex", REQUIRED, "maxFailedIndexes needs it")
    allowed = ("Failed",) if spec.podFailurePolicy is not None else ("TerminatingOrFailed", "Failed")
    if spec.podReplacementPolicy and spec.podReplacementPolicy not in allowed:
        yield Problem(f"{path}.podReplacementPolicy", NOT_SUPPORTED, f"must be {' or '.join(allowed)}")


def _policy(spec: JobSpec, path: str) -> Problems:
    policy = spec.template.spec.restartPolicy
    if policy == Policy.ALWAYS:
        yield Problem(path, REQUIRED, "a Job's Pods have OnFailure or Never: they are to end", _RULE)
    elif policy not in (Policy.ON_FAILURE, Policy.NEVER):
        yield Problem(path, NOT_SUPPORTED, "must be OnFailure or Never", _RULE)
    elif spec.podFailurePolicy is not None and policy != Policy.NEVER:
        yield Problem(path, INVALID, "must be Never beside a podFailurePolicy", _RULE)


def _failure_policy(spec: JobSpec, path: str) -> Problems:
    assert spec.podFailurePolicy is not None
    rules = spec.podFailurePolicy.rules
    if len(rules) > _MOST_RULES:
        yield Problem(f"{path}.rules", TOO_MANY, f"at most {_MOST_RULES}")
    for index, rule in enumerate(rules):
        yield from _failure_rule(rule, spec, f"{path}.rules[{index}]")


def _failure_rule(rule: PodFailurePolicyRule, spec: JobSpec, path: str) -> Problems:
    if not rule.action:
        yield Problem(f"{path}.action", REQUIRED, f"must be one of {', '.join(_ACTIONS)}")
    elif rule.action not in _ACTIONS:
        yield Problem(f"{path}.action", NOT_SUPPORTED, f"must be one of {', '.join(_ACTIONS)}")
    elif rule.action == "FailIndex" and spec.backoffLimitPerIndex is None:
        yield Problem(f"{path}.action", INVALID, "FailIndex needs backoffLimitPerIndex")
    codes, conditions = rule.onExitCodes, rule.onPodConditions
    if codes is None and not conditions:
        yield Problem(path, INVALID, "asks for neither exit codes nor conditions")
    elif codes is not None and conditions:
        yield Problem(path, INVALID, "asks for exit codes and conditions; one of them must go")
    elif codes is not None:
        yield from _exit_codes(codes, spec.template.spec, f"{path}.onExitCodes")
    if len(conditions) > _MOST_RULES:
        yield Problem(f"{path}.onPodConditions", TOO_MANY, f"at most {_MOST_RULES}")
    for index, condition in enumerate(conditions):
        at = f"{path}.onPodConditions[{index}].status"
        if condition.status not in ("True", "False", "Unknown"):
            kind = NOT_SUPPORTED if condition.status else REQUIRED
            yield Problem(at, kind, "must be True, False or Unknown")


def _exit_codes(codes: OnExitCodes, spec: PodSpec, path: str) -> Problems:
    names = {container.name for container in (*spec.containers, *spec.initContainers)}
    if codes.containerName is not None and codes.containerName not in names:
        yield Problem(f"{path}.containerName", INVALID, "the template has no such container")
    if codes.operator not in ("In", "NotIn"):
        yield Problem(f"{path}.operator", NOT_SUPPORTED if codes.operator else REQUIRED, "must be In or NotIn")
    if not codes.values:
        yield Problem(f"{path}.values", INVALID, "names no exit code")
    elif len(codes.values) > _MOST_VALUES:
        yield Problem(f"{path}.values", TOO_MANY, f"at most {_MOST_VALUES}")
    for index, value in enumerate(codes.values):
        if value == 0 and codes.operator == "In":
            yield Problem(f"{path}.values[{index}]", INVALID, "0 is no failure")
        if value in codes.values[:index]:
            yield Problem(f"{path}.values[{index}]", DUPLICATE, "is listed already")
    if list(codes.values) != sorted(codes.values):
        yield Problem(f"{path}.values", INVALID, "must be in ascending order")
