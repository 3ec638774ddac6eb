"""Validation of Jobs and CronJobs, after defaulting.

Source: `pkg/apis/batch/validation/validation.go` (validateJobSpec, validatePodFailurePolicy).
"""

from __future__ import annotations

import re

from podfsm.engine.versions import Gates
from podfsm.kube.objects import PodSpec
from podfsm.kube.workloads import CronJob, Job, JobSpec, OnExitCodes, PodFailurePolicyRule, SuccessPolicy
from podfsm.rules.facts import Policy
from podfsm.rules.job_progress import indexes_of, readable_indexes
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
_MOST_INDEXES, _MOST_WITH_LIMITS = 100_000, 10_000
_DOMAIN_PATH = re.compile(r"(?=.{1,63}$)[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9/._~%!$&'()*+,;=:@-]+")
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
        for name in ("backoffLimitPerIndex", "maxFailedIndexes", "successPolicy"):
            if getattr(spec, name) is not None:
                yield Problem(f"{path}.{name}", INVALID, f"needs completionMode {INDEXED}")
    else:
        yield from _sizes(spec, path)
        if spec.successPolicy is not None:
            yield from _success_policy(spec.successPolicy, spec.completions or 0, f"{path}.successPolicy.rules")
    if spec.managedBy is not None and not _DOMAIN_PATH.fullmatch(spec.managedBy):
        yield Problem(f"{path}.managedBy", INVALID, "must be a domain and a path, as in example.com/controller")
    if spec.maxFailedIndexes is not None and spec.backoffLimitPerIndex is None:
        yield Problem(f"{path}.backoffLimitPerIndex", REQUIRED, "maxFailedIndexes needs it")
    allowed = ("Failed",) if spec.podFailurePolicy is not None else ("TerminatingOrFailed", "Failed")
    if spec.podReplacementPolicy and spec.podReplacementPolicy not in allowed:
        yield Problem(f"{path}.podReplacementPolicy", NOT_SUPPORTED, f"must be {' or '.join(allowed)}")


def _sizes(spec: JobSpec, path: str) -> Problems:
    """How large an Indexed Job may be; one with limits for each index has to stop earlier."""
    completions, lost = spec.completions or 0, spec.maxFailedIndexes
    most = _MOST_INDEXES
    if completions > _MOST_INDEXES and spec.backoffLimitPerIndex is not None:
        most = _MOST_WITH_LIMITS
        if lost is None:
            yield Problem(f"{path}.maxFailedIndexes", REQUIRED, f"needed above {_MOST_INDEXES} completions")
    if (spec.parallelism or 0) > most:
        yield Problem(f"{path}.parallelism", INVALID, f"must be {most} at most")
    if lost is not None and lost > (min(most, spec.completions) if spec.completions is not None else most):
        yield Problem(f"{path}.maxFailedIndexes", INVALID, f"must be {most} at most, and not exceed completions")


def _success_policy(policy: SuccessPolicy, completions: int, path: str) -> Problems:
    """Source: validateSuccessPolicyRule."""
    if not policy.rules:
        yield Problem(path, REQUIRED, "at least one")
    elif len(policy.rules) > _MOST_RULES:
        yield Problem(path, TOO_MANY, f"at most {_MOST_RULES}")
    for index, rule in enumerate(policy.rules):
        at, among = f"{path}[{index}]", completions
        if rule.succeededIndexes is None and rule.succeededCount is None:
            yield Problem(at, REQUIRED, "asks for neither succeededIndexes nor succeededCount")
        if rule.succeededIndexes is not None:
            if not readable_indexes(rule.succeededIndexes, completions):
                why = "must be indexes below completions, in order, as in 0,2-4"
                yield Problem(f"{at}.succeededIndexes", INVALID, why)
                continue
            among = len(indexes_of(rule.succeededIndexes))
        if rule.succeededCount is not None and not 0 <= rule.succeededCount <= among:
            yield Problem(f"{at}.succeededCount", INVALID, f"must be 0 to {among}: there are no more to succeed")


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
