"""What the conditions are judged by: the pieces that `podfsm.rules.conditions` puts together.

A judgement is what a condition says: its status, reason and message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.kube.objects import Container, ContainerStatus, PodCondition
from podfsm.rules.phase_counts import FAILED, SUCCEEDED
from podfsm.rules.readiness_gates import not_ready

Judgement = tuple[str, str, str]
"""Status, reason and message of a condition."""

TRUE: Judgement = ("True", "", "")
FALSE: Judgement = ("False", "", "")

_PAGE = "concepts/workloads/pods/pod-condition.md"
_LIFECYCLE = docs(f"{_PAGE}#lifecycle-pod-conditions")
_POD_CONDITIONS = docs("concepts/workloads/pods/pod-lifecycle.md#pod-conditions")
_GENERATE = "pkg/kubelet/status/generate.go"
_CONTAINERS_READY = source(_GENERATE, "GenerateContainersReadyCondition")
_INITIALIZED = source(_GENERATE, "GeneratePodInitializedCondition")


@derivation(
    "cond-unknown-statuses",
    area="conditions",
    machine="pod",
    cites=[_POD_CONDITIONS, _CONTAINERS_READY],
    seed=2,
    observable="reason UnknownContainerStatuses",
    documented="a running kubelet always passes a list, so the reason seen is ContainersNotReady",
    examples=[
        example(None, gives=("False", "UnknownContainerStatuses", "")),
        example((), gives=None),
        example((ContainerStatus("app"),), gives=None),
    ],
)
def without_statuses(statuses: Sequence[ContainerStatus] | None) -> Judgement | None:
    """Without any list of container statuses ContainersReady and Ready are False: UnknownContainerStatuses.

    So is Initialized if there are init containers. An empty list is something else: every container is then unknown.
    """
    return ("False", "UnknownContainerStatuses", "") if statuses is None else None


@derivation(
    "cond-containersready",
    area="conditions",
    machine="pod",
    cites=[_LIFECYCLE, _CONTAINERS_READY],
    seed=2,
    observable="conditions[ContainersReady] vs ready of app containers and sidecars",
    examples=[
        example((), (), gives=TRUE),
        example(
            (), ("side", "app"), gives=("False", "ContainersNotReady", "containers with unready status: [side app]")
        ),
        example(
            ("a",),
            ("b",),
            gives=(
                "False",
                "ContainersNotReady",
                "containers with unknown status: [a], containers with unready status: [b]",
            ),
        ),
    ],
)
def from_readiness(unknown: Sequence[str], unready: Sequence[str]) -> Judgement:
    """ContainersReady is True when every app container and sidecar is ready; else it names those that are not.

    The reason is then ContainersNotReady. Regular init containers do not count.
    """
    message = _listing(unknown, unready, "unready")
    return ("False", "ContainersNotReady", message) if message else TRUE


def _listing(unknown: Sequence[str], others: Sequence[str], what: str) -> str:
    said = []
    if unknown:
        said.append(f"containers with unknown status: [{' '.join(unknown)}]")
    if others:
        said.append(f"containers with {what} status: [{' '.join(others)}]")
    return ", ".join(said)


@derivation(
    "cond-containersready-terminal",
    area="conditions",
    machine="pod",
    cites=[
        _POD_CONDITIONS,
        source(_GENERATE, "generateContainersReadyConditionForTerminalPhase"),
        source("pkg/kubelet/status/status_manager.go", "mergePodStatus"),
    ],
    since="1.24",
    seed=2,
    observable="phase Succeeded => conditions[Ready] = {False, PodCompleted}",
    examples=[
        example(SUCCEEDED, gives=("False", "PodCompleted", "")),
        example(FAILED, gives=("False", "PodFailed", "")),
    ],
)
def when_terminal(phase: str) -> Judgement:
    """In a terminal phase ContainersReady and Ready are False, even if some container still counts as ready.

    The reason is PodCompleted or PodFailed.
    """
    return ("False", "PodFailed" if phase == FAILED else "PodCompleted", "")


@derivation(
    "cond-ready-copies-containersready",
    area="conditions",
    machine="pod",
    cites=[_LIFECYCLE, source(_GENERATE, "GeneratePodReadyCondition")],
    seed=2,
    observable="same reason and message on both",
    examples=[
        example(("False", "PodFailed", ""), (), {}, gives=("False", "PodFailed", "")),
        example(TRUE, (), {}, gives=TRUE),
        example(
            TRUE,
            ("a",),
            {},
            gives=(
                "False",
                "ReadinessGatesNotReady",
                'corresponding condition of pod readiness gate "a" does not exist.',
            ),
        ),
    ],
)
def ready_from(containers: Judgement, shut: Sequence[str], conditions: Mapping[str, PodCondition]) -> Judgement:
    """While ContainersReady is not True, Ready says the same: its status, reason and message.

    Once it is True, the readiness gates that are not (`shut`) decide.
    """
    if containers[0] != "True" or not shut:
        return containers
    gated: Judgement = not_ready(shut, conditions)
    return gated


@derivation(
    "cond-initialized-no-init",
    area="conditions",
    machine="pod",
    cites=[docs(f"{_PAGE}#pod-ready-to-start-containers"), _INITIALIZED],
    seed=2,
    observable="Initialized True while PodReadyToStartContainers False",
    examples=[example((), gives=True), example((Container(name="init"),), gives=False)],
)
def nothing_to_initialize(init_containers: Sequence[Container]) -> bool:
    """A Pod without init containers is Initialized from its first status on, before its sandbox exists."""
    return not init_containers


@derivation(
    "cond-initialized-podcompleted",
    area="conditions",
    machine="pod",
    cites=[_POD_CONDITIONS, _INITIALIZED],
    seed=2,
    observable="conditions[Initialized].reason == PodCompleted",
    examples=[example(SUCCEEDED, (), gives=True), example(SUCCEEDED, ("init",), gives=False)],
)
def initialized_and_over(phase: str, unknown: Sequence[str]) -> bool:
    """In phase Succeeded Initialized stays True and gets reason PodCompleted, if every init container has a status."""
    return phase == SUCCEEDED and not unknown


@derivation(
    "cond-initialized-true",
    area="conditions",
    machine="pod",
    cites=[_POD_CONDITIONS, _INITIALIZED],
    seed=2,
    observable="conditions[Initialized] vs initContainerStatuses[].ready/.started",
    examples=[
        example((), (), gives=TRUE),
        example(
            (),
            ("init", "side"),
            gives=("False", "ContainersNotInitialized", "containers with incomplete status: [init side]"),
        ),
    ],
)
def from_progress(unknown: Sequence[str], incomplete: Sequence[str]) -> Judgement:
    """Initialized turns True when every regular init container is ready (exited 0) and every sidecar has started.

    Else it is False with reason ContainersNotInitialized and names those that are incomplete.
    """
    message = _listing(unknown, incomplete, "incomplete")
    return ("False", "ContainersNotInitialized", message) if message else TRUE
