"""The search: breadth first over sets of deviations, each run on the virtual clock from the start.

A set is extended only by places that come later than its last deviation, so each is run once. What came before a
place does not depend on what is chosen there, so nothing is missed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from podfsm.errors import GuardCrashed, Refused
from podfsm.explore.deviations import USUAL, Bounds, Deviation, Environment
from podfsm.explore.outcome import Answer, Behaviour, Ending, Exploration
from podfsm.explore.properties import Property
from podfsm.kube.document import Document
from podfsm.kube.objects import Pod
from podfsm.rules.kubectl_columns import kubectl_columns
from podfsm.simulate import prepare
from podfsm.simulate.run import Simulation
from podfsm.testing.case import Case
from podfsm.testing.history import Accepted, Happened, History, Seen
from podfsm.testing.invariants import all_invariants
from podfsm.world.creation import pod_key
from podfsm.world.pod import Fired

Json = dict[str, Any]
Each = Callable[[Behaviour, History], None]

_BESIDE = ("Node", "ConfigMap", "Secret", "PriorityClass")
"""What may stand beside the one Pod."""
_LEGAL = "every-trigger-is-legal"


def explore(
    documents: Sequence[Document],
    properties: Sequence[Property] = (),
    *,
    kinds: Sequence[str] = USUAL,
    bounds: Bounds | None = None,
    kubernetes: str | None = None,
    each: Each = lambda _behaviour, _history: None,
) -> Exploration:
    """Run every behaviour of the one Pod among `documents` and ask properties and invariants of each.

    `each` is called with every behaviour and what was seen of it. What a Scenario among the documents says is kept, and
    not varied. Raises InputError and NotModelled as `prepare` does, and InputError if there is not exactly one Pod.
    """
    return _Search(documents, properties, kinds, bounds or Bounds(), kubernetes, each).run()


def subject_of(documents: Sequence[Document], kubernetes: str | None = None) -> tuple[Pod, Simulation]:
    """The one Pod to explore, with its defaults, and a simulation of it. Raises InputError, NotModelled."""
    simulation = prepare(documents, kubernetes=kubernetes)
    pods = [document for document in documents if document.kind == "Pod"]
    others = [document for document in documents if document.kind not in ("Pod", "Scenario", *_BESIDE)]
    if len(pods) != 1 or others:
        wrong = others[0] if others else pods[1] if pods else documents[0]
        expected = "one Pod, and beside it a Scenario, " + ", ".join(_BESIDE)
        raise wrong.error("not one Pod to explore", "kind", expected=expected, found=wrong.kind)
    return simulation.setup.pods[0].pod, simulation


class _Search:
    """One exploration under way."""

    def __init__(
        self,
        documents: Sequence[Document],
        properties: Sequence[Property],
        kinds: Sequence[str],
        bounds: Bounds,
        kubernetes: str | None,
        each: Each,
    ) -> None:
        pod, simulation = subject_of(documents, kubernetes)
        self.documents = [document for document in documents if document.kind != "Scenario"]
        scenario = next((document for document in documents if document.kind == "Scenario"), None)
        base: Json = dict((scenario.raw.get("spec") or {}) if scenario is not None else {})
        if kubernetes is not None:
            base["kubernetes"] = kubernetes
        self.told = scenario is not None
        self.pod, self.gates = pod, simulation.model.gates
        self.environment = Environment(pod, self.gates, frozenset(kinds), bounds, base)
        self.bounds, self.each, self.asked = bounds, each, properties
        self.found = Exploration(str(self.gates.version))
        self.found.properties = [Answer(str(p), p.text, wanted=p.mode == "sometimes") for p in properties]
        self.shown: set[bytes] = set()

    def run(self) -> Exploration:
        """Every set of deviations, the smaller ones first."""
        waiting: deque[tuple[Deviation, ...]] = deque([()])
        while waiting:
            if self.found.behaviours >= self.bounds.behaviours:
                self.found.complete = False
                break
            chosen = waiting.popleft()
            fired = self._behaviour(chosen)
            if len(chosen) < self.bounds.deviations:
                waiting.extend(self._more(chosen, fired))
        return self.found

    def _more(self, chosen: tuple[Deviation, ...], fired: Sequence[Fired]) -> Iterator[tuple[Deviation, ...]]:
        """The sets with one deviation more."""
        once = {one.place.kind for one in chosen} & {"delete", "sandbox"}
        for place in self.environment.places(fired, chosen[-1].place if chosen else None):
            if place.kind not in once:
                yield from ((*chosen, deviation) for deviation in self.environment.deviations(place))

    def _behaviour(self, chosen: tuple[Deviation, ...]) -> list[Fired]:
        """Run one behaviour and ask everything of it; its transitions."""
        case = Case(tuple(document.raw for document in self.documents), self.environment.scenario(chosen))
        simulation = prepare(case.documents("explored"))
        seen: list[Seen] = []
        fired: list[Fired] = []
        happened: list[Happened] = []
        behaviour = Behaviour(chosen, case)
        self.found.behaviours += 1
        try:
            for step in simulation:
                shown = (one for one in step.snapshots if pod_key(one.raw) == self.environment.key)
                seen += [Seen(one.at, one.type, one.pod) for one in shown]
                fired += (one for one in step.fired if one.pod == self.environment.key)
                told = (one for one in step.events if one.pod == self.environment.key)
                happened += [Happened(one.at, one.reason, one.message, one.container) for one in told]
        except (Refused, GuardCrashed) as error:
            self.found.invariants.setdefault(_LEGAL, Answer(_LEGAL, "What the world does, its machines allow.")).note(
                behaviour, f"{error};"
            )
            return fired
        self._note_ending(behaviour, seen)
        self._ask_properties(behaviour, seen)
        history = self._history(case, simulation, seen, fired, happened)
        self._ask_invariants(behaviour, history)
        self.each(behaviour, history)
        return fired

    def _history(
        self, case: Case, simulation: Simulation, seen: list[Seen], fired: list[Fired], happened: list[Happened]
    ) -> History:
        return History(
            name=self.pod.metadata.name,
            seen=tuple(seen),
            case=None if self.told else case,  # with durations as text it could not be read there
            gates=self.gates,
            happened=tuple(happened),
            accepted=tuple(Accepted(o.at, o.machine, o.instance, o.trigger, o.source, o.dest, o.rules) for o in fired),
            ends=simulation.now,
        )

    def _note_ending(self, behaviour: Behaviour, seen: Sequence[Seen]) -> None:
        told = [(one.at, one.type, one.pod.status) for one in seen]
        digest = blake2b(msgspec.json.encode(told), digest_size=16).digest()
        self.found.different += digest not in self.shown
        self.shown.add(digest)
        columns = kubectl_columns(seen[-1].pod, None, self.gates)
        key = ("", "(gone)") if seen[-1].type == "DELETED" else (columns.ready, columns.status)
        ending = self.found.endings.setdefault(key, Ending(*key, behaviour))
        ending.count += 1

    def _ask_properties(self, behaviour: Behaviour, seen: Sequence[Seen]) -> None:
        for asked, answer in zip(self.asked, self.found.properties, strict=True):
            looked = seen[-1:] if asked.mode == "finally" else seen
            wanted = asked.mode in ("never", "sometimes")
            met = next((one for one in looked if asked.holds(one.pod) is wanted), None)
            if met is not None:
                answer.note(behaviour, f"at {met.at:.3f} s")

    def _ask_invariants(self, behaviour: Behaviour, history: History) -> None:
        for invariant in all_invariants():
            answer = self.found.invariants.setdefault(invariant.name, Answer(invariant.name, invariant.says))
            wrong = invariant.broken(history)
            if wrong:
                answer.note(behaviour, wrong[0])
