"""`check` finds nothing in what `simulate -o watch` prints, whatever is simulated: Pods alone and whole clusters."""

import io
from pathlib import Path

import pytest

from podfsm.check import Checker
from podfsm.check.readers import Trouble, read_stream
from podfsm.kube.read import read_documents
from podfsm.simulate import prepare
from podfsm.simulate.output import watch
from tests.shared.beside import BESIDE, files

ROOT = Path(__file__).resolve().parents[2]
OWN = sorted(
    path
    for pattern in ("specs/examples/*.yaml", "tests/data/scenarios/*.yaml", "tests/data/traces/*.scenario.yaml")
    for path in ROOT.glob(pattern)
)
LEFT_OUT = {
    "statefulset": "a kind that is not simulated",
    "node-deleted": "a user writes the status of a Pod that is not bound, and check says so",
    "node-lost-forever": "a user writes the status of a Pod that is not bound, and check says so",
}
RECORDED = [
    path for path in files("traces/*/*.scenario.yaml") if path.name.removesuffix(".scenario.yaml") not in LEFT_OUT
]


def findings(documents):
    """What `check` says of a simulation's watch, read back from its text."""
    simulation = prepare(documents)
    text = "\n".join(watch(simulation, True)).encode()
    checker = Checker(simulation.model.gates)
    found = []
    for one in read_stream(io.BytesIO(text), "watch"):
        assert not isinstance(one, Trouble), one
        found.extend(checker.see(one))
    assert text
    return [str(each) for each in found]


@pytest.mark.parametrize("path", OWN, ids=[path.name for path in OWN])
def test_nothing_is_found_in_a_scenario_of_ours(path):
    assert findings(read_documents(path)) == []


@pytest.mark.parametrize("path", RECORDED, ids=[f"{path.parent.name}/{path.name}" for path in RECORDED])
def test_nothing_is_found_in_a_scenario_that_was_recorded(path):
    nodes = read_documents(BESIDE / "traces/nodes.yaml") if path.parent.name == "cluster" else []
    assert findings([*nodes, *read_documents(path)]) == []


NODES = """\
apiVersion: v1
kind: Node
metadata: {name: a, labels: {kubernetes.io/hostname: a}}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "20"}}
---
apiVersion: v1
kind: Node
metadata: {name: b, labels: {kubernetes.io/hostname: b}}
status: {allocatable: {cpu: "4", memory: 8Gi, pods: "20"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "example/app:1"}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: podfsm.dev/v1alpha1
kind: Scenario
metadata: {name: steps}
spec:
  duration: 15m
  steps:
"""
TAINTS = "spec: {taints: [{key: k, effect: NoExecute}]}"
STEPS = {
    "drain": ["at: 10s, patch: nodes/a, body: {spec: {unschedulable: true}}", 'at: 11s, evict: "pods/*"'],
    "taint": [f"at: 10s, patch: nodes/a, body: {{{TAINTS}}}"],
    "kubelet stops for good": ["at: 10s, kubelet: stop, node: a"],
    "kubelet starts again": ["at: 10s, kubelet: stop, node: a", "at: 100s, kubelet: start, node: a"],
    "kubelet starts after the eviction": ["at: 10s, kubelet: stop, node: a", "at: 500s, kubelet: start, node: a"],
    "node deleted": ["at: 10s, delete: nodes/a"],
    "network down": ["at: 10s, network: down, node: a", "at: 100s, network: up, node: a"],
    "scale": [
        "at: 10s, patch: deployments/web/scale, body: {spec: {replicas: 6}}",
        "at: 20s, patch: deployments/web, body: {spec: {replicas: 0}}",
    ],
    "image": [
        "at: 10s, patch: deployments/web, body: {spec: {template: {spec: {containers: [{name: app, image: b}]}}}}"
    ],
    "delete owner": ["at: 10s, delete: deployments/web, propagationPolicy: Foreground"],
    "orphans": ["at: 10s, delete: deployments/web, propagationPolicy: Orphan"],
}


@pytest.mark.parametrize("name", STEPS)
def test_nothing_is_found_after_a_step_in_a_cluster(name, tmp_path):
    path = tmp_path / "steps.yaml"
    path.write_text(NODES + "".join(f"  - {{{step}}}\n" for step in STEPS[name]))
    assert findings(read_documents(path)) == []
