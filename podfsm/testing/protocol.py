"""What a cluster has to offer so that podfsm can check it: six methods, plain data in and out.

A cluster is whatever lets Pods live: podfsm's own simulation, a fake cluster, an operator's test double. Time is
virtual: it passes in `advance` and nowhere else. The environment (processes, probes, images, sandboxes) does what
`script` says, in the words of a Scenario. What a cluster cannot do it declares in `lacks`; it is then not asked to, and
the report says what was not checked for that reason.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

CAPABILITIES: dict[str, str] = {
    "backoff": "restarts wait, longer each time",
    "config": "objects that Pods refer to may be missing",
    "deadlines": "activeDeadlineSeconds",
    "ephemeral": "ephemeral containers, added through their subresource",
    "events": "`events()`: core/v1 Events",
    "finalizers": "finalizers hold a deleted object",
    "hooks": "postStart and preStop",
    "images": "image pulls take time, fail and are tried again",
    "init": "init containers",
    "node-loss": "sandboxes fail or die",
    "patch": "`patch` of the Pod itself",
    "probes": "startup, readiness and liveness probes",
    "readiness-gates": "readiness gates, satisfied through `patch` of the status",
    "resize": "in-place resize of resources, through the subresource `resize`",
    "restart-rules": "a restartPolicy and restartPolicyRules of a container's own",
    "scheduling-gates": "scheduling gates, removed through `patch`",
    "sidecars": "init containers that keep running",
    "start-errors": "containers that cannot be created or started",
    "termination": "graceful deletion",
    "transitions": "`transitions()`: what its state machines accepted",
    "versions": "other Kubernetes versions and feature gates",
    "watch": "`watch()`: every change, so that `read` need not be polled",
}
"""What a cluster may lack, and what is meant by it."""


@runtime_checkable
class Cluster(Protocol):
    """One cluster, new and empty, at its instant 0. Pods are named by their name; there is one namespace.

    Optional attributes: `lacks` (names out of CAPABILITIES; nothing unless given), `epoch` (the aware datetime of
    instant 0, as its Pods' timestamps count; default: podfsm.kube.times.EPOCH), and the methods `watch`, `events` and
    `transitions` (see Watching).
    """

    def script(self, target: str, behaviour: Mapping[str, Any]) -> None:
        """Say how something behaves. Comes before the Pods are created. `behaviour` is written as in a Scenario.

        `containers/POD/CONTAINER`: `attempts` and the windows of probes and hooks; `images/IMAGE`: how pulls go;
        `sandboxes/POD`: how sandboxes go; `absent/KIND/NAME` (empty behaviour): not there before it is created;
        `cluster`: `kubernetes` (a version such as "1.33") and `featureGates`.
        """

    def create(self, manifest: Mapping[str, Any]) -> None:
        """Create an object as a user writes it: a Pod without defaults, or a ConfigMap or Secret that was absent."""

    def delete(self, pod: str, grace: int | None = None) -> None:
        """Delete a Pod, with a grace period in seconds or its own."""

    def patch(self, pod: str, body: Any, *, subresource: str = "", kind: str = "strategic") -> None:
        """Patch a Pod, or its subresource `status`, `ephemeralcontainers` or `resize`.

        `kind` is strategic, merge or json.
        """

    def advance(self, seconds: float) -> None:
        """Let time pass."""

    def read(self, pod: str) -> Mapping[str, Any] | None:
        """The Pod as the API shows it now, in JSON form; None if there is none of this name."""


class Watching(Protocol):
    """What a cluster may offer beside `Cluster`, so that nothing between two reads is missed. All drain: a call gives
    what happened since the one before.
    """

    def watch(self) -> Sequence[Mapping[str, Any]]:
        """Changes as watch events: `type` (ADDED, MODIFIED, DELETED), `at` (its instant in seconds), `object`."""

    def events(self) -> Sequence[Mapping[str, Any]]:
        """core/v1 Events: `at`, `pod`, `reason`, `message`, and `container` if one is concerned."""

    def transitions(self) -> Sequence[Mapping[str, Any]]:
        """Accepted transitions: `at`, `pod`, `machine`, `instance`, `trigger`, `source`, `dest`, `rules` (ids)."""


def lacking(cluster: object) -> frozenset[str]:
    """What a cluster cannot do: what it declares, and the optional methods it does not have."""
    declared = frozenset(getattr(cluster, "lacks", ()))
    optional: Collection[str] = ("watch", "events", "transitions")
    return declared | {name for name in optional if not callable(getattr(cluster, name, None))}
