"""Paths inside an object, written as the API server writes them in its own errors.

`spec.containers[0].image`; a key that holds a dot or a bracket stands in brackets:
`metadata.labels[app.kubernetes.io/name]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

Step = str | int
"""One step of a path: the key of an object, or the index in a list."""

_STEP = re.compile(r"\[(\d+)\]|\[([^\]]*)\]|([^.\[]+)")
_PLAIN = re.compile(r"[^.\[\]]+\Z")


def join(path: str, step: Step) -> str:
    """The path one step deeper."""
    if isinstance(step, int) or not _PLAIN.match(step):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def path_of(steps: Iterable[Step]) -> str:
    """The text of a sequence of steps."""
    path = ""
    for step in steps:
        path = join(path, step)
    return path


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path; the inverse of `path_of`."""
    return tuple(
        int(index) if index else plain or bracketed  # an empty bracket is the empty key
        for index, bracketed, plain in _STEP.findall(path)
    )
