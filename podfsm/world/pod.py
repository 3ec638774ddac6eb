"""One Pod's world: what the API holds, what its kubelet knows and plans, what the runtime does, and what is due when.

`PodWorld` is frozen. A step thaws it into a `Draft` (the same fields, mutable, its own containers), lets the
handlers change the draft, and freezes the result; nothing else ever changes. The handlers live in the sibling modules.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from attrs import NOTHING, define, field, fields, frozen

from podfsm.kube.objects import Pod, PodStatus, ResourceRequirements
from podfsm.rules.container_state import StartError
from podfsm.rules.crash_backoff import BackOffEntry
from podfsm.rules.facts import ProbeKind, ProbeResult, Role, RuntimeContainer, Sandbox, WorkerState
from podfsm.rules.pod_status import KillReason
from podfsm.rules.probe_worker import ProbeWorker
from podfsm.world.allocation import NO_RESIZE, Resizing
from podfsm.world.scripts import FOREVER, Attempt, PodScripts

Timer = tuple[float, int, str, Any]
"""When, order of scheduling, kind, argument. A Pod's agenda is a heap of these."""


@frozen
class Op:
    """One instruction of the sync in progress. `stage` is how far it has come; `data` belongs to the kind."""

    kind: str
    name: str = ""
    stage: str = ""
    id: str = ""
    reason: str = ""
    message: str = ""
    attempt: int = 0
    grace: int | None = None
    role: str = "app"


@frozen
class Stop:
    """A container that is being stopped: preStop, then its turn (sidecars), then the signal."""

    stage: str
    grace: float
    since: float
    ordered: bool = False
    outlives: bool = False
    """The preStop hook goes on though the container has ended, as a sleep does."""
    signalled: float | None = None
    """When the process got the stop signal, which it answers as scripted."""


@frozen
class Work:
    """What the Pod worker took up when it began: the kind of sync and the Pod as it was seen then."""

    kind: WorkerState
    pod: Pod
    grace: int | None
    """What the stop may take in seconds; None leaves it to the spec."""


@frozen
class Instance:
    """The script of one started container: which attempt it is and when it ends if nobody stops it."""

    number: int
    attempt: Attempt
    ends_at: float = FOREVER
    resources: ResourceRequirements | None = None
    """What it runs with."""


@frozen
class PodEvent:
    """A core/v1 Event about the Pod."""

    at: float
    type: str
    reason: str
    message: str
    container: str = ""
    pod: str = ""


@frozen
class Fired:
    """One transition of one machine instance, with the rules that allowed it."""

    at: float
    pod: str
    machine: str
    instance: str
    trigger: str
    source: str
    dest: str
    rules: tuple[str, ...] = ()


@frozen
class Snapshot:
    """One watch event: the Pod as the API holds it from `at` on."""

    at: float
    type: str
    pod: Pod
    raw: Mapping[str, Any]
    fired: int = 0
    """How many transitions had fired when it was taken."""


