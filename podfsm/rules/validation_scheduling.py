"""Validation of what the scheduler reads: tolerations, scheduling gates, spread constraints, selectors.

Source: `pkg/apis/core/validation/validation.go`, `apimachinery/pkg/apis/meta/v1/validation/validation.go`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    LabelSelector,
    LabelSelectorRequirement,
    PodSchedulingGate,
    Toleration,
    TopologySpreadConstraint,
)
from podfsm.rules.names import is_label_value, is_qualified
from podfsm.rules.problems import DUPLICATE, FORBIDDEN, INVALID, NOT_SUPPORTED, REQUIRED, Problem, Problems
from podfsm.rules.topology_spread import HARD, HONOR, IGNORE, SOFT

_EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_QUALIFIED = "must be a qualified name: an optional DNS prefix and /, then letters, digits, -, _ and ."
_SPREAD = "spread-fields"


def toleration_problems(tolerations: Sequence[Toleration], path: str, gates: Gates) -> Problems:
    """Keys, operators, values and effects of tolerations."""
    for index, toleration in enumerate(tolerations):
        at, operator = f"{path}[{index}]", toleration.operator
        if toleration.key and not is_qualified(toleration.key):
            yield Problem(f"{at}.key", INVALID, _QUALIFIED)
        if not toleration.key and operator != "Exists":
            yield Problem(f"{at}.operator", INVALID, "must be Exists where there is no key")
        if toleration.tolerationSeconds is not None and toleration.effect != "NoExecute":
            yield Problem(f"{at}.effect", INVALID, "must be NoExecute where there are tolerationSeconds")
        yield from _value(toleration, at, gates)
        if toleration.effect and toleration.effect not in _EFFECTS:
            yield Problem(f"{at}.effect", NOT_SUPPORTED, f"must be one of {', '.join(_EFFECTS)}")


def _value(toleration: Toleration, path: str, gates: Gates) -> Problems:
    operator, value = toleration.operator, toleration.value
    numeric = operator in ("Gt", "Lt") and gates.on("TaintTolerationComparisonOperators")
    if operator in ("", "Equal"):
        if not is_label_value(value):
            yield Problem(f"{path}.operator", INVALID, f"{value!r} is no value of a label")
    elif operator == "Exists":
        if value:
            yield Problem(f"{path}.operator", INVALID, "Exists takes no value")
    elif not numeric:
        yield Problem(f"{path}.operator", NOT_SUPPORTED, "must be Equal or Exists")
    elif not value.removeprefix("-").isdecimal():
        yield Problem(f"{path}.value", INVALID, f"{operator} takes an integer")


def gate_problems(gates: Sequence[PodSchedulingGate], path: str) -> Problems:
    """Names of scheduling gates: qualified, and each once."""
    seen: set[str] = set()
    for index, gate in enumerate(gates):
        if not is_qualified(gate.name):
            yield Problem(f"{path}[{index}]", INVALID, _QUALIFIED, "sched-gates-only-removed")
        if gate.name in seen:
            yield Problem(f"{path}[{index}]", DUPLICATE, "this gate is there already")
        seen.add(gate.name)


def spread_problems(constraints: Sequence[TopologySpreadConstraint], path: str, gates: Gates) -> Problems:
    """Topology spread constraints, each alone and against the ones after it."""
    for index, each in enumerate(constraints):
        at = f"{path}[{index}]"
        if each.maxSkew <= 0:
            yield Problem(f"{at}.maxSkew", INVALID, "must be above 0", _SPREAD)
        if not each.topologyKey:
            yield Problem(f"{at}.topologyKey", REQUIRED, "a constraint names the label of its domains", _SPREAD)
        if each.whenUnsatisfiable not in (HARD, SOFT):
            yield Problem(f"{at}.whenUnsatisfiable", NOT_SUPPORTED, f"must be {HARD} or {SOFT}", _SPREAD)
        pair = (each.topologyKey, each.whenUnsatisfiable)
        if pair in [(later.topologyKey, later.whenUnsatisfiable) for later in constraints[index + 1 :]]:
            where = f"{at}.{{topologyKey, whenUnsatisfiable}}"
            yield Problem(where, DUPLICATE, "a later constraint has the same two", _SPREAD)
        yield from _domains(each, at)
        yield from _label_keys(each, at, gates)
        if each.labelSelector is not None:
            yield from selector_problems(each.labelSelector, f"{at}.labelSelector")


def _domains(constraint: TopologySpreadConstraint, path: str) -> Problems:
    minimum = constraint.minDomains
    if minimum is not None and (minimum <= 0 or constraint.whenUnsatisfiable != HARD):
        yield Problem(f"{path}.minDomains", INVALID, f"must be above 0, and beside {HARD}", "spread-min-domains")
    for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        policy = getattr(constraint, name)
        if policy is not None and policy not in (HONOR, IGNORE):
            yield Problem(f"{path}.{name}", NOT_SUPPORTED, f"must be {HONOR} or {IGNORE}", "spread-node-policies")


def _label_keys(constraint: TopologySpreadConstraint, path: str, gates: Gates) -> Problems:
    selector, keys = constraint.labelSelector, constraint.matchLabelKeys
    rule, merged = "spread-match-label-keys", gates.on("MatchLabelKeysInPodTopologySpreadSelectorMerge")
    if keys and selector is None:
        yield Problem(f"{path}.matchLabelKeys", FORBIDDEN, "there is no labelSelector to add them to", rule)
        if merged:
            return  # where the API server merges the keys it then looks no further
    selected = {*selector.matchLabels, *(each.key for each in selector.matchExpressions)} if selector else set()
    for index, key in enumerate(keys):
        if not is_qualified(key):
            yield Problem(f"{path}.matchLabelKeys[{index}]", INVALID, _QUALIFIED, rule)
        if key in selected and not merged:
            yield Problem(f"{path}.matchLabelKeys[{index}]", INVALID, "labelSelector has this key already", rule)


def selector_problems(selector: LabelSelector, path: str) -> Problems:
    """Keys, operators and values of a label selector."""
    for key, value in selector.matchLabels.items():
        if not is_qualified(key) or not is_label_value(value):
            yield Problem(f"{path}.matchLabels", INVALID, f"{key}={value} is no label")
    for index, each in enumerate(selector.matchExpressions):
        yield from _requirement(each, f"{path}.matchExpressions[{index}]")


def _requirement(each: LabelSelectorRequirement, path: str) -> Problems:
    if each.operator in ("In", "NotIn"):
        if not each.values:
            yield Problem(f"{path}.values", REQUIRED, f"{each.operator} needs values")
    elif each.operator in ("Exists", "DoesNotExist"):
        if each.values:
            yield Problem(f"{path}.values", FORBIDDEN, f"{each.operator} takes no values")
    else:
        yield Problem(f"{path}.operator", INVALID, "must be In, NotIn, Exists or DoesNotExist")
    if not is_qualified(each.key):
        yield Problem(f"{path}.key", INVALID, _QUALIFIED)
    for index, value in enumerate(each.values):
        if not is_label_value(value):
            yield Problem(f"{path}.values[{index}]", INVALID, "is no value of a label")
