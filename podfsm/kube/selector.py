"""Label selectors: which labels they match."""

from __future__ import annotations

from collections.abc import Mapping

from podfsm.errors import InputError, nearest
from podfsm.kube.objects import LabelSelector, LabelSelectorRequirement

OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy a selector: every pair of `matchLabels` and every expression.

    No selector (None) matches nothing; one without terms matches everything. Source:
    `apimachinery/pkg/apis/meta/v1/helpers.go` (LabelSelectorAsSelector). Raises InputError for an unknown operator.
    """
    if selector is None:
        return False
    for key, value in selector.matchLabels.items():
        if labels.get(key) != value:
            return False
    return all(satisfies(requirement, labels) for requirement in selector.matchExpressions)


def satisfies(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    """Whether labels satisfy one expression. `NotIn` holds where the key is absent."""
    operator, key = requirement.operator, requirement.key
    if operator == "In":
        return key in labels and labels[key] in requirement.values
    if operator == "NotIn":
        return key not in labels or labels[key] not in requirement.values
    if operator == "Exists":
        return key in labels
    if operator == "DoesNotExist":
        return key not in labels
    expected, hint = "one of " + ", ".join(OPERATORS), nearest(operator, OPERATORS)
    raise InputError("unknown operator", path="operator", expected=expected, found=repr(operator), hint=hint)
