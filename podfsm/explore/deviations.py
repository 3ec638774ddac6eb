"""What an environment may do otherwise than well, where in a run it may, and the Scenario that says so.

A place is found by running: a container started for the third time may exit, a check may fail once its container
runs. What a place allows depends on the Pod alone, so that the same deviations always give the same run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from podfsm.engine.versions import Gates
from podfsm.kube.objects import Container, Pod
from podfsm.rules.sidecar import is_sidecar
from podfsm.world.kill import find_container
from podfsm.world.pod import Fired

Json = dict[str, Any]

KINDS = {
    "process": "a process exits, or an init container hangs",
    "probe": "a check fails from its start, or from 10 s on",
    "hook": "a postStart hook fails",
    "image": "an image cannot be pulled, for good or for 30 s",
    "stop": "a process does not listen to its stop signal",
    "sandbox": "the first sandbox dies, right after any change",
    "delete": "a user deletes the Pod, right after any change",
}
"""What may be varied."""
USUAL = ("process", "probe", "hook", "image", "delete")

RUNS, INIT_RUNS = 5.0, 1.0
"""Seconds that a process runs before it exits, and an init container before it is done."""
LATER = 10.0
"""Seconds after which a check that succeeded begins to fail."""
PULLED_AT_LAST = 30.0
"""Seconds for which an image cannot be pulled, where that ends."""
DURATION = 120.0
"""Seconds that a behaviour goes on unless somebody says otherwise."""
_AFTER = 0.001
"""Seconds between a change and what a user or the node does right after it."""
_CHECKS = ("startupProbe", "readinessProbe", "livenessProbe")
_LATER_TOO = ("readinessProbe", "livenessProbe")
_CONTAINERS = ("container", "init_container", "sidecar_container")


@frozen
class Bounds:
    """How far to look: deviations in one behaviour, starts of a container that may deviate, virtual seconds, runs."""

    deviations: int = 2
    attempts: int = 3
    duration: float | None = None
    """None: the Scenario's, or two minutes."""
    behaviours: int = 10_000


@frozen(order=True)
class Place:
    """Where an environment has a choice: when, of what kind, whose, at which start of it (from 0), and which check."""

    at: float
    kind: str
    name: str = ""
    attempt: int = 0
    check: str = ""
    since: float = 0.0
    """When the sandbox was made that may die."""


@frozen
class Deviation:
    """One choice of a place that is not the good one. `says` tells it to people."""

    place: Place
    says: str
    script: Mapping[str, Any]

    def __str__(self) -> str:
        place = self.place
        start = f" (start {place.attempt + 1})" if place.attempt else ""
        if place.kind in ("sandbox", "delete"):
            return f"{self.says} at {place.at + _AFTER:.3f} s"
        return f"{place.name}{start} {self.says}"


