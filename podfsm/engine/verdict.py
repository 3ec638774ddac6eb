"""What a guard answers: it holds; it is refused by a rule; or not before an instant, by a rule."""

from __future__ import annotations

from attrs import evolve, frozen


@frozen
class Verdict:
    """The answer of a guard, true in a boolean context when it holds.

    `rule` is the id of the rule that refused; `not_before` is the instant (seconds on the caller's clock) from which
    the same question would be answered otherwise, when only time is missing; `because` is the reason in words.
    """

    holds: bool
    rule: str = ""
    not_before: float | None = None
    because: str = ""

    def __bool__(self) -> bool:
        return self.holds

    def __str__(self) -> str:
        if self.holds:
            return "holds"
        text = self.rule or "a guard"
        if self.not_before is not None:
            text += f": not before {self.not_before:+.1f}s"
        return f"{text}: {self.because}" if self.because else text

    def by(self, rule: str) -> Verdict:
        """The same verdict, named after the rule that gave it."""
        return self if self.holds or self.rule else evolve(self, rule=rule)


HOLDS = Verdict(True)


def refuse(because: str = "") -> Verdict:
    """Refused, whatever the time."""
    return Verdict(False, because=because)


def wait_until(instant: float, because: str = "") -> Verdict:
    """Refused now; holds from `instant` on if nothing else changes."""
    return Verdict(False, not_before=instant, because=because)
