"""ReplicaSets, ReplicationControllers, Deployments and DaemonSets; owners and their dependents."""

import pytest

from tests.world.cluster.runs import Run, container, image, node, owner, pod

SLOW_STOP = [{"container": "app", "attempts": [{"run": "forever", "stop": {"takes": "3s"}}]}]


def scaled(kind, size, at=20):
    return {"at": at, "patch": f"{kind}/web", "type": "merge", "body": {"spec": {"replicas": size}}}


@pytest.mark.parametrize("kind", ["ReplicaSet", "ReplicationController"])
def test_a_deleted_pod_is_replaced_before_it_is_gone(kind):
    """Rules ctl-replace-not-move and ctl-terminating-not-counted."""
    run = Run(owner(kind, "web", replicas=2), containers=SLOW_STOP, steps=[{"at": 10, "delete": "pods[0]"}])
    assert len(run.running()) == 2
    made = [s.at for s in run.snapshots if s.type == "ADDED"]
    gone = [s.at for s in run.snapshots if s.type == "DELETED"]
    assert len(made) == 3
    assert 10 < made[2] < gone[0]


def test_scaling_down_takes_the_younger_ready_ones():
    run = Run(
        owner("ReplicaSet", "web", replicas=1),
        steps=[scaled("replicasets", 3, at=60), scaled("replicasets", 1, at=70)],
    )
    first = next(s.pod for s in run.snapshots if s.type == "ADDED")
    assert [p.metadata.uid for p in run.pods()] == [first.metadata.uid]


def test_of_pods_that_are_alike_the_youngest_goes_first():
    """Names count down without a seed, so that lists, and choices among equals, begin with the youngest."""
    run = Run(owner("ReplicaSet", "web", replicas=3), steps=[scaled("replicasets", 1)])
    made = [s.pod.metadata.name for s in run.snapshots if s.type == "ADDED"]
    assert made == sorted(made, reverse=True)
    assert [p.metadata.name for p in run.pods()] == made[:1]


def test_the_first_by_name_is_drawn_with_a_seed():
    def deleted(seed):
        run = Run(owner("ReplicaSet", "web", replicas=3), steps=[{"at": 10, "delete": "pods[0]"}], seed=seed)
        made = [s.pod.metadata.name for s in run.snapshots if s.type == "ADDED"]
        return made.index(next(s.pod.metadata.name for s in run.snapshots if s.pod.metadata.deletionTimestamp))

    assert {deleted(seed) for seed in range(12)} == {0, 1, 2}


