"""The run loop: whatever is due next happens next, until the end or until nothing but time passes.

`Simulation` yields one `Step` after another and keeps nothing of them, so memory does not grow with simulated time.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator

from attrs import define, field
from immutables import Map

from podfsm.errors import NotModelled, ScenarioError, nearest
from podfsm.simulate.quiet import at_rest
from podfsm.simulate.scenario import ScenarioStep
from podfsm.simulate.setup import EXISTING, Setup, created_document, creation
from podfsm.world.model import Model
from podfsm.world.pod import PodWorld
from podfsm.world.scripts import FOREVER
from podfsm.world.step import Appear, Create, Delete, Due, Event, Patch, Step, World, step

DEFAULT_DURATION = 600.0
_TARGET = re.compile(r"(?P<resource>[a-z]+)(?:/(?P<name>[^/\[]+)(?:/(?P<sub>[a-z]+))?|\[(?P<index>\d+)\])")


@define
class Simulation:
    """One run. Iterate it once; afterwards `ended` says why it stopped and `now` when (seconds)."""

    model: Model
    setup: Setup
    until: float | None = None
    world: World = field(factory=World)
    now: float = 0.0
    ended: str = ""
    notes: list[str] = field(factory=list)
    """What went otherwise than a step meant, for instance a delete of a Pod that was gone."""
    _queue: list[tuple[float, int, str]] = field(factory=list)
    _count: int = 0

    @property
    def end(self) -> float:
        """Until when it runs at most, in seconds."""
        return self.until if self.until is not None else self.setup.scenario.duration or DEFAULT_DURATION

    def __iter__(self) -> Iterator[Step]:
        """Run to the end of the scenario, `until`, or 10 minutes; earlier if everything is at rest."""
        end = self.end
        self.world = World(0.0, Map(), self.setup.nodes)
        for create in self.setup.pods:
            self._count += 1
            yield self._take(create, 0.0)
        steps = list(self.setup.scenario.steps)
        while True:
            due = self._next_due()
            step_at = steps[0].at if steps else FOREVER
            when = min(due, step_at)
            if when > end:
                self.now, self.ended = end, "time is up"
                return
            if not steps and self._quiet(end):
                return
            if step_at <= due:
                yield from self._act(steps.pop(0))
            else:
                yield self._take(Due(heapq.heappop(self._queue)[2]), due)

    def _quiet(self, end: float) -> bool:
        """Whether nothing but time passes from here on."""
        if any(not at_rest(pod) for pod in self.world.pods.values()):
            return False
        self.ended = f"at rest: nothing but time passes from here to {end:g} s"
        return True

    def _next_due(self) -> float:
        """When something is due next; entries of Pods that have moved on are dropped."""
        while self._queue:
            when, _, key = self._queue[0]
            if self.world.pods[key].due_next == when:
                return when
            heapq.heappop(self._queue)
        return FOREVER

    def _take(self, event: Event, at: float) -> Step:
        done = step(self.model, self.world, event, at)
        self.world, self.now = done.world, at
        if done.pod is not None:
            self._enqueue(done.pod)
        return done

    def _enqueue(self, pod: PodWorld) -> None:
        if pod.due_next < FOREVER:
            self._count += 1
            heapq.heappush(self._queue, (pod.due_next, self._count, pod.key))

    def _act(self, what: ScenarioStep) -> Iterator[Step]:
        """Carry out one step of the scenario."""
        if what.action == "create":
            yield self._create(what)
            return
        if what.action not in ("delete", "patch"):
            raise NotModelled(f"{what.path}: {what.action} is not simulated")
        resource, sub, keys = self._targets(what)
        if resource != "pods":
            raise NotModelled(f"{what.path}: {what.action} of {resource} is not simulated")
        for key in keys:
            if not self.world.pods[key].exists:
                self.notes.append(f"at {what.at:g} s: {what.action} of {key}, which is gone")
                continue
            event = Delete(key, what.grace) if what.action == "delete" else Patch(key, what.kind, what.body, sub)
            yield self._take(event, what.at)

    def _create(self, what: ScenarioStep) -> Step:
        document = created_document(self.setup.scenario, what)
        if document.kind in EXISTING:
            return self._take(Appear(f"{document.kind}/{document.name}"), what.at)
        if document.kind != "Pod":
            raise NotModelled(f"{what.path}: create of {document.kind} is not simulated")
        self._count += 1
        event: Create = creation(document, self.setup.scenario.environment, self.setup.late, self._count)
        return self._take(event, what.at)

    def _targets(self, what: ScenarioStep) -> tuple[str, str, list[str]]:
        """The resource, subresource and Pods that a step speaks of."""
        found = _TARGET.fullmatch(what.target)
        if found is None:
            raise self._bad_target(what, "not a target", "pods/NAME, pods/NAME/SUBRESOURCE, pods[N] or pods/*")
        names = {key.split("/", 1)[1]: key for key in sorted(self.world.pods)}
        if found["resource"] != "pods":
            return found["resource"], found["sub"] or "", []
        if found["name"] == "*":
            keys = [names[name] for name in sorted(names)]
        elif found["index"] is not None:
            keys = [names[name] for name in sorted(names)[int(found["index"]) :][:1]]
        else:
            if found["name"] not in names:
                raise self._bad_target(what, "no Pod of this name", nearest(found["name"], names))
            keys = [names[found["name"]]]
        return "pods", found["sub"] or "", keys

    def _bad_target(self, what: ScenarioStep, problem: str, expected: str) -> ScenarioError:
        document = self.setup.scenario.document
        line = document.place(what.path)[0] if document is not None else None
        source = document.source if document is not None else ""
        path = f"{what.path}.{what.action}"
        return ScenarioError(problem, source=source, line=line, path=path, expected=expected, found=repr(what.target))
