"""Where Pods go, and what happens when they fit nowhere."""

from tests.world.cluster.runs import Run, container, node, owner, pod


def cpu(amount):
    return [container(resources={"requests": {"cpu": amount}})]


def test_selector_taints_and_cordons_leave_one_node():
    nodes = [
        node("a", labels={"disk": "hdd"}),
        node("b", labels={"disk": "ssd"}, taints=[{"key": "k", "value": "v", "effect": "NoSchedule"}]),
        node("c", labels={"disk": "ssd"}, unschedulable=True),
        node("d", labels={"disk": "ssd"}),
    ]
    run = Run(*nodes, pod("p", nodeSelector={"disk": "ssd"}))
    assert run.node_of("p") == "d"


def test_without_nodes_there_is_one_that_fits_all():
    run = Run(owner("ReplicaSet", "web", replicas=3))
    assert {p.spec.nodeName for p in run.running()} == {"node-1"}


def test_an_unschedulable_pod_is_bound_when_room_is_made():
    run = Run(
        node("a", cpu="1"),
        pod("first", containers=cpu("1")),
        pod("second", containers=cpu("500m")),
        steps=[{"at": 20, "delete": "pods/first"}],
    )
    assert run.when("second", "PodScheduled=False:Unschedulable") < 1
    assert run.when("first", "Failed") <= run.when("second", "PodScheduled=True:") < run.when("first", "gone") + 1


def test_a_label_that_comes_later_lets_the_pod_in():
    run = Run(
        node("a"),
        pod("p", nodeSelector={"disk": "ssd"}),
        steps=[{"at": 30, "patch": "nodes/a", "body": {"metadata": {"labels": {"disk": "ssd"}}}}],
    )
    assert 30 <= run.when("p", "PodScheduled=True:") < 30.1


def test_replicas_spread_over_hosts():
    run = Run(node("a"), node("b"), owner("ReplicaSet", "web", replicas=4))
    on = [p.spec.nodeName for p in run.running()]
    assert sorted(on) == ["a", "a", "b", "b"]


def test_required_anti_affinity_leaves_the_third_pending():
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    apart = {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}}
    run = Run(node("a"), node("b"), owner("ReplicaSet", "web", replicas=3, template=apart))
    assert sorted(p.spec.nodeName for p in run.pods()) == ["", "a", "b"]


def test_anti_affinity_of_those_there_keeps_others_out():
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "noisy"}}}
    wary = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    run = Run(node("a"), pod("quiet", affinity=wary), pod("loud", labels={"app": "noisy"}))
    assert run.node_of("quiet") == "a"
    assert run.node_of("loud") == ""


def test_required_affinity_follows_and_a_group_may_begin_anywhere():
    term = {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "x"}}}
    together = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    nodes = [node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"}), node("c", labels={"zone": "2"})]
    first = pod("first", labels={"app": "x"}, affinity=together, nodeSelector={"kubernetes.io/hostname": "b"})
    run = Run(*nodes, first, pod("second", labels={"app": "x"}, affinity=together))
    assert run.node_of("first") == "b"
    assert run.node_of("second") in ("b", "c")


def test_host_ports_are_taken_once_a_node():
    ports = {"containers": [container(ports=[{"containerPort": 80, "hostPort": 8080}])]}
    run = Run(node("a"), node("b"), owner("ReplicaSet", "web", replicas=3, template=ports))
    assert sorted(p.spec.nodeName for p in run.pods()) == ["", "a", "b"]


def test_topology_spread_keeps_zones_even():
    """Rule spread-filter."""
    rule = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    nodes = [node("a", labels={"zone": "1"}), node("b", labels={"zone": "1"}), node("c", labels={"zone": "2"}, cpu="0")]
    template = {"topologySpreadConstraints": [rule], "containers": cpu("100m")}
    run = Run(*nodes, owner("ReplicaSet", "web", replicas=3, template=template))
    assert sum(bool(p.spec.nodeName) for p in run.pods()) == 1, "zone 2 has no room, so zone 1 may have one more only"


def test_a_high_priority_pod_preempts_the_least_important():
    classes = [
        {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": value}
        for name, value in (("low", 1), ("middle", 10), ("high", 100))
    ]
    nodes = [node("a", cpu="1"), node("b", cpu="1")]
    run = Run(
        *classes,
        *nodes,
        pod("one", containers=cpu("1"), priorityClassName="middle"),
        pod("two", containers=cpu("1"), priorityClassName="low"),
        steps=[{"at": 10, "create": pod("urgent", containers=cpu("1"), priorityClassName="high")}],
    )
    assert run.when("one", "deleting") is None
    assert run.when("two", "DisruptionTarget=True:PreemptionByScheduler") <= run.when("two", "deleting")
    assert run.node_of("urgent") == run.node_of("two")
    assert run.when("two", "Failed") <= run.when("urgent", "PodScheduled=True:")


def test_a_pod_that_must_not_preempt_waits():
    high = {"kind": "PriorityClass", "metadata": {"name": "high"}, "value": 9, "preemptionPolicy": "Never"}
    run = Run(
        {"apiVersion": "scheduling.k8s.io/v1", **high},
        node("a", cpu="1"),
        pod("one", containers=cpu("1")),
        pod("polite", containers=cpu("1"), priorityClassName="high"),
    )
    # it is first in the queue only if both wait; the one that came first is bound already or gets its turn second
    assert {run.node_of("one"), run.node_of("polite")} == {"", "a"}
    assert run.when("one", "deleting") is None


def test_the_kubelet_refuses_what_was_put_on_its_node_by_name():
    run = Run(
        node("a", cpu="1", labels={"disk": "hdd"}),
        pod("big", containers=cpu("3"), nodeName="a"),
        pod("odd", nodeName="a", nodeSelector={"disk": "ssd"}),
        pod("fine", nodeName="a"),
    )
    last = {s.pod.metadata.name: s.pod.status for s in run.snapshots}
    assert (last["big"].phase, last["big"].reason) == ("Failed", "OutOfcpu")
    assert "requested: 3000, used: 0, capacity: 1000" in last["big"].message
    assert last["big"].containerStatuses == ()
    assert last["odd"].reason == "NodeAffinity"
    assert last["fine"].phase == "Running"


def test_a_gated_pod_is_scheduled_once_its_gate_is_gone():
    run = Run(
        node("a"),
        pod("p", schedulingGates=[{"name": "g"}]),
        steps=[{"at": 9, "patch": "pods/p", "type": "merge", "body": {"spec": {"schedulingGates": None}}}],
    )
    assert run.when("p", "PodScheduled=False:SchedulingGated") == 0
    assert 9 <= run.when("p", "PodScheduled=True:") < 9.1
