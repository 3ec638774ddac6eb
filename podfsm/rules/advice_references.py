"""Advice about objects together: names that nothing here answers to, and Pods that two objects want for themselves.

What is not among the manifests may well be in the cluster, so a missing object is remarked on, not refused.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.admission import BUILT_IN
from podfsm.rules.advice import NOTE, WARNING, Advice

_AREA = "advice"
_NO_CLASS = "no PriorityClass {} among these objects; without it the API server refuses the Pod"
_NO_NODE = "no Node {} among these objects; a Pod bound to a node that is missing is deleted by PodGC"
_NO_OWNER = "no {} among these objects; a Pod whose owners are all gone is deleted by the garbage collector"
_SHARED = "selects the Pods of {} too: which of the two adopts a Pod without owner is left to chance"
_TWICE = "a second object of this kind and name: applied it changes the one of {}, created it is refused"
_BUDGETS = "selects Pods that {} selects too: evictions of a Pod with several budgets fail"


@derivation(
    "advice-same-name",
    area=_AREA,
    cites=[
        docs("concepts/overview/working-with-objects/names.md#names"),
        source("staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go", "Store.Create"),
    ],
    examples=[
        example("line 1", gives=(Advice("name", WARNING, _TWICE.format("line 1")),)),
        example("", gives=()),
    ],
)
def named_before(first: str) -> tuple[Advice, ...]:
    """Of one kind there is one object of a name in a namespace; `first` says where it was named before, if it was."""
    return (Advice("name", WARNING, _TWICE.format(first)),) if first else ()


@derivation(
    "advice-unknown-priority",
    area=_AREA,
    cites=[
        docs("concepts/scheduling-eviction/pod-priority-preemption.md#pod-priority"),
        source("plugin/pkg/admission/priority/admission.go", "admitPod"),
    ],
    examples=[
        example("high", (), gives=(Advice("priorityClassName", WARNING, _NO_CLASS.format("high")),)),
        example("high", ("high",), gives=()),
        example("system-node-critical", (), gives=()),
        example("", (), gives=()),
    ],
)
def unknown_class(name: str, known: Collection[str]) -> tuple[Advice, ...]:
    """A Pod whose PriorityClass does not exist is refused; two classes for the system are always there."""
    if not name or name in known or name in BUILT_IN:
        return ()
    return (Advice("priorityClassName", WARNING, _NO_CLASS.format(name)),)


@derivation(
    "advice-unknown-node",
    area=_AREA,
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-garbage-collection"),
        source("pkg/controller/podgc/gc_controller.go", "gcOrphaned"),
    ],
    examples=[
        example("ghost", ("a",), gives=(Advice("nodeName", WARNING, _NO_NODE.format("ghost")),)),
        example("a", ("a",), gives=()),
        example("ghost", (), gives=()),
    ],
)
def unknown_node(name: str, nodes: Collection[str]) -> tuple[Advice, ...]:
    """A Pod bound to a node that does not exist is deleted. Nothing is said where no Nodes are given at all."""
    if not name or not nodes or name in nodes:
        return ()
    return (Advice("nodeName", WARNING, _NO_NODE.format(name)),)


@derivation(
    "advice-unknown-owner",
    area=_AREA,
    cites=[
        docs("concepts/architecture/garbage-collection.md#owners-dependents"),
        source("pkg/controller/garbagecollector/garbagecollector.go", "attemptToDeleteItem"),
    ],
    examples=[
        example(["Job/a"], ("Job/a",), gives=()),
        example(["Job/a"], (), gives=(Advice("", NOTE, _NO_OWNER.format("Job/a")),)),
        example(["Job/a", "Job/b"], ("Job/b",), gives=()),
    ],
)
def unknown_owners(owners: Sequence[str], known: Collection[str]) -> tuple[Advice, ...]:
    """A Pod none of whose owners exists is deleted by the garbage collector. Owners are given as kind/name."""
    if not owners or any(owner in known for owner in owners):
        return ()
    return (Advice("", NOTE, _NO_OWNER.format(" or ".join(owners))),)


@derivation(
    "advice-shared-pods",
    area=_AREA,
    cites=[
        docs("concepts/workloads/controllers/deployment.md#selector"),
        source("pkg/controller/controller_ref_manager.go", "ClaimPods"),
    ],
    examples=[
        example(["Deployment/b"], gives=(Advice("selector", WARNING, _SHARED.format("Deployment/b")),)),
        example([], gives=()),
    ],
)
def shared_pods(others: Sequence[str]) -> tuple[Advice, ...]:
    """Selectors of two controllers that match each other's Pods are a mistake: each takes what the other lets go."""
    return tuple(Advice("selector", WARNING, _SHARED.format(other)) for other in others)


@derivation(
    "advice-two-budgets",
    area=_AREA,
    cites=[
        docs("tasks/run-application/configure-pdb.md#arbitrary-controllers-and-selectors"),
        source("pkg/registry/core/pod/storage/eviction.go", "Create"),
    ],
    examples=[
        example(
            ["PodDisruptionBudget/b"],
            gives=(Advice("selector", WARNING, _BUDGETS.format("PodDisruptionBudget/b")),),
        ),
        example([], gives=()),
    ],
)
def shared_budgets(others: Sequence[str]) -> tuple[Advice, ...]:
    """A Pod that two budgets select cannot be evicted: the API answers with an error."""
    return tuple(Advice("selector", WARNING, _BUDGETS.format(other)) for other in others)
