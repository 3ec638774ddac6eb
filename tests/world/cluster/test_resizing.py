"""Resizes on nodes with limited room: who gets it, who waits, and what the scheduler makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.kube.times import seconds_of
from podfsm.simulate.output import object_of
from podfsm.world.cluster import indexes
from podfsm.world.cluster.state import Use
from tests.snapshots import broken
from tests.world.cluster.runs import Run, container, node, pod


def sized(name, cpu, memory="64Mi", *, limits=False, **spec):
    requests = {"cpu": cpu, "memory": memory}
    resources = {"requests": requests, "limits": requests} if limits else {"requests": requests}
    return pod(name, containers=[container(resources=resources)], **spec)


def resize(at, name, cpu=None, memory=None, *, limits=False):
    asked = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value is not None}
    resources = {"requests": asked, "limits": asked} if limits else {"requests": asked}
    body = {"spec": {"containers": [{"name": "app", "resources": resources}]}}
    return {"at": at, "patch": f"pods/{name}/resize", "type": "strategic", "body": body}


def pending(run, name):
    """(when the API showed it, reason, last look, since when, generation) of each PodResizePending of a Pod."""
    told = []
    for shown in run.snapshots:
        for one in shown.pod.status.conditions if shown.pod.metadata.name == name else ():
            if one.type == "PodResizePending":
                looked, since = seconds_of(one.lastProbeTime), seconds_of(one.lastTransitionTime)
                if not told or told[-1][1:] != (one.reason, looked, since, one.observedGeneration):
                    told.append((shown.at, one.reason, looked, since, one.observedGeneration))
    return told


def accepted(run, name):
    """When what a Pod asks for was allocated."""
    events = [event for step in run.steps for event in step.events]
    return [event.at for event in events if event.pod == f"default/{name}" and event.reason == "ResizeStarted"]


def ways(run, name):
    fired = [one for step in run.steps for one in step.fired if one.machine == "resize"]
    return [(one.trigger, one.dest) for one in fired if one.pod == f"default/{name}"]


STOPS = {"containers": [{"pod": "b", "container": "app", "attempts": [{"run": "forever", "stop": {"takes": "1s"}}]}]}


def test_a_resize_waits_until_another_pod_ends():
    """resize-pending, resize-room, resize-condition-times: looked at again every 3 minutes, and when room comes."""
    steps = [resize(10, "a", "2500m"), {"at": 400, "delete": "pods/b"}]
    run = Run(node("n"), sized("a", "1"), sized("b", "2"), steps=steps, duration=500, **STOPS)
    assert [(reason, looked, since) for _, reason, looked, since, _ in pending(run, "a")] == [
        ("Deferred", 10, 10),
        ("Deferred", 190, 10),
        ("Deferred", 370, 10),
    ]
    assert {generation for *_, generation in pending(run, "a")} == {2}
    [message] = {c.message for s in run.snapshots for c in s.pod.status.conditions if c.type == "PodResizePending"}
    assert message == "Node didn't have enough resource: cpu, requested: 2500, used: 2000, capacity: 4000"
    [when] = accepted(run, "a")
    assert 401 < when < 401.1
    assert ways(run, "a") == [
        ("defer", "Deferred"),
        ("retry", "Deferred"),
        ("retry", "Deferred"),
        ("begin", "InProgress"),
        ("settle", "Settled"),
    ]


def test_a_resize_goes_ahead_when_another_pod_shrinks():
    """resize-retry: not when less is asked for, but once the containers of the other have less."""
    steps = [resize(10, "a", "2500m"), resize(50, "b", "1")]
    slow = {
        "containers": [{"pod": "b", "container": "app", "attempts": [{"run": "forever", "stop": {"takes": "20s"}}]}]
    }
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    other = sized("b", "2")
    other["spec"]["containers"][0]["resizePolicy"] = policy
    run = Run(node("n"), sized("a", "1"), other, steps=steps, **slow)
    [when] = accepted(run, "a")
    assert 70 < when < 71


@pytest.mark.parametrize(
    ("first", "second", "winner"),
    [
        ({}, {}, "a"),
        ({}, {"priority": 10}, "b"),
        ({"priority": 10}, {"limits": True}, "a"),
        ({}, {"limits": True}, "b"),
    ],
)
def test_who_comes_first(first, second, winner):
    """resize-order: priority, then QoS class, then who has waited longer."""
    pods = [sized(name, "500m", **about) for name, about in (("a", first), ("b", second))]
    steps = [
        resize(10, "a", "2500m", limits=first.get("limits", False)),
        resize(20, "b", "2500m", limits=second.get("limits", False)),
        {"at": 60, "delete": "pods/c", "gracePeriodSeconds": 0},
    ]
    run = Run(node("n"), *pods, sized("c", "3"), steps=steps)
    assert {name: len(accepted(run, name)) for name in "ab"} == {"a": int(winner == "a"), "b": int(winner == "b")}


def test_a_smaller_resize_does_not_wait_for_a_bigger_one():
    """resize-order, resize-accounting: a kubelet does not count what others wait for."""
    steps = [resize(10, "a", "3500m"), resize(20, "b", "2"), resize(30, "a", "500m")]
    run = Run(node("n"), sized("a", "1"), sized("b", "1"), steps=steps)
    assert [round(at) for at in accepted(run, "b")] == [20]
    assert [round(at) for at in accepted(run, "a")] == [30]


def test_the_scheduler_keeps_free_what_is_waited_for():
    """resize-accounting: it does not for what cannot be, and lets others in once less is asked for."""
    steps = [resize(10, "a", "3500m"), {"at": 20, "create": sized("late", "500m")}, resize(40, "a", "3")]
    run = Run(node("n"), sized("a", "1"), sized("b", "500m"), steps=steps)
    assert run.when("late", "PodScheduled=False:Unschedulable") is not None
    assert 40 < run.when("late", "PodScheduled=True:") < 41
    never = [resize(10, "a", "50"), {"at": 20, "create": sized("late", "500m")}]
    run = Run(node("n"), sized("a", "1"), sized("b", "500m"), steps=never, kubernetes="1.35")
    assert 20 <= run.when("late", "PodScheduled=True:") < 21


def test_the_room_of_a_smaller_pod_is_given_away_once_its_containers_have_less():
    """resize-accounting."""
    policy = [{"resourceName": "cpu", "restartPolicy": "RestartContainer"}]
    big = sized("b", "4")
    big["spec"]["containers"][0]["resizePolicy"] = policy
    slow = {
        "containers": [{"pod": "b", "container": "app", "attempts": [{"run": "forever", "stop": {"takes": "20s"}}]}]
    }
    run = Run(node("n"), big, steps=[resize(10, "b", "1"), {"at": 15, "create": sized("late", "1")}], **slow)
    assert 30 < run.when("late", "PodScheduled=True:") < 32


def test_what_a_node_never_has_is_infeasible_before_1_36():
    """resize-room: memory is named before cpu, and nothing is tried again."""
    run = Run(node("n"), sized("a", "1"), steps=[resize(10, "a", "50", "64Gi")], kubernetes="1.35", duration=400)
    assert [(reason, looked) for _, reason, looked, _, _ in pending(run, "a")] == [("Infeasible", 10)]
    message = run.snapshots[-1].pod.status.conditions[0].message
    assert message == f"Node didn't have enough capacity: memory, requested: {64 * 2**30}, capacity: {8 * 2**30}"
    assert accepted(run, "a") == []


def test_a_deferred_resize_becomes_infeasible_when_its_node_shrinks():
    less = {"status": {"allocatable": {"cpu": "2", "memory": "8Gi", "pods": "20"}}}
    steps = [resize(10, "a", "3"), {"at": 60, "patch": "nodes/n/status", "type": "merge", "body": less}]
    run = Run(node("n"), sized("a", "500m"), sized("b", "1500m"), steps=steps, duration=300)
    assert [(reason, since) for _, reason, _, since, _ in pending(run, "a")] == [("Deferred", 10), ("Infeasible", 190)]


def test_a_static_pod_is_never_resized():
    """resize-room."""
    static = sized("a", "1")
    static["metadata"]["annotations"] = {"kubernetes.io/config.source": "file"}
    run = Run(node("n"), static, steps=[resize(10, "a", "2")])
    assert ways(run, "a") == [("refuse", "Infeasible")]


def test_a_kubelet_that_starts_looks_after_30_seconds():
    """resize-retry: what it had allocated it knows from its checkpoint, and conditions from the API."""
    steps = [
        resize(10, "a", "2500m"),
        {"at": 20, "kubelet": "stop", "node": "n"},
        resize(22, "b", "1"),
        {"at": 30, "kubelet": "start", "node": "n"},
    ]
    run = Run(node("n"), sized("a", "1"), sized("b", "2"), steps=steps)
    assert [round(at) for at in accepted(run, "b")] == [60]
    assert [round(at) for at in accepted(run, "a")] == [60]


def test_an_unlimited_node_has_room_for_everything():
    free = node("n")
    del free["status"]
    run = Run(free, sized("a", "1"), steps=[resize(10, "a", "500"), resize(20, "a", "900")])
    assert ways(run, "a") == [("begin", "InProgress"), ("settle", "Settled")] * 2


@pytest.mark.parametrize("version", ["1.32", "1.33", "1.35", "1.36"])
def test_versions(version):
    """Before 1.33 the gate is off, and nothing of a resize shows."""
    run = Run(node("n"), sized("a", "1"), sized("b", "2"), steps=[resize(10, "a", "3")], kubernetes=version)
    assert bool(pending(run, "a")) == (version != "1.32")


def test_what_the_api_server_refuses_of_a_resize():
    """resize-subresource."""
    small = sized("a", "1")
    elsewhere = {**resize(10, "a", "2"), "patch": "pods/a"}
    with pytest.raises(InputError, match="through pods/NAME/resize only"):
        Run(node("n"), small, steps=[elsewhere])
    with pytest.raises(InputError, match="resize-subresource"):
        Run(node("n"), small, steps=[resize(10, "a", "1", "64Mi", limits=True)])
    other = {**resize(10, "a"), "body": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}
    with pytest.raises(InputError, match="resize-subresource"):
        Run(node("n"), small, steps=[other])


AMOUNTS = st.sampled_from(["100m", "500m", "1", "1500m", "2", "3", "9"])
NAMES = st.sampled_from("abcd")
CHANGES = st.one_of(
    st.tuples(NAMES, AMOUNTS).map(lambda drawn: ("resize", *drawn)),
    NAMES.map(lambda name: ("delete", name)),
    st.sampled_from(["stop", "start"]).map(lambda what: ("kubelet", what)),
)


@given(
    st.lists(st.tuples(st.integers(1, 60), CHANGES), max_size=12),
    st.sampled_from(["NotRequired", "RestartContainer"]),
    st.sampled_from(["1.35", "1.36"]),
)
def test_no_node_gives_more_than_it_has(changes, policy, version):
    """Whatever is asked for: what is allocated fits, the indexes agree with the Pods, and every rule is kept."""
    run = Run(
        node("n", cpu="4"),
        *(
            _resizable(name, cpu, policy, index)
            for index, (name, cpu) in enumerate(zip("abcd", ("1", "1", "500m", "1"), strict=True))
        ),
        steps=_timed(changes),
        duration=300,
        kubernetes=version,
    )
    for step in run.steps:
        _agrees(step.world)
    watched = [{"type": s.type, "object": object_of(s)} for s in run.snapshots]
    assert broken(watched) == []


def _resizable(name, cpu, policy, priority):
    made = sized(name, cpu, priority=priority)
    made["spec"]["containers"][0]["resizePolicy"] = [{"resourceName": "cpu", "restartPolicy": policy}]
    return made


def _timed(changes):
    steps, gone = [], set()
    for at, (what, *about) in sorted(changes, key=lambda change: change[0]):
        if what == "kubelet":
            steps.append({"at": at, "kubelet": about[0], "node": "n"})
        elif about[0] not in gone:
            if what == "delete":
                gone.add(about[0])
                steps.append({"at": at, "delete": f"pods/{about[0]}"})
            else:
                steps.append(resize(at, *about))
    return steps


def _agrees(world):
    here = [p for p in world.pods.values() if p.exists and indexes.uses_node(p) == "n"]
    assert sum(indexes.held_by(p).get("cpu", 0) for p in here) <= 4000
    counted = {p.key: indexes.requests_of(p) for p in here}
    assert {key: world.cluster.requests[key] for key in counted} == counted
    used = world.cluster.used.get("n", Use())
    assert used.pods == len(here)
    assert used.amounts.get("cpu", 0) == sum(each.get("cpu", 0) for each in counted.values())
    for p in here:
        said = p.resizing.pending
        if said is not None and said.reason == "Deferred" and not p.frozen and p.worker.name == "SYNCING":
            assert world.now - seconds_of(said.lastProbeTime) < 182 or not world.cluster.nodes["n"].runs
