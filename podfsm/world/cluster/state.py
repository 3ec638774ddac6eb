"""What the API server stores besides Pods, the indexes over Pods that controllers need, and the controllers' queues.

`Cluster` is frozen; a step thaws it into a `ClusterDraft` and freezes the result, as it is done with Pods.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from attrs import define, field, fields, frozen
from immutables import Map

from podfsm.kube.cluster import Node, PodDisruptionBudget
from podfsm.kube.objects import LabelSelector
from podfsm.kube.workloads import JobSpec
from podfsm.rules.job_progress import Failures
from podfsm.rules.taint_eviction import Plan
from podfsm.world.cluster.heap import Heap
from podfsm.world.cluster.traced import TracedMap
from podfsm.world.scripts import FOREVER, Environment

if TYPE_CHECKING:
    from podfsm.world.cluster.survey import Open
    from podfsm.world.creation import Mould

Task = tuple[float, int, str, str]
"""When, order of asking, which controller, which object."""
Waiting = tuple[int, float, int, str]
"""A Pod in the scheduler's queue: lowest first. Negative priority, since when, order, key."""
Keys = Map[str, None]
Label = tuple[str, str]
"""Key and value."""
NO_KEYS: Keys = Map()


@frozen
class Thing:
    """An object of the API that is neither a Pod nor a Node. `raw` has no status; both are never changed."""

    kind: str
    key: str
    """kind/namespace/name"""
    namespace: str
    name: str
    uid: str
    raw: Mapping[str, Any]
    status: Mapping[str, Any] = field(factory=dict)
    created: float = 0.0
    number: int = 0
    """How many objects were created before it."""
    selector: LabelSelector | None = None
    budget: PodDisruptionBudget | None = None
    """A PodDisruptionBudget in typed form, with its status."""
    job: JobSpec | None = None
    """The spec of a Job in typed form."""

    @property
    def spec(self) -> Mapping[str, Any]:
        """What is asked for."""
        found: Mapping[str, Any] = self.raw.get("spec") or {}
        return found

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Labels, annotations, owners, finalizers."""
        found: Mapping[str, Any] = self.raw.get("metadata") or {}
        return found

    @property
    def deleting(self) -> bool:
        """Whether the object is only kept by finalizers."""
        return self.metadata.get("deletionTimestamp") is not None


@frozen
class Shutdown:
    """A node that is shutting down: groups of Pods by least priority, each with its seconds; whose turn it is."""

    groups: tuple[tuple[int, float], ...]
    turn: int = -1
    ends: float = 0.0
    """When the group's time is up."""


@frozen
class ThingEvent:
    """One watch event of an object that is neither a Pod nor a Node."""

    at: float
    type: str
    thing: Thing


@frozen
class Served:
    """What the endpoints controller knows of a Service since its last sync."""

    spec: Mapping[str, Any]
    slices: tuple[Thing, ...]
    where: Map[str, str]
    """The slice that each Pod is in, by the Pod's key."""


@frozen
class NodeState:
    """A node: its object, and what stands behind it."""

    node: Node
    raw: Mapping[str, Any]
    created: float = 0.0
    kubelet: bool = True
    """Whether there is a kubelet at all. Without one the node is kept alive by heartbeats of somebody else."""
    alive: bool = True
    """Whether heartbeats come."""
    heartbeat: float = 0.0
    """The last heartbeat, once they have stopped."""
    network: bool = True
    shutdown: Shutdown | None = None
    pressure: float | None = None
    """When the kubelet last found too little memory left; None: the node does not count as under pressure."""
    cleanup_until: float = 0.0
    """Until when the kubelet waits for an evicted Pod to be gone."""
    capacity: Mapping[str, int] | None = None
    """Amounts of allocatable resources; None: without limit."""
    tainted_from: float = FOREVER
    """From when on the NoExecute taint of a lost node is in place."""

    @property
    def name(self) -> str:
        """The node's name."""
        return self.node.metadata.name

    @property
    def chooses(self) -> bool:
        """Whether the kubelet may refuse Pods that the scheduler found room for."""
        return self.shutdown is not None or self.pressure is not None

    @property
    def runs(self) -> bool:
        """Whether a kubelet runs there now."""
        return self.kubelet and self.alive


@frozen
class Use:
    """What the Pods bound to a node ask for together."""

    amounts: Mapping[str, int] = field(factory=dict)
    pods: int = 0


@frozen
class Tally:
    """What the Pods that an object controls amount to. Active ones have not finished and are not being deleted."""

    active: int = 0
    ready: int = 0
    """Active ones that are Ready."""
    terminating: int = 0
    labels: Map[frozenset[tuple[str, str]], int] = field(factory=Map)
    """Active ones by their labels."""
    nodes: Map[str, int] = field(factory=Map)
    """Active ones by their node, those without one included."""
    placed: Map[str, int] = field(factory=Map)
    """Those that are not being deleted by their node, finished ones included."""


@frozen
class Tries:
    """An unschedulable Pod: how often it was tried, and when last."""

    count: int
    last: float


