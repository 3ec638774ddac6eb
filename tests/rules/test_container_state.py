"""The state of a container as the API shows it: cstate-* rules, asked of one container and of what becomes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import NO_STATE, ContainerStateTerminated, Pod, PodStatus
from podfsm.kube.times import instant
from podfsm.rules import container_state
from podfsm.rules.catalogue import all_rules
from podfsm.rules.container_state import START_ERRORS, StartError
from podfsm.rules.container_status import Setting, draft_status
from podfsm.rules.facts import RuntimeContainer, RuntimeState
from tests.rules.statuses import (
    NEW,
    OLD,
    containers,
    created,
    ends,
    exited,
    pod,
    running,
    runs,
    shown,
    spec,
    waits,
)

RULES = all_rules()


def status_of(
    instances=(),
    old=None,
    error=None,
    *,
    given=None,
    container=None,
    gates=NEW,
    deleting=False,
    restarting=False,
    app_created=False,
    init=False,
    sidecar=False,
):
    given = given or spec("app", init=containers("init") if init else ())
    history = gates.on("RestartAllContainersOnContainerExits")
    setting = Setting(
        given,
        gates,
        deleting,
        restarting,
        app_created,
        history,
        not gates.on("ChangeContainerStatusOnKubeletRestart"),
    )
    container = container or (given.initContainers if init else given.containers)[0]
    return draft_status(setting, container, instances, old, error, init=init, sidecar=sidecar)


CRASH_LOOP = StartError("CrashLoopBackOff", "back-off 10s restarting failed container")


def test_before_anything_exists():
    assert status_of() == shown("app", waits("ContainerCreating"), image="app:1")
    both = spec("app", init=containers("init"))
    assert status_of(given=both).state == waits("PodInitializing")
    assert status_of(given=both, container=both.initContainers[0], init=True).state == waits("PodInitializing")


@pytest.mark.parametrize("reason", sorted(START_ERRORS))
def test_a_start_error_is_the_reason_to_wait(reason):
    found = status_of(error=StartError(reason, "text"))
    assert (found.state.waiting.reason, found.state.waiting.message) == (reason, "text")
    assert found.lastState == NO_STATE


def test_created_waits_without_a_reason():
    assert status_of([created("app")]).state == container_state.CREATED
    assert status_of([created("app")], error=StartError("RunContainerError")).state == waits("RunContainerError")


def test_running_and_terminated_carry_what_the_runtime_says():
    assert status_of([running("app", since=3.9)]).state.running.startedAt == instant(3)
    ended = status_of([exited("app", 137, number=2, reason="OOMKilled")])
    assert ended.state.terminated == ContainerStateTerminated(
        exitCode=137, reason="OOMKilled", startedAt=instant(3), finishedAt=instant(5), containerID="app-2"
    )
    assert (ended.restartCount, ended.containerID) == (2, "app-2")


def test_terminated_shows_until_there_is_a_reason_to_wait():
    """cstate-terminated-visible-before-backoff, then cstate-laststate."""
    crashed = [exited("app", 1)]
    assert status_of(crashed).state.terminated.exitCode == 1
    waiting = status_of(crashed, error=CRASH_LOOP)
    assert waiting.state.waiting.reason == "CrashLoopBackOff"
    assert waiting.lastState.terminated.exitCode == 1
    assert waiting.restartCount == 0


@pytest.mark.parametrize(("policy", "code"), [("Never", 1), ("OnFailure", 0)])
def test_a_container_that_is_done_shows_no_start_error(policy, code):
    done = status_of([exited("app", code)], error=CRASH_LOOP, given=spec("app", policy=policy))
    assert done.state.terminated.exitCode == code


def test_nothing_waits_for_a_start_while_the_pod_is_deleted():
    assert status_of([exited("app", 1)], error=CRASH_LOOP, deleting=True).state.terminated.exitCode == 1
    assert status_of(error=StartError("ErrImagePull"), deleting=True).state == waits("ContainerCreating")


def test_the_instance_before_the_newest_is_the_last_state():
    found = status_of([running("app", 1), exited("app", 3, 0)])
    assert found.lastState.terminated.exitCode == 3
    assert found.restartCount == 1


def test_a_dead_instance_that_was_removed_is_remembered():
    """With the gate the previous status keeps what the runtime lost; 1.32 forgets it."""
    old = shown("app", ends(3), containerID="app-0")
    assert status_of([running("app", 1)], old).lastState == ends(3)
    assert status_of([running("app", 1)], old, gates=OLD).lastState == NO_STATE
    later = shown("app", runs(), ends(3), containerID="app-1", restartCount=1)
    assert status_of([running("app", 1)], later).lastState == ends(3)


def test_the_count_never_goes_down_and_follows_a_termination():
    """A new sandbox makes the runtime count from 0 again."""
    ended = shown("app", ends(1), restartCount=4, containerID="x")
    assert status_of([running("app", 0)], ended).restartCount == 5
    assert status_of([running("app", 0)], shown("app", runs(), restartCount=4)).restartCount == 4
    assert status_of([created("app", 0)], ended).restartCount == 4
    assert status_of([running("app", 0)], ended, gates=OLD).restartCount == 0


@pytest.mark.parametrize(("deleting", "count"), [(False, 3), (True, 2)])
def test_cstate_status_unknown_137(deleting, count):
    old = shown("app", runs(), restartCount=2, containerID="app-2")
    lost = status_of([], old, deleting=deleting)
    assert lost.state == waits("ContainerCreating")
    assert (lost.lastState.terminated.exitCode, lost.lastState.terminated.reason) == (137, "ContainerStatusUnknown")
    assert lost.restartCount == count


def test_an_instance_in_unknown_state_that_ran_has_ended():
    unknown = RuntimeContainer("app-0", "app", RuntimeState.UNKNOWN)
    ended = status_of([unknown], shown("app", runs(), restartCount=1))
    assert (ended.state.terminated.exitCode, ended.restartCount) == (137, 2)
    assert status_of([unknown], shown("app", waits())).state == container_state.CREATED


def test_a_lost_container_that_had_ended_or_waited_stays_so():
    ended = shown("app", ends(1), restartCount=2, containerID="app-2")
    assert status_of([], ended) == ended
    waiting = shown("app", waits("CrashLoopBackOff"), ends(1), restartCount=2)
    kept = status_of([], waiting)
    assert (kept.state, kept.lastState, kept.restartCount) == (waits("ContainerCreating"), ends(1), 2)


def test_restart_all_shows_removed_containers_waiting():
    """As recorded: state and lastState say RestartingAllContainers, the count grows, a waiting one is left alone."""
    for before in (shown("app", runs(), containerID="app-0"), shown("app", ends(88), containerID="app-0")):
        removed = status_of([], before, restarting=True)
        assert removed.state.waiting.reason == "RestartingAllContainers"
        assert (removed.lastState.terminated.exitCode, removed.restartCount) == (137, 1)
        assert removed.lastState.terminated.reason == "RestartingAllContainers"
    waiting = shown("app", waits("ErrImagePull"), restartCount=3)
    assert status_of([], waiting, restarting=True).restartCount == 3


def test_cstate_completed_init_inferred():
    old = shown("init", waits("PodInitializing"))
    assert status_of([], old, init=True, app_created=True).state.terminated.exitCode == 0
    assert status_of([], old, init=True, app_created=True).state.terminated.reason == "Completed"
    assert status_of([], old, init=True).state == waits("PodInitializing")
    assert status_of([], old, init=True, app_created=True, gates=OLD).state == waits("PodInitializing")
    side = spec("app", init=containers("side", policy="Always"))
    kept = status_of([], None, given=side, init=True, sidecar=True, app_created=True)
    assert kept.state == waits("PodInitializing")


def test_a_finished_init_container_shows_no_start_error():
    assert status_of([exited("init", 0)], error=CRASH_LOOP, init=True).state.terminated.exitCode == 0
    assert status_of([exited("init", 1)], error=CRASH_LOOP, init=True).state.waiting.reason == "CrashLoopBackOff"


def test_a_crashed_sidecar_under_never_waits_now_and_stayed_terminated_before():
    side = spec("app", init=containers("side", policy="Always"), policy="Never")
    asked = {"error": CRASH_LOOP, "given": side, "init": True, "sidecar": True}
    assert status_of([exited("side", 1)], **asked).state.waiting.reason == "CrashLoopBackOff"
    assert status_of([exited("side", 1)], **asked, gates=OLD).state.terminated.exitCode == 1


def test_started_is_carried_over_a_restart_of_the_container():
    """A status that said started is believed until the startup probe of the new instance has run."""
    old = shown("app", runs(), started=True, containerID="app-0")
    assert status_of([running("app", 1)], old).started is True
    assert status_of([running("app", 1)], old, gates=OLD).started is None
    assert status_of([exited("app", 1, 1)], old).started is None


@given(st.lists(st.sampled_from(["created", "running", "exited"]), min_size=1, max_size=6))
def test_counts_of_new_instances_follow_each_other(history):
    newest = None
    for number, state in enumerate(history):
        count = RULES["cstate-restartcount-best-effort"](newest, None)
        assert count == number
        newest = RuntimeContainer(f"c{number}", "app", RuntimeState(state), restart_count=count)
    assert RULES["cstate-restartcount-best-effort"](None, 7) == 8


@pytest.mark.parametrize(("many", "limit"), [(1, 4096), (2, 4096), (3, 4096), (4, 3072), (12, 1024)])
def test_messages_share_twelve_kibibytes(many, limit):
    assert RULES["cstate-termination-message"](many) == limit
    assert many * limit <= 12288


@pytest.mark.parametrize(
    ("policy", "before", "after", "legal"),
    [
        ("Never", ends(0), runs(), False),
        ("Never", ends(1), waits("CrashLoopBackOff"), False),
        ("OnFailure", ends(0), waits(), False),
        ("OnFailure", ends(1), waits(), True),
        ("Always", ends(0), runs(), True),
        ("Never", ends(1), ends(1), True),
        ("Never", runs(), waits(), True),
    ],
)
def test_cstate_no_leave_terminated(policy, before, after, legal):
    given = spec("app", policy=policy)

    def at(state):
        return pod(given, PodStatus(containerStatuses=(shown("app", state),)))

    assert RULES["cstate-no-leave-terminated"](at(before), at(after)) is legal


def test_sidecars_may_always_come_back():
    given = spec("app", init=(*containers("init"), *containers("side", policy="Always")), policy="Never")

    def at(name, state):
        return pod(given, PodStatus(initContainerStatuses=(shown(name, state),)))

    assert RULES["cstate-no-leave-terminated"](at("side", ends(1)), at("side", runs()))
    assert not RULES["cstate-no-leave-terminated"](at("init", ends(1)), at("init", runs()))


def test_lists_are_in_their_order():
    """cstate-status-order: app containers by name, init containers by spec."""
    given = spec("b", "a", init=containers("z", "y"))
    right = PodStatus(
        initContainerStatuses=(shown("z", ends(0)), shown("y", ends(0))),
        containerStatuses=(shown("a", runs()), shown("b", runs())),
    )
    swapped = PodStatus(initContainerStatuses=(shown("y", ends(0)), shown("z", ends(0))))
    assert RULES["cstate-status-order"](pod(given, right))
    assert not RULES["cstate-status-order"](pod(given, swapped))


def test_timestamps_deep_inside_are_looked_at():
    """cstate-timestamps-seconds reaches into lastState as well as into conditions."""
    ragged = instant(3).replace(microsecond=1)
    last = ends(1)
    ended = last.terminated
    deep = shown("app", runs(), type(last)(terminated=ContainerStateTerminated(ended.exitCode, finishedAt=ragged)))
    assert not RULES["cstate-timestamps-seconds"](Pod(status=PodStatus(containerStatuses=(deep,))))
    assert RULES["cstate-timestamps-seconds"](Pod(status=PodStatus(containerStatuses=(shown("app", runs()),))))
