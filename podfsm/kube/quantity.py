"""Kubernetes quantities (`100m`, `1Gi`, `1e3`): exact values, and the form in which the API writes them.

Source: `k8s.io/apimachinery/pkg/api/resource/quantity.go` (ParseQuantity, CanonicalizeBytes).
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Literal, NamedTuple

from podfsm.errors import InputError
from podfsm.kube.words import described

Form = Literal["decimal", "binary", "exponent"]

_QUANTITY = re.compile(r"([+-]?)([0-9]+\.?[0-9]*|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?\Z", re.ASCII)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"": 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL_SUFFIX = {power: suffix for suffix, power in _DECIMAL.items()}
_BINARY_SUFFIX = {power: suffix for suffix, power in _BINARY.items()}
_LARGEST = Fraction(2**63 - 1)
_NANO = Fraction(1, 10**9)
_EXPECTED = "a quantity such as 100m, 0.5, 2 or 128Mi"
_MANY_DIGITS = 100


class Quantity(NamedTuple):
    """An amount, and whether it was written with powers of 1000, of 1024, or with an exponent."""

    amount: Fraction
    form: Form

    def __str__(self) -> str:
        return _canonical(self)


def parse_quantity(value: str | float, *, path: str = "") -> Fraction:
    """The exact amount of a quantity; a JSON number counts as its text.

    As in the API, amounts finer than 1n are rounded up, away from zero, and amounts beyond 2**63 - 1 stop there.
    Raises InputError with `path`.
    """
    return read_quantity(value, path=path).amount


def read_quantity(value: str | float, *, path: str = "") -> Quantity:
    """A quantity with the form in which it was written; as `parse_quantity`."""
    text = value if isinstance(value, str) else "" if isinstance(value, bool) else str(value)
    quantity = _parsed(text) if len(text) <= _MANY_DIGITS else None
    if quantity is None:
        raise InputError("not a quantity", path=path, expected=_EXPECTED, found=described(value))
    return quantity


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Quantity | None:
    """The quantity that a text spells; None if it spells none. The same few are read again and again."""
    found = _QUANTITY.match(text)
    if found is None:
        return None
    sign, digits, suffix = found[1], found[2], found[3] or ""
    form, scale = _scale(suffix)
    amount = Fraction(digits) * scale if scale is not None else Fraction(0)
    if scale is None and Fraction(digits):  # an exponent that no amount survives
        amount = _NANO if "-" in suffix else _LARGEST
    nanos = amount / _NANO
    amount = min(nanos if nanos.denominator == 1 else Fraction(ceil(nanos)), _LARGEST / _NANO) * _NANO
    return Quantity(-amount if sign == "-" else amount, form)


def _scale(suffix: str) -> tuple[Form, Fraction | None]:
    """The form of a suffix and what it multiplies by; None for an exponent too large to work out."""
    if suffix in _DECIMAL:
        return "decimal", Fraction(10) ** _DECIMAL[suffix]
    if suffix in _BINARY:
        return "binary", Fraction(1024) ** _BINARY[suffix]
    exponent = int(suffix[1:])
    return "exponent", Fraction(10) ** exponent if abs(exponent) <= 2 * _MANY_DIGITS else None


def canonical(value: str | float) -> str:
    """A quantity as the API writes it back: `0.1` is `100m`, `1024Mi` is `1Gi`. Raises InputError."""
    return str(read_quantity(value))


def add(left: Quantity, right: Quantity) -> Quantity:
    """The sum, in the form of the left amount unless that is zero."""
    return Quantity(left.amount + right.amount, left.form if left.amount else right.form)


def _canonical(quantity: Quantity) -> str:
    amount, form = quantity
    if form == "binary" and (abs(amount) < 1024 or amount.denominator != 1):
        form = "decimal"  # powers of 1024 would not say it exactly
    if not amount:
        return "0"
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    if form == "binary":
        power, whole = 0, int(amount)
        while whole % 1024 == 0 and power < 6:
            power, whole = power + 1, whole // 1024
        return f"{sign}{whole}{_BINARY_SUFFIX[power]}"
    power, scaled = -9, amount / _NANO
    while scaled % 1000 == 0 and power < 18:
        power, scaled = power + 3, scaled / 1000
    if form == "exponent":
        return f"{sign}{scaled}e{power}" if power else f"{sign}{scaled}"
    return f"{sign}{scaled}{_DECIMAL_SUFFIX[power]}"
