"""The machines around Pods move with what happens: nodes, Jobs, evictions, scheduling, resizes."""

import json

from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import writer
from tests.world.cluster.runs import Run, budget, node, owner, pod
from tests.world.runs import DATA, EXAMPLES


def ways(run, machine, whose=""):
    """(from, to) of each transition of a machine, of one instance if it is named."""
    fired = [one for step in run.steps for one in step.fired if one.machine == machine]
    return [(one.source, one.dest) for one in fired if whose in ("", one.pod, one.instance)]


def test_a_node_is_lost_and_found():
    steps = [{"at": 10, "kubelet": "stop", "node": "a"}, {"at": 90, "kubelet": "start", "node": "a"}]
    run = Run(node("a"), node("b"), pod("p"), steps=steps)
    assert ways(run, "node", "a") == [("Ready", "Unreachable"), ("Unreachable", "Ready")]
    assert ways(run, "node", "b") == []
    lost = next(one for step in run.steps for one in step.fired if one.machine == "node")
    assert {"node-silent", "node-grace-50s"} <= set(lost.rules)


def test_a_node_of_the_same_name_begins_anew():
    steps = [{"at": 5, "delete": "nodes/a"}, {"at": 10, "create": node("a")}, {"at": 15, "delete": "nodes/a"}]
    run = Run(node("a"), node("b"), pod("p"), steps=steps)
    assert ways(run, "node", "a") == [("Ready", "Gone"), ("Ready", "Gone")]


def test_what_a_user_writes_into_a_nodes_status_counts():
    said = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    run = Run(node("a"), pod("p"), steps=[{"at": 5, "patch": "nodes/a/status", "type": "merge", "body": said}])
    assert ways(run, "node", "a") == [("Ready", "Unreachable")]


def test_a_jobs_status_that_makes_no_sense_is_noted():
    body = {"status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    job = owner("Job", "j", template={"restartPolicy": "Never"})
    run = Run(job, steps=[{"at": 5, "patch": "jobs/j/status", "type": "merge", "body": body}])
    assert ways(run, "job") == []
    assert ["complete is refused" in note for note in run.notes] == [True]


def test_a_refused_eviction_moves_nothing_but_the_machine():
    run = Run(pod("p", labels={"app": "web"}), budget(minAvailable=1), steps=[{"at": 5, "evict": "pods/p"}])
    assert ways(run, "eviction", "default/p") == [("Safe", "Refused")]
    assert run.when("p", "deleting") is None


def test_a_pod_alone_is_scheduled_too():
    run = Run(pod("p"))
    assert ways(run, "scheduling", "default/p") == [("New", "Waiting"), ("Waiting", "Bound")]


def shown(path, **options):
    return list(writer("timeline")(prepare(read_documents(path), **options), False))


def test_the_timeline_tells_of_nodes_and_jobs():
    lines = [" ".join(line.split()) for line in shown(DATA / "scenarios/nodes.yaml")]
    assert "61.500 node-b Node Unreachable node-silent, node-grace-50s, node-pods-unready +1" in lines
    lines = [" ".join(line.split()) for line in shown(DATA / "scenarios/jobs.yaml")]
    assert "default/done Job Complete job-ends-after-its-pods" in lines


def test_a_created_pod_names_the_rules_of_its_presets():
    path = next(path for path in EXAMPLES if path.stem == "pod-preset")
    [line] = writer("json")(prepare(read_documents(path)), False)
    created = {c["pod"]: c["rules"] for c in json.loads(line)["changes"] if c["text"].startswith("created")}
    assert "preset-conflict-all-or-nothing" in created["default/own-level"]
    assert "preset-scope" in created["default/excluded"]
    assert any("preset-injects" in rules for rules in created.values())
