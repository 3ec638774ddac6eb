"""Driving the machines by themselves: walks of random triggers with facts of every kind, held against the laws.

The engine is whatever fires triggers: podfsm's compiled tables, the same specs through `transitions`, or somebody
else's machines of the same names.
"""

from __future__ import annotations

import types
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache
from typing import Any, Protocol, Union, get_args, get_origin

import attrs
from attrs import define, evolve, field, frozen

from podfsm.engine.spec import MachineSpec
from podfsm.engine.table import Table, compile_table
from podfsm.engine.versions import Gates
from podfsm.errors import Refused
from podfsm.machines import machine, machine_names, machine_spec
from podfsm.rules.catalogue import all_rules
from podfsm.rules.cluster_facts import AdmissionFacts, EvictionFacts, JobFacts, NamespaceFacts, NodeFacts, ResizeFacts
from podfsm.rules.facts import ContainerFacts, PodFacts, Role
from podfsm.rules.gates import NEWEST, OLDEST, gates_for
from podfsm.rules.kubelet_facts import ImageFacts, ProbeFacts, SandboxFacts, WorkerFacts
from podfsm.testing.choose import Chooser, Seeded, chance, one
from podfsm.testing.laws import Law, all_laws, laws_of

FACTS: dict[str, type] = {
    "container": ContainerFacts,
    "init_container": ContainerFacts,
    "sidecar_container": ContainerFacts,
    "ephemeral_container": ContainerFacts,
    "image": ImageFacts,
    "pod": PodFacts,
    "pod_worker": WorkerFacts,
    "probe": ProbeFacts,
    "sandbox": SandboxFacts,
    "scheduling": PodFacts,
    "node": NodeFacts,
    "job": JobFacts,
    "eviction": EvictionFacts,
    "preset_admission": AdmissionFacts,
    "namespace": NamespaceFacts,
    "resize": ResizeFacts,
}
"""What the guards of each machine read."""

ROLES = {
    "container": Role.APP,
    "init_container": Role.INIT,
    "sidecar_container": Role.SIDECAR,
    "ephemeral_container": Role.EPHEMERAL,
}
INSTANTS = (0.0, 9.0, 10.0, 11.0, 20.0)
WORDS: dict[str, tuple[Any, ...]] = {
    "killed": ("", "probe", "spec"),
    "resize": ("", "in place", "restart"),
    "phase": ("Pending", "Running", "Succeeded", "Failed"),
    "pull_policy": ("Always", "IfNotPresent", "Never"),
    "exit_code": (0, 1, 137),
    "reported": ("True", "False", "Unknown"),
    "code": (201, 429, 500),
    "room": ("now", "later", "never"),
    "name": ("shop", "default"),
}
"""What fields of text and number may hold, where their type does not say it."""


@frozen
class Breach:
    """A law that was not kept."""

    law: str
    what: str
    state: str
    facts: str


class Engine(Protocol):
    """Fires triggers of one machine; the state is the caller's to keep."""

    def fire(self, state: str, trigger: str, facts: Any = None) -> Any:
        """The transition that happened, with `dest`. Raises Refused."""


class ThroughTransitions:
    """A machine run by `transitions` behind the face of a compiled table."""

    def __init__(self, spec: MachineSpec, gates: Gates) -> None:
        self.spec = spec.under(gates)
        self._made = machine(spec.name, gates)
        self._table = Table(self.spec)

    def fire(self, state: str, trigger: str, facts: Any = None) -> Any:
        """Fire a trigger in a state. Raises Refused, GuardCrashed, UnknownName as a table does."""
        return self._made(state).fire(trigger, facts)

    def ask(self, state: str, trigger: str, facts: Any = None) -> Any:
        """Whether the trigger would fire."""
        return self._made(state).ask(trigger, facts)

    def triggers(self, state: str) -> tuple[str, ...]:
        """The triggers that some transition out of a state has."""
        return self._table.triggers(state)


@define
class Walked:
    """What walks came to: offers and acceptances of each law, arrows that fired, and breaches."""

    offered: Counter[str] = field(factory=Counter)
    accepted: Counter[str] = field(factory=Counter)
    arrows: Counter[tuple[str, str, str, str, tuple[str, ...]]] = field(factory=Counter)
    breaches: list[Breach] = field(factory=list)

    def breach(self, law: str, what: str, state: str, facts: Any) -> None:
        """Note a breach."""
        self.breaches.append(Breach(law, what, state, told(facts)))


def told(facts: Any) -> str:
    """Facts in a line: what differs from the defaults."""
    if facts is None:
        return "no facts"
    usual = type(facts)()
    changes = {
        f.name: getattr(facts, f.name)
        for f in attrs.fields(type(facts))
        if getattr(facts, f.name) != getattr(usual, f.name)
    }
    shown = ", ".join(
        f"{name}={value.value if isinstance(value, Enum) else value!r}" for name, value in changes.items()
    )
    return f"{type(facts).__name__}({shown})"


@lru_cache(maxsize=32)
def domains(kind: type) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """What each field of a facts class may hold, few values each."""
    attrs.resolve_types(kind)
    return tuple((f.name, WORDS.get(f.name) or _values(f.type)) for f in attrs.fields(kind))


