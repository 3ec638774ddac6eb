"""Namespaces that are deleted: their Pods first, everything else after them, and nothing new is let in."""

import pytest

from podfsm.errors import InputError
from podfsm.kube.times import seconds_of
from tests.world.cluster.runs import Run, node, owner, pod, service

DELETE = {"at": 20, "delete": "namespaces/shop"}
SLOW = [{"container": "app", "attempts": [{"stop": {"takes": "7s"}}]}]
KINDS = ("ReplicaSet", "ReplicationController", "Deployment", "DaemonSet", "Job")
REFUSED = "is refused: unable to create new content in namespace shop because it is being terminated (403)"


def placed(raw, namespace="shop", **metadata):
    return {**raw, "metadata": {**raw["metadata"], "namespace": namespace, **metadata}}


def namespace(name="shop"):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def run(*objects, more=(), **options):
    return Run(*objects, steps=[DELETE, *more], containers=SLOW, **options)


def told(run):
    """When the namespace shop came into each of its states."""
    fired = (each for step in run.steps for each in step.fired if each.machine == "namespace")
    return [(round(each.at), each.dest) for each in fired if each.instance == "shop"]


def test_its_pods_are_deleted_gracefully_five_seconds_later():
    """Rules namespace-first-look, namespace-next-look and namespace-empty; 5 s was measured at a real cluster.

    Looks at 25 s and, as its conditions have changed then, at 30 s; from there 16 s more for a grace of 30 s.
    """
    done = run(placed(pod("a")), placed(pod("b")), pod("other"))
    for name in "ab":
        assert done.when(name, "deleting") == pytest.approx(25, abs=0.1)
        assert done.when(name, "gone") == pytest.approx(32, abs=2)
    assert [each.metadata.name for each in done.pods()] == ["other"]
    assert told(done) == [(20, "Terminating"), (46, "Gone")]


def test_a_short_grace_makes_it_look_earlier():
    """Rule namespace-estimate: the longest grace counts, and only while the deletion is younger than that."""
    done = run(placed(pod("a", terminationGracePeriodSeconds=12)))
    assert told(done) == [(20, "Terminating"), (37, "Gone")]
    quick = run(placed(pod("a", terminationGracePeriodSeconds=0)))
    assert told(quick) == [(20, "Terminating"), (25, "Gone")]


def test_an_empty_one_goes_at_the_first_look():
    assert told(run(namespace(), pod("other"))) == [(20, "Terminating"), (25, "Gone")]


@pytest.mark.parametrize(("version", "gone"), [("1.32", 25), ("1.33", 46)])
def test_other_objects_wait_for_the_pods_from_133_on(version, gone):
    """Rule namespace-pods-first."""
    done = run(placed(service()), placed(pod("a", labels={"app": "web"})), kubernetes=version)
    slices = [event for step in done.steps for event in step.things if event.type == "DELETED"]
    assert [round(event.at) for event in slices] == [gone]
    assert told(done)[-1] == (46, "Gone")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1.32", "1.36"])
def test_controllers_make_no_more_pods_there(kind, version):
    """Rule namespace-lets-in: what they try is refused, and they leave it at that."""
    policy = {"restartPolicy": "Never"} if kind == "Job" else {}
    done = run(node("n"), placed(owner(kind, "web", template=policy)), kubernetes=version)
    assert len({shown.pod.metadata.uid for shown in done.snapshots}) == 1
    assert done.pods() == []
    assert told(done)[-1][1] == "Gone"
    assert not [thing for thing in done.cluster.things.values() if thing.namespace == "shop"]
    assert done.simulation.ended.startswith("at rest")


def test_a_new_template_makes_no_replicaset_there():
    change = {
        "at": 22,
        "patch": "deployments/web",
        "body": {"spec": {"template": {"metadata": {"labels": {"v": "2"}}}}},
    }
    done = run(placed(owner("Deployment", "web")), more=[change])
    assert len({shown.pod.metadata.uid for shown in done.snapshots}) == 1


def test_users_can_create_nothing_there_until_it_is_made_anew():
    def create(at, *raws):
        return [{"at": at, "create": raw} for raw in raws]

    more = [
        *create(22, placed(pod("b")), placed(service("s"))),
        *create(90, placed(pod("c")), namespace(), placed(pod("d"))),
    ]
    done = run(placed(pod("a")), more=more)
    assert done.notes == [
        f"at 22 s: create of shop/b {REFUSED}",
        f"at 22 s: create of Service/shop/s {REFUSED}",
        'at 90 s: create of shop/c is refused: namespaces "shop" not found (404)',
    ]
    assert [each.metadata.name for each in done.pods()] == ["d"]


def test_finalizers_hold_it_and_it_says_so():
    """The default estimate of 15 s makes it look every 8 s."""
    release = {"at": 100, "patch": "pods/a", "type": "merge", "body": {"metadata": {"finalizers": None}}}
    held = placed(pod("a", terminationGracePeriodSeconds=1), finalizers=["example.com/keep"])
    done = run(held, duration=60)
    assert told(done) == [(20, "Terminating")]
    left, finalizers = done.status("Namespace//shop")["conditions"]
    assert (left["status"], left["message"]) == ("True", "Some resources are remaining: pods. has 1 resource instances")
    assert finalizers["message"].endswith("finalizers remaining: example.com/keep in 1 resource instances")
    freed = run(held, more=[release], duration=300)
    assert told(freed)[-1][1] == "Gone"
    assert 100 < told(freed)[-1][0] <= 109


def test_what_is_left_for_no_reason_is_looked_at_less_and_less_often():
    lost = {"at": 10, "kubelet": "stop", "node": "n"}
    done = run(node("n"), placed(pod("a", terminationGracePeriodSeconds=2)), more=[lost], duration=200)
    assert told(done) == [(20, "Terminating")]
    assert done.cluster.failures["Namespace//shop"].count == pytest.approx(15, abs=2)


def test_a_second_delete_changes_nothing():
    done = run(placed(pod("a")), more=[{"at": 23, "delete": "namespaces/shop"}])
    assert told(done) == [(20, "Terminating"), (23, "Terminating"), (46, "Gone")]
    (stamp,) = {s.pod.metadata.deletionTimestamp for s in done.snapshots if s.pod.metadata.deletionTimestamp}
    assert seconds_of(stamp) == pytest.approx(55, abs=1)


@pytest.mark.parametrize("name", ["default", "kube-system"])
def test_those_of_the_system_stay(name):
    """Rule namespace-may-go."""
    with pytest.raises(InputError, match=r"cannot be deleted \(rule namespace-may-go\)"):
        Run(pod("a"), namespace("kube-system"), steps=[{"at": 1, "delete": f"namespaces/{name}"}])
    done = Run(placed(pod("a")), pod("b"), steps=[{"at": 1, "delete": "namespaces/*"}])
    assert done.notes == ["at 1 s: delete of namespace default is refused (403, rule namespace-may-go)"]
    assert [each.metadata.name for each in done.pods()] == ["b"]


def test_one_that_nobody_speaks_of_is_not_there():
    with pytest.raises(InputError, match="no Namespace of this name, found 'namespaces/shp'; did you mean shop"):
        Run(placed(pod("a")), steps=[{"at": 1, "delete": "namespaces/shp"}])
