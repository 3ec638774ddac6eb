"""What a rolling restart of Deployments costs for each Pod, and how that grows with the cluster.

The whole of it is 1,000 nodes and 10,000 Pods; 1 % and 10 % of it stand beside. Every Pod is made, scheduled, started,
replaced by another and stopped, so that a run of N Pods simulates 2 N. Growth like n log n in Pods would make a Pod
cost as many times more as the logarithms of the numbers say.
"""

import gc
from math import log
from time import process_time

from podfsm.kube.read import documents_of
from podfsm.simulate import prepare
from tests.benchmarks.measure import Row

NODES, PODS, REPLICAS = 1_000, 10_000, 100
"""The whole cluster, and how many Pods a Deployment has."""
SHARES = (100, 10, 1)
"""What the sizes are: one part in so many."""
MINUTES = 5
"""How long the whole may take, in minutes of processor time."""

NODE = """
apiVersion: v1
kind: Node
metadata: {name: n%(number)04d, labels: {kubernetes.io/hostname: n%(number)04d}}
status: {allocatable: {cpu: "8", memory: 32Gi, pods: "110"}}
---
"""
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: d%(number)04d}
spec:
  replicas: %(replicas)d
  selector: {matchLabels: {app: d%(number)04d}}
  template:
    metadata: {labels: {app: d%(number)04d}}
    spec:
      containers:
        - {name: app, image: "example/app:1", resources: {requests: {cpu: 100m, memory: 64Mi}}}
---
"""
SCENARIO = """
apiVersion: podfsm.dev/v1alpha1
kind: Scenario
metadata: {name: rolling-restart}
spec:
  steps:
"""
RESTART = """
    - at: 120s
      patch: deployments/d%(number)04d
      body: {spec: {template: {metadata: {annotations: {kubectl.kubernetes.io/restartedAt: "2026-01-01T00:02:00Z"}}}}}
"""


def cluster(nodes, pods, replicas=REPLICAS):
    """The documents of a cluster whose Deployments are all restarted at 120 s."""
    replicas = min(replicas, pods)
    deployments = [{"number": number, "replicas": replicas} for number in range(pods // replicas)]
    text = "".join(NODE % {"number": number} for number in range(nodes))
    text += "".join(DEPLOYMENT % each for each in deployments)
    return documents_of(text + SCENARIO + "".join(RESTART % each for each in deployments), "bench")


def restart(documents):
    """Seconds of processor time; the collector of cycles is set as `podfsm simulate` sets it."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, 20, 20)
    try:
        start = process_time()
        simulation = prepare(documents, until=900.0)
        gone = sum(snapshot.type == "DELETED" for step in simulation for snapshot in step.snapshots)
        taken = process_time() - start
    finally:
        gc.set_threshold(*before)
    there = sum(pod.exists for pod in simulation.world.pods.values())
    assert gone == there, f"{gone} Pods were replaced, {there} are there"
    return taken


def rows():
    each = {}
    for share in SHARES:
        pods = PODS // share
        each[pods] = restart(cluster(NODES // share, pods)) / pods
    (few, _), *larger = each.items()
    for pods, seconds in larger:
        what = f"rolling restart, {pods:,} Pods on {pods // 10:,} nodes, each Pod"
        yield Row(what, seconds, f"the same with {few:,} Pods", each[few], round(log(pods) / log(few), 2))
        few = pods
    yield Row(f"rolling restart, {few:,} Pods, all of it", each[few] * few, f"{MINUTES} minutes", MINUTES * 60.0, 1)