def test_deletion_cost_comes_before_age():
    costly = {"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "9"}}}
    run = Run(owner("ReplicaSet", "web", replicas=3), steps=[
        {"at": 10, "patch": "pods[2]", "type": "merge", "body": costly}, scaled("replicasets", 1),
    ])  # fmt: skip
    assert [dict(p.metadata.annotations) for p in run.pods()] == [costly["metadata"]["annotations"]]


def test_pods_are_adopted_and_released_by_labels():
    away = {"metadata": {"labels": {"app": "other"}}}
    run = Run(owner("ReplicaSet", "web", replicas=2), pod("mine", labels={"app": "web"}), steps=[
        {"at": 10, "patch": "pods/mine", "type": "merge", "body": away},
    ])  # fmt: skip
    assert len(run.pods("web", at=9)) == 2
    assert [p.metadata.ownerReferences for p in run.pods() if p.metadata.name == "mine"] == [()]
    assert len(run.running("web")) == 2


def test_generated_names_and_owners_are_as_kubernetes_sets_them():
    run = Run(owner("ReplicaSet", "web", replicas=1))
    made = run.pods()[0].metadata
    assert made.name.startswith("web-")
    assert len(made.name) == len("web-") + 5
    assert made.generateName == "web-"
    assert [(o.kind, o.name, o.controller, o.blockOwnerDeletion) for o in made.ownerReferences] == [
        ("ReplicaSet", "web", True, True)
    ]


def test_a_rolling_update_keeps_enough_pods_available():
    strategy = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    slow = [{**SLOW_STOP[0], "readinessProbe": [{"to": "4s", "result": "failure"}]}]
    probed = {"containers": [container(readinessProbe={"exec": {"command": ["x"]}, "periodSeconds": 1})]}
    run = Run(
        owner("Deployment", "web", replicas=3, strategy=strategy, template=probed),
        containers=slow, steps=[{"at": 20, "patch": "deployments/web", "body": image(2)}],
    )  # fmt: skip
    assert {c.image for p in run.running() for c in p.spec.containers} == {"app:2"}
    for when in range(20, 60):
        ready = [
            p
            for p in run.running(at=when)
            if any(c.type == "Ready" and c.status == "True" for c in p.status.conditions)
        ]
        assert len(ready) >= 3
        assert len([p for p in run.pods(at=when) if p.metadata.deletionTimestamp is None]) <= 4


def test_a_bad_rollout_stops_and_can_be_taken_back():
    steps = [
        {"at": 20, "patch": "deployments/web", "body": image("bad")},
        {"at": 50, "patch": "deployments/web", "body": image(1)},
    ]
    run = Run(owner("Deployment", "web", replicas=3), steps=steps, images={"app:bad": {"error": "NotFound"}})
    assert len(run.running(at=49)) == 3
    assert len(run.pods(at=49)) == 4
    assert len(run.running()) == 3
    assert len([s for s in run.snapshots if s.type == "ADDED"]) == 4
    sets = [t for t in run.cluster.things.values() if t.kind == "ReplicaSet"]
    revisions = {t.spec["replicas"]: t.metadata["annotations"]["deployment.kubernetes.io/revision"] for t in sets}
    assert revisions == {3: "3", 0: "2"}


def test_recreate_waits_for_the_last_old_pod():
    run = Run(
        owner("Deployment", "web", replicas=2, strategy={"type": "Recreate"}),
        containers=[{**SLOW_STOP[0], "pod": "web"}],
        steps=[{"at": 10, "patch": "deployments/web", "body": image(2)}],
    )
    ended = [s.at for s in run.snapshots if s.pod.status.phase == "Failed"]
    made = [s.at for s in run.snapshots if s.type == "ADDED"][2:]
    assert ended[0] >= 13
    assert len(made) == 2
    assert min(made) > 13


def test_min_ready_seconds_slow_a_rollout_down():
    def done(seconds):
        run = Run(
            owner("Deployment", "web", replicas=3, minReadySeconds=seconds),
            steps=[{"at": 30, "patch": "deployments/web", "body": image(2)}], duration=300,
        )  # fmt: skip
        return max(s.at for s in run.snapshots if s.type == "DELETED")

    assert done(10) > done(0) + 20


def test_a_changed_size_is_shared_by_the_sets_of_a_rollout():
    steps = [{"at": 10, "patch": "deployments/web", "body": image("bad")}, scaled("deployments", 10)]
    run = Run(
        owner("Deployment", "web", replicas=5, strategy={"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}),
        steps=steps, images={"app:bad": {"error": "NotFound"}},
    )  # fmt: skip
    sizes = sorted(t.spec["replicas"] for t in run.cluster.things.values() if t.kind == "ReplicaSet")
    assert sum(sizes) == 13
    assert min(sizes) > 5 - 2


def test_progress_that_stops_is_told():
    run = Run(
        owner("Deployment", "web", replicas=1, progressDeadlineSeconds=30),
        steps=[{"at": 10, "patch": "deployments/web", "body": image("bad")}], images={"app:bad": {"error": "NotFound"}},
    )  # fmt: skip
    told = {c["type"]: c["reason"] for c in run.status("Deployment/default/web")["conditions"]}
    assert told == {"Available": "MinimumReplicasAvailable", "Progressing": "ProgressDeadlineExceeded"}


def test_old_replica_sets_beyond_the_history_go():
    steps = [{"at": 20 * n, "patch": "deployments/web", "body": image(n + 1)} for n in (1, 2, 3)]
    run = Run(owner("Deployment", "web", replicas=1, revisionHistoryLimit=1), steps=steps)
    assert len([t for t in run.cluster.things.values() if t.kind == "ReplicaSet"]) == 2


def test_daemons_run_on_every_node_that_lets_them():
    hard = [{"key": "k", "value": "v", "effect": "NoSchedule"}]
    run = Run(
        node("a"), node("b", unschedulable=True), node("c", taints=hard), owner("DaemonSet", "ds"),
        steps=[{"at": 20, "create": node("d")}, {"at": 40, "delete": "pods[0]"}],
    )  # fmt: skip
    assert sorted(p.spec.nodeName for p in run.running()) == ["a", "b", "d"]


def test_a_daemons_image_changes_node_by_node():
    run = Run(node("a"), node("b"), owner("DaemonSet", "ds"), containers=SLOW_STOP,
              steps=[{"at": 10, "patch": "daemonsets/ds", "body": image(2)}])  # fmt: skip
    assert {c.image for p in run.running() for c in p.spec.containers} == {"app:2"}
    made = [s.at for s in run.snapshots if s.type == "ADDED"]
    assert made[3] - made[2] > 3, "the second waits for the first"


def test_a_failed_daemon_is_deleted_and_made_again():
    run = Run(node("a", cpu="1"), owner("DaemonSet", "ds"), steps=[
        {"at": 10, "patch": "pods/*/status", "type": "merge", "body": {"status": {"phase": "Failed"}}},
    ])  # fmt: skip
    assert len([s for s in run.snapshots if s.type == "ADDED"]) == 2
    assert len(run.running()) == 1


@pytest.mark.parametrize(("policy", "left"), [("Background", 0), ("Foreground", 0), ("Orphan", 2)])
def test_what_becomes_of_the_pods_of_a_deleted_owner(policy, left):
    delete = {"at": 10, "delete": "deployments/web", "propagationPolicy": policy}
    run = Run(owner("Deployment", "web", replicas=2), steps=[delete])
    assert len(run.running()) == left
    kinds = {thing.kind for thing in run.cluster.things.values()}
    assert kinds == ({"ReplicaSet"} if left else set())


def test_in_the_foreground_the_owner_goes_last():
    delete = {"at": 10, "delete": "replicasets/web", "propagationPolicy": "Foreground"}
    run = Run(owner("ReplicaSet", "web", replicas=1), containers=SLOW_STOP, steps=[delete], duration=12)
    assert list(run.cluster.things) == ["ReplicaSet/default/web"]
    assert run.cluster.things["ReplicaSet/default/web"].deleting
