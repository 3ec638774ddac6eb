"""From watch events to lanes: what each part of each Pod showed, from when to when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import define, field, frozen

from podfsm.kube.objects import ContainerStatus, Pod
from podfsm.simulate.changes import state_text
from podfsm.world.pod import Snapshot

NOTHING = ""


@frozen
class Span:
    """One state of one part, in seconds. `tone` is good, waiting, bad, done or gone: how it is coloured."""

    start: float
    end: float
    label: str
    tone: str


@define
class Lane:
    """One part of one Pod over time."""

    pod: str
    name: str
    spans: list[Span] = field(factory=list)
    _label: str = NOTHING
    _tone: str = NOTHING
    _since: float = 0.0

    def shows(self, at: float, label: str, tone: str) -> None:
        """From `at` on the part shows `label`; an empty label ends the lane."""
        if (label, tone) == (self._label, self._tone):
            return
        if self._label and at > self._since:
            self.spans.append(Span(self._since, at, self._label, self._tone))
        self._label, self._tone, self._since = label, tone, at


def lanes_of(snapshots: Iterable[Snapshot], end: float) -> list[Lane]:
    """The lanes of a run that ended at `end` seconds, in order of Pod and first appearance."""
    lanes: dict[tuple[str, str], Lane] = {}
    for snapshot in snapshots:
        key = f"{snapshot.pod.metadata.namespace}/{snapshot.pod.metadata.name}"
        if snapshot.type == "DELETED":
            for lane in lanes.values():
                if lane.pod == key:
                    lane.shows(snapshot.at, NOTHING, NOTHING)
            continue
        for name, label, tone in _parts(snapshot.pod):
            lanes.setdefault((key, name), Lane(key, name)).shows(snapshot.at, label, tone)
    for lane in lanes.values():
        lane.shows(end, NOTHING, NOTHING)
    return sorted(lanes.values(), key=lambda lane: lane.pod)


def _parts(pod: Pod) -> Iterator[tuple[str, str, str]]:
    """Name, label and tone of everything a Pod shows."""
    status = pod.status
    deleting = ", deleting" if pod.metadata.deletionTimestamp is not None else ""
    yield "phase", status.phase + deleting, _PHASES.get(status.phase, "waiting")
    for condition in status.conditions:
        reason = f" {condition.reason}" if condition.reason else ""
        yield condition.type, condition.status + reason, "good" if condition.status == "True" else "waiting"
    for one in (*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses):
        yield one.name, _container_label(one), _container_tone(one)


_PHASES = {"Running": "good", "Succeeded": "done", "Failed": "bad"}


def _container_label(status: ContainerStatus) -> str:
    number = f" #{status.restartCount}" if status.restartCount else ""
    ready = ", ready" if status.ready and status.state.running is not None else ""
    return state_text(status.state) + number + ready


def _container_tone(status: ContainerStatus) -> str:
    if status.state.running is not None:
        return "good" if status.ready else "waiting"
    if status.state.terminated is not None:
        return "done" if status.state.terminated.exitCode == 0 else "bad"
    waiting = status.state.waiting
    return (
        "bad" if waiting is not None and waiting.reason not in ("ContainerCreating", "PodInitializing", "") else "gone"
    )
