"""Laws of the machines of app, init, sidecar and ephemeral containers, images and sandboxes."""

from __future__ import annotations

from podfsm.rules.facts import ContainerFacts, Policy, ProbeResult, Role, RuleAction, RuntimeState, WorkerState
from podfsm.rules.kubelet_facts import ImageFacts, SandboxFacts
from podfsm.testing.laws.base import law

APP, INIT, SIDECAR, EPHEMERAL = "container", "init_container", "sidecar_container", "ephemeral_container"
_EXITED = {"instance": RuntimeState.EXITED}
_FAILED = {"instance": RuntimeState.EXITED, "exit_code": 1}
_RUNS = {"instance": RuntimeState.RUNNING}
_DUE = {"now": 10.0, "retry_at": 10.0}


def lives_on(facts: ContainerFacts) -> bool:
    """Whether the Pod goes on, so that things may be started in it."""
    return facts.worker is WorkerState.SYNCING and not facts.deleting


def waited(facts: ContainerFacts) -> bool:
    """Whether no delay is left."""
    return facts.retry_at is None or not facts.retry_at > facts.now


def goes_on(facts: ContainerFacts) -> bool:
    """Whether an exit is followed by another run: a matching rule, else the container's policy, else the Pod's."""
    if facts.own_policy is not None and facts.matched in (RuleAction.RESTART, RuleAction.RESTART_ALL_CONTAINERS):
        return True
    return {
        Policy.ALWAYS: True,
        Policy.NEVER: False,
        Policy.ON_FAILURE: facts.exit_code != 0,
    }[facts.own_policy or facts.pod_policy]


@law(
    (APP, INIT, SIDECAR),
    "pull",
    checks=[
        "init-before-app",
        "init-sequential",
        "sidecar-start-order",
        "init-after-network-and-storage",
        "restart-not-when-deleting",
    ],
)
def first_start(facts: ContainerFacts, _state: str) -> bool:
    """A container is started when those before it are done, sandbox and volumes are there, and its Pod goes on."""
    return facts.earlier_done and facts.sandbox_ready and facts.volumes_ready and lives_on(facts)


@law(
    EPHEMERAL,
    "pull",
    checks=["ephemeral-never-restart", "ephemeral-start-during-init"],
    typical=[{}, {"earlier_done": False, "role": Role.EPHEMERAL}, {"earlier_done": False, "role": Role.APP}],
)
def ephemeral_start(facts: ContainerFacts, _state: str) -> bool:
    """An ephemeral container is started if it never was, during initialisation too."""
    in_turn = facts.role is Role.EPHEMERAL or facts.earlier_done
    ready = facts.sandbox_ready and facts.volumes_ready and lives_on(facts)
    return in_turn and ready and facts.instance is None


@law(
    (APP, SIDECAR),
    "hook_failed",
    checks=["hook-poststart-failure-kills"],
    typical=[{**_RUNS, "poststart_failed": True}],
)
def hook_failed(facts: ContainerFacts, _state: str) -> bool:
    """A container that runs is stopped if its postStart hook failed."""
    return facts.poststart_failed and facts.instance is RuntimeState.RUNNING


_SICK = {**_RUNS, "liveness": ProbeResult.FAILURE}
_STUCK = {**_RUNS, "startup": ProbeResult.FAILURE, "startup_probe": True}


@law(
    (APP, SIDECAR),
    "probe_kill",
    checks=["probe-liveness-failure-kills", "probe-startup-failure-kills"],
    typical=[
        _SICK,
        _STUCK,
        {**_SICK, "startup_probe": True, "startup": ProbeResult.SUCCESS},
        {**_RUNS, "startup_probe": True},
    ],
)
def probe_kill(facts: ContainerFacts, _state: str) -> bool:
    """A failed startup probe, or liveness probe of a container that started, stops the container if its Pod goes on."""
    if facts.worker is not WorkerState.SYNCING or facts.instance is not RuntimeState.RUNNING:
        return False
    if facts.role not in (Role.APP, Role.SIDECAR):
        return False
    if facts.startup is ProbeResult.FAILURE:
        return True
    may_live = facts.role is Role.APP or not facts.startup_probe or facts.startup is ProbeResult.SUCCESS
    return may_live and facts.liveness is ProbeResult.FAILURE


@law(APP, "replace", checks=["restart-spec-image-change"], typical=[{**_RUNS, "spec_changed": True}])
def replaced(facts: ContainerFacts, _state: str) -> bool:
    """A running app container with another image is replaced."""
    return facts.spec_changed and facts.instance is RuntimeState.RUNNING and facts.role is Role.APP


