"""History level: what a back-off says of itself. Its message names the delay, which climbs from one end to the next.

The kubelet makes an entry with the first restart it lets through and doubles it with each one after; a node may have a
longest delay of its own. Where attempts may have gone unseen only what no number of them explains is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from attrs import frozen

from podfsm.check.finding import WARNING, Breach
from podfsm.engine.versions import Gates
from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.rules import backoff
from podfsm.rules.crash_backoff import BackOffEntry, limits, stated_delay
from podfsm.rules.instances import statuses_of

REASON = "CrashLoopBackOff"
_FORM = re.compile(r"back-off \S+ restarting failed container=(\S+) pod=\S+")


@frozen
class Said:
    """What a back-off said: the delay in seconds, after which restart."""

    delay: float
    count: int


def message_breaches(pod: Pod, gates: Gates) -> Iterator[Breach]:
    """Messages of back-offs that name another container, or a delay that is none."""
    for status in statuses_of(pod):
        waiting = status.state.waiting
        if waiting is None or waiting.reason != REASON:
            continue
        named = _FORM.match(waiting.message)
        if status.containerID and named is None:
            words = "back-off DELAY restarting failed container=NAME pod=NAME_NAMESPACE(UID)"
            yield Breach("backoff-reason", f'"{waiting.message}"', f'"{words}"', status.name, severity=WARNING)
        elif named is not None and named[1] != status.name:  # a Pod may have been renamed to hide whose it is
            yield Breach("backoff-reason", f'"{waiting.message}"', f"container={status.name}", status.name)
        said = stated_delay(waiting.message)
        if said is not None:
            yield from _off_breach(said, status.name, gates)


def _off_breach(said: float, name: str, gates: Gates) -> Iterator[Breach]:
    """A delay that doubling does not lead to. One of a node's own would be its longest, so nothing is proven."""
    initial, maximum = limits(gates)
    if said > maximum:
        yield Breach("backoff-cap", f"back-off of {said:.0f} s", f"at most {maximum:.0f} s", name)
    elif said < 1.0:
        yield Breach("backoff-base", f"back-off of {said:.0f} s", "at least 1 s", name)
    elif said < initial:
        words = f"at least {initial:.0f} s, where no node has a shorter longest delay"
        yield Breach("backoff-base", f"back-off of {said:.0f} s", words, name, severity=WARNING)
    elif said not in _rungs(initial, maximum):
        steps = ", ".join(f"{rung:.0f}" for rung in _rungs(initial, maximum))
        words = f"one of {steps} s, where no node has a longest delay of its own"
        yield Breach("backoff-sequence", f"back-off of {said:.0f} s", words, name, severity=WARNING)


@lru_cache(maxsize=16)
def _rungs(initial: float, maximum: float) -> tuple[float, ...]:
    """The delays there are, from the first to the longest."""
    rungs = [initial]
    while rungs[-1] < maximum:
        rungs.append(backoff.doubled(rungs[-1], maximum))
    return tuple(rungs)


def said_by(status: ContainerStatus) -> Said | None:
    """What a status says of its back-off; None if it waits for none, or does not say how long."""
    waiting = status.state.waiting
    if waiting is None or waiting.reason != REASON:
        return None
    delay = stated_delay(waiting.message)
    return None if delay is None else Said(delay, status.restartCount)


def step_breaches(
    was: ContainerStatus,
    now: ContainerStatus,
    entry: BackOffEntry | None,
    last: Said | None,
    *,
    exactly: bool,
    gates: Gates,
) -> Iterator[Breach]:
    """A delay that changed while it lasted, is shorter than the restarts seen make it, or longer than all make it.

    `entry` is the least that the kubelet remembers, `last` what the back-off before said. With `exactly` every restart
    is known to be counted.
    """
    said = said_by(now)
    if said is None:
        return
    old = said_by(was)
    if old is not None and was.lastState == now.lastState:
        if was.state.waiting != now.state.waiting:
            words = f"back-off of {old.delay:.0f} s -> {said.delay:.0f} s after the same end"
            yield Breach("backoff-sequence", words, "one delay after one end", now.name)
        return
    if entry is not None and said.delay < entry.delay:
        words = f"back-off of {said.delay:.0f} s after restart {now.restartCount}"
        yield Breach("backoff-sequence", words, f"at least {entry.delay:.0f} s", now.name)
    if exactly:
        most = _most(said, last, gates)
        if said.delay > most:
            words = f"back-off of {said.delay:.0f} s after restart {now.restartCount}"
            yield Breach("backoff-sequence", words, f"at most {most:.0f} s", now.name, severity=WARNING)


def _most(said: Said, last: Said | None, gates: Gates) -> float:
    """The longest delay that this many restarts lead to, since the first or since the last back-off seen."""
    initial, maximum = limits(gates)
    if last is None or last.count >= said.count:
        last = Said(initial, 1)
    delay = last.delay
    for _ in range(said.count - last.count):
        if delay >= maximum:
            break
        delay = backoff.doubled(delay, maximum)
    return delay
