"""What the API server finds wrong with an object: one problem a field, as its validation reports it."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

REQUIRED, INVALID, NOT_SUPPORTED = "Required", "Invalid", "NotSupported"
FORBIDDEN, DUPLICATE, NOT_FOUND, TOO_MANY = "Forbidden", "Duplicate", "NotFound", "TooMany"


@frozen(order=True)
class Problem:
    """One refusal: the field's path as the API server spells it, the kind of error, and why in words.

    `rule` is the id of the rule behind it, where there is one.
    """

    field: str
    type: str
    why: str = ""
    rule: str = ""


Problems = Iterator[Problem]
"""What the validating functions yield."""
