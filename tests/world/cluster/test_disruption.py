"""Evictions and budgets in a run; inputs that cannot be simulated."""

import pytest

from podfsm.errors import InputError, NotModelled, ScenarioError
from podfsm.kube.served import homes
from tests.world.cluster.runs import Run, budget, container, node, owner, pod

UNREADY = [{"container": "app", "readinessProbe": [{"result": "failure"}]}]
PROBED = {"containers": [container(readinessProbe={"exec": {"command": ["x"]}, "periodSeconds": 1})]}


def test_a_budget_lets_one_go_at_a_time():
    run = Run(
        owner("ReplicaSet", "web", replicas=2, template=PROBED), budget(minAvailable=1),
        containers=[{"container": "app", "readinessProbe": [{"to": "4s", "result": "failure"}]}],
        steps=[{"at": 15, "evict": "pods/*"}],
    )  # fmt: skip
    evicted = {s.pod.metadata.name for s in run.snapshots if s.pod.metadata.deletionTimestamp}
    assert len(evicted) == 1
    assert len(run.notes) == 1
    assert "answered with 429" in run.notes[0]
    status = run.cluster.things["PodDisruptionBudget/default/b"].budget.status
    assert (status.currentHealthy, status.desiredHealthy, status.disruptionsAllowed) == (2, 1, 1)


def test_an_unready_pod_is_kept_unless_the_policy_says_otherwise():
    """Rules pdb-unready-policy and pdb-evict-codes."""
    allow = {"spec": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}
    run = Run(
        pod("p", labels={"app": "web"}, **PROBED), budget(maxUnavailable=0), containers=UNREADY,
        steps=[
            {"at": 8, "evict": "pods/p"},
            {"at": 12, "patch": "poddisruptionbudgets/b", "type": "merge", "body": allow},
            {"at": 15, "evict": "pods/p"},
        ],
    )  # fmt: skip
    assert run.when("p", "DisruptionTarget=True:EvictionByEvictionAPI") == 15
    assert len(run.notes) == 1


def test_pods_without_any_cluster_can_be_evicted():
    run = Run(pod("p"), steps=[{"at": 5, "evict": "pods/p"}])
    assert run.when("p", "deleting") == 5


def test_the_same_run_gives_the_same_names():
    names = [[s.pod.metadata.name for s in Run(owner("ReplicaSet", "web", replicas=3)).snapshots] for _ in range(2)]
    assert names[0] == names[1]


@pytest.mark.parametrize("kind", ["StatefulSet", "CronJob"])
def test_kinds_that_are_left_out_are_refused_by_name(kind):
    with pytest.raises(NotModelled, match=f"{kind} is not simulated"):
        Run({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "x"}})
    with pytest.raises(NotModelled, match=f"{kind} is not simulated"):
        Run(pod("p"), steps=[{"at": 1, "create": {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}}}])


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ({"kubelet": "stop", "node": "b"}, "no Node of this name"),
        ({"kubelet": "sleep", "node": "a"}, "no such state of a kubelet"),
        ({"network": "off", "node": "a"}, "no such state of a network"),
        ({"delete": "deployments/none"}, "no Deployment of this name"),
        ({"delete": "nodes/none"}, "no Node of this name"),
        ({"patch": "replicasets/web", "type": "merge", "body": {"spec": {"selector": 3}}}, "selector"),
        ({"patch": "nodes/a", "type": "merge", "body": {"spec": {"taints": 3}}}, "taints"),
    ],
)
def test_steps_that_make_no_sense_are_located(step, says):
    with pytest.raises((ScenarioError, InputError), match=says):
        Run(node("a"), owner("ReplicaSet", "web"), steps=[{"at": 1, **step}])


def test_targets_of_unknown_resources_are_refused():
    with pytest.raises(InputError, match="did you mean deployments"):
        Run(pod("p"), steps=[{"at": 1, "delete": "deployment/x"}])
    with pytest.raises(InputError, match="only Pods can be evicted"):
        Run(node("a"), pod("p"), steps=[{"at": 1, "evict": "nodes/a"}])


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ({"kind": "ReplicaSet", "spec": {}}, "spec.template"),
        ({"kind": "Deployment", "spec": {"template": {"spec": {"containers": []}}}}, "containers"),
        ({"kind": "Job", "spec": {"template": {"spec": {"containers": [{"name": 3}]}}}}, "template.spec.containers"),
        ({"kind": "PodDisruptionBudget", "spec": {"minAvailable": []}}, "minAvailable"),
        ({"kind": "ReplicaSet", "metadata": {}, "spec": {}}, "without a name"),
    ],
)
def test_objects_that_are_wrong_are_located(broken, says):
    with pytest.raises(InputError, match=says):
        Run(pod("p"), {"apiVersion": homes(broken["kind"])[0], "metadata": {"name": "x"}, **broken})


def test_two_owners_of_one_selector_do_not_share_pods():
    other = owner("ReplicaSet", "web2", replicas=1)
    other["spec"]["selector"] = {"matchLabels": {"app": "web"}}
    other["spec"]["template"]["metadata"]["labels"] = {"app": "web"}
    run = Run(owner("ReplicaSet", "web", replicas=2), other)
    assert len(run.pods()) == 3
    assert all(len(p.metadata.ownerReferences) == 1 for p in run.pods())


def test_an_announced_disruption_that_does_not_follow_is_taken_back():
    def announced(reason):
        condition = {"type": "DisruptionTarget", "status": "True", "reason": reason}
        return {"at": 10, "patch": "pods/p/status", "body": {"status": {"conditions": [condition]}}}

    run = Run(node("a"), pod("p"), steps=[announced("EvictionByEvictionAPI")], duration=200)
    assert 130 <= run.when("p", "DisruptionTarget=False:") < 132
    run = Run(node("a"), pod("p"), steps=[announced("TerminationByKubelet")], duration=200)
    assert run.when("p", "DisruptionTarget=False:") is None


def test_a_disruption_that_follows_leaves_nothing_to_wait_for():
    run = Run(node("a"), pod("p"), steps=[{"at": 10, "evict": "pods/p"}], duration=200)
    assert run.when("p", "gone") < 12
    assert run.simulation.ended.startswith("at rest")
    assert run.simulation.now < 60
