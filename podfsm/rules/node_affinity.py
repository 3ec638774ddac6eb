"""Which nodes a Pod asks for: nodeSelector and required node affinity.

Source: `component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go` (GetRequiredNodeAffinity, Match).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from podfsm.kube.cluster import Node
from podfsm.kube.objects import PodSpec

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def wanted(spec: PodSpec, node: Node) -> bool:
    """Whether a node has every label of nodeSelector and fits one of the required terms of node affinity."""
    labels = node.metadata.labels
    if any(labels.get(key) != value for key, value in spec.nodeSelector.items()):
        return False
    required = ((spec.affinity or {}).get("nodeAffinity") or {}).get(_REQUIRED)
    if required is None:
        return True
    return any(term_fits(term, node) for term in required.get("nodeSelectorTerms") or ())


def term_fits(term: Mapping[str, Any], node: Node) -> bool:
    """One term: all of its expressions over labels and over fields. A term without any fits no node."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not expressions and not fields:
        return False
    names = {"metadata.name": node.metadata.name}
    return all(_holds(each, node.metadata.labels) for each in expressions) and all(
        _holds(each, names) for each in fields
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    operator, values = expression.get("operator"), expression.get("values") or ()
    value = labels.get(expression.get("key") or "")
    if operator == "In":
        return value is not None and value in values
    if operator == "NotIn":
        return value is None or value not in values
    if operator == "Exists":
        return value is not None
    if operator == "DoesNotExist":
        return value is None
    return operator in ("Gt", "Lt") and _compared(operator, value, values)


def _compared(operator: str, value: str | None, values: Any) -> bool:
    """Gt and Lt compare integers; what is none satisfies neither."""
    try:
        left, right = int(value or ""), int(values[0])
    except (ValueError, IndexError):
        return False
    return left > right if operator == "Gt" else left < right
