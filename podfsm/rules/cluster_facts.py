"""Facts of the machines around a Pod: nodes, Jobs, evictions, the admission of Pods, namespaces, and resizes.

As in `podfsm.rules.facts`: small, frozen, and enumerable where they can be.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class NodeFacts:
    """What the node machine's guards read."""

    reported: str = "True"
    """The node's condition Ready: True, False or Unknown."""
    now: float = 0.0
    silent_at: float | None = None
    """When the node counts as lost if it goes on saying nothing; None while it reports."""


@frozen
class JobFacts:
    """What the Job machine's guards read."""

    terminating: int = 0
    """How many of its Pods are being deleted and have not finished."""


@frozen
class EvictionFacts:
    """What the eviction machine's guards read."""

    code: int = 201
    """What the eviction API answers."""
    now: float = 0.0
    due_at: float | None = None
    """When the Pod's toleration of its node's taints is used up."""


@frozen
class AdmissionFacts:
    """What the guards of PodPreset admission read."""

    in_scope: bool = True
    """The Pod is no mirror Pod and not excluded."""
    matching: int = 0
    """How many presets of its namespace select it."""
    conflicts: int = 0
    """In how many places they contradict the Pod or one another."""


@frozen
class NamespaceFacts:
    """What the namespace machine's guards read."""

    name: str = "shop"
    remaining: int = 0
    """How many objects are left inside."""


@frozen
class ResizeFacts:
    """What the resize machine's guards read."""

    asked: bool = False
    """The spec asks for other resources than the kubelet has allocated."""
    room: str = "now"
    """Whether the node has room for what is asked: now, later or never."""
    differs: bool = False
    """Some container runs with other resources than were allocated to it."""
