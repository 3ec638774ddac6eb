"""Whatever a Pod may do, `check` finds nothing in it: every behaviour with one deviation, of Pods of many parts."""

from datetime import timedelta

import pytest

from podfsm.check import Observation
from podfsm.explore import KINDS, Bounds, explore
from podfsm.kube.read import documents_of
from podfsm.kube.times import EPOCH
from tests.check.traces import findings

HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n"
PODS = {
    "sidecar, hooks and probes": """
  terminationGracePeriodSeconds: 3
  initContainers:
    - name: log
      image: example/log:1
      restartPolicy: Always
      startupProbe: {exec: {command: [x]}, periodSeconds: 1, failureThreshold: 3}
    - {name: setup, image: "example/setup:1"}
  containers:
    - name: app
      image: example/app:1
      lifecycle: {postStart: {exec: {command: [x]}}, preStop: {sleep: {seconds: 1}}}
      readinessProbe: {exec: {command: [x]}, periodSeconds: 2}
""",
    "restart rules and a deadline": """
  restartPolicy: OnFailure
  activeDeadlineSeconds: 20
  initContainers:
    - {name: setup, image: "example/setup:1"}
  containers:
    - name: app
      image: example/app:1
      restartPolicy: Never
      restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]
    - {name: web, image: "example/app:1", livenessProbe: {exec: {command: [x]}, periodSeconds: 2, failureThreshold: 1}}
""",
    "all containers restart": """
  restartPolicy: Never
  initContainers:
    - {name: side, image: "example/log:1", restartPolicy: Always}
    - {name: setup, image: "example/setup:1"}
  containers:
    - name: app
      image: example/app:1
      restartPolicy: Never
      restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [42]}}]
    - {name: web, image: "example/app:1"}
""",
}


@pytest.mark.parametrize(
    ("name", "kubernetes"), [*((name, "1.36") for name in PODS), ("sidecar, hooks and probes", "1.33")]
)
def test_nothing_is_found_in_what_a_pod_may_do(name, kubernetes):
    doubts = []

    def look(behaviour, history):
        watched = [Observation(one.type, one.pod, at=EPOCH + timedelta(seconds=one.at)) for one in history.seen]
        doubts.extend((str(behaviour), one.rule, one.seen) for one in findings(watched, kubernetes))

    bounds = Bounds(deviations=1, attempts=2, duration=60.0)
    found = explore(
        documents_of(HEAD + PODS[name]), kinds=tuple(KINDS), bounds=bounds, kubernetes=kubernetes, each=look
    )
    assert found.complete
    assert found.wrong == []
    assert doubts == []
