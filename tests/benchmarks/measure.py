"""Rows of the table, and how to measure what stands in them."""

import os
import subprocess
import sys
from collections.abc import Callable
from time import perf_counter, process_time

from attrs import frozen


@frozen
class Row:
    """`what` was measured against `yardstick` (seconds each); `times` is the bound and `faster` its direction."""

    what: str
    seconds: float
    yardstick: str
    yardstick_seconds: float
    times: float
    faster: bool = False
    """True: at least `times` times faster than the yardstick; False: at most `times` times its time."""

    @property
    def ratio(self):
        if self.faster:
            return self.yardstick_seconds / self.seconds
        return self.seconds / self.yardstick_seconds

    @property
    def met(self):
        return self.ratio >= self.times if self.faster else self.ratio <= self.times

    @property
    def cells(self):
        bound = f"at least {self.times:g} times faster" if self.faster else f"at most {self.times:g} times"
        got = f"{self.ratio:.1f} times{' faster' if self.faster else ''}"
        return (
            self.what,
            shown(self.seconds),
            self.yardstick,
            shown(self.yardstick_seconds),
            bound,
            got,
            "yes" if self.met else "NO",
        )


HEADS = ("what", "time", "yardstick", "time", "target", "got", "met")


def shown(seconds):
    """Seconds with a unit that suits them."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def best(function: Callable[[], object], *, repeat: int = 7, least: float = 0.05) -> float:
    """Seconds of processor time a call, as the best of `repeat` rounds of at least `least` seconds each."""
    calls = 1
    while (once := _round(function, calls)) < least:
        calls = max(calls * 2, int(calls * least / max(once, 1e-9)) + 1)
    return min(_round(function, calls) for _ in range(repeat)) / calls


def _round(function, calls):
    start = process_time()
    for _ in range(calls):
        function()
    return process_time() - start


_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""With bytecode kept, as an installed package has it."""


def alternating(commands: dict[str, list[str]], *, repeat: int = 30) -> dict[str, float]:
    """The median seconds of each process; they take turns, so that they share the machine's moods."""
    taken = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            start = perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_ENVIRONMENT)
            taken[name].append(perf_counter() - start)
    return {name: sorted(all_of_it)[repeat // 2] for name, all_of_it in taken.items()}


def python(code: str) -> list[str]:
    """The command that runs some Python."""
    return [sys.executable, "-c", code]
