"""JSON for XState 5: a configuration that `createMachine` takes as it is, and a definition by XState's JSON schema.

Guards are always written, for without them it would be another machine: `{"type": "rules", "params": {"all": [ids]}}`.
One guard implementation named `rules` answers for all of them.
"""

from __future__ import annotations

import json
from typing import Any

from podfsm.engine.spec import MachineSpec, TransitionSpec
from podfsm.render.parts import identifier, identifiers


def xstate(spec: MachineSpec, *, with_guards: bool, current: str | None) -> str:  # noqa: ARG001  (guards are the machine)
    """The JSON text."""
    names = identifiers(spec)
    machine = identifier(spec.name) or "machine"
    states: dict[str, dict[str, Any]] = {}
    for place, state in enumerate(spec.states):
        states[names[state.name]] = {
            "id": f"{machine}.{names[state.name]}",
            "key": names[state.name],
            "type": "final" if state.final else "atomic",
            "order": place,
            "description": state.says,
            "tags": ["current"] if state.name == current else [],
            "meta": {"state": state.name, "shows": dict(state.shows)},
        }
        if not state.final:
            states[names[state.name]]["on"] = _on(spec, state.name, machine)
    config = {
        "id": machine,
        "key": machine,
        "type": "compound",
        "description": spec.says,
        "meta": {"machine": spec.name, "instances": spec.instances, "visible": spec.visible, "omits": list(spec.omits)},
        "initial": names[spec.initial],
        "states": states,
    }
    return json.dumps(config, indent=2, ensure_ascii=False) + "\n"


def _on(spec: MachineSpec, state: str, machine: str) -> dict[str, list[dict[str, Any]]]:
    names = identifiers(spec)
    found: dict[str, list[dict[str, Any]]] = {}
    for source, target, row in spec.arrows():
        if source == state:
            place = f"#{machine}.{names[source]}"
            found.setdefault(row.trigger, []).append(_transition(row, place, f"#{machine}.{names[target]}"))
    return found


def _transition(row: TransitionSpec, source: str, target: str) -> dict[str, Any]:
    """A transition that stays has no target; one that leads back to its source leaves and enters it."""
    made: dict[str, Any] = {
        "eventType": row.trigger,
        "source": source,
        "target": [] if row.internal else [target],
        "reenter": not row.internal and source == target,
        "actions": [],
        "description": row.says,
        "meta": {
            "by": row.by,
            "because": [rule.id for rule in row.because],
            "gate": row.gate,
            "withoutGate": row.without_gate,
        },
    }
    if row.rules:
        made["guard"] = {"type": "rules", "params": {"all": list(row.guards)}}
    return made
