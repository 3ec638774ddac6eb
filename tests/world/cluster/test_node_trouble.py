"""What kubelets do to Pods for their node's sake: shutdown, room for critical Pods, eviction under pressure."""

import pytest

from podfsm.errors import InputError
from tests.world.cluster.runs import Run, container, node, owner, pod

CRITICAL = 2_000_000_000
BY_KUBELET = "DisruptionTarget=True:TerminationByKubelet"


def shutdown(at=20, **more):
    return [{"at": at, "shutdown": "graceful", "node": "a", "gracePeriod": "30s", "criticalGracePeriod": "10s", **more}]


def classed(name, value):
    return {
        "apiVersion": "scheduling.k8s.io/v1",
        "kind": "PriorityClass",
        "metadata": {"name": name},
        "value": value,
    }


def stops(takes):
    return [{"container": "app", "attempts": [{"run": "forever", "stop": {"takes": takes}}]}]


def cpu(amount, **limits):
    return [container(resources={"requests": {"cpu": amount}, **limits})]


TOP = classed("top", CRITICAL)


def test_a_shutdown_ends_pods_by_priority():
    run = Run(TOP, node("a"), pod("web"), pod("dns", priorityClassName="top"), containers=stops("3s"), steps=shutdown())
    web = next(p for p in run.pods() if p.metadata.name == "web").status
    assert (web.phase, web.reason) == ("Failed", "Terminated")
    assert web.message == "Pod was terminated in response to imminent node shutdown."
    assert run.when("web", BY_KUBELET) == run.when("web", "Failed")
    assert 23 <= run.when("web", "Failed") < 24
    assert 26 <= run.when("dns", "Failed") < 28, "the critical one's stop begins when the other has ended"


def test_a_group_that_takes_too_long_is_left_behind():
    run = Run(
        TOP, node("a"), pod("web"), pod("dns", priorityClassName="top"), containers=stops("25s"), steps=shutdown()
    )
    assert run.when("web", "Failed") >= 40, "20 s of 30 are its own"
    assert run.when("dns", "Failed") is None, "killed after 10 s, when the machine goes off"


def test_a_pods_own_grace_is_kept_if_it_is_shorter():
    run = Run(node("a"), pod("p", terminationGracePeriodSeconds=5), containers=stops("forever"), steps=shutdown())
    assert 25 <= run.when("p", "Failed") < 26


def test_a_node_that_shuts_down_takes_no_pods():
    late = {"at": 21, "create": pod("late", nodeName="a")}
    run = Run(node("a"), pod("p"), containers=stops("5s"), steps=[*shutdown(), late])
    refused = next(p for p in run.pods() if p.metadata.name == "late").status
    assert (refused.phase, refused.reason) == ("Failed", "NodeShutdown")
    assert run.when("p", "Ready=False:") is None, "the node controller marks Pods only when a node falls silent"


def test_when_the_last_pod_has_ended_the_machine_is_off():
    run = Run(node("a"), node("b"), owner("ReplicaSet", "web", replicas=2), steps=shutdown(), duration=400)
    assert not run.cluster.nodes["a"].alive
    assert {p.spec.nodeName for p in run.running("web")} == {"b"}
    assert {t.key for t in run.cluster.nodes["a"].node.spec.taints} == {"node.kubernetes.io/unreachable"}


def test_without_a_grace_period_pods_are_lost_and_run_again_after_the_boot():
    steps = [{"at": 20, "shutdown": "sudden", "node": "a"}, {"at": 40, "kubelet": "start", "node": "a"}]
    run = Run(node("a"), pod("p"), steps=steps)
    assert run.when("p", BY_KUBELET) is None
    last = run.pods()[0].status
    assert (last.phase, last.containerStatuses[0].restartCount) == ("Running", 1)
    assert last.containerStatuses[0].lastState.terminated.exitCode == 137


def test_a_second_shutdown_is_noted():
    run = Run(node("a"), pod("p"), containers=stops("9s"), steps=[*shutdown(), *shutdown(22)])
    assert run.notes == ["at 22 s: shutdown of node a, which is off or shutting down"]


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"shutdown": "graceful", "node": "a"}, "gracePeriod"),
        ({"shutdown": "sudden", "node": "a", "gracePeriod": "3s"}, "gracePeriod"),
        (
            {"shutdown": "graceful", "node": "a", "gracePeriod": "3s", "criticalGracePeriod": "4s"},
            "criticalGracePeriod",
        ),
        ({"shutdown": "slow", "node": "a"}, "shutdown"),
        ({"shutdown": "sudden", "node": "b"}, "no Node of this name"),
    ],
)
def test_shutdowns_that_make_no_sense_are_located(step, says):
    with pytest.raises(InputError, match=says):
        Run(node("a"), pod("p"), steps=[{"at": 1, **step}])


