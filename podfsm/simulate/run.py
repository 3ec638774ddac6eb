"""The run loop: whatever is due next happens next, until the end or until nothing but time passes.

`Simulation` yields one `Step` after another and keeps nothing of them, so memory does not grow with simulated time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from attrs import define, field
from immutables import Map

from podfsm.errors import InputError
from podfsm.simulate.acting import Gone, events_of
from podfsm.simulate.objects import ADMITTING
from podfsm.simulate.quiet import at_rest
from podfsm.simulate.rehearse import REFUSED, complaint
from podfsm.simulate.scenario import ScenarioStep
from podfsm.simulate.setup import Setup
from podfsm.world.cluster.drive import ClusterEvent, MakeNode, MakeObject, Tick, take
from podfsm.world.cluster.state import Cluster
from podfsm.world.model import Model
from podfsm.world.nodes import ANY_NODE
from podfsm.world.pod import PodWorld
from podfsm.world.scripts import FOREVER
from podfsm.world.step import Create, Due, Event, Step, World, step

DEFAULT_DURATION = 600.0


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
    _changed: set[str] = field(factory=set)
    """Pods that changed since it was last asked whether they are at rest."""
    _restless: set[str] = field(factory=set)

    @property
    def end(self) -> float:
        """Until when it runs at most, in seconds."""
        return self.until if self.until is not None else self.setup.scenario.duration or DEFAULT_DURATION

    def __iter__(self) -> Iterator[Step]:
        """Run to the end of the scenario, `until`, or 10 minutes; earlier if everything is at rest."""
        end = self.end
        yield from self._begin()
        steps = list(self.setup.scenario.steps)
        while True:
            pods, controllers = self._next_due(), self._controllers_due()
            step_at = steps[0].at if steps else FOREVER
            when = min(pods, controllers, step_at)
            if not steps and self._quiet(end):
                return
            if when > end:
                self.now, self.ended = end, "time is up"
                self.notes.extend(
                    f"the step at {one.at:g} s comes after the end: {one.action} is not done" for one in steps
                )
                return
            if step_at == when:
                yield from self._act(steps.pop(0))
            elif controllers == when:
                yield self._take(Tick(), when)
            else:
                yield self._take(Due(heapq.heappop(self._queue)[2]), when)

    def _begin(self) -> Iterator[Step]:
        """Nodes first and what admission asks, then Pods, then the objects that make more of them."""
        self.world = World(0.0, Map())
        if self.setup.clustered:
            environment = self.setup.scenario.environment
            self.world = World(0.0, Map(), Cluster(environment=environment, absent=self.setup.late))
            for raw in [document.raw for document in self.setup.nodes] or [{"metadata": {"name": ANY_NODE}}]:
                yield self._take(MakeNode(raw), 0.0)
        for document in self.setup.objects:
            if document.kind in ADMITTING:
                yield self._take(MakeObject(document.raw), 0.0)
        for create in self.setup.pods:
            self._count += 1
            yield self._take(create, 0.0)
        for document in self.setup.objects:
            if document.kind not in ADMITTING:
                yield self._take(MakeObject(document.raw), 0.0)

    def _quiet(self, end: float) -> bool:
        """Whether nothing but time passes from here on."""
        for key in self._changed:
            (self._restless.discard if at_rest(self.world.pods[key]) else self._restless.add)(key)
        self._changed.clear()
        if self._restless or (self.world.cluster is not None and self.world.cluster.asked):
            return False
        self.ended = f"at rest: nothing but time passes from here to {end:g} s"
        return True

    def _next_due(self) -> float:
        """When something is due next for a Pod; entries of Pods that have moved on are dropped."""
        while self._queue:
            when, _, key = self._queue[0]
            if self.world.pods[key].due_next == when:
                return when
            heapq.heappop(self._queue)
        return FOREVER

    def _controllers_due(self) -> float:
        return self.world.cluster.due_next if self.world.cluster is not None else FOREVER

    def _take(self, event: Event | ClusterEvent, at: float) -> Step:
        if self.world.cluster is not None:
            done = take(self.model, self.world, event, at)
            if done.world.cluster is not None and done.world.cluster is not self.world.cluster:
                self.notes.extend(done.world.cluster.notes)
        else:
            done = step(self.model, self.world, event, at)  # type: ignore[arg-type]  # without a cluster there are events of Pods only
        self.world, self.now = done.world, at
        if done.pod is not None:
            self._enqueue(done.pod)
        for key in done.touched:
            self._enqueue(self.world.pods[key])
        return done

    def _enqueue(self, pod: PodWorld) -> None:
        self._changed.add(pod.key)
        if pod.due_next < FOREVER:
            self._count += 1
            heapq.heappush(self._queue, (pod.due_next, self._count, pod.key))

    def _act(self, what: ScenarioStep) -> Iterator[Step]:
        """Carry out one step of the scenario."""
        for event in events_of(what, self.setup, self.world, self._count + 1):
            if isinstance(event, Gone):
                self.notes.append(f"at {what.at:g} s: {what.action} of {event.key}, which is gone")
                continue
            if isinstance(event, Create) and event.key in self.world.pods and self.world.pods[event.key].exists:
                self.notes.append(f"at {what.at:g} s: create of {event.key}, which exists already")
                continue
            self._count += isinstance(event, Create)
            try:
                done = self._take(event, what.at)
            except InputError as error:
                raise complaint(what, self.setup, f"{REFUSED}: {error}") from error
            yield done
