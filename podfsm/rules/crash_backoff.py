"""The kubelet's back-off entries for containers that exited: how long the next restart has to wait.

An entry holds a delay and when it was last set. It is made or doubled when an attempt is let through, not when the
container exits; so the first restart is never delayed. Entries live in the kubelet's memory only. See doBackOff in
kuberuntime_manager.go and flowcontrol.Backoff in client-go. Instants and delays are in seconds.
"""

from __future__ import annotations

import re

from attrs import frozen

from podfsm.engine.versions import Gates
from podfsm.rules import backoff
from podfsm.rules.timings import timing_constant

_DELAY = re.compile(r"back-off ([0-9hms.]+) restarting")
_PART = re.compile(r"([0-9.]+)(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


@frozen
class BackOffEntry:
    """The delay that the next attempt has to respect, and when the last one was let through."""

    delay: float
    last_update: float


def check(
    entry: BackOffEntry | None, *, finished_at: float, now: float, initial: float, maximum: float, expiry: float
) -> tuple[BackOffEntry, float | None]:
    """Try to restart a container that ended at `finished_at`: the entry afterwards, and the instant to wait for if any.

    An attempt that is let through sets the delay for the next one: `initial`, or twice the last up to `maximum`. An
    entry does not count if the exit came more than `expiry` after it was set.
    """
    if entry is None or backoff.starts_over(finished_at, entry.last_update, expiry):
        return BackOffEntry(initial, now), None
    retry_at = finished_at + entry.delay
    if now < retry_at:
        return entry, retry_at
    return BackOffEntry(backoff.doubled(entry.delay, maximum), now), None


def collect(entry: BackOffEntry | None, *, now: float, expiry: float) -> BackOffEntry | None:
    """What the kubelet's clean-up (every 2 s) leaves of an entry: None once it was set more than `expiry` ago.

    It goes by the clock, also while the container waits: a long delay can end early, and start over, because of it.
    """
    return None if entry is None or backoff.starts_over(now, entry.last_update, expiry) else entry


def limits(gates: Gates, node_max: float | None = None) -> tuple[float, float]:
    """The first and the longest delay between restarts on a node (newCrashLoopBackOff).

    `node_max` is the kubelet's crashLoopBackOff.maxContainerRestartPeriod. It is looked at only with the gate
    KubeletCrashLoopBackOffMax, which takes the ordinary cap where it is not set.
    """
    reduced = gates.on("ReduceDefaultCrashLoopBackOffDecay")
    initial, maximum = backoff.reduced_limits() if reduced else (backoff.base(), backoff.cap())
    if gates.on("KubeletCrashLoopBackOffMax"):
        initial, maximum = backoff.limits_on_node(initial, backoff.cap() if node_max is None else node_max)
    return initial, maximum


def expiry() -> float:
    """How long after the last attempt an exit still belongs to the same series, whatever the longest delay is."""
    return timing_constant("crash-backoff-reset")


def stated_delay(message: str) -> float | None:
    """The delay in seconds that a CrashLoopBackOff message gives; None if it gives none."""
    found = _DELAY.search(message)
    if found is None:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(found[1]))
