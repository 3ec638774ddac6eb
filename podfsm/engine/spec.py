"""What a machine is: states, transitions, who pulls each trigger and which rules guard it.

A spec is a frozen value, read from YAML by `load_spec`; tables, `transitions` machines and diagrams are made from it.
The engine knows nothing of Kubernetes: specs, rules and actors of one's own serve just as well.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path

from attrs import evolve, field, frozen

from podfsm.engine.rule import REGISTRY, Registry, Rule
from podfsm.engine.versions import Gates
from podfsm.errors import SpecError, UnknownName

ACTORS = ("user", "scheduler", "kubelet", "runtime", "process", "node", "controller")
"""Who pulls triggers, unless a spec or the caller says otherwise."""

INTERNAL = "="
"""The `dest` of a transition that stays in its source state."""

ANY = "*"
"""The `source` that stands for every state that is not final."""

MAX_BYTES = 4_000_000


@frozen
class StateSpec:
    """One state.

    `shows` is how the outside world sees it, as (field, value) pairs: `(("waiting", "CrashLoopBackOff"),)`.
    """

    name: str
    says: str = ""
    shows: tuple[tuple[str, str], ...] = ()
    final: bool = False
    line: int = field(default=0, eq=False)


@frozen
class TransitionSpec:
    """One row of the spec: `trigger` leads from each of `sources` to `dest` if every rule holds.

    `gate` and `without_gate` name a feature gate that must be on, or off, for the row to exist. `index` counts rows
    from 0; alternatives (same trigger and source) are tried in that order.
    """

    trigger: str
    sources: tuple[str, ...]
    dest: str
    by: str
    rules: tuple[Rule, ...] = field(default=(), repr=False)
    because: tuple[Rule, ...] = field(default=(), repr=False)
    """Rules that explain the transition without guarding it: derivations, timings, invariants."""
    says: str = ""
    gate: str = ""
    without_gate: str = ""
    index: int = 0
    line: int = field(default=0, eq=False)

    @property
    def guards(self) -> tuple[str, ...]:
        """The ids of the rules that guard it."""
        return tuple(rule.id for rule in self.rules)

    @property
    def cited(self) -> tuple[str, ...]:
        """The ids of all rules behind it: its guards, then those that explain it."""
        return (*self.guards, *(rule.id for rule in self.because))

    @property
    def internal(self) -> bool:
        """Whether it stays where it is."""
        return self.dest == INTERNAL

    def target(self, source: str) -> str:
        """The state it leads to from `source`."""
        return source if self.dest == INTERNAL else self.dest

    def exists(self, gates: Gates | None) -> bool:
        """Whether the row exists under these gates; without gates, as if every gate it names were on."""
        if gates is None:
            return not self.without_gate
        on = not self.gate or gates.on(self.gate)
        return on and not (self.without_gate and gates.on(self.without_gate))


@frozen
class MachineSpec:
    """A whole machine. Every name in it is known to exist: `load_spec` has checked."""

    name: str
    initial: str
    states: tuple[StateSpec, ...]
    transitions: tuple[TransitionSpec, ...]
    actors: tuple[str, ...] = ACTORS
    says: str = ""
    instances: str = ""
    visible: str = ""
    omits: tuple[str, ...] = ()
    source: str = field(default="", eq=False)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The states' names in the spec's order."""
        return tuple(state.name for state in self.states)

    @property
    def finals(self) -> tuple[str, ...]:
        """The names of the final states."""
        return tuple(state.name for state in self.states if state.final)

    @property
    def triggers(self) -> tuple[str, ...]:
        """The triggers in the order in which they first appear."""
        return tuple(dict.fromkeys(row.trigger for row in self.transitions))

    def state(self, name: str) -> StateSpec:
        """The state of that name. Raises UnknownName."""
        for state in self.states:
            if state.name == name:
                return state
        raise UnknownName("state", name, self.state_names)

    def arrows(self) -> Iterator[tuple[str, str, TransitionSpec]]:
        """(source, target, transition) for every source of every row, in the spec's order."""
        for row in self.transitions:
            for source in row.sources:
                yield source, row.target(source), row

    def successors(self) -> dict[str, list[str]]:
        """For every state the states its transitions lead to, itself included where one stays."""
        found: dict[str, list[str]] = {name: [] for name in self.state_names}
        for source, target, _ in self.arrows():
            found[source].append(target)
        return found

    def under(self, gates: Gates | None) -> MachineSpec:
        """The machine as it is under these gates: without the rows and rules that are not in force.

        What is left depends on no gate any more, so doing it again changes nothing. Without gates every guard counts,
        and rows exist as if every gate were on. Raises UnknownName when a row or rule names a gate that the table
        does not have.
        """
        rows = []
        for row in self.transitions:
            if row.exists(gates):
                rules, because = _in_force(row.rules, gates), _in_force(row.because, gates)
                rows.append(evolve(row, rules=rules, because=because, gate="", without_gate=""))
        return evolve(self, transitions=tuple(rows))


def _in_force(rules: tuple[Rule, ...], gates: Gates | None) -> tuple[Rule, ...]:
    return rules if gates is None else tuple(rule for rule in rules if rule.in_force(gates))


def load_spec(
    path_or_text: str | os.PathLike[str],
    *,
    registry: Registry = REGISTRY,
    source: str = "",
    actors: Collection[str] = ACTORS,
    gates: Collection[str] | None = None,
) -> MachineSpec:
    """Read a machine spec and check everything in it.

    `path_or_text` is a file's path, or the YAML itself when it has more than one line. `source` is the name used in
    complaints (default: the path, or `<text>`). `registry` must hold the guards by now. `actors` are the names allowed
    in `by:` unless the spec lists its own; `gates` are the feature gates that exist (None: not checked).

    Raises SpecError with file, line, column and path for: what is not YAML; unknown or missing keys; states, rules,
    actors or gates that do not exist; names given twice; guards that are no guards or belong to other machines;
    transitions out of final states; rows that can never be told apart; unreachable states, traps, and states without a
    way to an end.
    """
    from podfsm.engine.reading import read_spec  # the reader makes these values, so it has to come second

    if isinstance(path_or_text, str) and "\n" in path_or_text:
        text, name = path_or_text, source or "<text>"
    else:
        text, name = _file_text(Path(path_or_text)), source or str(path_or_text)
    return read_spec(text, name, registry=registry, actors=tuple(actors), gates=gates)


def _file_text(path: Path) -> str:
    if "\0" in str(path):
        raise SpecError("not a file name", source=repr(str(path)))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as wrong:
        raise SpecError(f"cannot be read: {wrong.strerror or wrong}", source=str(path)) from None
    if len(content) > MAX_BYTES:
        raise SpecError("too long", source=str(path), expected=f"at most {MAX_BYTES} bytes")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise SpecError(f"not UTF-8 at byte {wrong.start}", source=str(path)) from None
