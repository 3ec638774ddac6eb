"""What an exploration found: how behaviours end, what broke, and how little it took."""

from __future__ import annotations

from attrs import define, field, frozen

from podfsm.explore.deviations import Deviation
from podfsm.testing.case import Case


@frozen
class Behaviour:
    """One behaviour: its deviations, and the case that runs it once more."""

    deviations: tuple[Deviation, ...]
    case: Case

    def __str__(self) -> str:
        return ", then ".join(map(str, self.deviations)) or "all goes well"


@define
class Ending:
    """One way in which behaviours end, as kubectl prints the Pod: `ready` and `status`; `first` took the least."""

    ready: str
    status: str
    first: Behaviour
    count: int = 0


@define
class Answer:
    """What came of one property or invariant: in how many behaviours it was broken (or met), and the first of them."""

    name: str
    says: str
    wanted: bool = False
    """Whether some behaviour has to meet it; else each one that breaks it is wrong."""
    count: int = 0
    first: Behaviour | None = None
    what: str = ""

    @property
    def right(self) -> bool:
        """Whether nothing is wrong."""
        return (self.count > 0) is self.wanted

    def note(self, behaviour: Behaviour, what: str = "") -> None:
        """One behaviour that breaks it, or meets it."""
        self.count += 1
        if self.first is None:
            self.first, self.what = behaviour, what


@define
class Exploration:
    """The whole of it. `complete`: there are no more behaviours within the bounds."""

    kubernetes: str
    behaviours: int = 0
    different: int = 0
    """How many of them can be told apart by what a watch shows."""
    complete: bool = True
    endings: dict[tuple[str, str], Ending] = field(factory=dict)
    properties: list[Answer] = field(factory=list)
    invariants: dict[str, Answer] = field(factory=dict)

    @property
    def wrong(self) -> list[Answer]:
        """Every property and invariant that does not hold."""
        return [answer for answer in (*self.properties, *self.invariants.values()) if not answer.right]
