"""What was seen of one Pod: its snapshots in order of time, and what can be read out of them.

The same value is made from a cluster under test and from recorded watch events, so that an invariant that holds of
real recordings can be asked of any implementation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Any

from attrs import define, field, frozen

from podfsm.engine.versions import Gates
from podfsm.kube.decode import convert
from podfsm.kube.objects import Container, ContainerStatus, Pod
from podfsm.kube.times import EPOCH
from podfsm.rules.gates import gates_for
from podfsm.testing.case import Case

TERMINAL = ("Succeeded", "Failed")
LOST = "ContainerStatusUnknown"
"""The reason of terminations that nobody saw."""
NO_RUNS = (LOST, "RestartingAllContainers")
"""Reasons of terminations that stand for no run of their own."""


@frozen
class Seen:
    """The Pod as the API showed it from `at` (seconds) on. `type` is ADDED, MODIFIED or DELETED."""

    at: float
    type: str
    pod: Pod


@frozen
class Happened:
    """A core/v1 Event."""

    at: float
    reason: str
    message: str = ""
    container: str = ""


@frozen
class Accepted:
    """A transition that an implementation says it made."""

    at: float
    machine: str
    instance: str
    trigger: str
    source: str
    dest: str
    rules: tuple[str, ...] = ()


@define
class Instance:
    """One run of a container, out of all snapshots that show it. Instants are seconds, as the API cut them."""

    name: str
    id: str
    first_seen: float
    restart_count: int | None = None
    started: float | None = None
    finished: float | None = None
    exit_code: int | None = None
    reason: str = ""
    image: str = ""
    ran: bool = False
    """Some snapshot shows it running."""
    said_started: float | None = None
    """When `started` was first true for it."""
    said_ready: float | None = None


@define(eq=False, slots=False)
class History:
    """One Pod (one uid). `case` is None for recordings; `whole`: nothing between two snapshots was missed."""

    name: str
    seen: tuple[Seen, ...]
    case: Case | None = None
    gates: Gates = field(factory=gates_for)
    happened: tuple[Happened, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    lacks: frozenset[str] = frozenset()
    epoch: datetime = EPOCH
    whole: bool = True
    ends: float = 0.0
    """Until when it was watched."""

    def clock(self, when: datetime | None) -> float | None:
        """A timestamp of the API in seconds of the history."""
        return None if when is None else (when - self.epoch).total_seconds()

    @cached_property
    def pairs(self) -> tuple[tuple[Seen, Seen], ...]:
        """Every two snapshots in a row."""
        return tuple(pairwise(self.seen))

    @cached_property
    def first(self) -> Pod:
        """The Pod as it was first seen."""
        return self.seen[0].pod

    @cached_property
    def last(self) -> Pod:
        """The Pod as it was last seen."""
        return self.seen[-1].pod

    @cached_property
    def sidecars(self) -> frozenset[str]:
        """Init containers that keep running."""
        if not self.gates.on("SidecarContainers"):
            return frozenset()
        return frozenset(c.name for c in self.last.spec.initContainers if c.restartPolicy == "Always")

    @cached_property
    def inits(self) -> tuple[str, ...]:
        """Regular init containers in their order."""
        return tuple(c.name for c in self.last.spec.initContainers if c.name not in self.sidecars)

    @cached_property
    def restarts_all(self) -> bool:
        """Some container has a rule that restarts all of the Pod's containers."""
        rules = (rule for container in self.containers.values() for rule in container.restartPolicyRules)
        return any(rule.action == "RestartAllContainers" for rule in rules)

    @cached_property
    def containers(self) -> Mapping[str, Container]:
        """Every container of the Pod as it was last written, by name."""
        spec = self.last.spec
        return {c.name: c for c in (*spec.initContainers, *spec.containers, *spec.ephemeralContainers)}

    @cached_property
    def deletion(self) -> float | None:
        """When a deletion was first seen to be asked for."""
        return next((s.at for s in self.seen if s.pod.metadata.deletionTimestamp is not None), None)

    @cached_property
    def until(self) -> float:
        """Until when there was something to see: the end of the watch, or of the object."""
        return self.seen[-1].at if self.seen[-1].type == "DELETED" else self.ends

    @cached_property
    def terminal_at(self) -> float | None:
        """When a terminal phase was first seen."""
        return next((s.at for s in self.seen if s.pod.status.phase in TERMINAL), None)

    @cached_property
    def disturbed(self) -> tuple[float, ...]:
        """When the Pod lost its sandbox, its end apart, or had all its containers restarted: all may run again."""
        found = []
        for before, after in self.pairs:
            over = ending(after.pod) or after.pod.metadata.deletionTimestamp is not None
            was, now = (condition(one.pod, "PodReadyToStartContainers") for one in (before, after))
            restarting = condition(after.pod, "AllContainersRestarting") == "True"
            if (was == "True" and now == "False" and not over) or restarting:
                found.append(after.at)
        return tuple(found)

    @cached_property
    def steady(self) -> bool:
        """Whether the case rules out that the Pod loses its sandbox or has all its containers restarted.

        An init container that runs out of memory with exit code 0 may have its Pod killed and begun anew.
        """
        if self.case is None or self.case.spec.get("pods"):
            return False
        attempts = (a for script in self.case.spec.get("containers", ()) for a in script.get("attempts", ()))
        begun_anew = bool(self.inits) and any(attempt.get("reason") == "OOMKilled" for attempt in attempts)
        return not begun_anew and not self.restarts_all

    @cached_property
    def replaced(self) -> frozenset[str]:
        """Containers whose image or resources were changed, so that they may have been stopped and started anew."""
        known: dict[str, set[str]] = {}
        for seen in self.seen:
            spec = seen.pod.spec
            for c in (*spec.initContainers, *spec.containers):
                known.setdefault(c.name, set()).add(f"{c.image} {c.resources}")
        return frozenset(name for name, versions in known.items() if len(versions) > 1)

    @cached_property
    def instances(self) -> Mapping[str, tuple[Instance, ...]]:
        """The runs of every container, by name, in the order in which they were first seen."""
        found: dict[str, dict[str, Instance]] = {}
        for seen in self.seen:
            over = ending(seen.pod)
            for status in statuses(seen.pod):
                self._note(found.setdefault(status.name, {}), status, seen.at, over)
        return {name: tuple(runs.values()) for name, runs in found.items()}

    def _note(self, runs: dict[str, Instance], status: ContainerStatus, at: float, over: bool) -> None:
        ended = status.lastState.terminated
        if ended is not None and ended.reason not in NO_RUNS and ended.containerID:
            self._end(runs.setdefault(ended.containerID, Instance(status.name, ended.containerID, at)), ended)
        state = status.state
        if state.running is None and (state.terminated is None or state.terminated.reason in NO_RUNS):
            return
        run_id = status.containerID or f"#{status.restartCount}"
        run = runs.setdefault(run_id, Instance(status.name, run_id, at))
        run.restart_count = status.restartCount if run.restart_count is None else run.restart_count
        run.image = run.image or status.image
        if state.running is not None:
            run.ran = True
            run.started = self.clock(state.running.startedAt) if run.started is None else run.started
            # At the Pod's end its probes are gone, and what has none counts as started and ready.
            if status.started and run.said_started is None and not over:
                run.said_started = at
            if status.ready and run.said_ready is None and not over:
                run.said_ready = at
        elif state.terminated is not None:
            self._end(run, state.terminated)

    def _end(self, run: Instance, ended: Any) -> None:
        run.started = self.clock(ended.startedAt) if run.started is None else run.started
        run.finished = self.clock(ended.finishedAt)
        run.exit_code, run.reason = ended.exitCode, ended.reason


def statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    """The statuses of all containers."""
    status = pod.status
    return (*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses)


def condition(pod: Pod, kind: str) -> str:
    """The status of a condition; empty when the Pod does not have it."""
    return next((c.status for c in pod.status.conditions if c.type == kind), "")


def ending(pod: Pod) -> bool:
    """Whether the kubelet has decided the end of the Pod: its conditions say so before its phase may."""
    reasons = {c.reason for c in pod.status.conditions if c.type in ("Ready", "ContainersReady")}
    return bool(reasons & {"PodFailed", "PodCompleted"}) or pod.status.phase in TERMINAL


def histories(events: Iterable[Mapping[str, Any]], **about: Any) -> Iterator[History]:
    """The histories in recorded watch events; what is not about Pods is left out.

    An event is `type`, `object`, and `at` (or `receivedAt`) as RFC 3339 or in seconds. `about` goes to History.
    """
    seen: dict[tuple[str, str], list[Seen]] = {}
    epoch = about.pop("epoch", EPOCH)
    about = {"lacks": frozenset({"events", "transitions", "watch"}), "whole": False, **about}
    for event in events:
        if event["type"] not in ("ADDED", "MODIFIED", "DELETED") or event["object"].get("kind") != "Pod":
            continue
        pod = convert(event["object"], Pod)
        at = event.get("at", event.get("receivedAt", 0.0))
        if isinstance(at, str):
            at = (datetime.fromisoformat(at) - epoch).total_seconds()
        seen.setdefault((pod.metadata.name, pod.metadata.uid), []).append(Seen(float(at), event["type"], pod))
    for (name, _), snapshots in seen.items():
        yield History(name, tuple(snapshots), epoch=epoch, ends=snapshots[-1].at, **about)
