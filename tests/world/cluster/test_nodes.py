"""Nodes that fall silent, come back, are tainted or deleted, and what becomes of their Pods."""

import pytest

from tests.world.cluster.runs import Run, container, node, owner, pod

TAINT = {"key": "k", "value": "v", "effect": "NoExecute"}
STOP = {"at": 20, "kubelet": "stop", "node": "a"}


def test_a_lost_nodes_pods_turn_unready_and_are_deleted_after_their_toleration():
    """Rules node-grace-50s, node-pods-unready and node-eviction-time."""
    run = Run(node("a"), node("b"), pod("p", nodeSelector={"kubernetes.io/hostname": "a"}), steps=[STOP], duration=600)
    unready = run.when("p", "Ready=False:")
    assert 40 <= unready - 20 <= 55
    assert 300 <= run.when("p", "DisruptionTarget=True:DeletionByTaintManager") - unready < 301
    assert run.when("p", "gone") is None, "nobody confirms the deletion"
    assert run.pods()[0].status.phase == "Running"


def test_a_node_that_comes_back_in_time_keeps_its_pods():
    run = Run(
        node("a"), node("b"), pod("p", nodeSelector={"kubernetes.io/hostname": "a"}), duration=600,
        steps=[STOP, {"at": 200, "kubelet": "start", "node": "a"}],
    )  # fmt: skip
    assert run.when("p", "deleting") is None
    assert run.pods()[0].status.conditions[-1].type
    ready = [at for at, told in run.story("p") if told == "Ready=True:"]
    assert 200 <= ready[-1] < 205
    assert run.cluster.nodes["a"].node.spec.taints == ()


def test_a_deleted_pod_ends_when_its_kubelet_is_back():
    run = Run(
        node("a"), node("b"), pod("p", nodeSelector={"kubernetes.io/hostname": "a"}), duration=600,
        steps=[STOP, {"at": 450, "kubelet": "start", "node": "a"}],
    )  # fmt: skip
    assert 450 <= run.when("p", "Failed") < run.when("p", "gone") < 455


def test_containers_go_on_while_the_kubelet_does_not_run():
    run = Run(
        node("a"), pod("p", restartPolicy="Never"), duration=200,
        containers=[{"container": "app", "attempts": [{"run": "30s", "exit": 3}]}],
        steps=[STOP, {"at": 60, "kubelet": "start", "node": "a"}],
    )  # fmt: skip
    assert 60 <= run.when("p", "Failed") < 65
    ended = run.pods()[0].status.containerStatuses[0].state.terminated
    assert (ended.exitCode, ended.finishedAt.second) == (3, 30)


def test_daemons_stay_and_replacements_go_elsewhere():
    run = Run(
        node("a"),
        node("b"),
        owner("DaemonSet", "ds"),
        owner("Deployment", "web", replicas=2),
        steps=[STOP],
        duration=600,
    )
    assert sorted(p.spec.nodeName for p in run.pods("ds")) == ["a", "b"]
    alive = [p for p in run.pods("web") if p.metadata.deletionTimestamp is None]
    assert [p.spec.nodeName for p in alive] == ["b", "b"]


def test_when_every_node_is_lost_nobody_is_evicted():
    run = Run(node("a"), pod("p"), steps=[STOP], duration=900)
    assert run.when("p", "Ready=False:") is not None
    assert run.when("p", "deleting") is None


def test_a_noexecute_taint_evicts_at_once_later_or_never():
    def tolerant(name, **more):
        return pod(name, tolerations=[{"key": "k", "operator": "Exists", "effect": "NoExecute", **more}])

    steps = [
        {"at": 10, "patch": "nodes/a", "type": "merge", "body": {"spec": {"taints": [TAINT]}}},
        {"at": 40, "patch": "nodes/a", "type": "merge", "body": {"spec": {"taints": None}}},
    ]
    run = Run(
        node("a"), pod("plain"), tolerant("eight", tolerationSeconds=8), tolerant("sixty", tolerationSeconds=60),
        tolerant("ever"), steps=steps,
    )  # fmt: skip
    assert 10 <= run.when("plain", "deleting") < 10.1
    assert 18 <= run.when("eight", "DisruptionTarget=True:DeletionByTaintManager") < 18.1
    assert run.when("sixty", "deleting") is None
    assert run.when("ever", "deleting") is None


