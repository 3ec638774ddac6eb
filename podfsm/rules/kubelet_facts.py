"""Facts of what a kubelet does for a Pod beside its containers: probes, the Pod worker, images and sandboxes.

As in `podfsm.rules.facts`: small, frozen, and enumerable where they can be.
"""

from __future__ import annotations

from attrs import frozen

from podfsm.rules.facts import Policy, ProbeKind, ProbeResult, Role


@frozen
class ProbeFacts:
    """What a probe worker's guards read at one tick."""

    kind: ProbeKind = ProbeKind.READINESS
    running: bool = True
    """The container is running."""
    will_restart: bool = True
    started: bool = True
    """status.started of the container."""
    same_container: bool = True
    """The containerID is the one the worker saw last."""
    pod_terminal: bool = False
    terminating: bool = False
    """The Pod worker is terminating."""
    sidecar: bool = False
    on_hold: bool = False
    outcome: ProbeResult | None = None
    """This run's result; None when it erred or was not run."""
    run: int = 0
    """How many equal results in a row, this one included; capped at the threshold."""
    threshold: int = 1
    now: float = 0.0
    due_at: float = 0.0
    """startedAt + initialDelaySeconds."""
    role: Role = Role.APP
    """What part of the Pod the probed container is."""


@frozen
class WorkerFacts:
    """What the Pod worker's guards read."""

    deleting: bool = False
    gone: bool = False
    """The Pod vanished from the API (forced deletion)."""
    api_terminal: bool = False
    """The API's phase is terminal."""
    evicted: bool = False
    """The kubelet decided to kill it: deadline, eviction, shutdown."""
    finished: bool = False
    """A sync found the phase terminal."""
    containers_running: bool = False
    cleaned_up: bool = False
    grace: int = 30
    asked_grace: int | None = None


@frozen
class ImageFacts:
    """What the image machine's guards read."""

    pull_policy: str = "IfNotPresent"
    present: bool = False
    valid_name: bool = True
    now: float = 0.0
    retry_at: float | None = None
    """When the pull back-off ends; None when there is none."""


@frozen
class SandboxFacts:
    """What the sandbox machine's guards read."""

    sandboxes: int = 0
    ready: int = 0
    newest_ready: bool = True
    same_network: bool = True
    has_ip: bool = True
    host_network: bool = False
    network_ready: bool = True
    pod_policy: Policy = Policy.ALWAYS
    containers_exist: bool = False
    attempt: int = 0
    something_to_start: bool = True