@law(
    SIDECAR,
    "replace",
    checks=["sidecar-image-change"],
    typical=[
        {**_RUNS, "spec_changed": True},
        {**_RUNS, "spec_changed": True, "startup_probe": True, "startup": ProbeResult.SUCCESS},
    ],
)
def sidecar_replaced(facts: ContainerFacts, _state: str) -> bool:
    """A running sidecar with another image is replaced once it has started."""
    if facts.startup_probe and facts.startup is not ProbeResult.SUCCESS:
        return False
    return facts.spec_changed and facts.instance is RuntimeState.RUNNING and facts.role is Role.SIDECAR


@law(
    (APP, SIDECAR), "resize_restart", checks=["resize-restart-policy"], typical=[{**_RUNS, "resize": "restart"}, _RUNS]
)
def resized(facts: ContainerFacts, _state: str) -> bool:
    """A running container is restarted for a resize if its resizePolicy says so."""
    return facts.instance is RuntimeState.RUNNING and facts.resize == "restart"


@law((APP, INIT, SIDECAR), "restart_all", checks=["restart-all-containers"], typical=[{**_RUNS, "restart_all": True}])
@law((APP, INIT, SIDECAR), "reset", checks=["restart-all-containers"], typical=[{**_EXITED, "restart_all": True}])
def everything_anew(facts: ContainerFacts, _state: str) -> bool:
    """All containers with a record go when everything is restarted; ephemeral ones do not."""
    return facts.restart_all and facts.role is not Role.EPHEMERAL and facts.instance is not None


@law(
    (APP, INIT, SIDECAR),
    "back_off",
    checks=["backoff-applies"],
    typical=[{**_EXITED, "now": 9.0, "retry_at": 10.0}, {**_EXITED, **_DUE}],
)
def backs_off(facts: ContainerFacts, _state: str) -> bool:
    """An exited container is in back-off until its delay has passed."""
    return facts.instance is RuntimeState.EXITED and not waited(facts)


@law(
    APP,
    "restart",
    checks=[
        "restart-always",
        "restart-onfailure",
        "restart-container-level-policy",
        "restart-rules-first-match",
        "restart-not-when-deleting",
        "backoff-sequence",
    ],
    typical=[
        _EXITED,
        {**_FAILED, "pod_policy": Policy.ON_FAILURE},
        {**_FAILED, "own_policy": Policy.ON_FAILURE},
        {**_EXITED, "own_policy": Policy.ON_FAILURE},
        {**_EXITED, "own_policy": Policy.NEVER, "matched": RuleAction.RESTART},
        {**_EXITED, **_DUE},
    ],
)
def restarts(facts: ContainerFacts, _state: str) -> bool:
    """An app container that exited runs again if rules and policies say so, after its delay, while its Pod goes on."""
    return facts.instance is RuntimeState.EXITED and goes_on(facts) and waited(facts) and lives_on(facts)


@law(
    INIT,
    "restart",
    checks=["init-retry", "restart-not-when-deleting", "backoff-sequence"],
    typical=[
        _FAILED,
        {**_FAILED, "pod_policy": Policy.ON_FAILURE},
        {**_EXITED, "oom_killed": True},
        {**_FAILED, **_DUE},
    ],
)
def init_restarts(facts: ContainerFacts, _state: str) -> bool:
    """An init container runs again only after a failure, if its policy says so, when its delay is over."""
    failed = facts.exit_code != 0 or facts.oom_killed
    return failed and restarts(facts, "") is True


@law(
    INIT,
    "restart",
    without="ContainerRestartRules",
    checks=["init-retry-by-pod-policy", "restart-not-when-deleting", "backoff-sequence"],
    typical=[_FAILED, {**_EXITED, "oom_killed": True, "pod_policy": Policy.ON_FAILURE}, {**_FAILED, **_DUE}],
)
def init_restarts_by_pod_policy(facts: ContainerFacts, _state: str) -> bool:
    """Before containers had policies a failed init container ran again unless the Pod's policy was Never."""
    failed = facts.instance is RuntimeState.EXITED and (facts.exit_code != 0 or facts.oom_killed)
    return failed and facts.pod_policy is not Policy.NEVER and waited(facts) and lives_on(facts)


@law(
    SIDECAR,
    "restart",
    checks=["sidecar-always-restart", "sidecar-not-restarted-when-apps-done", "backoff-sequence"],
    typical=[_EXITED, {**_EXITED, **_DUE}, {**_EXITED, "pod_policy": Policy.NEVER}],
)
def sidecar_restarts(facts: ContainerFacts, _state: str) -> bool:
    """A sidecar that does not run is started again under any policy, as long as an app container has work to do."""
    return (
        facts.role is Role.SIDECAR
        and facts.instance is not RuntimeState.RUNNING
        and not facts.apps_done
        and waited(facts)
    )


