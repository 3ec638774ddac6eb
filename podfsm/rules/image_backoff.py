"""Back-off of image pulls: one entry for each Pod and image, counted from the last failed pull.

The same kind of entry as between restarts (`crash_backoff`), but set when a pull has failed, and forgotten after twice
the longest delay. See EnsureImageExists in pkg/kubelet/images/image_manager.go. Instants are in seconds.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, example, source, timing
from podfsm.rules import backoff
from podfsm.rules.crash_backoff import BackOffEntry
from podfsm.rules.crash_backoff import collect as collect_entry
from podfsm.rules.timings import timing_constant


def key(pod_uid: str, image: str) -> tuple[str, str]:
    """What an entry belongs to."""
    return (pod_uid, image)


def retry_at(entry: BackOffEntry | None, *, now: float) -> float | None:
    """When the next pull may be tried; None if at once. Until then the container shows ImagePullBackOff."""
    if entry is None or backoff.starts_over(now, entry.last_update, _expiry()):
        return None
    instant = entry.last_update + entry.delay
    return instant if now < instant else None


def failed(entry: BackOffEntry | None, *, now: float) -> BackOffEntry:
    """The entry after a pull that failed at `now`; the container then shows ErrImagePull."""
    if entry is None or backoff.starts_over(now, entry.last_update, _expiry()):
        return BackOffEntry(delay_after(None), now)
    return BackOffEntry(delay_after(entry.delay), now)


def collect(entry: BackOffEntry | None, *, now: float) -> BackOffEntry | None:
    """What the clean-up after a successful pull leaves of an entry: None once it has expired."""
    return collect_entry(entry, now=now, expiry=_expiry())


@timing(
    "backoff-image-pull",
    area="backoff",
    machine="image",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#container-state-waiting"),
        source("pkg/kubelet/images/image_manager.go", "EnsureImageExists"),
        source("pkg/kubelet/kubelet.go", "MaxImageBackOff"),
    ],
    seed=4,
    observable="waiting.reason alternates ErrImagePull and ImagePullBackOff",
    examples=[example(None, gives=10.0), example(10.0, gives=20.0), example(160.0, gives=300.0)],
)
def delay_after(delay: float | None) -> float:
    """After a failed pull a Pod waits 10 seconds for that image, twice as long after each further one, 300 at most.

    `delay` is the one before; None for the first failure. The failure itself shows as ErrImagePull, the wait as
    ImagePullBackOff.
    """
    if delay is None:
        return timing_constant("image-backoff-initial")
    return min(delay * timing_constant("image-backoff-factor"), timing_constant("image-backoff-max"))


def _expiry() -> float:
    return timing_constant("image-backoff-expiry")
