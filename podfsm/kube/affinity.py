"""Affinity to nodes and to other Pods, typed and frozen: for checking it, as in `podfsm.kube.objects`."""

from __future__ import annotations

from podfsm.kube.objects import LabelSelector, Struct


class Expression(Struct, frozen=True):
    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


class Term(Struct, frozen=True):
    matchExpressions: tuple[Expression, ...] = ()
    matchFields: tuple[Expression, ...] = ()


class NodeSelector(Struct, frozen=True):
    nodeSelectorTerms: tuple[Term, ...] = ()


class PreferredTerm(Struct, frozen=True):
    weight: int = 0
    preference: Term = Term()


class NodeAffinity(Struct, frozen=True):
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None
    preferredDuringSchedulingIgnoredDuringExecution: tuple[PreferredTerm, ...] = ()


class PodTerm(Struct, frozen=True):
    labelSelector: LabelSelector | None = None
    namespaces: tuple[str, ...] = ()
    topologyKey: str = ""


class WeightedTerm(Struct, frozen=True):
    weight: int = 0
    podAffinityTerm: PodTerm = PodTerm()


class PodAffinity(Struct, frozen=True):
    requiredDuringSchedulingIgnoredDuringExecution: tuple[PodTerm, ...] = ()
    preferredDuringSchedulingIgnoredDuringExecution: tuple[WeightedTerm, ...] = ()


class Affinity(Struct, frozen=True):
    nodeAffinity: NodeAffinity = NodeAffinity()
    podAffinity: PodAffinity = PodAffinity()
    podAntiAffinity: PodAffinity = PodAffinity()
