"""Back-off: how long restarts and image pulls wait. The delays are written out here, not computed by the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from podfsm.testing.history import History, Instance, statuses
from podfsm.testing.invariants.base import always, unless
from podfsm.testing.invariants.restarts import disturbed_between

USUAL = (10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
FORGOTTEN = 600.0
"""After so many seconds without a restart the series starts over."""
IMAGES = USUAL
CUT = 1.0
"""Timestamps are cut to whole seconds, so a difference may be short by one."""


def delays(history: History) -> tuple[float, ...]:
    """The delays in force, the last one repeating."""
    if not history.gates.on("ReduceDefaultCrashLoopBackOffDecay"):
        return USUAL
    # The gate for a longest delay of the node's own puts the ordinary one in place of the reduced one.
    cap = 300.0 if history.gates.on("KubeletCrashLoopBackOffMax") else 60.0
    return tuple(min(cap, 2.0**power) for power in range(10))


@always(
    "backoff-order",
    checks=[
        "backoff-sequence",
        "backoff-first-immediate",
        "backoff-exit-zero-too",
        "backoff-init-and-sidecar",
        "backoff-base",
        "backoff-cap",
        "backoff-reset",
        "backoff-reduced",
    ],
    needs=["backoff"],
)
def order(history: History) -> Iterator[bool | str]:
    """Restarts after the first wait 10, 20, 40, 80, 160, 300, 300 ... seconds from the end of the run before.

    The series starts over 600 seconds after its last restart, with another image, and with a new sandbox.
    """
    for name, runs in history.instances.items():
        if name in history.containers and name not in history.replaced:
            yield from _waits(history, name, runs)


def _waits(history: History, name: str, runs: tuple[Instance, ...]) -> Iterator[bool | str]:
    container = history.containers[name]
    probed = (
        container.livenessProbe is not None or container.startupProbe is not None or container.lifecycle is not None
    )
    series = delays(history)
    step, last_restart = 0, 0.0
    for number in range(1, len(runs)):
        one, two = runs[number - 1], runs[number]
        ended, began = one.finished, two.started
        if ended is None or began is None or disturbed_between(history, one, two):
            step = 0  # what is started anew with everything else has not waited
            continue
        if step and (ended - last_restart > FORGOTTEN - CUT or began - last_restart > FORGOTTEN - CUT):
            step = 0
        if step:
            # One that the kubelet stopped to replace is not waited for: the run before it counts, if there is one.
            since = runs[number - 2].finished if probed and number > 1 else ended
            place = step - 1 if probed else step
            wait = series[min(place, len(series)) - 1] if place else 0.0
            if since is not None:
                early = began - since < wait - CUT
                yield unless(
                    early, f"{name} was started {began - since:g} s after its last end at {since:g} s, not {wait:g}"
                )
        step, last_restart = step + 1, began


_MESSAGE = re.compile(r"back-off (?:(\d+)m)?(?:([\d.]+)s)? restarting failed container")


@always("backoff-told", checks=["backoff-reason", "backoff-cap", "backoff-node-max"], needs=["backoff"])
def told(history: History) -> Iterator[bool | str]:
    """CrashLoopBackOff names a delay of the series, and only a container that has run waits so."""
    series = delays(history)
    for seen in history.seen:
        for status in statuses(seen.pod):
            waiting = status.state.waiting
            if waiting is None or waiting.reason != "CrashLoopBackOff":
                continue
            ran = status.lastState.terminated is not None
            yield unless(not ran, f"at {seen.at:g} s {status.name} is in CrashLoopBackOff and has not run")
            if found := _MESSAGE.search(waiting.message):
                delay = 60 * int(found[1] or 0) + float(found[2] or 0)
                yield unless(delay not in series, f"at {seen.at:g} s {status.name} waits {delay:g} s")


@always("backoff-of-images", checks=["backoff-image-pull", "image-pull-allowed"], needs=["images", "events"])
def images(history: History) -> Iterator[bool | str]:
    """A failed pull is tried again after 10, 20, 40 ... seconds, 300 at most."""
    pulls: dict[str, list[float]] = {}
    failed: dict[str, int] = {}
    for event in history.happened:
        found = re.search(r'image "([^"]*)"', event.message)
        if found is None:
            continue
        image = found[1]
        if event.reason == "Pulling":
            earlier = pulls.setdefault(image, [])
            tries = failed.get(image, 0)
            if tries and earlier:
                wait = IMAGES[min(tries, len(IMAGES)) - 1]
                early = event.at - earlier[-1] < wait - 1e-6
                yield unless(
                    early, f"at {event.at:g} s {image} is pulled again {event.at - earlier[-1]:g} s after a failure"
                )
            earlier.append(event.at)
        elif event.reason == "Failed" and "pull" in event.message:
            failed[image] = failed.get(image, 0) + 1
        elif event.reason == "Pulled":
            failed.pop(image, None)


@always("images-never-pulled", checks=["image-pull-allowed", "backoff-pull-policy-default"], needs=["images", "events"])
def never_pulled(history: History) -> Iterator[bool | str]:
    """Nothing is pulled for a container whose policy is Never."""
    wanted = {c.image for c in history.containers.values() if c.imagePullPolicy != "Never"}
    patched = history.case is not None and any("patch" in step for step in history.case.steps)
    for event in history.happened:
        if event.reason == "Pulling" and (found := re.search(r'image "([^"]*)"', event.message)) and not patched:
            yield unless(found[1] not in wanted, f"at {event.at:g} s {found[1]} is pulled against its policy")
