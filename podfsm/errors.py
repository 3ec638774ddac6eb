"""What can go wrong, as exceptions whose fields come first and whose sentence is made from the fields.

Every exception of podfsm derives from `PodfsmError`. This module imports nothing of podfsm.
"""

from __future__ import annotations

from collections.abc import Iterable


class PodfsmError(Exception):
    """Base of everything podfsm raises on purpose."""


class InputError(PodfsmError, ValueError):
    """Bad input: one located complaint.

    `source` is a file name or "<stdin>"; `line` and `column` count from 1; `path` is the place inside the object
    (`spec.containers[0].image`); `expected` and `found` tell the fault; `hint` is the nearest valid name or a remedy.
    """

    def __init__(
        self,
        problem: str,
        *,
        source: str = "",
        line: int | None = None,
        column: int | None = None,
        path: str = "",
        expected: str = "",
        found: str = "",
        hint: str = "",
    ) -> None:
        self.problem = problem
        self.source = source
        self.line = line
        self.column = column
        self.path = path
        self.expected = expected
        self.found = found
        self.hint = hint
        super().__init__(problem)

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line, self.column) if part)
        text = ": ".join(part for part in (place, self.path, self.problem) if part)
        if self.expected:
            text += f"; expected {self.expected}"
        if self.found:
            text += f", found {self.found}"
        if self.hint:
            text += f"; {self.hint}"
        return text


class SpecError(InputError):
    """A machine spec, gate table or timing table that does not make sense."""


class ScenarioError(InputError):
    """A scenario or manifest that cannot be simulated as written."""


class NotModelled(PodfsmError, LookupError):
    """Something Kubernetes has and podfsm knowingly does not model; never guessed at."""


class UnknownName(PodfsmError, LookupError):
    """A name that does not exist; says what does."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        self.what = what
        self.name = name
        self.known = sorted(known)
        super().__init__(what, name)

    def __str__(self) -> str:
        return f"no {self.what} {self.name!r}; {nearest(self.name, self.known)}"


class Refused(PodfsmError, RuntimeError):
    """A trigger that no transition accepts now. `verdict` names the rule that refused it, if one did."""

    def __init__(self, machine: str, trigger: str, state: str, verdict: object = None) -> None:
        self.machine = machine
        self.trigger = trigger
        self.state = state
        self.verdict = verdict
        super().__init__(machine, trigger, state)

    def __str__(self) -> str:
        text = f"{self.machine}: {self.trigger!r} refused in {self.state}"
        return f"{text} by {self.verdict}" if self.verdict is not None else f"{text}: no such transition"


class GuardCrashed(PodfsmError, RuntimeError):
    """A guard raised instead of answering. A crash is never a refusal."""


_MEANT = "did you mean {}?"


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for a misspelt name: the closest valid one, or the whole list when it is short."""
    from difflib import get_close_matches  # most runs meet no wrong name

    known = sorted(known)
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return _MEANT.format(close[0])
    return "known: " + ", ".join(known[:12]) + (" ..." if len(known) > 12 else "")


def meant(remedy: str) -> str:
    """The name that a remedy of `nearest` proposes; "" if it lists what is known."""
    before, after = _MEANT.split("{}")
    return remedy[len(before) : -len(after)] if remedy.startswith(before) else ""


def close_to(name: str, known: Iterable[str]) -> bool:
    """Whether a name is most likely one of the known ones, misspelt."""
    return bool(meant(nearest(name, known)))
