"""What the scheduler remembers of the nodes: the answers of all of them to one question, by answer.

Pods of one template ask the same, and from one Pod to the next few nodes answer otherwise: those whose use has changed.
Only they are asked again, and what follows for a Pod is worked out from sets of nodes instead of from one node after
another. A set is an integer, in which bit n stands for the n-th node by name: a machine word holds dozens of nodes, and
the lowest bit is the first by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import compress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from attrs import define, field, frozen

from podfsm.world.cluster.state import NodeState, Use
from podfsm.world.cluster.traced import Mark

if TYPE_CHECKING:
    from podfsm.world.cluster.desk import Desk

T = TypeVar("T")
Bits = int
"""A set of nodes: bit n stands for the n-th by name."""
NO_USE = Use()
REMEMBERED = 256
"""So many questions are remembered of the same nodes; of more, those asked first are forgotten."""


@define(eq=False)
class Survey(Generic[T]):
    """The answers to one question."""

    answers: list[T]
    """By the node's place."""
    sets: dict[T, Bits]
    """The nodes that gave each answer; none of the sets is empty."""
    mark: Mark
    """Up to which change of uses the answers hold."""

    def replace(self, place: int, answer: T) -> None:
        """One node answers otherwise than before."""
        old = self.answers[place]
        if old == answer:
            return
        self.answers[place] = answer
        self.sets[old] ^= 1 << place
        if not self.sets[old]:
            del self.sets[old]
        self.sets[answer] = self.sets.get(answer, 0) | 1 << place


@frozen(eq=False)
class Open:
    """The nodes, by name, that are open to Pods of some kind whatever room there is, and why the others are not."""

    nodes: tuple[NodeState, ...]
    refused: Mapping[str, int] = field(factory=dict)
    places: Mapping[str, int] = field(init=False)
    """The place of each node by its name."""
    surveys: dict[object, Survey[Any]] = field(init=False, factory=dict)
    """What is remembered of these nodes, by question."""

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "places", {node.name: place for place, node in enumerate(self.nodes)})

    @property
    def all(self) -> Nodes:
        """All of these nodes."""
        return Nodes(self, (1 << len(self.nodes)) - 1)


@frozen(eq=False)
class Nodes:
    """Some of the nodes that are open to a Pod: those whose bits are set."""

    among: Open
    bits: Bits

    def __bool__(self) -> bool:
        return self.bits != 0

    def __len__(self) -> int:
        return self.bits.bit_count()

    def __iter__(self) -> Iterator[NodeState]:
        """By name."""
        return compress(self.among.nodes, map(int, reversed(f"{self.bits:b}")))

    @property
    def first(self) -> NodeState:
        """The first by name; there must be one."""
        return self.among.nodes[(self.bits & -self.bits).bit_length() - 1]

    def only(self, keep: Callable[[NodeState], bool]) -> Nodes:
        """Those of them that are to be kept."""
        return Nodes(self.among, sum(1 << self.among.places[node.name] for node in self if keep(node)))

    def by(self, answers: Iterable[tuple[NodeState, T]]) -> dict[T, Bits]:
        """The sets of nodes that have the same answer."""
        return sets_of((self.among.places[node.name], answer) for node, answer in answers)

    def split(self, sets: Mapping[T, Bits]) -> dict[T, Bits]:
        """What of each set is among these nodes; empty ones are left out."""
        return {answer: both for answer, bits in sets.items() if (both := bits & self.bits)}


def sets_of(answers: Iterable[tuple[int, T]]) -> dict[T, Bits]:
    """The sets of places that have the same answer."""
    found: dict[T, Bits] = {}
    for place, answer in answers:
        found[answer] = found.get(answer, 0) | 1 << place
    return found


def asked(desk: Desk, among: Open, question: object, work_out: Callable[[NodeState, Use], T]) -> Mapping[T, Bits]:
    """The nodes by their answer to a question that nothing but the node, the kind of Pod and the node's use decides."""
    used, known = desk.c.used, among.surveys.get(question)
    changed = used.changed_since(known.mark) if known is not None else None
    if known is None or changed is None:
        answers = [work_out(node, used.get(node.name, NO_USE)) for node in among.nodes]
        known = Survey(answers, sets_of(enumerate(answers)), used.mark)
        _remember(among.surveys, question, known)
        return known.sets
    for name in changed & among.places.keys():
        place = among.places[name]
        known.replace(place, work_out(among.nodes[place], used.get(name, NO_USE)))
    known.mark = used.mark
    return known.sets


def _remember(surveys: dict[object, Survey[Any]], question: object, answers: Survey[Any]) -> None:
    if question not in surveys and len(surveys) >= REMEMBERED:
        del surveys[next(iter(surveys))]
    surveys[question] = answers
