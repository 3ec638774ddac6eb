"""What could not be read, or is not known, and where: said, counted, and passed over."""

from __future__ import annotations

from attrs import frozen


@frozen
class Trouble:
    """A part of the input that is no use. `line` counts from 1; 0 is the whole input.

    `harmless`: everything was read, but there is something that podfsm does not know.
    """

    source: str
    problem: str
    expected: str = ""
    found: str = ""
    line: int = 0
    harmless: bool = False

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.source, self.line or "") if part)
        text = f"{place}: {self.problem}" if place else self.problem
        text += f"; expected {self.expected}" if self.expected else ""
        return f"{text}, found {self.found}" if self.found else text
