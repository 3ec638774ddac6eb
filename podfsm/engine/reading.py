"""From a machine's YAML to its checked value. `load_spec` is the way in; every complaint says where it stands."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from keyword import iskeyword
from typing import Any

from attrs import frozen

from podfsm.engine import graph
from podfsm.engine.located import Located, Path, load_located
from podfsm.engine.rule import Registry, Rule
from podfsm.engine.spec import ANY, INTERNAL, MachineSpec, StateSpec, TransitionSpec
from podfsm.errors import nearest

_MACHINE_KEYS = ("machine", "says", "instances", "visible", "actors", "initial", "states", "transitions", "omits")
_STATE_KEYS = ("shows", "says", "final")
_ROW_KEYS = ("trigger", "source", "dest", "by", "guards", "because", "says", "gate", "without_gate")

RESERVED = ("ask", "fire", "history", "machine", "spec", "state", "trigger")
"""Names a trigger may not have: a model made from the spec uses them itself, as it does `may_...` and `is_...`."""


@frozen
class _Known:
    """The names a row may use."""

    machine: str
    registry: Registry
    states: Mapping[str, StateSpec]
    actors: tuple[str, ...]
    gates: Collection[str] | None


def read_spec(
    text: str, source: str, *, registry: Registry, actors: Sequence[str], gates: Collection[str] | None
) -> MachineSpec:
    """The machine that `text` describes. Raises SpecError; see `load_spec`."""
    doc = load_located(text, source)
    content = _map(doc, (), _MACHINE_KEYS, required=("machine", "initial", "states", "transitions"))
    own_actors = _names(doc, ("actors",), "actor")
    known = _Known(
        machine=_name(doc, ("machine",), "machine"),
        registry=registry,
        states=_states(doc, content["states"]),
        actors=own_actors if "actors" in content else tuple(actors),
        gates=gates,
    )
    rows = content["transitions"]
    if not isinstance(rows, list) or not rows:
        raise doc.error("no transitions", ("transitions",), expected="a list of transitions", found=_kind(rows))
    spec = MachineSpec(
        name=known.machine,
        initial=_one_of(doc, ("initial",), "state", known.states),
        states=tuple(known.states.values()),
        transitions=tuple(_row(doc, ("transitions", index), known) for index in range(len(rows))),
        actors=known.actors,
        says=_text(doc, ("says",)),
        instances=_text(doc, ("instances",)),
        visible=_text(doc, ("visible",)),
        omits=_texts(doc, ("omits",)),
        source=source,
    )
    _check_alternatives(doc, spec)
    _check_graph(doc, spec)
    return spec


def _states(doc: Located, states: Any) -> dict[str, StateSpec]:
    if not isinstance(states, dict) or not states:
        raise doc.error("no states", ("states",), expected="a map of states by name", found=_kind(states))
    return {name: _state(doc, ("states", name), name) for name in states}


def _state(doc: Located, path: Path, name: str) -> StateSpec:
    _check_name(doc, path, "state", name, at_key=True)
    line, _ = doc.key_place(path)
    content = _map(doc, path, _STATE_KEYS, empty=True)
    final = content.get("final", False)
    if not isinstance(final, bool):
        raise doc.error("not a truth value", (*path, "final"), expected="true or false", found=repr(final))
    shows = _shows(doc, (*path, "shows"), content.get("shows"))
    return StateSpec(name, _text(doc, (*path, "says")), shows, final, line)


def _shows(doc: Located, path: Path, shows: Any) -> tuple[tuple[str, str], ...]:
    """`running` alone is a field without a value."""
    if isinstance(shows, dict):
        return tuple((key, _text(doc, (*path, key))) for key in shows)
    text = _text(doc, path)
    return ((text, ""),) if text else ()


def _row(doc: Located, path: Path, known: _Known) -> TransitionSpec:
    content = _map(doc, path, _ROW_KEYS, required=("trigger", "source", "dest", "by"))
    row = TransitionSpec(
        trigger=_trigger(doc, (*path, "trigger")),
        sources=_sources(doc, (*path, "source"), known.states),
        dest=INTERNAL if content["dest"] == INTERNAL else _one_of(doc, (*path, "dest"), "state", known.states),
        by=_one_of(doc, (*path, "by"), "actor", known.actors),
        rules=tuple(_guard(doc, place, name, known) for place, name in _listed(doc, (*path, "guards"), "guard")),
        because=tuple(_known_rule(doc, place, name, known) for place, name in _listed(doc, (*path, "because"), "rule")),
        says=_text(doc, (*path, "says")),
        gate=_gate(doc, (*path, "gate"), known),
        without_gate=_gate(doc, (*path, "without_gate"), known),
        index=int(path[-1]),
        line=doc.place(path)[0],
    )
    for place, rule in enumerate(row.because):
        if rule in row.rules:
            raise doc.error(f"rule {rule.id!r} is a guard of this row already", (*path, "because", place))
    if row.gate and row.gate == row.without_gate:
        raise doc.error(f"never exists: gate {row.gate} cannot be on and off", path)
    return row


def _trigger(doc: Located, path: Path) -> str:
    name = _name(doc, path, "trigger")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or iskeyword(name):
        raise doc.error(f"trigger {name!r} is no Python name", path, expected="letters, digits and underscores")
    if name in RESERVED or name.startswith(("may_", "is_")):
        raise doc.error(f"trigger {name!r} has a name that models use themselves", path, hint="choose another")
    return name


def _sources(doc: Located, path: Path, states: Mapping[str, StateSpec]) -> tuple[str, ...]:
    if _value(doc, path) == ANY:
        found = tuple(state.name for state in states.values() if not state.final)
    else:
        named = _listed(doc, path, "state")
        if not named:
            raise doc.error("no source", path, expected=f"a state, a list of states or {ANY!r}")
        found = tuple(_one_of(doc, place, "state", states) for place, _ in named)
    for place, name in enumerate(found):
        if states[name].final:
            wrong = (*path, place) if isinstance(_value(doc, path), list) else path
            raise doc.error(f"state {name!r} is final, so nothing leaves it", wrong)
    return found


def _guard(doc: Located, path: Path, name: str, known: _Known) -> Rule:
    fitting = [rule.id for rule in known.registry if _fits(rule, known.machine)]
    if name not in known.registry:
        hint = nearest(name, fitting) if fitting else f"no guard is registered for machine {known.machine}"
        raise doc.error(f"no rule {name!r}", path, hint=hint)
    rule = known.registry[name]
    if rule.kind != "guard":
        raise doc.error(f"rule {name!r} guards nothing", path, expected="a guard", found=f"a rule of kind {rule.kind}")
    if not _fits(rule, known.machine):
        raise doc.error(f"guard {name!r} belongs to {', '.join(rule.machines)}, not to {known.machine}", path)
    return rule


def _known_rule(doc: Located, path: Path, name: str, known: _Known) -> Rule:
    if name not in known.registry:
        names = [rule.id for rule in known.registry]
        raise doc.error(f"no rule {name!r}", path, hint=nearest(name, names) if names else "no rule is registered")
    return known.registry[name]


def _fits(rule: Rule, machine: str) -> bool:
    return rule.kind == "guard" and (not rule.machines or machine in rule.machines)


def _gate(doc: Located, path: Path, known: _Known) -> str:
    name = _text(doc, path)
    if name and known.gates is not None and name not in known.gates:
        raise doc.error(f"no feature gate {name!r}", path, hint=nearest(name, known.gates))
    return name


def _check_alternatives(doc: Located, spec: MachineSpec) -> None:
    """Two rows of which one holds whenever the other does are two transitions enabled at once, by writing alone."""
    seen: dict[tuple[str, str], list[TransitionSpec]] = {}
    for source, _, row in spec.arrows():
        for earlier in seen.setdefault((source, row.trigger), []):
            if not _gates_may_agree(earlier, row):
                continue
            if set(earlier.guards) <= set(row.guards) or set(row.guards) <= set(earlier.guards):
                raise doc.error(
                    f"{row.trigger!r} from {source!r} cannot be told apart from transitions[{earlier.index}]",
                    ("transitions", row.index),
                    expected="guards of which neither row's include the other's",
                    found=f"[{', '.join(earlier.guards)}] and [{', '.join(row.guards)}]",
                )
        seen[source, row.trigger].append(row)


def _gates_may_agree(one: TransitionSpec, other: TransitionSpec) -> bool:
    return not (one.gate and one.gate == other.without_gate) and not (other.gate and other.gate == one.without_gate)


def _check_graph(doc: Located, spec: MachineSpec) -> None:
    edges = spec.successors()
    reached = graph.reachable_from([spec.initial], edges)
    for name in spec.state_names:
        if name not in reached:
            problem = f"state {name!r} cannot be reached from {spec.initial!r}"
            raise doc.error(problem, ("states", name), at_key=True, hint="add a transition to it or remove it")
    for name in graph.traps(spec.state_names, spec.finals, edges):
        problem = f"state {name!r} is a trap: not final, and nothing leads out of it"
        raise doc.error(problem, ("states", name), at_key=True, hint="add a transition or `final: true`")
    for name in graph.without_end(spec.state_names, spec.finals, edges):
        problem = f"no way from state {name!r} to a final state ({', '.join(spec.finals)})"
        raise doc.error(problem, ("states", name), at_key=True)


def _value(doc: Located, path: Path) -> Any:
    """The value at `path`; None where a key is missing."""
    value = doc.value
    for part in path:
        if value is None:
            break
        value = value.get(part) if isinstance(value, dict) else value[part]
    return value


def _map(
    doc: Located, path: Path, allowed: Sequence[str], *, required: Sequence[str] = (), empty: bool = False
) -> dict[str, Any]:
    content = _value(doc, path)
    if content is None and empty:
        return {}
    if not isinstance(content, dict):
        raise doc.error("not a map", path, expected=f"a map with {', '.join(allowed)}", found=_kind(content))
    for key in content:
        if key not in allowed:
            raise doc.error(f"unknown key {key!r}", (*path, key), at_key=True, hint=nearest(key, allowed))
    for key in required:
        if key not in content:
            raise doc.error(f"key {key!r} is missing", path)
    return content


def _text(doc: Located, path: Path) -> str:
    """Optional free text; empty when missing."""
    value = _value(doc, path)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise doc.error("not a text", path, expected="text (in quotes if need be)", found=_kind(value))
    return value.strip()


def _texts(doc: Located, path: Path) -> tuple[str, ...]:
    value = _value(doc, path)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise doc.error("not a list", path, expected="a list of texts", found=_kind(value))
    return tuple(_text(doc, (*path, index)) for index in range(len(value)))


def _name(doc: Located, path: Path, what: str) -> str:
    name = _text(doc, path)
    _check_name(doc, path, what, name)
    return name


def _check_name(doc: Located, path: Path, what: str, name: str, *, at_key: bool = False) -> None:
    if not name or name != name.strip() or not name.isprintable() or name in (ANY, INTERNAL) or len(name) > 200:
        expected = f"printable text of at most 200 characters, other than {ANY!r} and {INTERNAL!r}"
        raise doc.error(f"not a name for a {what}", path, at_key=at_key, expected=expected, found=repr(name[:40]))


def _names(doc: Located, path: Path, what: str) -> tuple[str, ...]:
    return tuple(name for _, name in _listed(doc, path, what))


def _listed(doc: Located, path: Path, what: str) -> list[tuple[Path, str]]:
    """One name or a list of different names, each with its place; nothing when the key is missing."""
    value = _value(doc, path)
    if value is None:
        return []
    if not isinstance(value, list):
        return [(path, _name(doc, path, what))]
    found: dict[str, Path] = {}
    for index in range(len(value)):
        place = (*path, index)
        name = _name(doc, place, what)
        if name in found:
            raise doc.error(f"{what} {name!r} given twice", place)
        found[name] = place
    return [(place, name) for name, place in found.items()]


def _one_of(doc: Located, path: Path, what: str, known: Iterable[str]) -> str:
    name = _name(doc, path, what)
    if name not in known:
        raise doc.error(f"no {what} {name!r}", path, hint=nearest(name, known))
    return name


def _kind(value: Any) -> str:
    kinds = {dict: "a map", list: "a list", str: f"text {str(value)[:40]!r}", type(None): "nothing"}
    return kinds.get(type(value), str(value).lower()[:40])