def test_pods_of_a_deleted_node_are_collected_as_failed():
    run = Run(node("a", kubelet=False), pod("p"), steps=[{"at": 20, "delete": "nodes/a"}])
    failed = run.when("p", "DisruptionTarget=True:DeletionByPodGC")
    assert 60 <= failed <= 81
    assert failed == run.when("p", "Failed") == run.when("p", "gone")


def test_a_node_without_kubelet_leaves_its_pods_pending():
    run = Run(node("a", kubelet=False), pod("p"), steps=[{"at": 20, "delete": "pods/p"}])
    assert run.when("p", "PodScheduled=True:") is not None
    assert run.pods()[0].status.phase == "Pending"
    assert run.when("p", "gone") is None


def test_the_out_of_service_taint_frees_what_terminates():
    out = {"key": "node.kubernetes.io/out-of-service", "value": "nodeshutdown", "effect": "NoExecute"}
    taint = {
        "at": 100,
        "patch": "nodes/a",
        "type": "json",
        "body": [{"op": "add", "path": "/spec/taints/-", "value": out}],
    }
    run = Run(
        node("a"), node("b"), pod("p", nodeSelector={"kubernetes.io/hostname": "a"}), steps=[STOP, taint], duration=300
    )
    assert 100 <= run.when("p", "deleting") < 101
    assert 100 < run.when("p", "gone") <= 121
    assert run.when("p", "Failed") is not None


def test_without_network_nothing_new_starts():
    run = Run(
        node("a"), node("b"), pod("old", nodeName="b"), duration=120,
        steps=[
            {"at": 10, "network": "down", "node": "a"},
            {"at": 30, "create": pod("new", nodeName="a", tolerations=[{"operator": "Exists"}])},
            {"at": 60, "network": "up", "node": "a"},
        ],
    )  # fmt: skip
    assert run.when("new", "Running") > 60


def test_a_cordoned_node_gets_a_taint_and_loses_it():
    steps = [
        {"at": 5, "patch": "nodes/a", "type": "merge", "body": {"spec": {"unschedulable": True}}},
        {"at": 10, "create": pod("late")},
        {"at": 30, "patch": "nodes/a", "type": "merge", "body": {"spec": {"unschedulable": None}}},
    ]
    run = Run(node("a"), pod("early"), steps=steps)
    assert run.when("early", "deleting") is None
    assert 30 <= run.when("late", "PodScheduled=True:") < 32


def test_an_unscheduled_pod_that_only_a_finalizer_keeps():
    held = pod("p", nodeSelector={"no": "such"})
    held["metadata"]["finalizers"] = ["example.com/hold"]
    steps = [
        {"at": 6, "delete": "pods/p"},
        {"at": 50, "patch": "pods/p", "type": "merge", "body": {"metadata": {"finalizers": None}}},
    ]
    run = Run(node("a"), held, steps=steps)
    assert 6 < run.when("p", "Failed") <= 26
    assert run.when("p", "gone") == 50


@pytest.mark.parametrize(("version", "cpu", "stored"), [("1.36", "8", False), ("1.36", "3", True), ("1.35", "8", True)])
def test_a_resize_beyond_the_node_is_refused_since_1_36(version, cpu, stored):
    """Rule resize-node-capacity."""
    body = {"spec": {"containers": [{"name": "app", "resources": {"requests": {"cpu": cpu}}}]}}
    patch = {"at": 5, "patch": "pods/p/resize", "type": "strategic", "body": body}
    small = pod("p", containers=[container(resources={"requests": {"cpu": "1"}})])
    run = Run(node("a", cpu="4"), small, steps=[patch], duration=20, kubernetes=version)
    last = run.snapshots[-1].pod
    assert (last.metadata.generation == 2) == stored
    assert any("refused by the API server" in note for note in run.notes) != stored
