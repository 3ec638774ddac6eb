"""Pods for the tests of programs that watch them: a simulation that a test moves forward, step by step.

def test_it_registers(pod_simulation):
    pod_simulation.apply("web.yaml")
    pod_simulation.until("web", "Ready")
    ...
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import define, field

from podfsm.errors import InputError
from podfsm.kube.document import Document
from podfsm.kube.duration import parse_duration
from podfsm.kube.read import documents_of, read_documents
from podfsm.kube.times import EPOCH
from podfsm.simulate.scenario import read_scenario
from podfsm.testing.cluster import SimulatedCluster
from podfsm.world.scripts import FOREVER

Json = dict[str, Any]
LOOK = 0.1
PHASES = ("Pending", "Running", "Succeeded", "Failed")


@define(eq=False)
class SharedClock:
    """A clock that moves only when told to; what hangs on it moves along. Calling it gives the seconds so far."""

    now: float = 0.0
    epoch: datetime = EPOCH
    movers: list[Callable[[float], None]] = field(factory=list)

    def __call__(self) -> float:
        return self.now

    def advance(self, duration: float | str) -> float:
        """Let time pass, in seconds or as `90s`, `1m30s`. Gives the instant that was reached."""
        seconds = duration_of(duration)
        self.now += seconds
        for move in self.movers:
            move(seconds)
        return self.now

    def sleep(self, duration: float | str) -> None:
        """As `time.sleep`, in no time."""
        self.advance(duration)

    def datetime(self) -> datetime:
        """The instant as Pods' timestamps count it."""
        return self.epoch + timedelta(seconds=self.now)


def duration_of(duration: float | str) -> float:
    """Seconds, from a number of them or a duration. Raises InputError for negative and endless ones."""
    seconds = parse_duration(duration) if isinstance(duration, str) else float(duration)
    if not 0 <= seconds < FOREVER:
        raise InputError("not a time to wait", expected="a duration of 0 or more", found=repr(duration))
    return seconds


@define(eq=False)
class PodSimulation:
    """Simulated Pods, a clock, and everything that the API showed so far.

    Processes run for ever and checks succeed unless a Scenario or the methods here say otherwise.
    """

    clock: SharedClock = field(factory=SharedClock)
    cluster: SimulatedCluster = field(factory=SimulatedCluster)
    seen: list[Json] = field(factory=list)
    """Every watch event so far: `type`, `at` in seconds, `object`."""
    _read: int = 0

    def __attrs_post_init__(self) -> None:
        self.clock.movers.append(self._move)

    def apply(self, source: str | Path | Mapping[str, Any], *more: str | Path | Mapping[str, Any]) -> None:
        """Create Pods now: YAML or JSON text, a path, or objects. A Scenario among them says how things behave.

        Raises InputError for what cannot be read or simulated. A Scenario's `steps` are the test's to make.
        """
        documents = [document for one in (source, *more) for document in _documents(one)]
        for document in documents:
            if document.kind == "Scenario":
                self._script(document)
        for document in documents:
            if document.kind != "Scenario":
                self.cluster.create(document.raw)
        self._take()

    def advance(self, duration: float | str) -> list[Json]:
        """Let time pass; the watch events of that time."""
        before = len(self.seen)
        self.clock.advance(duration)
        return self.seen[before:]

    def until(self, pod: str, wanted: str | Callable[[Json], bool], *, within: float | str = "10m") -> Json:
        """Let time pass until the Pod is as wanted, and give it: a phase, a condition that is True, or a predicate.

        Raises AssertionError with the Pod's last status if that does not come within the time given.
        """
        holds = _predicate(wanted) if isinstance(wanted, str) else wanted
        end = self.clock.now + duration_of(within)
        while True:
            shown = self.read(pod)
            if shown is not None and holds(shown):
                return shown
            if self.clock.now >= end:
                status = None if shown is None else shown["status"]
                raise AssertionError(f"{pod} is not {wanted} after {duration_of(within):g} s; it is {status}")
            due = max(self.cluster.next_due(), self.clock.now)
            self.clock.advance(min(max(due - self.clock.now, LOOK / 100), end - self.clock.now))

    def read(self, pod: str) -> Json | None:
        """The Pod as the API shows it; None when there is none."""
        return self.cluster.read(pod)

    def pod(self, name: str) -> Json:
        """The Pod as the API shows it. Raises AssertionError when there is none."""
        found = self.read(name)
        assert found is not None, f"there is no Pod {name}"
        return found

    def watch(self) -> list[Json]:
        """The watch events since the last call, as a controller's watch gives them."""
        fresh, self._read = self.seen[self._read :], len(self.seen)
        return fresh

    def delete(self, pod: str, grace: int | None = None) -> None:
        """Delete a Pod, with a grace period in seconds or its own."""
        self.cluster.delete(pod, grace)
        self._take()

    def patch(self, pod: str, body: Any, *, subresource: str = "", kind: str = "strategic") -> None:
        """Patch a Pod or a subresource of it; `kind` is strategic, merge or json."""
        self.cluster.patch(pod, body, subresource=subresource, kind=kind)
        self._take()

    def exits(self, pod: str, container: str, code: int, reason: str = "") -> None:
        """The container's process ends now. Raises UnknownName when none runs."""
        self.cluster.end_process(pod, container, code, reason)
        self._take()

    def answers(self, pod: str, container: str, check: str, result: str) -> None:
        """From now on a check or hook answers so: `readinessProbe`, `livenessProbe`, ...; success, failure or error."""
        self.cluster.script(f"containers/{pod}/{container}", {check: [{"result": result}]})

    def _script(self, document: Document) -> None:
        read_scenario(document)  # refuses what makes no sense, with its place
        spec = document.raw.get("spec") or {}
        chosen = {key: spec[key] for key in ("kubernetes", "featureGates") if key in spec}
        self.cluster.script("cluster", chosen)
        for image, behaviour in (spec.get("images") or {}).items():
            self.cluster.script(f"images/{image}", behaviour)
        for entry in spec.get("pods") or ():
            self.cluster.script(f"sandboxes/{entry['pod']}", entry.get("sandbox") or {})
        for entry in spec.get("containers") or ():
            behaviour = {key: value for key, value in entry.items() if key not in ("pod", "container")}
            self.cluster.script(f"containers/{entry.get('pod', '')}/{entry['container']}", behaviour)

    def _move(self, seconds: float) -> None:
        self.cluster.advance(seconds)
        self._take()

    def _take(self) -> None:
        self.seen.extend(self.cluster.watch())


def _documents(source: str | Path | Mapping[str, Any]) -> Sequence[Document]:
    if isinstance(source, Mapping):
        return [Document(dict(source))]
    if isinstance(source, str) and "\n" in source:
        return documents_of(source)
    return read_documents(source)


def _predicate(wanted: str) -> Callable[[Json], bool]:
    if wanted in PHASES:
        return lambda pod: bool(pod["status"].get("phase") == wanted)
    return lambda pod: any(c["type"] == wanted and c["status"] == "True" for c in pod["status"].get("conditions", ()))