def _values(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) in (Union, types.UnionType):
        return tuple(value for part in get_args(kind) for value in _values(part))
    if kind is type(None):
        return (None,)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(kind)
    return {bool: (False, True), int: (0, 1, 2, 3), float: INSTANTS, str: ("", "x")}.get(kind, (None,))


def some_facts(choose: Chooser, kind: type, typical: Sequence[dict[str, Any]], fixed: dict[str, Any]) -> Any:
    """Facts near a typical case: a few fields have any value."""
    values = {**fixed, **one(choose, typical)}
    fields = domains(kind)
    for _ in range(choose.number(0, 3)):
        name, options = one(choose, fields)
        values[name] = one(choose, options)
    return kind(**values)


def walk(
    name: str, engine: Engine, spec: MachineSpec, choose: Chooser, steps: int, into: Walked, known: Mapping[str, Law]
) -> None:
    """One walk of one machine under its laws, by trigger. Now and then it begins anew, in any state."""
    by_state: dict[str, list[str]] = {state: [] for state in spec.state_names}
    for source, _, row in spec.arrows():
        if row.trigger not in by_state[source]:
            by_state[source].append(row.trigger)
    fixed = {"role": ROLES[name]} if name in ROLES else {}
    state = spec.initial
    for _ in range(steps):
        options = by_state[state]
        if not options or chance(choose, 12):
            state = one(choose, spec.state_names)  # rare states are as good a beginning as any
            continue
        trigger = one(choose, spec.triggers) if chance(choose, 12) else one(choose, options)
        law = known.get(trigger)
        facts = some_facts(choose, FACTS[name], law.typical if law is not None else ({},), fixed)
        state = offer(name, engine, law, trigger in options, state, trigger, facts, into)


def offer(
    name: str, engine: Engine, law: Law | None, possible: bool, state: str, trigger: str, facts: Any, into: Walked
) -> str:
    """Offer one trigger, judge the answer, and give the state afterwards."""
    expected: bool | str = possible and (law.expects(facts, state) if law is not None else True)
    said = law.name if law is not None else f"{name} {trigger}"
    into.offered[said] += 1
    try:
        fired = engine.fire(state, trigger, facts)
    except Refused as refused:
        if expected is not False:
            into.breach(said, f"{trigger} is refused: {refused.verdict}", state, facts)
        _check_wait(into, law, refused.verdict, state, facts)
        return state
    except Exception as error:  # noqa: BLE001 - whatever an engine raises is reported
        into.breach(said, f"{trigger} raised {type(error).__name__}: {error}", state, facts)
        return state
    into.accepted[said] += 1
    if expected is False:
        into.breach(said, f"{trigger} is accepted", state, facts)
    elif isinstance(expected, str) and fired.dest != expected:
        into.breach(said, f"{trigger} leads to {fired.dest}, not {expected}", state, facts)
    into.arrows[name, state, trigger, fired.dest, tuple(getattr(fired, "rules", ()))] += 1
    return str(fired.dest)


def _check_wait(into: Walked, law: Law | None, verdict: Any, state: str, facts: Any) -> None:
    """A refusal that names an instant means it: it lies ahead, and from then on it is no reason any more."""
    until = getattr(verdict, "not_before", None)
    if law is None or until is None:
        return
    if until <= facts.now:
        into.breach(law.name, f"to wait until {until:g} is no reason at {facts.now:g}", state, facts)
    elif law.expects(evolve(facts, now=until), state) is False:
        into.breach(law.name, f"the wait until {until:g} promises what will not be", state, facts)


def decide(law: Law, choose: Chooser, times: int, into: Walked) -> None:
    """Ask one decision with many facts."""
    rule = all_rules()[law.trigger]
    for _ in range(times):
        facts = some_facts(choose, type(rule.allows[0]), law.typical, {})
        expected = law.expects(facts, "")
        into.offered[law.name] += 1
        try:
            verdict = rule.judge(facts)
        except Exception as error:  # noqa: BLE001 - a guard that crashes is a breach like any other
            into.breach(law.name, f"raised {type(error).__name__}: {error}", "", facts)
            continue
        into.accepted[law.name] += bool(verdict)
        if bool(verdict) is not expected:
            into.breach(law.name, "holds" if verdict else "does not hold", "", facts)


def walk_machines(
    seed: str,
    steps: int,
    *,
    names: Iterable[str] | None = None,
    decisions: Iterable[str] | None = None,
    engine_of: Callable[[MachineSpec, Gates], Engine] = compile_table,
    gates: Gates | None = None,
) -> Walked:
    """Walk these machines (all), so many steps each, and ask these decisions (all, by rule id)."""
    into, gates = Walked(), gates or gates_for()
    for name in machine_names() if names is None else names:
        if name in FACTS:
            spec = machine_spec(name)
            walk(
                name,
                engine_of(spec, gates),
                spec.under(gates),
                Seeded(f"{seed}/{name}"),
                steps,
                into,
                laws_of(name, gates),
            )
    for law in all_laws():
        if not law.machine and (decisions is None or law.trigger in decisions):
            decide(law, Seeded(f"{seed}/{law.trigger}"), max(steps // 10, 200), into)
    return into


def gates_before(gate: str) -> Gates:
    """The newest version in which a feature gate is off."""
    for minor in range(NEWEST.minor, OLDEST.minor - 1, -1):
        gates = gates_for(f"1.{minor}")
        if not gates.on(gate):
            return gates
    return gates_for(overrides={gate: False})
