"""Which changes of a container's status the API server and the kubelet accept: those that do not leave `terminated`.

Neither looks at phases. A container may leave terminated only if its policy and exit code let it run again. The API
server names every field that it refuses; the kubelet stops at the first container and drops the whole status.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from podfsm.engine.rule import derivation, docs, example, source
from podfsm.engine.versions import Gates
from podfsm.kube.objects import (
    Container,
    ContainerState,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    PodSpec,
    PodStatus,
)
from podfsm.rules.gates import NEWEST, gates_for
from podfsm.rules.restart import has_restart_all_rule, restarts_after_exit
from podfsm.rules.sidecar import is_sidecar

_PAGE = docs("concepts/workloads/pods/container-restarts.md#restart-policy")
_API = "pkg/apis/core/validation/validation.go"
_KUBELET = source("pkg/kubelet/status/status_manager.go", "checkContainerStateTransition")
_NEWEST = gates_for(str(NEWEST))

_APP = Container(name="app")
_SIDECAR = Container(name="side", restartPolicy="Always")
_ENDED = ContainerStatus("app", ContainerState(terminated=ContainerStateTerminated(exitCode=1)))
_WAITS = ContainerStatus("app", ContainerState(waiting=ContainerStateWaiting()))
_NEVER = PodSpec(containers=(_APP,), restartPolicy="Never")
_ON_FAILURE = PodSpec(containers=(_APP,), restartPolicy="OnFailure")


@derivation(
    "status-leaves-terminated",
    cites=[_PAGE, source(_API, "ValidateContainerStateTransition"), _KUBELET],
    observable="state.terminated followed by another state of the same name",
    examples=[
        example((_ENDED,), (_WAITS,), gives=((0, _ENDED),)),
        example((_ENDED,), (_ENDED,), gives=()),
        example((_ENDED,), (), gives=()),
        example((_WAITS,), (_ENDED,), gives=()),
    ],
)
def leaving(old: Sequence[ContainerStatus], new: Sequence[ContainerStatus]) -> tuple[tuple[int, ContainerStatus], ...]:
    """A container leaves terminated if its status was terminated and one of the same name is now in another state.

    A status that is no longer there leaves nothing. Gives place and old status of each.
    """
    alive = {status.name for status in new if status.state.terminated is None}
    if not alive:
        return ()
    return tuple((i, s) for i, s in enumerate(old) if s.state.terminated is not None and s.name in alive)


@derivation(
    "status-may-leave-terminated",
    cites=[_PAGE, source(_API, "ValidateInitContainerStateTransition"), _KUBELET],
    observable="state.terminated followed by another state of the same name",
    examples=[
        example(_APP, _NEVER, 1, _NEWEST, gives=False),
        example(_APP, _ON_FAILURE, 1, _NEWEST, gives=True),
        example(_APP, _ON_FAILURE, 0, _NEWEST, gives=False),
        example(_SIDECAR, _NEVER, 0, _NEWEST, init=True, gives=True),
        example(None, _NEVER, 1, _NEWEST, gives=False),
    ],
)
def may_leave(container: Container | None, spec: PodSpec, exit_code: int, gates: Gates, *, init: bool = False) -> bool:
    """A container may leave terminated if its restart rules say so for its exit code; a sidecar always may.

    A status whose container the spec does not name (`container` is None) is judged by the Pod's policy alone.
    """
    if init and container is not None and is_sidecar(container, gates):
        return True
    asked = container if container is not None else _APP
    return restarts_after_exit(asked, spec, exit_code, gates, sidecar=False)


@derivation(
    "status-transition-refused-by-api",
    cites=[_PAGE, source(_API, "ValidatePodStatusUpdate")],
    observable="HTTP 422 on a status update",
    examples=[
        example(
            _NEVER,
            PodStatus(containerStatuses=(_ENDED,)),
            PodStatus(containerStatuses=(_WAITS,)),
            _NEWEST,
            gives=("status.containerStatuses[0].state",),
        ),
        example(
            _ON_FAILURE,
            PodStatus(ephemeralContainerStatuses=(_ENDED,)),
            PodStatus(ephemeralContainerStatuses=(_WAITS,)),
            _NEWEST,
            gives=("status.ephemeralContainerStatuses[0].state",),
        ),
    ],
)
def refused_by_api(spec: PodSpec, old: PodStatus, new: PodStatus, gates: Gates) -> tuple[str, ...]:
    """The API server refuses a status in which a container leaves terminated that may not.

    Phases are not checked: Succeeded may become Running. An ephemeral container may never leave terminated. Gives the
    fields, sorted, indexed by the old list.
    """
    return tuple(_refused(spec, old, new, gates))


def _refused(spec: PodSpec, old: PodStatus, new: PodStatus, gates: Gates) -> Iterator[str]:
    free = has_restart_all_rule(spec, gates)
    if not free:
        yield from _illegal(spec, "containerStatuses", old.containerStatuses, new.containerStatuses, gates)
    for index, _ in leaving(old.ephemeralContainerStatuses, new.ephemeralContainerStatuses):
        yield f"status.ephemeralContainerStatuses[{index}].state"
    if not free:
        yield from _illegal(spec, "initContainerStatuses", old.initContainerStatuses, new.initContainerStatuses, gates)


def _illegal(
    spec: PodSpec, field: str, old: Sequence[ContainerStatus], new: Sequence[ContainerStatus], gates: Gates
) -> Iterator[str]:
    init = field == "initContainerStatuses"
    for index, status in leaving(old, new):
        container = _named(spec.initContainers if init else spec.containers, status.name)
        end = status.state.terminated
        if end is not None and not may_leave(container, spec, end.exitCode, gates, init=init):
            yield f"status.{field}[{index}].state"


def _named(containers: Sequence[Container], name: str) -> Container | None:
    return next((container for container in containers if container.name == name), None)


@derivation(
    "status-transition-refused-by-kubelet",
    cites=[_PAGE, _KUBELET],
    examples=[
        example(
            _NEVER,
            PodStatus(containerStatuses=(_ENDED,)),
            PodStatus(containerStatuses=(_WAITS,)),
            _NEWEST,
            gives="terminated container app attempted illegal transition to non-terminated state",
        ),
        example(
            _NEVER,
            PodStatus(initContainerStatuses=(_ENDED,)),
            PodStatus(),
            _NEWEST,
            gives="found mismatch between pod spec and status, container: app",
        ),
    ],
)
def refused_by_kubelet(spec: PodSpec, old: PodStatus, new: PodStatus, gates: Gates) -> str:
    """The kubelet drops a status of its own in which a container leaves terminated that may not; "" if it is sent.

    So is one whose init container statuses are not those of the spec, place by place. Ephemeral containers are not
    looked at.
    """
    every_restarts = not gates.on("ContainerRestartRules") and spec.restartPolicy == "Always"
    if every_restarts or has_restart_all_rule(spec, gates):
        return ""
    for index, status in leaving(old.containerStatuses, new.containerStatuses):
        end = old.containerStatuses[index].state.terminated
        if end is not None and not may_leave(_named(spec.containers, status.name), spec, end.exitCode, gates):
            return f"terminated container {status.name} attempted illegal transition to non-terminated state"
    return _init_refused(spec, old, new, gates)


def _init_refused(spec: PodSpec, old: PodStatus, new: PodStatus, gates: Gates) -> str:
    left = {index for index, _ in leaving(old.initContainerStatuses, new.initContainerStatuses)}
    for index, status in enumerate(old.initContainerStatuses):
        container = spec.initContainers[index] if index < len(spec.initContainers) else None
        if container is None or container.name != status.name:
            return f"found mismatch between pod spec and status, container: {status.name}"
        end = status.state.terminated
        if index in left and end is not None and not may_leave(container, spec, end.exitCode, gates, init=True):
            return f"terminated init container {status.name} attempted illegal transition to non-terminated state"
    return ""