@define
class Draft:
    """The fields of a PodWorld, and what the step under way produces (`fired`, `snapshots`, `events`)."""

    key: str
    now: float
    scripts: PodScripts
    raw: Mapping[str, Any]
    """metadata and spec as the API holds them, in JSON form; without status."""
    api: Pod
    exists: bool = True
    version: int = 0
    agenda: list[Timer] = field(factory=list)
    order: int = 0
    draws: int = 0
    states: dict[str, str] = field(factory=dict)
    """State of each machine instance, by 'machine/instance'."""
    roles: Mapping[str, tuple[Role, int]] = field(factory=dict)
    """Role and place in its list of every container, by name."""
    passed: frozenset[str] = frozenset()
    """Init entries that have done their part in the current sandbox: exited 0 or, for sidecars, started."""

    history: list[tuple[float, Pod]] = field(factory=list)
    """Versions of the stored Pod that the kubelet may not have seen yet, with the instants of their writing."""
    seen: Pod | None = None
    """The Pod as the kubelet last saw it."""
    configured: Pod | None = None
    """The Pod at the last change of metadata or spec that the kubelet acted on."""
    pending: Pod | None = None
    """The Pod of the update that waits for its sync; later updates replace it."""
    busy: bool = False
    fresh_needed: bool = False
    work: Work | None = None
    worker: WorkerState = WorkerState.SYNCING
    grace: int = 0
    kill: KillReason | None = None
    kill_grace: int | None = None
    """The grace period in seconds that the kubelet chose itself, with the reason in `kill`."""
    pod_gone: bool = False
    due: float = FOREVER
    last_sync: float = -1.0
    plan: tuple[Op, ...] = ()
    results: int = 0
    failed: bool = False
    reset_done: bool = False
    """The sync under way removed containers for RestartAllContainers."""
    retry_at: float | None = None
    killed: dict[str, str] = field(factory=dict)
    """Containers that the sync under way stopped in order to replace them: 'probe' or 'spec', by name."""
    absent: frozenset[str] = frozenset()
    """ConfigMaps and Secrets the Pod refers to that do not exist (yet), as 'Kind/name'."""
    frozen: bool = False
    """The node has no kubelet that runs: what the kubelet would do waits on the shelf."""
    shelf: tuple[tuple[str, Any], ...] = ()
    """Kinds and arguments of what came due for the kubelet while it did not run."""
    kubelet_since: float | None = None
    """When the kubelet started; None: before there was anything on its node."""
    offline: bool = False
    """The runtime says that the node's network is not ready."""
    resizing: Resizing = NO_RESIZE

    cache: tuple[RuntimeContainer, ...] = ()
    cache_sandboxes: tuple[Sandbox, ...] = ()
    cache_at: float = -1.0
    view: tuple[RuntimeContainer, ...] = ()
    """The cache as the sync under way took it up; relists meanwhile do not change what a sync knows."""
    view_sandboxes: tuple[Sandbox, ...] = ()
    relist_at: float = FOREVER
    reinspect: bool = False
    """The next relist has the Pod synced even if no container changed its state, as after a resize."""
    reasons: dict[str, StartError] = field(factory=dict)
    backoffs: dict[str, BackOffEntry] = field(factory=dict)
    image_backoffs: dict[str, BackOffEntry] = field(factory=dict)
    status: PodStatus | None = None
    finished: bool = False
    """TerminatePod was called: the status manager may delete the API object."""

    live: tuple[RuntimeContainer, ...] = ()
    """The runtime's containers, newest first."""
    sandboxes: tuple[Sandbox, ...] = ()
    made: int = 0
    sandbox_tried: float | None = None
    """When the first sandbox was asked for."""
    instances: dict[str, Instance] = field(factory=dict)
    starts: dict[str, int] = field(factory=dict)
    logs: dict[str, int] = field(factory=dict)
    """The number of the newest log file of containers whose record was removed but not their logs."""
    pulled: frozenset[str] = frozenset()
    first_pull: dict[str, float] = field(factory=dict)
    stops: dict[str, Stop] = field(factory=dict)
    probes: dict[tuple[ProbeKind, str], ProbeWorker] = field(factory=dict)
    results_of: dict[tuple[ProbeKind, str], ProbeResult] = field(factory=dict)
    """The kubelet's probe results by kind and container id."""
    probe_next: dict[tuple[ProbeKind, str], float] = field(factory=dict)
    """When each probe worker ticks next; a timer that says otherwise is stale."""
    parked: dict[tuple[ProbeKind, str], float] = field(factory=dict)
    """Probe workers whose ticks would change nothing, with the instant of their last one."""
    asleep: frozenset[tuple[ProbeKind, str]] = frozenset()
    """Probe workers in their first sleep."""
    triggered: frozenset[str] = frozenset()
    """Containers whose readiness worker was asked for an extra run while it slept."""

    fired: list[Fired] = field(factory=list)
    snapshots: list[Snapshot] = field(factory=list)
    events: list[PodEvent] = field(factory=list)

    def at(self, when: float, kind: str, what: Any = None) -> None:
        """Put something on the agenda."""
        self.order += 1
        heapq.heappush(self.agenda, (when, self.order, kind, what))

    def event(self, kind: str, reason: str, message: str, container: str = "") -> None:
        """Record a core/v1 Event."""
        self.events.append(PodEvent(self.now, kind, reason, message, container, self.key))

    def draw(self) -> int:
        """The number of the next random draw of this Pod."""
        self.draws += 1
        return self.draws

    def newest(self, name: str) -> RuntimeContainer | None:
        """The newest instance of a container in the runtime."""
        return next((c for c in self.live if c.name == name), None)

    def instance(self, container_id: str) -> RuntimeContainer | None:
        """One instance by its id."""
        return next((c for c in self.live if c.id == container_id), None)

    def replace(self, changed: RuntimeContainer) -> None:
        """Put a changed instance in the place of the one with its id."""
        self.live = tuple(changed if c.id == changed.id else c for c in self.live)


@frozen
class PodWorld(Draft):
    """A Draft that no longer changes."""

    @property
    def due_next(self) -> float:
        """The instant of the next thing on the agenda; infinity when there is none."""
        return self.agenda[0][0] if self.agenda else FOREVER


_FIELDS: tuple[Any, ...] = fields(Draft)
_NAMES = tuple(f.name for f in _FIELDS)
_values = attrgetter(*_NAMES)
_PRODUCED = ("fired", "snapshots", "events")
_CONTAINERS = tuple(
    index
    for index, f in enumerate(_FIELDS)
    if f.default is not NOTHING and hasattr(f.default, "factory") and f.name not in _PRODUCED
)
"""Fields that hold a dict or list, which a draft needs a copy of."""
_OUTPUTS = tuple(_NAMES.index(name) for name in _PRODUCED)


def thaw(world: PodWorld, now: float) -> Draft:
    """A draft of the world at `now`, with containers of its own and nothing produced yet."""
    values = list(_values(world))
    for index in _CONTAINERS:
        values[index] = values[index].copy()
    for index in _OUTPUTS:
        values[index] = []
    draft = Draft(*values)
    draft.now = now
    return draft


def freeze(draft: Draft) -> PodWorld:
    """The draft as a frozen world; what the step produced is not part of it."""
    values = list(_values(draft))
    for index in _OUTPUTS:
        values[index] = ()
    return PodWorld(*values)
