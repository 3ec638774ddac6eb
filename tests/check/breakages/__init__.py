"""Ways to break a recording, one rule each: `BREAKAGES` maps a name to a function and the rules that it breaks."""

from tests.check.breakages import (
    conditions,
    ending,
    flags,
    instances,
    ladder,
    marks,
    objects,
    order,
    phases,
    restarts,
    stated,
    statuses,
    times,
    values,
)
from tests.check.breakages.tools import BREAKAGES

__all__ = [
    "BREAKAGES",
    "conditions",
    "ending",
    "flags",
    "instances",
    "ladder",
    "marks",
    "objects",
    "order",
    "phases",
    "restarts",
    "stated",
    "statuses",
    "times",
    "values",
]
