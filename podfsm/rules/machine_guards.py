"""Guards that tell apart what a machine does next, where the documentation has no rule of its own for the choice."""

from __future__ import annotations

from podfsm.engine.rule import docs, guard, source
from podfsm.engine.verdict import Verdict, wait_until
from podfsm.rules.facts import ContainerFacts, Policy, Role, RuntimeState
from podfsm.rules.kubelet_facts import ImageFacts, ProbeFacts, SandboxFacts, WorkerFacts

_EXITED = RuntimeState.EXITED
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")
_BACKOFF = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "doBackOff")
_IMAGES = source("pkg/kubelet/images/image_manager.go", "EnsureImageExists")
_LIFECYCLE = "concepts/workloads/pods/pod-lifecycle.md"


@guard(
    "backoff-applies",
    area="backoff",
    machine=("container", "init_container", "sidecar_container"),
    cites=[docs(f"{_LIFECYCLE}#how-pods-handle-problems-with-containers"), _BACKOFF],
    allows=[ContainerFacts(instance=_EXITED, now=5.0, retry_at=10.0)],
    refuses=[ContainerFacts(instance=_EXITED, now=10.0, retry_at=10.0), ContainerFacts(instance=_EXITED)],
)
def backoff_applies(facts: ContainerFacts) -> bool:
    """An exited container waits in CrashLoopBackOff for as long as its restart is not due."""
    return facts.instance is _EXITED and facts.retry_at is not None and facts.now < facts.retry_at


@guard(
    "restart-after-kill",
    area="restart",
    machine="container",
    cites=[docs(f"{_LIFECYCLE}#restart-policy"), _ACTIONS],
    allows=[
        ContainerFacts(instance=_EXITED, killed="probe"),
        ContainerFacts(instance=_EXITED, killed="spec", pod_policy=Policy.NEVER),
    ],
    refuses=[
        ContainerFacts(instance=_EXITED, killed="probe", pod_policy=Policy.NEVER),
        ContainerFacts(instance=_EXITED, killed="probe", own_policy=Policy.NEVER),
        ContainerFacts(instance=_EXITED),
    ],
)
def after_kill(facts: ContainerFacts) -> bool:
    """A container that the kubelet stopped to replace it starts in the same sync, whatever its exit code.

    After a failed probe the policy must not be Never (the container's own, or else the Pod's); after a change of image
    no policy is asked.
    """
    if facts.killed == "spec":
        return True
    policy = facts.pod_policy if facts.own_policy is None else facts.own_policy
    return facts.killed == "probe" and policy is not Policy.NEVER


@guard(
    "init-success-completes",
    area="init",
    machine="init_container",
    cites=[
        docs("concepts/workloads/pods/init-containers.md#detailed-behavior"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "computeInitContainerActions"),
    ],
    allows=[ContainerFacts(role=Role.INIT, instance=_EXITED)],
    refuses=[
        ContainerFacts(role=Role.INIT, instance=_EXITED, exit_code=1),
        ContainerFacts(role=Role.INIT, instance=_EXITED, oom_killed=True),
    ],
)
def init_completes(facts: ContainerFacts) -> bool:
    """An init container that exits 0 is complete, unless the runtime says that it ran out of memory."""
    return facts.instance is _EXITED and facts.exit_code == 0 and not facts.oom_killed


@guard(
    "init-retry-by-pod-policy",
    area="init",
    machine="init_container",
    without_gate="ContainerRestartRules",
    cites=[
        docs("concepts/workloads/pods/init-containers.md#detailed-behavior"),
        source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "computeInitContainerActions"),
    ],
    allows=[
        ContainerFacts(role=Role.INIT, instance=_EXITED, exit_code=1),
        ContainerFacts(role=Role.INIT, instance=_EXITED, oom_killed=True, pod_policy=Policy.ON_FAILURE),
    ],
    refuses=[
        ContainerFacts(role=Role.INIT, instance=_EXITED),
        ContainerFacts(role=Role.INIT, instance=_EXITED, exit_code=1, pod_policy=Policy.NEVER),
        ContainerFacts(role=Role.INIT, instance=RuntimeState.RUNNING, exit_code=1),
    ],
)
def init_retry_by_pod_policy(facts: ContainerFacts) -> bool:
    """Without container-level rules a failed init container is run again unless the Pod's policy is Never.

    Its exit code is not asked, so one that ran out of memory and exited 0 is run again under OnFailure too.
    """
    failed = facts.instance is _EXITED and (facts.exit_code != 0 or facts.oom_killed)
    return failed and facts.pod_policy is not Policy.NEVER


