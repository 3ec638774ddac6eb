"""Reachability over plain successor maps: what a machine's states can and cannot get to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Successors = Mapping[str, Iterable[str]]


def reachable_from(starts: Iterable[str], successors: Successors) -> frozenset[str]:
    """Every state that can be reached from `starts`, themselves included."""
    seen = set(starts)
    left = list(seen)
    while left:
        for state in successors.get(left.pop(), ()):
            if state not in seen:
                seen.add(state)
                left.append(state)
    return frozenset(seen)


def reversed_edges(successors: Successors) -> dict[str, list[str]]:
    """The same edges, the other way round."""
    back: dict[str, list[str]] = {}
    for state, nexts in successors.items():
        for following in nexts:
            back.setdefault(following, []).append(state)
    return back


def traps(states: Iterable[str], finals: Iterable[str], successors: Successors) -> tuple[str, ...]:
    """The states that are not final and from which no transition leads to another state, in the order given."""
    ends = set(finals)
    return tuple(s for s in states if s not in ends and not any(other != s for other in successors.get(s, ())))


def without_end(states: Iterable[str], finals: Iterable[str], successors: Successors) -> tuple[str, ...]:
    """The states from which no final state can be reached; none when the machine has no final state at all."""
    ends = tuple(finals)
    if not ends:
        return ()
    ending = reachable_from(ends, reversed_edges(successors))
    return tuple(state for state in states if state not in ending)
