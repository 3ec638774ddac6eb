"""Back-off: how long the kubelet waits before it tries again, and what it shows meanwhile.

The figures stand in specs/timing.yaml; the entries that carry a delay from one attempt to the next are in
`crash_backoff` and `image_backoff`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.rule import default, derivation, docs, example, guard, source, timing
from podfsm.engine.verdict import Verdict, wait_until
from podfsm.kube.objects import Container
from podfsm.rules.facts import ContainerFacts, Role, RuntimeContainer, RuntimeState
from podfsm.rules.timings import timing_constant

_RESTARTS = docs("concepts/workloads/pods/container-restarts.md#container-restarts")
_POLICY = docs("concepts/workloads/pods/container-restarts.md#restart-policy")
_DO_BACK_OFF = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "doBackOff")
_LIMITS = source("pkg/kubelet/kubelet.go", "newCrashLoopBackOff")
_WORKER = source("pkg/kubelet/pod_workers.go", "completeWork")

_FIRST_EXIT = ContainerFacts(instance=RuntimeState.EXITED, exit_code=1, now=5.0)
_WAITING = ContainerFacts(instance=RuntimeState.EXITED, exit_code=1, now=5.0, retry_at=12.0)
_WAITED = ContainerFacts(instance=RuntimeState.EXITED, exit_code=1, now=12.0, retry_at=12.0)
_WAITING_AFTER_0 = ContainerFacts(instance=RuntimeState.EXITED, now=5.0, retry_at=12.0)
_WAITED_AFTER_0 = ContainerFacts(instance=RuntimeState.EXITED, now=12.0, retry_at=12.0)
_INIT_WAITING = ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED, exit_code=1, now=5.0, retry_at=12.0)
_SIDECAR_WAITED = ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.EXITED, now=12.0, retry_at=12.0)


def _delay_over(facts: ContainerFacts) -> bool | Verdict:
    if facts.retry_at is None or facts.now >= facts.retry_at:
        return True
    return wait_until(facts.retry_at, "the delay since the last exit is not over")


@guard(
    "backoff-first-immediate",
    machine=("container", "init_container", "sidecar_container"),
    cites=[_RESTARTS, _DO_BACK_OFF],
    seed=5,
    observable="startedAt(2) - finishedAt(1) of a few seconds",
    allows=[_FIRST_EXIT],
    refuses=[_WAITING, _WAITED],
)
def first_immediate(facts: ContainerFacts) -> bool:
    """The first restart after a crash is not delayed: it finds no delay in force, and sets the one for the next.

    A delay is in force as soon as one restart was let through, until the series is forgotten (`backoff-reset`).
    """
    return facts.retry_at is None


@guard(
    "backoff-sequence",
    machine=("container", "init_container", "sidecar_container"),
    cites=[_POLICY, _DO_BACK_OFF, source("staging/src/k8s.io/client-go/util/flowcontrol/backoff.go", "Next")],
    seed=5,
    observable="startedAt(n+1) - finishedAt(n)",
    allows=[_FIRST_EXIT, _WAITED],
    refuses=[_WAITING],
)
def sequence(facts: ContainerFacts) -> bool | Verdict:
    """Restarts after the first wait 10, 20, 40, 80, 160, 300, 300 ... seconds, counted from the end of the last run."""
    return _delay_over(facts)


@guard(
    "backoff-exit-zero-too",
    machine="container",
    cites=[_POLICY, _DO_BACK_OFF],
    seed=5,
    observable="CrashLoopBackOff with lastState.terminated.exitCode 0",
    allows=[_WAITED_AFTER_0, _WAITING],
    refuses=[_WAITING_AFTER_0],
)
def exit_zero_too(facts: ContainerFacts) -> bool | Verdict:
    """A restart after exit code 0 waits just as long as one after a failure."""
    return _delay_over(facts) if facts.exit_code == 0 else True


@guard(
    "backoff-init-and-sidecar",
    machine=("init_container", "sidecar_container"),
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#container-restart-rules"),
        source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod"),
    ],
    seed=5,
    observable="initContainerStatuses[].state.waiting.reason CrashLoopBackOff",
    allows=[_SIDECAR_WAITED, _WAITING],
    refuses=[_INIT_WAITING],
)
def init_and_sidecar(facts: ContainerFacts) -> bool | Verdict:
    """Init containers and sidecars wait between restarts by the same law as app containers."""
    return _delay_over(facts) if facts.role in (Role.INIT, Role.SIDECAR) else True


@default(
    "backoff-base",
    machine="container",
    cites=[_POLICY, source("pkg/kubelet/kubelet.go", "initialCrashLoopBackOff")],
    seed=5,
    observable='message "back-off 10s restarting failed container"',
    examples=[example(gives=10.0)],
)
def base() -> float:
    """The first delay between restarts is 10 seconds."""
    return timing_constant("crash-backoff-initial")


@default(
    "backoff-cap",
    machine="container",
    cites=[_POLICY, source("pkg/kubelet/apis/config/v1beta1/defaults.go", "MaxContainerBackOff")],
    seed=5,
    observable='message "back-off 5m0s"',
    examples=[example(gives=300.0)],
)
def cap() -> float:
    """The delay between restarts does not grow beyond 300 seconds."""
    return timing_constant("crash-backoff-max")


def doubled(delay: float, maximum: float) -> float:
    """The delay that follows another one."""
    return min(delay * timing_constant("crash-backoff-factor"), maximum)


@timing(
    "backoff-reset",
    machine="container",
    cites=[_RESTARTS, source("pkg/kubelet/kubelet.go", "NewMainKubelet")],
    seed=5,
    observable="restart immediate again after a run of more than 10 minutes",
    examples=[
        example(600.0, 0.0, gives=False),
        example(601.0, 0.0, gives=True),
        example(130.0, 0.0, 2 * 60.0, gives=True),
    ],
)
def starts_over(finished_at: float, last_attempt: float, after: float = 600.0) -> bool:
    """The delays start over if the container ended more than 600 seconds after its last restart was attempted.

    The 600 seconds do not shrink with a smaller cap. `after` is another span for other users of the same entries
    (images: twice the longest delay).
    """
    return finished_at - last_attempt > after


@derivation(
    "backoff-key",
    machine="container",
    cites=[_POLICY, source("pkg/kubelet/kuberuntime/helpers.go", "GetBackoffKey")],
    observable="restart at once after a change of image",
    examples=[
        example("u", Container(name="app", image="a:1"), gives=("u", "app", "a:1", "None")),
        example("u", Container(name="app", image="a:2"), resources=False, gives=("u", "app", "a:2", "")),
    ],
)
def key(pod_uid: str, container: Container, *, resources: bool = True) -> tuple[str, str, str, str]:
    """A back-off belongs to the Pod, the container's name, its image and its resources: changing one starts afresh.

    Versions before 1.33 leave the resources out (`resources=False`). Entries are lost when the kubelet restarts.
    """
    return (pod_uid, container.name, container.image, str(container.resources) if resources else "")


@derivation(
    "backoff-reason",
    machine="container",
    cites=[_RESTARTS, _DO_BACK_OFF],
    seed=5,
    observable="state.waiting.reason CrashLoopBackOff",
    examples=[
        example(
            80.0,
            "app",
            "web_default(u)",
            gives=("CrashLoopBackOff", "back-off 1m20s restarting failed container=app pod=web_default(u)"),
        )
    ],
)
def waiting(delay: float, container: str, pod: str) -> tuple[str, str]:
    """While its restart is delayed a container waits with reason CrashLoopBackOff; the message names the delay.

    `pod` is written name_namespace(uid). Warning events of reason BackOff go with it.
    """
    return "CrashLoopBackOff", f"back-off {go_duration(delay)} restarting failed container={container} pod={pod}"


def go_duration(seconds: float) -> str:
    """A duration of whole seconds as Go prints it: 10s, 1m20s, 1h0m5s."""
    hours, rest = divmod(int(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


@timing(
    "backoff-requeue-jitter",
    machine="container",
    cites=[_POLICY, _WORKER],
    since="1.33",
    observable="observed delay >= nominal",
    examples=[example(20.0, gives=20.0), example(20.0, jitter=1.0, gives=30.0), example(160.0, gives=60.0)],
)
def requeue_after(remaining: float, *, jitter: float = 0.0) -> float:
    """A Pod with a delayed container is synced again when the delay ends, up to half as much later, or at its resync.

    `jitter` is the random part, 0 to 1. Other events may sync the Pod sooner; it then still has to wait. Before 1.33
    such a Pod is retried like any other failed sync (`backoff-sync-error`).
    """
    return min(remaining, timing_constant("pod-resync")) * (1.0 + timing_constant("sync-error-jitter") * jitter)


@timing(
    "backoff-sync-error",
    machine="pod_worker",
    cites=[docs("concepts/workloads/pods/pod-lifecycle.md#pod-lifetime"), _WORKER],
    observable="cadence of FailedSync events",
    examples=[
        example("done", gives=60.0),
        example("failed", jitter=1.0, gives=15.0),
        example("network-not-ready", gives=1.0),
    ],
)
def next_sync_after(outcome: str, *, jitter: float = 0.0) -> float:
    """A failed sync is tried again after 10 seconds, one without network after 1; a good one is repeated after 60.

    Each up to half as much later; `jitter` is that random part, 0 to 1. `outcome` is done, failed or network-not-ready.
    """
    constant = {"done": "pod-resync", "failed": "sync-error-retry", "network-not-ready": "network-not-ready-retry"}
    spread = timing_constant("resync-jitter" if outcome == "done" else "sync-error-jitter")
    return timing_constant(constant[outcome]) * (1.0 + spread * jitter)


@timing(
    "backoff-liveness-kill-immediate",
    machine="container",
    cites=[_RESTARTS, source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod"), _DO_BACK_OFF],
    observable="startedAt right after finishedAt",
    examples=[
        example((RuntimeContainer("a-0", "a", RuntimeState.RUNNING),), gives=None),
        example(
            (
                RuntimeContainer("a-1", "a", RuntimeState.RUNNING),
                RuntimeContainer("a-0", "a", RuntimeState.EXITED, finished_at=4.0),
            ),
            gives=4.0,
        ),
    ],
)
def counted_from(instances: Sequence[RuntimeContainer]) -> float | None:
    """The delay counts from the newest instance that had exited before the sync; with none there is no delay.

    So a container killed by a probe and started again in the same sync is judged by the run before: its first restart
    is immediate and sets no delay for the next. `instances` are one container's, newest first, as the sync found them.
    """
    for instance in instances:
        if instance.state is RuntimeState.EXITED:
            return instance.finished_at
    return None


@default(
    "backoff-reduced",
    machine="container",
    cites=[docs("concepts/workloads/pods/container-restarts.md#reduced-container-restart-delay"), _LIMITS],
    gate="ReduceDefaultCrashLoopBackOffDecay",
    seed=5,
    observable='message "back-off 1s"',
    examples=[example(gives=(1.0, 60.0))],
)
def reduced_limits() -> tuple[float, float]:
    """With the reduced delays the first is 1 second and the longest 60."""
    return timing_constant("crash-backoff-reduced-initial"), timing_constant("crash-backoff-reduced-max")


@default(
    "backoff-node-max",
    machine="container",
    cites=[docs("concepts/workloads/pods/container-restarts.md#configurable-container-restart-delay"), _LIMITS],
    gate="KubeletCrashLoopBackOffMax",
    seed=5,
    observable="delays level off at the configured value",
    examples=[example(10.0, 60.0, gives=(10.0, 60.0)), example(10.0, 5.0, gives=(5.0, 5.0))],
)
def limits_on_node(initial: float, node_max: float) -> tuple[float, float]:
    """The kubelet's maxContainerRestartPeriod (1 to 300 seconds) replaces the longest delay, and bounds the first.

    It also replaces the longest of the reduced delays.
    """
    return min(initial, node_max), node_max


@default(
    "backoff-pull-policy-default",
    machine="image",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#container-state-waiting"),
        source("pkg/apis/core/v1/defaults.go", "SetDefaults_Container"),
    ],
    seed=4,
    observable="spec.containers[].imagePullPolicy",
    examples=[
        example("web", gives="Always"),
        example("web:latest", gives="Always"),
        example("web:1", gives="IfNotPresent"),
        example("registry:5000/web", gives="Always"),
        example("web@sha256:0f", gives="IfNotPresent"),
    ],
)
def pull_policy_default(image: str) -> str:
    """A container without imagePullPolicy gets Always if its image has the tag latest or none, else IfNotPresent.

    An image named by its digest needs no tag. Under Never a missing image shows as ErrImageNeverPull.
    """
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return "Always" if tag == "latest" or (not tag and not digest) else "IfNotPresent"
