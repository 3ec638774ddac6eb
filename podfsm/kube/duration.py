"""Durations as Go writes them (`1h2m3.5s`, `300ms`), in seconds, within reason."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from podfsm.errors import InputError
from podfsm.kube.words import described

FOREVER = math.inf
LONGEST = 10 * 365 * 86400.0
"""Ten years, in seconds: longer durations are taken for mistakes unless the caller says otherwise."""

_UNITS = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),  # the micro sign
    "μs": Decimal("1e-6"),  # the Greek letter, which Go accepts too
    "ns": Decimal("1e-9"),
}
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|m|s|us|µs|μs|ns)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z", re.ASCII)
_EXPECTED = "a duration such as 300ms, 10s or 1h30m"
_LONGEST_TEXT = 100


def parse_duration(
    value: str | float,
    *,
    path: str = "",
    plain: bool = False,
    forever: bool = False,
    longest: float = LONGEST,
) -> float:
    """The seconds of a duration.

    `plain` also accepts a number without a unit, as seconds; `forever` also accepts that word, as infinity; more than
    `longest` seconds are refused. Zero needs no unit, as in Go. Raises InputError with `path`.
    """
    if forever and value == "forever":
        return FOREVER
    seconds = _seconds(value, plain=plain)
    expected = _EXPECTED + (", a number of seconds" if plain else "") + (", or forever" if forever else "")
    if seconds is None:
        hint = f"{value}s?" if not plain and _is_number(value) else ""
        raise InputError("not a duration", path=path, expected=expected, found=described(value), hint=hint)
    if seconds < 0:
        raise InputError("a negative duration", path=path, expected="zero or more", found=described(value))
    if seconds > longest:
        limit = f"at most {format_duration(longest)}"
        raise InputError("a duration too long", path=path, expected=limit, found=described(value))
    return seconds


def _is_number(value: object) -> bool:
    if isinstance(value, str):
        return bool(_NUMBER.match(value))
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _seconds(value: object, *, plain: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if not isinstance(value, str):
        return float(value) if (plain or value == 0) and abs(value) < FOREVER and abs(value) < 1e300 else None
    if len(value) > _LONGEST_TEXT:
        return None
    sign, text = (-1, value[1:]) if value.startswith("-") else (1, value.removeprefix("+"))
    if text == "0" or (plain and _NUMBER.match(text)):
        return sign * float(text)
    total, end = Decimal(0), 0
    while found := _PART.match(text, end):
        total, end = total + Decimal(found[1]) * _UNITS[found[2]], found.end()
    return sign * float(total) if end and end == len(text) else None


def format_duration(seconds: float) -> str:
    """A duration as short as it can be said: `1m20s`, `1.5s`, `300ms`, `0s`, `forever`. Rounded to microseconds."""
    if seconds == FOREVER:
        return "forever"
    if seconds < 0:
        return "-" + format_duration(-seconds)
    micros = round(seconds * 1_000_000)
    if 0 < micros < 1000:
        return f"{micros}us"
    if 0 < micros < 1_000_000:
        return f"{_short(micros, 1000)}ms"
    minutes, rest = divmod(micros, 60_000_000)
    hours, minutes = divmod(minutes, 60)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    return f"{text}{_short(rest, 1_000_000)}s" if rest or not text else text


def _short(amount: int, unit: int) -> str:
    """`amount / unit` in decimals, exactly, without trailing zeros."""
    whole, fraction = divmod(amount, unit)
    return f"{whole}.{fraction:0{len(str(unit)) - 1}d}".rstrip("0").rstrip(".")