@guard(
    "image-pull-allowed",
    area="backoff",
    machine="image",
    cites=[docs("concepts/containers/images.md#imagepullbackoff"), _IMAGES],
    allows=[ImageFacts(), ImageFacts(now=20.0, retry_at=20.0), ImageFacts(pull_policy="Always", present=True)],
    refuses=[ImageFacts(now=19.0, retry_at=20.0), ImageFacts(pull_policy="Never"), ImageFacts(present=True)],
)
def pull_allowed(facts: ImageFacts) -> bool | Verdict:
    """An image is pulled if its policy asks for it and no back-off of an earlier failure is left."""
    if facts.pull_policy == "Never" or not facts.valid_name:
        return False
    if facts.present and facts.pull_policy != "Always":
        return False
    if facts.retry_at is not None and facts.now < facts.retry_at:
        return wait_until(facts.retry_at, "the last pull failed")
    return True


@guard(
    "image-backoff-applies",
    area="backoff",
    machine="image",
    cites=[docs("concepts/containers/images.md#imagepullbackoff"), _IMAGES],
    allows=[ImageFacts(now=19.0, retry_at=20.0)],
    refuses=[ImageFacts(now=20.0, retry_at=20.0), ImageFacts()],
)
def image_backoff_applies(facts: ImageFacts) -> bool:
    """An image whose pull failed is not asked for again before its back-off is over."""
    return facts.retry_at is not None and facts.now < facts.retry_at


@guard(
    "sandbox-needed",
    area="conditions",
    machine="sandbox",
    cites=[
        docs("concepts/workloads/pods/pod-lifecycle.md#pod-has-network"),
        source("pkg/kubelet/kuberuntime/util/util.go", "PodSandboxChanged"),
    ],
    allows=[SandboxFacts(), SandboxFacts(sandboxes=1, newest_ready=False)],
    refuses=[SandboxFacts(sandboxes=1, ready=1)],
)
def sandbox_needed(facts: SandboxFacts) -> bool:
    """A sandbox is made if there is none, or the newest is not the only ready one, or lost its address or network."""
    if facts.sandboxes == 0 or facts.ready != 1 or not facts.newest_ready or not facts.same_network:
        return True
    return not facts.host_network and not facts.has_ip


@guard(
    "worker-nothing-runs",
    area="termination",
    machine="pod_worker",
    cites=[
        docs("concepts/workloads/pods/pod-termination.md#pod-termination-flow"),
        source("pkg/kubelet/kubelet.go", "SyncTerminatingPod"),
    ],
    allows=[WorkerFacts()],
    refuses=[WorkerFacts(containers_running=True)],
)
def nothing_runs(facts: WorkerFacts) -> bool:
    """A Pod counts as terminated once none of its containers runs."""
    return not facts.containers_running


@guard(
    "probe-container-done",
    area="probes",
    machine="probe",
    cites=[docs("concepts/workloads/pods/probes.md"), source("pkg/kubelet/prober/worker.go", "doProbe")],
    allows=[ProbeFacts(running=False, will_restart=False)],
    refuses=[ProbeFacts(), ProbeFacts(running=False), ProbeFacts(pod_terminal=True, will_restart=False)],
)
def container_done(facts: ProbeFacts) -> bool:
    """A worker ends with a container that will not run again; the end of the Pod is another rule's."""
    return not facts.will_restart and not facts.pod_terminal
