"""The reasons that Kubernetes gives, in words: why a container waits, why a Pod failed."""

from __future__ import annotations

from attrs import frozen


@frozen
class Meaning:
    """What a reason means, the rule it comes from, what has to happen, and who can make it happen."""

    rule: str
    text: str
    next: str
    who: str = "kubelet"


WAITING = {
    "": Meaning("cstate-created-is-waiting", "is created and not started yet", "its process is started", "runtime"),
    "ContainerCreating": Meaning(
        "cstate-default-waiting",
        "has not been created yet: volumes, network or image are being prepared, or a postStart hook is running",
        "its image is there, it is created and started",
    ),
    "PodInitializing": Meaning(
        "init-before-app", "waits for the init containers before it", "those have finished, or started if sidecars"
    ),
    "ErrImagePull": Meaning(
        "backoff-image-pull",
        "the last pull of its image failed",
        "the pull is tried again, after 10 to 300 s",
        "runtime",
    ),
    "ImagePullBackOff": Meaning(
        "backoff-image-pull",
        "the pull of its image failed, and is not tried again before the delay is over",
        "the pull is tried again, 10 to 300 s after the last try",
        "runtime",
    ),
    "ErrImageNeverPull": Meaning(
        "cstate-waiting-reasons",
        "its image is not on the node and its imagePullPolicy is Never",
        "the image is put on the node, or the policy changed in a new Pod",
        "user",
    ),
    "InvalidImageName": Meaning(
        "cstate-waiting-reasons", "its image has a name that cannot be read", "spec image is corrected", "user"
    ),
    "ImageInspectError": Meaning(
        "cstate-waiting-reasons",
        "the runtime could not say whether its image is there",
        "the runtime answers; the kubelet asks again at its next sync",
        "runtime",
    ),
    "RegistryUnavailable": Meaning(
        "cstate-waiting-reasons", "the registry of its image cannot be reached", "the registry answers", "runtime"
    ),
    "SignatureValidationFailed": Meaning(
        "cstate-waiting-reasons",
        "the signature of its image is not accepted",
        "an image with a good signature is there",
        "user",
    ),
    "CreateContainerConfigError": Meaning(
        "cstate-waiting-reasons",
        "its configuration cannot be made, as when a ConfigMap, Secret or key is missing",
        "what is missing is created; the kubelet tries again every 10 s or so",
        "user",
    ),
    "CreateContainerError": Meaning(
        "cstate-waiting-reasons",
        "the runtime refused to create it",
        "creating works; the kubelet tries again every 10 s or so",
        "runtime",
    ),
    "PreCreateHookError": Meaning(
        "cstate-waiting-reasons", "what the kubelet does before creating it failed", "the next try works"
    ),
    "PreStartHookError": Meaning(
        "cstate-waiting-reasons", "what the kubelet does before starting it failed", "the next try works"
    ),
    "RunContainerError": Meaning(
        "cstate-waiting-reasons", "the runtime could not start it", "the next start works", "runtime"
    ),
    "PostStartHookError": Meaning(
        "hook-poststart-failure-kills",
        "its postStart hook failed, so it was stopped",
        "it is started again, if its restart policy allows",
    ),
    "RestartingAllContainers": Meaning(
        "restart-all-waiting-state",
        "was removed by a rule that restarts all containers",
        "all containers are gone, then the Pod starts anew",
    ),
    "CrashLoopBackOff": Meaning(
        "backoff-sequence", "has ended and waits for its next start", "the delay is over and it is started again"
    ),
}
"""Every reason of a waiting container that the kubelet of 1.36 writes."""

ENDED = {
    "Evicted": ("node-pressure-eviction", "was evicted by its kubelet: the node ran short of a resource"),
    "DeadlineExceeded": ("deadline-enforced", "was active longer than activeDeadlineSeconds"),
    "Preempting": ("node-kubelet-preemption", "was killed to make room for a critical Pod"),
    "Preempted": ("node-kubelet-preemption", "was killed to make room for a more important Pod"),
    "Terminated": ("node-shutdown", "was stopped because its node was shut down"),
    "Shutdown": ("node-shutdown", "was stopped because its node was shut down"),
    "NodeShutdown": ("node-admission-reject", "was refused by its node, which is shutting down"),
    "NodeLost": ("phase-node-loss-not-failed-directly", "is on a node that was lost"),
    "NodeAffinity": ("node-admission-reject", "was refused by its kubelet: the node does not match its affinity"),
    "UnexpectedAdmissionError": (
        "node-admission-reject",
        "was refused by its kubelet, for a reason given in its message",
    ),
    "PodOSNotSupported": ("node-admission-reject", "was refused by its kubelet: it is for another operating system"),
}
"""Why a Pod is over, by status.reason; OutOf... is told apart below."""


def ended_because(reason: str) -> tuple[str, str] | None:
    """Rule and words for the status.reason of a failed Pod; None if it is not known."""
    if reason.startswith("OutOf"):
        return "node-admission-reject", f"was refused by its kubelet: the node has not enough {reason[5:]}"
    return ENDED.get(reason)


DISRUPTED = {
    "PreemptionByScheduler": "the scheduler removes it for a Pod of higher priority",
    "DeletionByTaintManager": "its node has a taint that it does not tolerate",
    "EvictionByEvictionAPI": "it is evicted through the API, as in a drain",
    "DeletionByPodGC": "its node does not exist any more",
    "TerminationByKubelet": "its kubelet ends it: node pressure, shutdown or a critical Pod",
}
"""What the reasons of the condition DisruptionTarget mean."""
