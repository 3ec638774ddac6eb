"""Nodes, as far as binding a Pod needs them: labels, taints, cordons. Without any Node there is one that fits all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from podfsm.kube.document import Document
from podfsm.kube.objects import PodSpec, Toleration


@frozen
class Taint:
    """A node's taint."""

    key: str
    value: str = ""
    effect: str = ""


@frozen
class NodeView:
    """What the scheduler looks at."""

    name: str
    labels: Mapping[str, str] = field(factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


ANY_NODE = NodeView("node-1")
"""The node that a run without Node objects assumes: it fits every Pod."""


def node_view(document: Document) -> NodeView:
    """A Node object as the scheduler sees it."""
    spec = document.raw.get("spec") or {}
    taints = tuple(Taint(t.get("key", ""), t.get("value", ""), t.get("effect", "")) for t in spec.get("taints") or ())
    labels = (document.raw.get("metadata") or {}).get("labels") or {}
    return NodeView(document.name, dict(labels), taints, bool(spec.get("unschedulable")))


def choose_node(spec: PodSpec, nodes: Sequence[NodeView]) -> NodeView | None:
    """The first node, by name, that fits; None if there are nodes and none does."""
    if not nodes:
        return ANY_NODE
    fitting = (node for node in sorted(nodes, key=lambda n: n.name) if fits(spec, node))
    return next(fitting, None)


def fits(spec: PodSpec, node: NodeView) -> bool:
    """Whether selector and taints let the Pod onto the node."""
    if node.unschedulable or any(node.labels.get(key) != value for key, value in spec.nodeSelector.items()):
        return False
    hard = (taint for taint in node.taints if taint.effect in ("NoSchedule", "NoExecute"))
    return all(any(tolerates(t, taint) for t in spec.tolerations) for taint in hard)


def tolerates(toleration: Toleration, taint: Taint) -> bool:
    """Whether a toleration covers a taint."""
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.operator == "Exists":
        return not toleration.key or toleration.key == taint.key
    return toleration.key == taint.key and toleration.value == taint.value