@law(
    APP,
    "start_over",
    checks=["restart-after-kill", "backoff-sequence"],
    typical=[{**_EXITED, "killed": "probe"}, {**_EXITED, "killed": "spec"}, {**_EXITED, "killed": "probe", **_DUE}],
)
def starts_over(facts: ContainerFacts, _state: str) -> bool:
    """What was stopped to be replaced starts at once; after a probe's failure only if the policy is not Never."""
    if facts.killed == "probe":
        return (facts.own_policy or facts.pod_policy) is not Policy.NEVER and waited(facts)
    return facts.killed == "spec" and waited(facts)


@law(
    APP,
    "finish",
    checks=["restart-never", "restart-onfailure-done"],
    typical=[
        {**_EXITED, "pod_policy": Policy.NEVER},
        {**_EXITED, "pod_policy": Policy.ON_FAILURE},
        {**_FAILED, "own_policy": Policy.NEVER},
    ],
)
def finishes(facts: ContainerFacts, _state: str) -> bool:
    """An app container has ended for good if it exited and no rule or policy has it run again."""
    return facts.instance is RuntimeState.EXITED and not goes_on(facts)


@law(
    INIT,
    "finish",
    checks=["init-success-completes", "init-never-fails-pod"],
    typical=[
        _EXITED,
        {**_FAILED, "pod_policy": Policy.NEVER},
        {**_EXITED, "oom_killed": True, "pod_policy": Policy.NEVER},
    ],
)
def init_finishes(facts: ContainerFacts, _state: str) -> bool | str:
    """An init container is done with exit code 0, and has failed for good if it may not be tried again."""
    if facts.instance is not RuntimeState.EXITED:
        return False
    if facts.exit_code == 0 and not facts.oom_killed:
        return "Done"
    return "Failed" if not goes_on(facts) else False


@law(
    (APP, INIT, SIDECAR),
    "renew",
    checks=["init-rerun-on-new-sandbox"],
    typical=[
        {**_EXITED, "new_sandbox": True},
        {**_EXITED, "new_sandbox": True, "pod_policy": Policy.ON_FAILURE},
        {**_FAILED, "new_sandbox": True, "own_policy": Policy.ON_FAILURE},
    ],
)
def renewed(facts: ContainerFacts, _state: str) -> bool:
    """In a new sandbox everything runs again but app containers that OnFailure keeps from it."""
    kept = facts.role is Role.APP and (facts.own_policy or facts.pod_policy) is Policy.ON_FAILURE
    return facts.new_sandbox and not (kept and facts.exit_code == 0 and facts.instance is RuntimeState.EXITED)


@law(SIDECAR, "signal", checks=["sidecar-termination-order"])
def signalled(facts: ContainerFacts, _state: str) -> bool:
    """A sidecar gets its signal when nobody is left that stops before it."""
    return not facts.others_running


@law("image", "pull", checks=["image-pull-allowed"], typical=[{}, {"present": True, "pull_policy": "Always"}, _DUE])
def pulled(facts: ImageFacts, _state: str) -> bool:
    """An image with a name is pulled if it is missing or always pulled, not under Never, and when its delay is over."""
    wanted = facts.pull_policy == "Always" or (facts.pull_policy == "IfNotPresent" and not facts.present)
    return wanted and facts.valid_name and (facts.retry_at is None or facts.now >= facts.retry_at)


@law("image", "back_off", checks=["image-backoff-applies"], typical=[{"now": 9.0, "retry_at": 10.0}, _DUE])
def image_backs_off(facts: ImageFacts, _state: str) -> bool:
    """An image is in back-off until its delay has passed."""
    return facts.retry_at is not None and facts.now < facts.retry_at


@law(
    "sandbox",
    "create",
    checks=["sandbox-needed"],
    typical=[
        {},
        {"sandboxes": 1, "ready": 1},
        {"sandboxes": 1, "ready": 1, "has_ip": False},
        {"sandboxes": 2, "ready": 2},
    ],
)
def sandbox_created(facts: SandboxFacts, _state: str) -> bool:
    """A sandbox is made unless exactly one is ready, the newest, with the right network and any address it needs."""
    good = facts.sandboxes > 0 and facts.ready == 1 and facts.newest_ready and facts.same_network
    return not (good and (facts.host_network or facts.has_ip))
