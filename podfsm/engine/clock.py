"""A clock that moves only when told to, for driving a machine whose guards answer "not before"."""

from __future__ import annotations

from attrs import frozen


@frozen(order=True)
class VirtualClock:
    """An instant in seconds. Moving gives a new clock; the same moves always give the same instants."""

    now: float = 0.0

    def advance_to(self, instant: float) -> VirtualClock:
        """The clock at `instant`. Raises ValueError for an earlier one: time never goes back."""
        if not instant >= self.now:
            raise ValueError(f"time never goes back: it is {self.now}, asked for {instant}")
        return VirtualClock(instant)

    def advance_by(self, seconds: float) -> VirtualClock:
        """The clock `seconds` later. Raises ValueError when negative."""
        return self.advance_to(self.now + seconds)
