"""A spec as a `transitions` machine: objects with a state, and one method a trigger.

The only module that imports `transitions`; loading it takes as long as all the rest, so import it where it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from transitions import EventData, Machine

from podfsm.engine.rule import Rule
from podfsm.engine.spec import MachineSpec
from podfsm.engine.table import NO_TRANSITION, Fired, best, judge_all
from podfsm.engine.verdict import Verdict
from podfsm.engine.versions import Gates
from podfsm.errors import Refused, UnknownName


def build_machine(
    spec: MachineSpec, gates: Gates | None = None, *, base: type[Machine] = Machine, model: Any = None, **options: Any
) -> Machine:
    """The spec as a plain `transitions.Machine` under these gates, for code that already works with `transitions`.

    `base` may be a subclass such as `GraphMachine`; `options` go to it. Models added to the machine get the trigger
    methods of `transitions`: facts are the first argument (or `facts=`), callbacks receive the event, a refused guard
    returns False and a trigger that nothing accepts raises MachineError. Objects of `machine_class` say why instead.
    """
    spec = spec.under(gates)
    rows = [
        {
            "trigger": row.trigger,
            "source": source,
            "dest": None if row.internal else target,
            "conditions": [_condition(rule) for rule in row.rules],
            "after": [_note(Fired(spec.name, row.trigger, source, target, row, row.cited))],
        }
        for source, target, row in spec.arrows()
    ]
    states = [{"name": state.name, "final": state.final} for state in spec.states]
    return base(
        model=model,
        states=states,
        initial=spec.initial,
        transitions=rows,
        auto_transitions=False,
        send_event=True,
        **options,
    )


def machine_class(spec: MachineSpec, gates: Gates | None = None) -> type[Lifecycle]:
    """A class whose instances are machines of this spec, with a method for each trigger.

        Container = machine_class(spec)
        container = Container()
        container.start(facts)

    See Lifecycle for what instances offer.
    """
    spec = spec.under(gates)
    members: dict[str, Any] = {"machine": build_machine(spec), "spec": spec, "__doc__": spec.says or spec.name}
    for trigger in spec.triggers:
        members[trigger] = _trigger_method(trigger)
        members[f"may_{trigger}"] = _may_method(trigger)
    name = "".join(part[:1].upper() + part[1:] for part in re.findall(r"[A-Za-z0-9]+", spec.name))
    return type(name if name.isidentifier() else "Machine", (Lifecycle,), members)


class Lifecycle:
    """Base of the classes that `machine_class` makes: one thing with a state.

    `thing.start(facts)` fires the trigger `start` and returns the Fired transition; it raises Refused with the verdict
    when no transition accepts it, never returning False. `thing.may_start(facts)` asks for a bool, `thing.ask("start",
    facts)` for the verdict. `facts` may be left out where no guard reads any. `machine` is the `transitions.Machine`
    that all instances of the class share.
    """

    machine: ClassVar[Machine]
    spec: ClassVar[MachineSpec]

    def __init__(self, initial: str = "") -> None:
        """Start in `initial`, or in the spec's initial state. Raises UnknownName."""
        self.state = self.spec.state(initial or self.spec.initial).name
        self._history: list[Fired] = []

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @property
    def history(self) -> tuple[Fired, ...]:
        """The transitions that happened, oldest first."""
        return tuple(self._history)

    def fire(self, trigger: str, facts: Any = None) -> Fired:
        """Pull a trigger by name.

        Raises Refused with the verdict (None when nothing here has this trigger), GuardCrashed when a guard raised,
        UnknownName for a trigger that the machine does not have.
        """
        if not self._transitions(trigger):
            raise Refused(self.spec.name, trigger, self.state)
        fired: list[Fired] = []
        if not self.machine.events[trigger].trigger(self, facts, fired=fired):
            raise Refused(self.spec.name, trigger, self.state, self.ask(trigger, facts))
        return fired[0]

    def ask(self, trigger: str, facts: Any = None) -> Verdict:
        """Whether the trigger would fire now, and if not why, or not before when."""
        found = self._transitions(trigger)
        if not found:
            return NO_TRANSITION
        return best(judge_all((condition.func.rule for condition in row.conditions), facts) for row in found)

    def _transitions(self, trigger: str) -> list[Any]:
        if trigger not in self.machine.events:
            raise UnknownName(f"trigger of {self.spec.name}", trigger, self.machine.events)
        return list(self.machine.events[trigger].transitions.get(self.state, ()))

    def __repr__(self) -> str:
        return f"<{self.spec.name} in {self.state}>"


def _condition(rule: Rule) -> Callable[[EventData], bool]:
    """The rule as `transitions` calls it; named after the rule, because graphs print the name."""

    def condition(event: EventData) -> bool:
        facts = next(iter(event.args), event.kwargs.get("facts"))
        return rule.judge(facts).holds

    condition.__name__ = rule.id
    condition.rule = rule  # type: ignore[attr-defined]
    return condition


def _note(fired: Fired) -> Callable[[EventData], None]:
    """Tells a Lifecycle which transition happened; `transitions` itself only returns True."""

    def note(event: EventData) -> None:
        if isinstance(event.model, Lifecycle):
            event.model._history.append(fired)  # noqa: SLF001
            event.kwargs.get("fired", []).append(fired)

    return note


def _trigger_method(trigger: str) -> Callable[..., Fired]:
    def method(self: Lifecycle, facts: Any = None) -> Fired:
        return self.fire(trigger, facts)

    method.__name__ = trigger
    method.__doc__ = f"Fire `{trigger}`. Raises Refused."
    return method


def _may_method(trigger: str) -> Callable[..., bool]:
    def method(self: Lifecycle, facts: Any = None) -> bool:
        return self.ask(trigger, facts).holds

    method.__name__ = f"may_{trigger}"
    method.__doc__ = f"Whether `{trigger}` would fire."
    return method