@define
class ClusterDraft:
    """The fields of a Cluster, mutable during one step."""

    nodes: Map[str, NodeState] = field(factory=Map)
    things: Map[str, Thing] = field(factory=Map)
    kinds: Map[str, Keys] = field(factory=Map)
    """Keys of things by kind."""
    owned: Map[str, Keys] = field(factory=Map)
    """Keys of Pods by the uid of each owner."""
    dependents: Map[str, Keys] = field(factory=Map)
    """Keys of things by the uid of each owner."""
    on_node: Map[str, Keys] = field(factory=Map)
    """Keys of existing Pods by the node they are bound to."""
    used: TracedMap[Use] = field(factory=TracedMap)
    """What Pods that have not finished use, by node."""
    requests: Map[str, Mapping[str, int]] = field(factory=Map)
    """What each existing Pod asks for."""
    tallies: Map[str, Tally] = field(factory=Map)
    """What existing Pods amount to, by the uid of the object that controls them."""
    unclaimed: Map[str, Keys] = field(factory=Map)
    """Pods that an object, by its key, may have to adopt or to release since it looked last."""
    guarded: Map[str, Keys] = field(factory=Map)
    """Existing Pods that a PodDisruptionBudget, by its key, selects."""
    selectors: Map[str, Map[Label, Keys]] = field(factory=Map)
    """Keys of things with a selector, by kind and one label that they ask for."""
    uids: Map[str, str] = field(factory=Map)
    """Keys of things by their own uid."""
    orphans: Keys = field(factory=Map)
    """Existing Pods that no controller owns."""
    ports: Keys = field(factory=Map)
    """Existing Pods that take ports of their node."""
    picky: Keys = field(factory=Map)
    """Existing Pods with required anti-affinity."""
    finished: Keys = field(factory=Map)
    """Existing Pods in a terminal phase."""

    agenda: Heap[Task] = field(factory=Heap)
    order: int = 0
    asked: Map[tuple[str, str], float] = field(factory=Map)
    """The earliest instant for which each controller's object is on the agenda; other entries are stale."""
    made: int = 0
    """How many objects were created."""

    queue: Heap[Waiting] = field(factory=Heap)
    queued: Keys = field(factory=Map)
    """The Pods in the queue."""
    waiting: Map[str, Tries] = field(factory=Map)
    nominated: Map[str, str] = field(factory=Map)
    """The node that a preempting Pod waits for."""
    turn: int = 0
    """Where among the nodes the scheduler's next search begins."""
    fits: dict[str, Open] = field(factory=dict)
    """What the scheduler remembers of the nodes, by kind of Pod; begun anew when a node changes."""
    moulds: dict[str, Mould] = field(factory=dict)
    """What Pods from one template share, by the prefix of their names."""

    resizes: Map[str, Keys] = field(factory=Map)
    """Pods by node whose resize their kubelet has yet to look at, or looks at again."""
    held: Keys = field(factory=Map)
    """Critical Pods for which their kubelet kills others first."""
    evictions: Map[str, Plan] = field(factory=Map)
    """Planned taint evictions by Pod."""
    suspects: Keys = field(factory=Map)
    """Pods that PodGC may have to remove."""
    missed: Map[str, float] = field(factory=Map)
    """Since when PodGC misses a node."""
    failures: Map[str, Failures] = field(factory=Map)
    """The back-off of Jobs, and of namespaces that do not get empty."""
    taint_turn: Map[str, float] = field(factory=Map)
    """When the next lost node of a zone may be tainted."""
    daemon_failures: Map[str, Failures] = field(factory=Map)
    """Failed Pods of DaemonSets, by 'key node'."""

    states: Map[str, str] = field(factory=Map)
    """State of each machine around the Pods, by 'machine/instance'; of Pods only where something has happened."""
    served: Map[str, Served] = field(factory=Map)
    """The endpoints of Services."""
    to_serve: Map[str, Keys] = field(factory=Map)
    """Pods that a Service has yet to look at, by its key."""

    environment: Environment = field(factory=Environment)
    absent: frozenset[str] = frozenset()
    """ConfigMaps and Secrets that a step has yet to create."""
    notes: list[str] = field(factory=list)
    """What went otherwise than somebody meant; handed out with the step."""


@frozen(eq=False)
class Cluster(ClusterDraft):
    """A ClusterDraft that no longer changes."""

    @property
    def due_next(self) -> float:
        """The instant of the next task; infinity when there is none."""
        return self.agenda.first[0] if self.agenda else FOREVER


_NAMES = tuple(f.name for f in fields(ClusterDraft))
_values = attrgetter(*_NAMES)
_NOTES = _NAMES.index("notes")


def thaw(cluster: ClusterDraft) -> ClusterDraft:
    """A draft with no notes yet."""
    values = list(_values(cluster))
    values[_NOTES] = []
    return ClusterDraft(*values)


def freeze(draft: ClusterDraft) -> Cluster:
    """The draft as a frozen cluster."""
    return Cluster(*_values(draft))
