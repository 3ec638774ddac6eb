"""podfsm's own simulation behind the protocol: a world that advances when it is told to.

Also what the pytest fixture is made of: processes can be ended and probes changed while the run goes on.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from attrs import asdict, define, evolve, field
from immutables import Map

from podfsm.errors import UnknownName
from podfsm.kube.document import Document
from podfsm.rules.facts import RuntimeState
from podfsm.rules.gates import gates_for
from podfsm.simulate.output import object_of
from podfsm.simulate.scenario import API_VERSION, Scenario, read_scenario
from podfsm.simulate.setup import creation
from podfsm.testing.case import spelled
from podfsm.world.model import Model, make_model
from podfsm.world.pod import Fired, PodEvent, PodWorld, Snapshot, freeze, thaw
from podfsm.world.probing import wake
from podfsm.world.scripts import FOREVER
from podfsm.world.step import Appear, Delete, Due, Event, Patch, World, step
from podfsm.world.timing import KUBELET, Profile

ACCURACY = 1e-9
NAMESPACE = "default"


@define(eq=False)
class SimulatedCluster:
    """A cluster of podfsm's own. `tables` may replace the compiled machines by others that fire and ask as they do."""

    model: Model | None = None
    profile: Profile = KUBELET
    kubernetes: str = "1.36"
    feature_gates: Mapping[str, bool] = field(factory=dict)
    lacks: frozenset[str] = frozenset()
    world: World = field(factory=World)
    now: float = 0.0
    snapshots: list[Snapshot] = field(factory=list)
    """Every change since the last `watch`."""
    happened: list[PodEvent] = field(factory=list)
    fired: list[Fired] = field(factory=list)
    last: dict[str, Snapshot] = field(factory=dict)
    """The newest change of each Pod, by name."""
    _spec: dict[str, Any] = field(factory=dict)
    _absent: set[str] = field(factory=set)
    _queue: list[tuple[float, int, str]] = field(factory=list)
    _count: int = 0

    def script(self, target: str, behaviour: Mapping[str, Any]) -> None:
        """See Cluster. Scripts of containers and images may change while the run goes on."""
        kind, _, name = target.partition("/")
        if kind == "cluster":
            self.kubernetes = str(behaviour.get("kubernetes", self.kubernetes))
            self.feature_gates = {**self.feature_gates, **behaviour.get("featureGates", {})}
            self.model = None
        elif kind == "absent":
            self._absent.add(name)
        elif kind == "images":
            self._spec.setdefault("images", {})[name] = dict(behaviour)
        elif kind == "sandboxes":
            self._put("pods", {"pod": name}, {"sandbox": dict(behaviour)})
        elif kind == "containers":
            pod, _, container = name.partition("/")
            self._put("containers", {"pod": pod, "container": container}, behaviour)
        else:
            raise UnknownName("target of a script", kind, ("absent", "cluster", "containers", "images", "sandboxes"))
        self._renew_scripts()

    def create(self, manifest: Mapping[str, Any]) -> None:
        """See Cluster."""
        kind = manifest.get("kind", "Pod")
        if kind != "Pod":
            name = f"{kind}/{manifest.get('metadata', {}).get('name', '')}"
            self._absent.discard(name)
            self._take(Appear(name))
            return
        self._count += 1
        document = Document(dict(manifest))
        self._take(creation(document, self._scenario().environment, frozenset(self._absent), self._count))

    def delete(self, pod: str, grace: int | None = None) -> None:
        """See Cluster. A Pod that is gone is not deleted again."""
        if self._pod(pod).exists:
            self._take(Delete(f"{NAMESPACE}/{pod}", grace))

    def patch(self, pod: str, body: Any, *, subresource: str = "", kind: str = "strategic") -> None:
        """See Cluster."""
        if self._pod(pod).exists:
            self._take(Patch(f"{NAMESPACE}/{pod}", kind, body, subresource))

    def advance(self, seconds: float) -> None:
        """See Cluster."""
        until = self.now + seconds
        while self._queue and self._queue[0][0] <= until + ACCURACY:
            when, _, key = heapq.heappop(self._queue)
            if self.world.pods[key].due_next == when:
                self.now = max(self.now, when)
                self._take(Due(key))
        self.now = until

    def read(self, pod: str) -> dict[str, Any] | None:
        """See Cluster."""
        shown = self.last.get(pod)
        return None if shown is None or shown.type == "DELETED" else object_of(shown)

    def watch(self) -> list[dict[str, Any]]:
        """See Watching."""
        drained, self.snapshots = self.snapshots, []
        return [{"type": s.type, "at": s.at, "object": object_of(s)} for s in drained]

    def events(self) -> list[dict[str, Any]]:
        """See Watching."""
        drained, self.happened = self.happened, []
        return [{**asdict(event), "pod": event.pod.partition("/")[2]} for event in drained]

    def transitions(self) -> list[dict[str, Any]]:
        """See Watching."""
        drained, self.fired = self.fired, []
        return [{**asdict(one), "pod": one.pod.partition("/")[2]} for one in drained]

    def next_due(self) -> float:
        """When something happens next by itself; infinity when nothing will."""
        while self._queue:
            when, _, key = self._queue[0]
            if self.world.pods[key].due_next == when:
                return when
            heapq.heappop(self._queue)
        return FOREVER

    def end_process(self, pod: str, container: str, exit_code: int, reason: str = "") -> None:
        """End a running container's process now. Raises UnknownName when there is none."""
        world = self._pod(pod)
        running = [c for c in world.live if c.state is RuntimeState.RUNNING]
        found = next((c for c in running if c.name == container), None)
        if found is None:
            raise UnknownName("running container", container, [c.name for c in running])
        d = thaw(world, self.now)
        instance = d.instances[found.id]
        d.instances[found.id] = evolve(instance, attempt=evolve(instance.attempt, exit=exit_code, reason=reason))
        d.at(self.now, "ends", found.id)
        self._replace(freeze(d))
        self.advance(0.0)

    def _pod(self, name: str) -> PodWorld:
        key = f"{NAMESPACE}/{name}"
        if key not in self.world.pods:
            raise UnknownName("Pod", name, [known.partition("/")[2] for known in self.world.pods])
        return self.world.pods[key]

    def _put(self, group: str, names: Mapping[str, str], behaviour: Mapping[str, Any]) -> None:
        entries: list[dict[str, Any]] = self._spec.setdefault(group, [])
        found = next((e for e in entries if all(e.get(key) == name for key, name in names.items())), None)
        if found is None:
            entries.append({**names, **behaviour})
        else:
            found.update(behaviour)

    def _scenario(self) -> Scenario:
        raw = {"apiVersion": API_VERSION, "kind": "Scenario", "spec": spelled(self._spec)}
        return read_scenario(Document(raw))

    def _renew_scripts(self) -> None:
        """Pods that exist behave by the new scripts from their next start or check on."""
        for pod in self.world.pods.values():
            d = thaw(pod, self.now)
            d.scripts = self._scenario().environment.for_pod(pod.api)
            if d.status is not None:
                wake(d, None, d.status)  # checks that changed nothing may have been left out
            self._replace(freeze(d))

    def _model(self) -> Model:
        if self.model is None:
            self.model = model_of(self.kubernetes, tuple(sorted(self.feature_gates.items())), self.profile)
        return self.model

    def _take(self, event: Event) -> None:
        done = step(self._model(), self.world, event, self.now)
        self.world = done.world
        self.snapshots.extend(done.snapshots)
        self.happened.extend(done.events)
        self.fired.extend(done.fired)
        for snapshot in done.snapshots:
            self.last[snapshot.pod.metadata.name] = snapshot
        if done.pod is not None:
            self._enqueue(done.pod)

    def _replace(self, pod: PodWorld) -> None:
        self.world = evolve(self.world, pods=self.world.pods.set(pod.key, pod))
        self._enqueue(pod)

    def _enqueue(self, pod: PodWorld) -> None:
        if pod.due_next < FOREVER:
            self._count += 1
            heapq.heappush(self._queue, (pod.due_next, self._count, pod.key))


@lru_cache(maxsize=64)
def model_of(kubernetes: str, feature_gates: tuple[tuple[str, bool], ...], profile: Profile) -> Model:
    """The compiled model of a version; kept, because compiling takes as long as a short run."""
    return make_model(gates_for(kubernetes, dict(feature_gates)), profile)


def make_cluster() -> SimulatedCluster:
    """A new cluster of podfsm's own: what `podfsm verify` checks unless told otherwise."""
    return SimulatedCluster(world=World(0.0, Map()))
