"""What an explanation says, as values."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from podfsm.rules.kubectl_columns import Columns


@frozen
class Reason:
    """One thing that is so, and the rule by which it is. `container` is empty where it concerns the whole Pod."""

    rule: str
    text: str
    container: str = ""


@frozen
class Next:
    """One thing that has to happen, or will, for the Pod to go on.

    `who` pulls the trigger: user, scheduler, kubelet, runtime, process, node or controller. `earliest` and `latest`
    bound when, where something is known of it.
    """

    what: str
    who: str
    rule: str
    earliest: datetime | None = None
    latest: datetime | None = None
    container: str = ""


@frozen
class Explanation:
    """What a Pod is doing, what holds it there, what comes next, and what cannot be told from the object."""

    pod: str
    columns: Columns
    state: str
    """In a few words: `waiting for a node`, `running and ready`, `being deleted` ..."""
    holds: tuple[Reason, ...]
    """The rules that keep it there, the one that matters most first."""
    next: tuple[Next, ...]
    unknown: tuple[str, ...] = ()
    """What the object does not tell, and why."""

    @property
    def rule(self) -> str:
        """The rule that matters most; empty if nothing holds the Pod."""
        return self.holds[0].rule if self.holds else ""


@frozen
class Part:
    """What one look at a Pod finds: the state it would give, and what belongs to it."""

    state: str = ""
    holds: tuple[Reason, ...] = ()
    next: tuple[Next, ...] = ()
    unknown: tuple[str, ...] = ()
