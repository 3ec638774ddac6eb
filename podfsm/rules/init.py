"""Init containers: one after the other, each to success, before any app container.

The predicates on states here are what `init_actions` decides with. What concerns manifests and whole Pods is in
`init_checks`.
"""

from __future__ import annotations

from collections.abc import Sequence

from podfsm.engine.rule import derivation, docs, example, guard, source
from podfsm.engine.verdict import Verdict, wait_until
from podfsm.rules.facts import (
    ContainerFacts,
    PodFacts,
    Policy,
    Role,
    RuntimeContainer,
    RuntimeState,
)
from podfsm.rules.restart_decision import decided

_PAGE = "concepts/workloads/pods/init-containers.md"
_DETAILS = docs(f"{_PAGE}#detailed-behavior")
_UNDERSTANDING = docs(f"{_PAGE}#understanding-init-containers")
_REASONS = docs(f"{_PAGE}#pod-restart-reasons")
_INIT = source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "computeInitContainerActions")
_ACTIONS = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "computePodActions")
_SYNC = source("pkg/kubelet/kuberuntime/kuberuntime_manager.go", "SyncPod")


def failed(state: RuntimeState | None, exit_code: int, reason: str) -> bool:
    """Whether an init container's instance counts as failed (isInitContainerFailed).

    One killed for memory failed even with exit code 0, and so did one in an unknown state.
    """
    if reason == "OOMKilled" or state is RuntimeState.UNKNOWN:
        return True
    return state is RuntimeState.EXITED and exit_code != 0


def entry_done(instance: RuntimeContainer | None) -> bool:
    """Whether a regular init container lets the next entry start: its newest instance ended well."""
    if instance is None or instance.state is not RuntimeState.EXITED:
        return False
    return not failed(instance.state, instance.exit_code, instance.reason)


def _failed(facts: ContainerFacts) -> bool:
    return facts.instance is RuntimeState.EXITED and (facts.exit_code != 0 or facts.oom_killed)


_FIRST = ContainerFacts(role=Role.INIT)
_BLOCKED = ContainerFacts(role=Role.INIT, earlier_done=False)
_FAILED = ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED, exit_code=1)
_FAILED_NEVER = ContainerFacts(role=Role.INIT, pod_policy=Policy.NEVER, instance=RuntimeState.EXITED, exit_code=1)
_OWN_NEVER = ContainerFacts(role=Role.INIT, own_policy=Policy.NEVER, instance=RuntimeState.EXITED, exit_code=1)
_OOM_0 = ContainerFacts(
    role=Role.INIT, pod_policy=Policy.ON_FAILURE, instance=RuntimeState.EXITED, exit_code=0, oom_killed=True
)
_SUCCEEDED = ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED)


@guard(
    "init-before-app",
    machine="container",
    cites=[_UNDERSTANDING, _ACTIONS],
    since="1.3",
    seed=8,
    observable="app containers wait with PodInitializing until the init containers are done",
    allows=[ContainerFacts()],
    refuses=[ContainerFacts(earlier_done=False)],
)
def before_app(facts: ContainerFacts) -> bool:
    """No app container starts before every regular init container has exited 0 and every sidecar has started."""
    return facts.earlier_done


@guard(
    "init-sequential",
    machine=("init_container", "sidecar_container"),
    cites=[_UNDERSTANDING, _INIT],
    since="1.3",
    seed=8,
    observable="startedAt(i+1) >= finishedAt(i)",
    allows=[_FIRST],
    refuses=[_BLOCKED],
)
def sequential(facts: ContainerFacts) -> bool:
    """Init containers run one at a time in the order of the spec; each must exit 0 before the next one starts.

    A sidecar among them counts as soon as it has started (`sidecar-start-order`).
    """
    return facts.earlier_done