def test_a_critical_pod_displaces_lesser_ones():
    steps = [{"at": 10, "create": pod("top", nodeName="a", priorityClassName="top", containers=cpu("700m"))}]
    run = Run(
        TOP, node("a", cpu="1"), pod("small", containers=cpu("200m")), pod("large", containers=cpu("600m")),
        containers=[{**stops("4s")[0], "pod": "large"}], steps=steps,
    )  # fmt: skip
    shown = {p.metadata.name: p.status for p in run.pods()}
    assert (shown["large"].phase, shown["large"].reason) == ("Failed", "Preempting")
    assert run.when("large", BY_KUBELET) == run.when("large", "Failed")
    assert shown["small"].phase == "Running"
    assert 14 <= run.when("large", "Failed") < run.when("top", "Running") < 15


def test_a_critical_pod_is_refused_if_nothing_would_make_room():
    steps = [{"at": 10, "create": pod("top", nodeName="a", priorityClassName="top", containers=cpu("2"))}]
    run = Run(TOP, node("a", cpu="1"), pod("small", containers=cpu("200m")), steps=steps)
    assert [p.status.reason for p in run.pods()] == ["", "UnexpectedAdmissionError"]
    assert "(res: cpu, q: 1200)" in run.pods()[1].status.message


def test_of_a_resource_that_the_node_does_not_know_the_kubelet_does_not_ask():
    slot = {"example.com/slot": "1"}
    strange = [container(resources={"requests": slot, "limits": slot})]
    run = Run(node("a"), pod("p", nodeName="a", containers=strange))
    assert [p.status.phase for p in run.pods()] == ["Running"]


def eats(pod, amount, start="15s"):
    return {"pod": pod, "container": "app", "memory": [{"from": start, "amount": amount}]}


def memory(request):
    return [container(resources={"requests": {"memory": request}})]


def test_under_pressure_the_pod_that_is_most_over_its_request_goes_first():
    run = Run(
        node("a"), pod("fair", containers=memory("5Gi")), pod("greedy", containers=memory("1Gi")), pod("modest"),
        containers=[eats("fair", "4Gi"), eats("greedy", "3500Mi"), eats("modest", "500Mi")], duration=120,
    )  # fmt: skip
    shown = {p.metadata.name: p.status for p in run.pods()}
    assert {name: status.reason for name, status in shown.items()} == {"fair": "", "greedy": "Evicted", "modest": ""}
    assert shown["greedy"].message.startswith("The node was low on resource: memory. Threshold quantity: 100Mi")
    assert run.when("greedy", BY_KUBELET) == run.when("greedy", "Failed")
    assert 15 <= run.when("greedy", "Failed") < 26, "at the next of the looks, which come every 10 s"


def test_pods_go_one_after_another_until_enough_is_left():
    names = ["p1", "p2", "p3", "p4"]
    run = Run(node("a"), *map(pod, names), containers=[eats(name, "3Gi") for name in names], duration=120)
    gone = sorted(at for name in names if (at := run.when(name, "Failed")) is not None)
    assert len(gone) == 2
    assert 1 <= gone[1] - gone[0] < 4, "a look follows as soon as the one before has ended"


def test_an_evicted_pod_has_a_second_to_stop():
    run = Run(
        node("a"), pod("p"), containers=[{**eats("p", "9Gi"), **stops("forever")[0]}, stops("forever")[0]], duration=60
    )
    evicted = next(e for step in run.steps for e in step.events if e.reason == "Evicted")
    assert 2 <= run.when("p", "Failed") - evicted.at < 3, "2 s are the least between signal and KILL"


def test_while_the_pressure_lasts_and_some_time_after_besteffort_pods_are_kept_off():
    def late(name, at, **spec):
        return {"at": at, "create": pod(name, nodeName="a", **spec)}

    steps = [late("best", 60), late("asks", 61, containers=memory("1Mi")), late("later", 400), late("waits", 62)]
    steps[3]["create"]["spec"].pop("nodeName")
    run = Run(node("a"), pod("p"), containers=[eats("p", "9Gi")], steps=steps, duration=450)
    shown = {p.metadata.name: (p.status.phase, p.status.reason) for p in run.pods()}
    assert shown["best"] == ("Failed", "Evicted")
    assert {shown[name] for name in ("asks", "later", "waits")} == {("Running", "")}
    assert 300 < run.when("waits", "PodScheduled=True:") < 340, "its taint goes with the condition"


def test_a_kubelet_that_starts_again_knows_of_no_pressure():
    steps = [{"at": 60, "kubelet": "stop", "node": "a"}, {"at": 62, "kubelet": "start", "node": "a"}]
    run = Run(node("a"), pod("p"), containers=[eats("p", "9Gi")], steps=steps, duration=100)
    shown = {c.type: c.status for c in run.cluster.nodes["a"].node.status.conditions}
    assert shown["MemoryPressure"] == "False"
    assert run.cluster.nodes["a"].node.spec.taints == ()


def test_critical_pods_are_not_evicted():
    run = Run(TOP, node("a"), pod("p", priorityClassName="top"), containers=[eats("p", "9Gi")], duration=60)
    assert [p.status.phase for p in run.pods()] == ["Running"]


@pytest.mark.parametrize("amount", [None, "much", -1])
def test_amounts_of_memory_that_are_none_are_located(amount):
    with pytest.raises(InputError, match=r"memory\[0\]\.amount"):
        Run(node("a"), pod("p"), containers=[eats("p", amount)])
