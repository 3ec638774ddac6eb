"""Facts: what rules may read. Small, frozen and, where it is decided over, enumerable.

A guard reads one facts class per kind of machine: `ContainerFacts` for app, init, sidecar and ephemeral containers,
`PodFacts`, and those in `kubelet_facts` and `cluster_facts`. Derivations read Kubernetes objects and the
runtime's view (`RuntimeContainer`, `Sandbox`). Instants are seconds on the caller's clock; no rule reads a clock.
"""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Role(str, Enum):
    """What part of the Pod a container is."""

    APP = "app"
    INIT = "init"
    SIDECAR = "sidecar"
    EPHEMERAL = "ephemeral"


class Policy(str, Enum):
    """A restartPolicy, of a Pod or of a container."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"


class RuleAction(str, Enum):
    """What the first matching restartPolicyRule asks for."""

    RESTART = "Restart"
    RESTART_ALL_CONTAINERS = "RestartAllContainers"


class RuntimeState(str, Enum):
    """A container as the runtime reports it."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    UNKNOWN = "unknown"


class ProbeKind(str, Enum):
    STARTUP = "startup"
    READINESS = "readiness"
    LIVENESS = "liveness"


class ProbeResult(str, Enum):
    """A probe's cached result, spelled as the kubelet does."""

    SUCCESS = "Success"
    FAILURE = "Failure"
    UNKNOWN = "UNKNOWN"


class HookState(str, Enum):
    """How far a lifecycle hook is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class WorkerState(str, Enum):
    """The Pod worker's progress, one way only."""

    SYNCING = "Syncing"
    TERMINATING = "Terminating"
    TERMINATED = "Terminated"
    FINISHED = "Finished"


@frozen
class RuntimeContainer:
    """One instance of a container in the runtime. `restart_count` is fixed when it is created."""

    id: str
    name: str
    state: RuntimeState
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    restart_count: int = 0
    created_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    image: str = ""
    in_active_sandbox: bool = True
    spec_changed: bool = False
    """The spec's name or image differs from what this instance was made with."""
    liveness: ProbeResult | None = None
    """Cached probe results of this instance; None when there is none yet."""
    startup: ProbeResult | None = None


@frozen
class Sandbox:
    """One Pod sandbox in the runtime. `ip` None: the runtime gave no network status at all."""

    id: str = ""
    ready: bool = True
    attempt: int = 0
    ip: str | None = ""
    host_network: bool = False
    created_at: float = 0.0


@frozen
class ContainerFacts:
    """What a container's guards read: its place in the Pod, its policies, its newest instance, and the Pod's state."""

    role: Role = Role.APP
    pod_policy: Policy = Policy.ALWAYS
    own_policy: Policy | None = None
    """The container-level restartPolicy in force; None where there is none or the version ignores it."""
    matched: RuleAction | None = None
    """The action of the first restartPolicyRule that the last exit code matched."""
    instance: RuntimeState | None = None
    """The newest instance in the runtime; None when it was never created (or its record is lost)."""
    exit_code: int = 0
    oom_killed: bool = False
    deleting: bool = False
    """The Pod has a deletionTimestamp."""
    worker: WorkerState = WorkerState.SYNCING
    sandbox_ready: bool = True
    volumes_ready: bool = True
    earlier_done: bool = True
    """Every earlier init entry has exited 0 or, for a sidecar, has started. For an app container: all entries."""
    apps_done: bool = False
    """All app containers are finished for good."""
    spec_changed: bool = False
    liveness: ProbeResult | None = None
    startup: ProbeResult | None = None
    startup_probe: bool = False
    """The container has a startup probe."""
    poststart_failed: bool = False
    killed: str = ""
    """Why the kubelet stopped the newest instance in the sync under way: probe, spec, or not at all."""
    resize: str = ""
    """The resources in the spec are not those it runs with: "in place" or, by its resizePolicy, "restart"."""
    others_running: bool = False
    """For a sidecar being stopped: someone it must wait for is still running."""
    restart_all: bool = False
    """RestartAllContainers is in progress."""
    new_sandbox: bool = False
    """The sandbox was re-created since the newest instance ended."""
    now: float = 0.0
    retry_at: float | None = None
    """When the crash back-off of the newest exit ends; None when there is none."""
    readiness: ProbeResult | None = None
    prestop: HookState | None = None
    """How far the preStop hook of the stop in progress is; None when the container has no such hook."""
    grace: int = 30
    """The grace period of the stop in progress, in seconds."""
    probe_grace: int | None = None
    """terminationGracePeriodSeconds of the probe that failed; None when it has none."""


@frozen
class PodFacts:
    """What the Pod machine's guards read."""

    phase: str = "Pending"
    """The phase that the statuses give (phase-* derivations), before stickiness."""
    bound: bool = False
    gated: bool = False
    """Some scheduling gate is left."""
    deleting: bool = False
    could_run: bool = False
    """Some container of the Pod may still be running."""
    worker: WorkerState = WorkerState.SYNCING
    finalizers: bool = False
    grace: int | None = None
    """The grace period asked for by a delete request, in seconds."""
    deadline_at: float | None = None
    """startTime + activeDeadlineSeconds."""
    now: float = 0.0
    static: bool = False
    all_exits_zero: bool = False
    restartable: bool = False
    """Some stopped container is due for restart."""