@guard(
    "init-after-network-and-storage",
    machine=("init_container", "sidecar_container", "container", "ephemeral_container"),
    cites=[_DETAILS, source("pkg/kubelet/kubelet.go", "SyncPod"), _SYNC],
    since="1.3",
    seed=8,
    observable="PodReadyToStartContainers True before the first init container starts",
    allows=[_FIRST],
    refuses=[ContainerFacts(role=Role.INIT, sandbox_ready=False), ContainerFacts(role=Role.INIT, volumes_ready=False)],
)
def after_network_and_storage(facts: ContainerFacts) -> bool:
    """Nothing starts, init containers included, before the volumes are mounted and the sandbox has its network."""
    return facts.sandbox_ready and facts.volumes_ready


@guard(
    "init-retry",
    machine="init_container",
    cites=[_UNDERSTANDING, _INIT],
    since="1.3",
    seed=8,
    observable="restartCount of that init container only",
    allows=[_FAILED],
    refuses=[_FAILED_NEVER, _OWN_NEVER, _SUCCEEDED, _OOM_0],
)
def retry(facts: ContainerFacts) -> bool:
    """A failed init container is run again, with back-off, while its policy allows; earlier ones are not repeated.

    Killed for memory with exit code 0 counts as failed, but the exit code decides on the restart, so that under
    OnFailure it is not run again.
    """
    return _failed(facts) and decided(facts)[0]


@guard(
    "init-never-fails-pod",
    machine="init_container",
    cites=[_UNDERSTANDING, _INIT],
    since="1.3",
    seed=8,
    observable="phase Failed",
    allows=[_FAILED_NEVER, _OWN_NEVER, _OOM_0],
    refuses=[_FAILED, _SUCCEEDED],
)
def never_fails_pod(facts: ContainerFacts) -> bool:
    """An init container that failed and may not be run again fails the Pod; what runs is killed, sidecars included.

    So it is under the Pod's policy Never, and under the container's own.
    """
    return _failed(facts) and not decided(facts)[0]


@derivation(
    "restart-init-policy-mapping",
    area="restart",
    machine="init_container",
    cites=[_DETAILS, _INIT],
    since="1.3",
    seed=8,
    observable="an init container with exitCode 0 is never restarted",
    examples=[
        example(Policy.ALWAYS, gives=True),
        example(Policy.ON_FAILURE, gives=True),
        example(Policy.NEVER, gives=False),
    ],
)
def policy_retries(policy: Policy) -> bool:
    """For a regular init container Always acts as OnFailure: a failed one is run again, a successful one is not.

    The function answers for a failed one.
    """
    return policy is not Policy.NEVER


@guard(
    "init-rerun-on-new-sandbox",
    machine=("init_container", "sidecar_container", "container"),
    cites=[_REASONS, _ACTIONS, _SYNC],
    since="1.3",
    seed=10,
    observable="event SandboxChanged; containerIDs of init containers change",
    allows=[ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED, new_sandbox=True)],
    refuses=[
        _SUCCEEDED,
        ContainerFacts(pod_policy=Policy.ON_FAILURE, instance=RuntimeState.EXITED, new_sandbox=True),
    ],
)
def rerun_on_new_sandbox(facts: ContainerFacts) -> bool:
    """In a re-created sandbox init containers run again from the first, and then the app containers.

    Only app containers that ended with exit code 0 under OnFailure stay done. A sandbox is re-created when it died, the
    node was rebooted, the network mode changed or its address is missing.
    """
    if not facts.new_sandbox:
        return False
    policy = facts.pod_policy if facts.own_policy is None else facts.own_policy
    ended_well = facts.instance is RuntimeState.EXITED and facts.exit_code == 0
    return not (facts.role is Role.APP and policy is Policy.ON_FAILURE and ended_well)


