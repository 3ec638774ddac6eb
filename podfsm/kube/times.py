"""Instants: seconds on podfsm's clock to the API's timestamps and back.

podfsm's clock counts seconds (floats) from `EPOCH`, an arbitrary fixed instant, so that no run depends on the date.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
SKEW = timedelta(seconds=60)
"""How far the clocks of two machines may be apart."""


@lru_cache(maxsize=65536)
def _whole(seconds: int) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def instant(seconds: float) -> datetime:
    """The API timestamp of an instant, truncated to whole seconds as the kubelet writes it."""
    return _whole(int(seconds // 1))


def seconds_of(when: datetime) -> float:
    """An API timestamp on podfsm's clock."""
    return (when - EPOCH).total_seconds()


def rfc3339(seconds: float) -> str:
    """An instant in RFC 3339 with milliseconds, for the `at` of a watch event."""
    whole, millis = divmod(round(seconds * 1000), 1000)
    return f"{_whole(whole):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"
