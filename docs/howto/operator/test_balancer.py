"""The operator against Pods that live as the kubelet makes them live."""

from pathlib import Path

import pytest
from balancer import GATE, Balancer, crashing, gated, reconcile

WEB = Path(__file__).parent / "web.yaml"
CRASHING = """
apiVersion: v1
kind: Pod
metadata: {name: worker}
spec:
  containers: [{name: app, image: "registry.example/worker:1"}]
---
apiVersion: podfsm.dev/v1alpha1
kind: Scenario
metadata: {name: worker}
spec:
  containers: [{pod: worker, container: app, attempts: [{run: 1s, exit: 1}]}]
"""


def run(simulation, balancer, duration, step=1.0):
    """Let time pass, and have the operator look at every change, as a controller does."""
    end = simulation.clock() + duration
    while simulation.clock() < end:
        simulation.advance(step)
        for event in simulation.watch():
            pod = event["object"]
            if event["type"] == "DELETED":
                balancer.members.discard(pod["metadata"]["name"])
            elif (patch := reconcile(pod, balancer)) is not None:
                simulation.patch(pod["metadata"]["name"], patch, subresource="status")


def ready(pod):
    return next(c["status"] for c in pod["status"]["conditions"] if c["type"] == "Ready")


def test_a_pod_is_registered_before_it_is_ready(pod_simulation):
    balancer = Balancer()
    pod_simulation.apply(WEB)
    run(pod_simulation, balancer, 2)
    assert balancer.members == set()
    assert ready(pod_simulation.pod("web")) == "False"
    run(pod_simulation, balancer, 8)
    assert balancer.members == {"web"}
    assert ready(pod_simulation.pod("web")) == "True"


def test_without_the_operator_the_pod_is_never_ready(pod_simulation):
    pod_simulation.apply(WEB)
    pod_simulation.advance("10m")
    web = pod_simulation.pod("web")
    assert gated(web)
    assert ready(web) == "False"


def test_an_unready_pod_leaves_and_comes_back(pod_simulation):
    balancer = Balancer()
    pod_simulation.apply(WEB)
    run(pod_simulation, balancer, 10)
    pod_simulation.answers("web", "app", "readinessProbe", "failure")
    run(pod_simulation, balancer, 10)
    assert balancer.members == set()
    pod_simulation.answers("web", "app", "readinessProbe", "success")
    run(pod_simulation, balancer, 10)
    assert balancer.members == {"web"}


def test_a_deleted_pod_leaves_while_it_still_runs(pod_simulation):
    balancer = Balancer()
    pod_simulation.apply(WEB)
    run(pod_simulation, balancer, 10)
    pod_simulation.delete("web")
    run(pod_simulation, balancer, 1)
    assert balancer.members == set()
    assert pod_simulation.pod("web")["status"]["containerStatuses"][0]["state"].keys() == {"running"}
    run(pod_simulation, balancer, 10)
    assert pod_simulation.read("web") is None


def test_what_crashes_is_reported_once(pod_simulation, virtual_clock):
    balancer, reports = Balancer(), []
    pod_simulation.apply(CRASHING)
    while virtual_clock() < 600:
        virtual_clock.advance("5s")
        for event in pod_simulation.watch():
            reports += [(virtual_clock(), name) for name in crashing(event["object"], balancer)]
    assert [name for _, name in reports] == ["app"]
    # Restarts come at once, after 10 and after 20 seconds: the third cannot be earlier than that.
    assert reports[0][0] > 30


@pytest.mark.podfsm(kubernetes="1.29", timing="ideal")
def test_older_clusters_are_no_different(pod_simulation):
    balancer = Balancer()
    pod_simulation.apply(WEB)
    run(pod_simulation, balancer, 10)
    assert balancer.members == {"web"}


def test_the_operator_keeps_to_the_lifecycle(pod_simulation, assert_trace_conforms):
    balancer = Balancer()
    pod_simulation.apply(WEB)
    run(pod_simulation, balancer, 12)
    pod_simulation.delete("web")
    run(pod_simulation, balancer, 12)
    assert GATE in str(pod_simulation.seen)
    assert_trace_conforms(pod_simulation)
