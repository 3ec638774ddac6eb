"""Objects that the API server would refuse, and those that name what is not there: each says so, with its place."""

import pytest

from podfsm.errors import InputError, NotModelled
from podfsm.kube.read import documents_of
from podfsm.lint import lint, references
from podfsm.rules.gates import gates_for
from podfsm.simulate import simulate

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: web}%s}
spec: {containers: [{name: app, image: a}]%s}
---
apiVersion: v1
kind: Node
metadata: {name: a}
---
"""
OWNER = """\
apiVersion: apps/v1
kind: %s
metadata: {name: %s}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: %s}}
    spec: {containers: [{name: app, image: a}]%s}
  %s
---
"""
JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: j}
spec:
  %s
  template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}
---
"""
PRIORITY = """\
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: high}
value: 10
---
"""
BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: %s}
spec: {%s, selector: {matchLabels: {app: web}}}
---
"""
STEP = """\
apiVersion: podfsm.dev/v1alpha1
kind: Scenario
metadata: {name: s}
spec:
  steps:
  - {at: 1s, %s}
"""


def owner(kind="Deployment", name="web", labels="web", pod="", more=""):
    return OWNER % (kind, name, labels, pod, more)


_INDEXED = "completionMode: Indexed\n  completions: 3\n  "
REFUSED = {
    "selector and template apart": (owner(labels="other"), "template.metadata.labels.*does not match"),
    "a set whose selector misses": (owner("ReplicaSet", labels="other"), "template.metadata.labels.*does not match"),
    "no replicas below none": (owner(more="replicas: -1"), "spec.replicas.*negative"),
    "text for a number": (owner(more="replicas: three"), "spec.replicas: wrong type"),
    "nothing may move": (
        owner(more="strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"),
        "maxUnavailable.*nothing could move",
    ),
    "text for a surge": (owner(more="strategy: {rollingUpdate: {maxSurge: many}}"), "maxSurge"),
    "a strategy that is none": (owner(more="strategy: {type: Rolling}"), "strategy.type"),
    "Pods that end": (owner(pod=", restartPolicy: Never"), "restartPolicy.*Always"),
    "twice the same": (owner() + owner(), "second Deployment of this name"),
    "twice the same node": (POD % ("", "") + POD.split("---\n")[1], "second Node of this name"),
    "both limits": (POD % ("", "") + BUDGET % ("b", "minAvailable: 1, maxUnavailable: 1"), "not both"),
    "a negative budget": (POD % ("", "") + BUDGET % ("b", "minAvailable: -1"), "from 0 on"),
    "more than all": (POD % ("", "") + BUDGET % ("b", "maxUnavailable: 200%"), "up to 100%"),
    "indexes that are none": (
        JOB % 'completionMode: Indexed\n  completions: 3\n  successPolicy: {rules: [{succeededIndexes: "0-x"}]}',
        "succeededIndexes",
    ),
    "an index beyond": (
        JOB % 'completionMode: Indexed\n  completions: 3\n  successPolicy: {rules: [{succeededIndexes: "3"}]}',
        "succeededIndexes.*below completions",
    ),
    "a success policy without rules": (JOB % (_INDEXED + "successPolicy: {rules: []}"), "successPolicy.rules"),
    "a success rule that asks nothing": (JOB % (_INDEXED + "successPolicy: {rules: [{}]}"), "rules.0.*neither"),
    "more successes than indexes": (
        JOB % (_INDEXED + 'successPolicy: {rules: [{succeededIndexes: "0-1", succeededCount: 3}]}'),
        "succeededCount.*0 to 2",
    ),
    "more lost indexes than there are": (
        JOB % (_INDEXED + "backoffLimitPerIndex: 1\n  maxFailedIndexes: 4"),
        "maxFailedIndexes.*not exceed completions",
    ),
    "lost indexes without any": (
        JOB % "backoffLimit: 1\n  maxFailedIndexes: 4",
        "backoffLimitPerIndex.*maxFailedIndexes needs it",
    ),
    "too many at once": (JOB % (_INDEXED + "parallelism: 100001"), "spec.parallelism.*100000 at most"),
    "a manager without a domain": (JOB % "managedBy: me", "spec.managedBy.*domain"),
    "completions below none": (JOB % "completions: -1", "spec.completions.*negative"),
    "affinity without a domain": (
        POD % ("", ", affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{}]}}"),
        "topologyKey",
    ),
    "affinity of the wrong shape": (
        POD % ("", ", affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [a]}}"),
        "nodeAffinity.*expected an object",
    ),
    "a DaemonSet that is recreated": (
        owner("DaemonSet", more="updateStrategy: {type: Recreate}"),
        "updateStrategy.type",
    ),
    "a DaemonSet with both": (
        owner("DaemonSet", more="updateStrategy: {rollingUpdate: {maxSurge: 1}}"),
        "updateStrategy.rollingUpdate.maxSurge.*must be 0",
    ),
    "a DaemonSet with neither": (
        owner("DaemonSet", more="updateStrategy: {rollingUpdate: {maxUnavailable: 0}}"),
        "updateStrategy.rollingUpdate.maxUnavailable.*nothing could move",
    ),
    "a priority that is text": (
        POD % ("", "") + "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: x}\nvalue: high\n",
        "value.*integer",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_api_server_refuses_is_refused(name):
    text, says = REFUSED[name]
    with pytest.raises(InputError, match=says) as refused:
        simulate(documents_of(text, "bad.yaml"))
    assert str(refused.value).startswith("bad.yaml:")


STEPS = {
    "patch: deployments/web, body: {spec: {replicas: x}}": "spec.replicas: wrong type",
    "patch: deployments/web, body: {spec: {replicas: -4}}": "spec.replicas: must not be negative",
    "patch: deployments/web, body: {spec: {selector: {matchLabels: {app: z}}}}": "spec.selector: cannot be changed",
    "patch: deployments/web, body: {spec: {template: {spec: {containers: null}}}}": "at least one container",
    "patch: nodes/a, body: {spec: {taints: [{key: k, effect: Sometimes}]}}": "spec.taints.*effect",
    "patch: deployments/web, body: {metadata: {name: x}}": "metadata.name: cannot be changed",
    "patch: priorityclasses/high, body: {value: 5}": "value: cannot be changed",
    "patch: jobs/j, body: {spec: {completions: 2}}": "spec.completions: cannot be changed",
    "patch: jobs/j, body: {spec: {completionMode: Indexed}}": "spec.completionMode: cannot be changed",
    "patch: jobs/j, body: {spec: {managedBy: example.com/x}}": "spec.managedBy: cannot be changed",
    "patch: jobs/j, body: {spec: {template: {spec: {containers: [{name: a, image: b}]}}}}": "spec.template: cannot be",
    "evict: nodes/a": "only Pods can be evicted",
    "kubelet: stop, node: b": "no Node of this name",
}


@pytest.mark.parametrize("step", STEPS)
def test_what_the_api_server_refuses_in_a_step_is_refused(step):
    with pytest.raises(InputError, match=STEPS[step]) as refused:
        simulate(documents_of(POD % ("", "") + owner() + JOB % "" + PRIORITY + STEP % step, "bad.yaml"))
    assert "spec.steps[0]" in str(refused.value)


def test_what_has_gone_by_itself_does_not_end_the_run():
    job = JOB % "ttlSecondsAfterFinished: 0"
    steps = "".join(
        f"  - {{at: {at}s, {step}}}\n"
        for at, step in (
            (30, "patch: jobs/j, body: {spec: {suspend: true}}"),
            (31, "delete: jobs/j"),
            (32, "delete: nodes/a"),
            (33, "kubelet: stop, node: a"),
            (34, 'evict: "pods[0]"'),
        )
    )
    node = POD.split("---\n")[1]
    containers = "  containers: [{container: a, attempts: [{run: 1s}]}]\n"
    scenario = STEP.rpartition("  steps")[0] + containers + "  steps:\n" + steps
    run = simulate(documents_of(f"{node}---\n{job}{scenario}", "m.yaml"))
    assert [note.split(": ", 1)[1] for note in run.notes] == [
        "patch of jobs/j, which is gone",
        "delete of jobs/j, which is gone",
        "kubelet of nodes/a, which is gone",
        "evict of pods[0], which is gone",
    ]


def test_a_patch_is_judged_by_the_version_that_judged_the_creation():
    sidecar = ", initContainers: [{name: s, image: a, restartPolicy: Always, readinessProbe: {tcpSocket: {port: 1}}}]"
    text = (
        POD % ("", "") + owner("ReplicaSet", pod=sidecar) + STEP % "patch: replicasets/web, body: {spec: {replicas: 2}}"
    )
    assert not simulate(documents_of(text, "m.yaml"), kubernetes="1.27", until=30).notes


@pytest.mark.parametrize("kind", ["StatefulSet", "CronJob"])
def test_what_is_not_modelled_says_so(kind):
    with pytest.raises(NotModelled, match=f"{kind} is not simulated; expected Pod"):
        simulate(documents_of(owner(kind), "bad.yaml"))


OWNED = ", ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: gone, uid: u, controller: true}]"
REMARKS = {
    "advice-unknown-priority": POD % ("", ", priorityClassName: high"),
    "advice-unknown-node": POD % ("", ", nodeName: ghost"),
    "advice-unknown-owner": POD % (OWNED, ""),
    "advice-shared-pods": owner() + owner(name="other"),
    "advice-two-budgets": POD % ("", "") + BUDGET % ("b", "maxUnavailable: 1") + BUDGET % ("c", "minAvailable: 0"),
    "advice-pdb-unmatched": owner(labels="other").replace("matchLabels: {app: web}", "matchLabels: {app: other}")
    + BUDGET % ("b", "maxUnavailable: 1"),
}


@pytest.mark.parametrize("rule", REMARKS)
def test_what_is_missing_or_claimed_twice_is_remarked_on_and_simulated(rule):
    documents = documents_of(REMARKS[rule], "odd.yaml")
    assert rule in {each.rule for each in lint(documents, gates_for())}
    assert simulate(documents, until=100.0).snapshots


def test_nothing_is_said_of_what_is_there():
    text = POD % ("", ", priorityClassName: high, nodeName: a") + owner() + BUDGET % ("b", "maxUnavailable: 1")
    known = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 7\n"
    assert not list(references(documents_of(text + known, "fine.yaml")))