@frozen
class Environment:
    """The choices that one Pod's environment has."""

    pod: Pod
    gates: Gates
    kinds: frozenset[str]
    bounds: Bounds
    base: Mapping[str, Any] = field(factory=dict)
    """The spec of the user's own Scenario; what it says is kept and not varied."""

    def places(self, fired: Sequence[Fired], after: Place | None) -> list[Place]:
        """The places that a run came by, in order; those up to `after` are left out."""
        mine = [one for one in fired if one.pod == self.key]
        found = {place for place in self._passed(mine) if place.kind in self.kinds and not self._is_told(place)}
        return [place for place in sorted(found) if after is None or place > after]

    @property
    def key(self) -> str:
        """The Pod as transitions name it: namespace/name."""
        return f"{self.pod.metadata.namespace}/{self.pod.metadata.name}"

    def _is_told(self, place: Place) -> bool:
        """Whether the Scenario says already what happens there."""
        if place.kind == "image":
            return place.name in (self.base.get("images") or {})
        if place.kind == "sandbox":
            return any("sandbox" in entry for entry in self.base.get("pods") or ())
        return (place.check or "attempts") in self._entries().get(place.name, {})

    def _entries(self) -> dict[str, Json]:
        """What the Scenario says of each container of the Pod, to be added to."""
        mine = ("", self.pod.metadata.name)
        entries = [entry for entry in self.base.get("containers") or () if entry.get("pod", "") in mine]
        return {
            entry["container"]: {key: value for key, value in entry.items() if key not in ("pod", "container")}
            for entry in sorted(entries, key=lambda entry: entry.get("pod", ""))  # the Pod's own entry wins
        }

    def _passed(self, fired: Sequence[Fired]) -> Iterator[Place]:
        starts: dict[str, int] = defaultdict(int)
        pulled: set[str] = set()
        made = [one.at for one in fired if one.machine == "sandbox" and one.trigger == "create"]
        for at in sorted({one.at for one in fired}):
            yield Place(at, "delete")
            if made and made[0] <= at and not (made[1:] and made[1] <= at):
                yield Place(at, "sandbox", since=made[0])
        for one in fired:
            if one.machine == "sandbox" and one.trigger == "create":
                starts.clear()
            if one.machine not in _CONTAINERS:
                continue
            container = find_container(self.pod.spec, one.instance)
            if one.trigger == "pull" and container.image not in pulled:
                pulled.add(container.image)
                yield Place(one.at, "image", container.image)
            elif one.trigger == "create":
                yield from self._started(one, container, starts[one.instance])
                starts[one.instance] += 1
            elif one.dest == "Stopping" and 0 < starts[one.instance] <= self.bounds.attempts:
                yield Place(one.at, "stop", one.instance, starts[one.instance] - 1)

    def _started(self, one: Fired, container: Container, number: int) -> Iterator[Place]:
        if number >= self.bounds.attempts:
            return
        yield Place(one.at, "process", container.name, number)
        for check in _CHECKS:
            if getattr(container, check) is not None:
                yield Place(one.at, "probe", container.name, number, check)
        if container.lifecycle is not None and container.lifecycle.postStart is not None:
            yield Place(one.at, "hook", container.name, number, "postStart")

    def deviations(self, place: Place) -> Iterator[Deviation]:
        """What else than the good may happen in a place."""
        if place.kind == "process":
            yield from self._exits(place)
        elif place.kind == "probe":
            yield Deviation(place, f"fails its {place.check}", {"result": "failure"})
            if place.check in _LATER_TOO:
                says = f"fails its {place.check} from {LATER:g} s on"
                yield Deviation(place, says, {"result": "failure", "from": LATER})
        elif place.kind == "hook":
            yield Deviation(place, "fails its postStart hook", {"result": "failure"})
        elif place.kind == "image":
            yield Deviation(place, "cannot be pulled", {"error": "NotFound"})
            says = f"cannot be pulled for {PULLED_AT_LAST:g} s"
            yield Deviation(place, says, {"error": "NotFound", "until": PULLED_AT_LAST})
        elif place.kind == "stop":
            yield Deviation(place, "does not listen to its stop signal", {"takes": "forever"})
        elif place.kind == "sandbox":
            yield Deviation(place, "the sandbox dies", {"diesAfter": place.at - place.since + _AFTER})
        else:
            yield Deviation(place, "the Pod is deleted", {})

    def _exits(self, place: Place) -> Iterator[Deviation]:
        container = find_container(self.pod.spec, place.name)
        codes = {0, 1, *(code for rule in container.restartPolicyRules for code in _codes(rule))}
        after = INIT_RUNS if self._regular_init(container) else RUNS
        if self._regular_init(container):
            codes.discard(0)  # that is what a good one does
            yield Deviation(place, "hangs", {"run": "forever"})
        for code in sorted(codes):
            yield Deviation(place, f"exits with {code}", {"run": after, "exit": code})

    def _regular_init(self, container: Container) -> bool:
        return container in self.pod.spec.initContainers and not is_sidecar(container, self.gates)

    def scenario(self, chosen: Sequence[Deviation]) -> Json:
        """A Scenario's spec, durations in seconds, for a good environment with these deviations."""
        name = self.pod.metadata.name
        entries = self._entries()
        for container in self.pod.spec.initContainers:
            if self._regular_init(container):
                entries.setdefault(container.name, {}).setdefault("attempts", [_good(init=True)])
        steps, pods = list(self.base.get("steps") or ()), list(self.base.get("pods") or ())
        images: Json = dict(self.base.get("images") or {})
        for one in chosen:
            place = one.place
            if place.kind == "image":
                images[place.name] = dict(one.script)
            elif place.kind == "sandbox":
                pods.append({"pod": name, "sandbox": dict(one.script)})
            elif place.kind == "delete":
                steps.append({"at": place.at + _AFTER, "delete": f"pods/{name}"})
            else:
                self._tell(entries.setdefault(place.name, {}), one)
        others = [entry for entry in self.base.get("containers") or () if entry.get("pod", "") not in ("", name)]
        mine = [{"pod": name, "container": container, **entry} for container, entry in entries.items()]
        duration = self.base.get("duration", DURATION) if self.bounds.duration is None else self.bounds.duration
        parts = {"steps": steps, "images": images, "pods": pods, "containers": others + mine}
        return {**self.base, "duration": duration, **{key: part for key, part in parts.items() if part}}

    def _tell(self, entry: Json, one: Deviation) -> None:
        """Add to a container's script what one deviation says."""
        place = one.place
        if place.kind in ("probe", "hook"):
            entry.setdefault(place.check, []).append({**one.script, "attempt": place.attempt})
            return
        init = self._regular_init(find_container(self.pod.spec, place.name))
        attempts = entry.setdefault("attempts", [_good(init=init)])
        while len(attempts) < place.attempt + 2:  # the last one repeats, and it is a good one
            attempts.append(_good(init=init))
        if place.kind == "stop":
            attempts[place.attempt]["stop"] = dict(one.script)
        else:
            attempts[place.attempt].update(one.script)


def _good(*, init: bool) -> Json:
    return {"run": INIT_RUNS, "exit": 0} if init else {"run": "forever"}


def _codes(rule: Any) -> tuple[int, ...]:
    return tuple(rule.exitCodes.values) if rule.exitCodes is not None else ()
