"""Findings in manifests: refusals with their places, advice with its times, and silence where all is well."""

import pytest

from podfsm.kube.read import documents_of
from podfsm.lint import LINTED, lint
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for

NOW = gates_for()
QUIET = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: app
        image: web
        ports: [{containerPort: 80}]
        startupProbe: {httpGet: {port: 80}, failureThreshold: 30}
        livenessProbe: {httpGet: {port: 80}, failureThreshold: 6}
        readinessProbe: {httpGet: {port: 80}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {maxUnavailable: 1, selector: {matchLabels: {app: web}}}
"""
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
  - name: app
    image: web
"""


def found(text, gates=NOW):
    return lint(documents_of(text, "x.yaml"), gates)


def rules(text, gates=NOW):
    return [each.rule for each in found(text, gates)]


def test_nothing_to_say_of_a_sound_manifest():
    assert found(QUIET) == []


def test_places_are_lines_of_the_manifest():
    (problem, _) = found(POD.replace("image: web", "image: 'web '"))
    assert str(problem.place) == "x.yaml:7:5: Pod/p: spec.containers[0].image"
    assert (problem.severity, problem.type, problem.rule) == ("error", "Invalid", "valid-fields")


def test_every_finding_names_a_rule_that_exists():
    messy = POD + "  tolerationz: []\n  restartPolicy: Maybe\n  readinessGates: [{conditionType: a b}]\n"
    known = all_rules()
    assert {each.rule for each in found(messy)} <= {rule.id for rule in known}
    assert all(each.authority for each in found(messy))


def test_unknown_fields_are_refused_with_the_nearest_name():
    (problem, _) = found(POD.replace("image: web", "image: web\n    livenesProbe: {}"))
    assert problem.rule == "known-fields"
    assert problem.why.endswith("did you mean livenessProbe?")


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ("  terminationGracePeriodSeconds: 0\n", "advice-no-grace"),
        ("  initContainers: [{name: i, image: i}]\n", "advice-init-deadline"),
        ("  readinessGates: [{conditionType: a/b}]\n", "advice-readiness-gate"),
        (
            "  topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway}]\n",
            "advice-spread-self",
        ),
        ("    ports: [{containerPort: 80}]\n", "advice-readiness-probe"),
        ("    livenessProbe: {exec: {command: [x]}}\n", "advice-startup-probe"),
        (
            "    livenessProbe: {exec: {command: [x]}}\n    readinessProbe: {exec: {command: [x]}}\n",
            "advice-liveness-after-readiness",
        ),
        ("    readinessProbe: {exec: {command: [x]}, timeoutSeconds: 60}\n", "advice-probe-timeout"),
        ("    lifecycle: {preStop: {sleep: {seconds: 30}}}\n", "advice-prestop-sleep"),
        (
            "    livenessProbe: {exec: {command: [x]}}\n  terminationGracePeriodSeconds: 900\n",
            "advice-liveness-grace",
        ),
        (
            "    startupProbe: {exec: {command: [x]}}\n  activeDeadlineSeconds: 9\n",
            "advice-startup-deadline",
        ),
    ],
)
def test_advice_on_pods(more, rule):
    assert rule in rules(POD + more)
    assert rule not in rules(POD)


def test_a_pod_of_a_controller_is_not_bare():
    assert rules(POD) == ["advice-bare-pod"]
    owner = "ownerReferences: [{apiVersion: v1, kind: ReplicaSet, name: r, uid: u, controller: true}]"
    assert rules(POD.replace("{name: p}", f"{{name: p, {owner}}}")) == ["advice-unknown-owner"]


def test_sidecars_of_old_versions():
    text = POD + "  initContainers: [{name: log, image: l, restartPolicy: Always}]\n"
    assert "advice-sidecar-too-new" in rules(text, gates_for("1.27"))
    assert "advice-sidecar-too-new" not in rules(text)


def budget(spec, replicas=3):
    return QUIET.replace("replicas: 3", f"replicas: {replicas}").replace("maxUnavailable: 1", spec)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("maxUnavailable: 0", ["advice-pdb-stuck"]),
        ("minAvailable: 3", ["advice-pdb-stuck"]),
        ("minAvailable: 90%", ["advice-pdb-stuck"]),
        ("minAvailable: 2", []),
        ("minAvailable: 1, maxUnavailable: 1", ["pdb-fields"]),
    ],
)
def test_budgets(spec, expected):
    assert rules(budget(spec)) == expected


def test_a_budget_for_nobody():
    assert rules(QUIET.replace("selector: {matchLabels: {app: web}}}", "selector: {matchLabels: {app: db}}}")) == [
        "advice-pdb-unmatched"
    ]


def job(kind="Job", policy="Never", **more):
    template = f"template: {{spec: {{restartPolicy: {policy}, containers: [{{name: c, image: i}}]}}}}"
    spec = ", ".join([template, *(f"{key}: {value}" for key, value in more.items())])
    if kind == "CronJob":
        spec = f"schedule: '* * * * *', jobTemplate: {{spec: {{{spec}}}}}"
    return f"{{apiVersion: batch/v1, kind: {kind}, metadata: {{name: j}}, spec: {{{spec}}}}}"


def test_jobs():
    assert rules(job(ttlSecondsAfterFinished=60)) == []
    assert rules(job()) == ["advice-job-ttl"]
    assert rules(job(policy="OnFailure", ttlSecondsAfterFinished=60)) == ["advice-job-logs"]
    assert rules(job("CronJob")) == []
    (problem, *_) = found(job("CronJob", policy="Always"))
    assert problem.rule == "ctl-job-policy"
    assert problem.place.path == "spec.jobTemplate.spec.template.spec.restartPolicy"


def test_sets_that_deployments_make_better():
    assert rules(QUIET.replace("Deployment", "ReplicaSet")) == ["advice-use-deployment"]


@pytest.mark.parametrize(("version", "expected"), [("1.19", []), ("1.20", ["preset-removed"])])
def test_presets_are_gone(version, expected):
    text = "{apiVersion: settings.k8s.io/v1alpha1, kind: PodPreset, metadata: {name: p}}"
    assert rules(text, gates_for(version)) == expected


def test_other_kinds_are_passed_over():
    assert "ConfigMap" not in LINTED
    assert found("{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}") == []


def test_a_service_that_the_api_server_refuses():
    """Rule service-valid."""
    text = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  type: Internal\n  ports:\n  - {port: 0}\n"
    found = lint(documents_of(text, "m.yaml"), NOW)
    assert [(each.rule, each.place.line) for each in found] == [("service-valid", 5), ("service-valid", 7)]
    assert lint(documents_of(text.replace("Internal", "NodePort").replace("0", "80"), "m.yaml"), NOW) == []


def test_a_second_object_of_a_name_is_remarked_on():
    elsewhere = POD.replace("{name: p}", "{name: p, namespace: other}")
    generated = POD.replace("{name: p}", "{generateName: p-}")
    given = f"{POD}---\n{elsewhere}---\n{POD}---\n{generated}---\n{generated}"
    told = [each for each in found(given) if each.severity != "note"]
    assert [(each.rule, each.place.path) for each in told] == [("advice-same-name", "metadata.name")]
    assert "x.yaml:1" in str(told[0])