@derivation(
    "init-rerun-on-lost-record",
    machine="init_container",
    cites=[_REASONS, _INIT],
    since="1.3",
    seed=10,
    observable="init startedAt later than app finishedAt",
    documented="the page names a lost completion record as a reason to run again, and two lines later as none",
    examples=[
        example(RuntimeState.RUNNING, gives=True),
        example(RuntimeState.CREATED, gives=True),
        example(RuntimeState.EXITED, gives=False),
        example(RuntimeState.UNKNOWN, gives=False),
    ],
)
def app_proves_initialized(state: RuntimeState) -> bool:
    """Only an app container that is created or running proves that initialisation is over; an exited one does not.

    So if all app containers have exited and no record of an init container is left, the first one is run again. The
    kubelet cannot tell an exit in this sandbox from one in the sandbox before.
    """
    return state is RuntimeState.RUNNING or state is RuntimeState.CREATED


@guard(
    "init-image-change-no-rerun",
    machine="init_container",
    cites=[_REASONS, _INIT],
    since="1.20",
    seed=10,
    observable="containerID of the init container constant after a patch of its image",
    allows=[ContainerFacts(role=Role.INIT, instance=RuntimeState.EXITED, spec_changed=True)],
    refuses=[ContainerFacts(role=Role.SIDECAR, instance=RuntimeState.RUNNING, spec_changed=True), _FIRST],
)
def image_change_no_rerun(facts: ContainerFacts) -> bool:
    """A change of a regular init container's image leaves it as it is; before 1.20 it restarted the Pod."""
    return facts.role is Role.INIT and facts.instance is not None and facts.spec_changed


@derivation(
    "init-last-decides",
    machine="init_container",
    cites=[_DETAILS, _INIT],
    since="1.3",
    observable="records of earlier init containers may be collected without effect",
    examples=[
        example((True, True, False), gives=1),
        example((False, True, False), gives=1),
        example((False, False), gives=None),
    ],
)
def deciding_entry(recorded: Sequence[bool]) -> int | None:
    """The last init entry that has a record in the runtime decides what happens next; records before it do not matter.

    None: there is no record, so the first entry starts. A later success therefore hides an earlier failure.
    """
    return max((index for index, known in enumerate(recorded) if known), default=None)


@guard(
    "init-deadline-applies",
    machine="pod",
    cites=[_DETAILS, source("pkg/kubelet/active_deadline.go", "pastActiveDeadline")],
    since="1.3",
    seed=8,
    observable="status.reason DeadlineExceeded while an init container runs",
    allows=[PodFacts(deadline_at=10.0, now=10.0)],
    refuses=[PodFacts(deadline_at=10.0, now=9.0), PodFacts()],
)
def deadline_applies(facts: PodFacts) -> bool | Verdict:
    """The time spent in init containers counts for activeDeadlineSeconds: a Pod still Pending can exceed it."""
    if facts.phase != "Pending" or facts.deadline_at is None:
        return False
    return facts.now >= facts.deadline_at or wait_until(facts.deadline_at, "the deadline is not reached")


@derivation(
    "init-prune-records",
    machine="init_container",
    cites=[_DETAILS, source("pkg/kubelet/kuberuntime/kuberuntime_container.go", "pruneInitContainersBeforeStart")],
    since="1.6",
    observable="at most one dead instance of each init container after a sync that starts containers",
    examples=[
        example(
            (
                RuntimeContainer("i-2", "i", RuntimeState.EXITED),
                RuntimeContainer("i-1", "i", RuntimeState.EXITED),
                RuntimeContainer("j-0", "j", RuntimeState.RUNNING),
            ),
            gives=("i-1",),
        )
    ],
)
def pruned(instances: Sequence[RuntimeContainer]) -> tuple[str, ...]:
    """Before the kubelet starts containers it removes all dead instances of an init container but the newest.

    `instances` are those of init containers, newest first per name; the answer is the ids to remove.
    """
    seen = set()
    removed = []
    for instance in instances:
        if instance.state is not RuntimeState.EXITED and instance.state is not RuntimeState.UNKNOWN:
            continue
        if instance.name in seen:
            removed.append(instance.id)
        seen.add(instance.name)
    return tuple(removed)
