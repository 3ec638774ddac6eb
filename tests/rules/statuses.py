"""Short names for container statuses, Pods and the runtime's containers, and strategies of them."""

from hypothesis import strategies as st

from podfsm.kube.objects import (
    NO_STATE,
    Container,
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    ObjectMeta,
    Pod,
    PodSpec,
    PodStatus,
)
from podfsm.kube.times import instant
from podfsm.rules.facts import RuntimeContainer, RuntimeState, Sandbox
from podfsm.rules.gates import gates_for

NEW = gates_for("1.36")
OLD = gates_for("1.32")
UP = (Sandbox("s", ip="10.1.2.3"),)


def waits(reason="ContainerCreating"):
    return ContainerState(waiting=ContainerStateWaiting(reason=reason))


def runs(since=3):
    return ContainerState(running=ContainerStateRunning(startedAt=instant(since)))


def ends(code=0, reason=None):
    named = ("Completed" if code == 0 else "Error") if reason is None else reason
    return ContainerState(terminated=ContainerStateTerminated(exitCode=code, reason=named))


def shown(name, state, last=NO_STATE, **fields):
    return ContainerStatus(name, state, last, **fields)


def containers(*names, policy=None, **fields):
    return tuple(Container(name=name, image="app:1", restartPolicy=policy, **fields) for name in names)


def spec(*apps, init=(), policy="Always", **fields):
    given = tuple(app if isinstance(app, Container) else Container(name=app, image="app:1") for app in apps)
    return PodSpec(containers=given, initContainers=tuple(init), restartPolicy=policy, **fields)


def pod(given, status=PodStatus(phase="Pending"), **metadata):  # noqa: B008 - a frozen value
    return Pod(metadata=ObjectMeta(name="p", uid="u", **metadata), spec=given, status=status)


def created(name, number=0, **fields):
    return RuntimeContainer(f"{name}-{number}", name, RuntimeState.CREATED, restart_count=number, **fields)


def running(name, number=0, since=3.0, **fields):
    return RuntimeContainer(
        f"{name}-{number}", name, RuntimeState.RUNNING, restart_count=number, started_at=since, **fields
    )


def exited(name, code=0, number=0, **fields):
    reason = fields.pop("reason", "Completed" if code == 0 else "Error")
    return RuntimeContainer(
        f"{name}-{number}",
        name,
        RuntimeState.EXITED,
        code,
        reason,
        restart_count=number,
        started_at=3.0,
        finished_at=5.0,
        **fields,
    )


CODES = st.sampled_from([0, 1, 137])
ENDED = CODES.map(ends)
LAST = st.one_of(st.just(NO_STATE), ENDED)
STATES = st.one_of(st.just(NO_STATE), st.builds(waits), st.builds(runs), ENDED)
POLICIES = st.sampled_from(["Always", "OnFailure", "Never"])


@st.composite
def status_lists(draw, names):
    """Statuses of some of these containers, in order."""
    made = []
    for name in names:
        if draw(st.integers(0, 9)):
            state, last = draw(STATES), draw(LAST)
            made.append(
                shown(name, state, last, ready=draw(st.booleans()), started=draw(st.sampled_from([None, True, False])))
            )
    return tuple(made)


@st.composite
def pods_with_statuses(draw, apps=("a", "b"), init=("i", "s")):
    """A spec with two app containers, an init container and a sidecar, and statuses of them."""
    own = st.sampled_from([None, "Always", "OnFailure", "Never"])
    given = PodSpec(
        containers=tuple(Container(name=name, image="app:1", restartPolicy=draw(own)) for name in apps),
        initContainers=tuple(
            Container(name=name, image="app:1", restartPolicy="Always" if name == "s" else None)
            for name in init
            if draw(st.booleans())
        ),
        restartPolicy=draw(POLICIES),
    )
    names = [container.name for container in given.initContainers]
    return given, draw(status_lists(names)), draw(status_lists(apps))


@st.composite
def instances_of(draw, names):
    """Up to two instances of each of these containers, newest first, as a runtime would hold them."""
    made = []
    for name in names:
        count = draw(st.integers(0, 2))
        for number in reversed(range(count)):
            newest = number == count - 1
            state = draw(st.sampled_from(list(RuntimeState))) if newest else RuntimeState.EXITED
            code = draw(CODES) if state is RuntimeState.EXITED else 0
            made.append(
                RuntimeContainer(
                    f"{name}-{number}",
                    name,
                    state,
                    code,
                    restart_count=number,
                    created_at=float(number),
                    started_at=1.5 + number,
                    in_active_sandbox=draw(st.booleans()),
                )
            )
    return tuple(made)
