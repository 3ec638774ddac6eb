"""Scenarios that cannot be carried out: one located complaint for each, before anything is printed."""

import pytest

from tests.cli.manifests import DEPLOYMENT, HEAD, container, scenario, step

NOT_SCENARIOS = {
    "two": (scenario("{}") + "---\n" + HEAD, "a second Scenario"),
    "version": (scenario("{}").replace("v1alpha1", "v1"), "expected podfsm.dev/v1alpha1, found podfsm.dev/v1"),
    "unknown key": (scenario("{durations: 1m}"), "m.yaml:9:8: spec.durations: unknown key; did you mean duration?"),
    "unknown key of an attempt": (
        container("attempts: [{runs: 3s}]"),
        "attempts[0].runs: unknown key; did you mean run?",
    ),
    "unknown key of a window": (
        container("readinessProbe: [{form: 3s}]"),
        "readinessProbe[0].form: unknown key; did you mean from?",
    ),
    "unknown key of an image": (
        scenario("{images: {'example/app:1': {eror: NotFound}}}"),
        "eror: unknown key; did you mean error?",
    ),
    "unknown key of a sandbox": (
        scenario("{pods: [{pod: web, sandbox: {dieAfter: 3s}}]}"),
        "dieAfter: unknown key; did you mean diesAfter?",
    ),
    "unknown key of a step": (
        step("delete: pods/web, gracePeriod: 3"),
        "gracePeriod: unknown key; did you mean gracePeriodSeconds?",
    ),
    "key of another action": (step("delete: pods/web, body: {}"), "steps[0].body: unknown key"),
    "no such container": (
        scenario("{containers: [{container: ap}]}"),
        "no container of this name, found 'ap'; did you mean app?",
    ),
    "no such Pod": (
        scenario("{containers: [{pod: wbe, container: app}]}"),
        "no Pod of this name, found 'wbe'; did you mean web?",
    ),
    "no such Pod for a sandbox": (
        scenario("{pods: [{pod: wbe, sandbox: {}}]}"),
        "m.yaml:9:16: spec.pods[0].pod: no Pod of this name",
    ),
    "no such image": (scenario("{images: {'example/ap:1': {absent: true}}}"), "did you mean example/app:1?"),
    "no container named": (
        scenario("{containers: [{attempts: []}]}"),
        "no container; expected the name of a container",
    ),
    "negative time": (step("delete: pods/web").replace("1s", "-1s"), "steps[0].at: a negative duration"),
    "negative run": (container("attempts: [{run: -3s}]"), "attempts[0].run: a negative duration"),
    "negative grace": (step("delete: pods/web, gracePeriodSeconds: -7"), "gracePeriodSeconds: wrong value"),
    "number for a duration": (
        container("attempts: [{run: 3}]"),
        "not a duration; expected a duration such as 300ms, 10s or 1h30m, or forever, found the number 3; 3s?",
    ),
    "endless duration": (scenario("{duration: forever}"), "spec.duration: not a duration"),
    "ages": (scenario("{duration: 99999999h}"), "a duration too long"),
    "exit code": (
        container("attempts: [{exit: 256}]"),
        "exit: wrong value; expected a whole number from 0 to 255, found the number 256",
    ),
    "exit code in words": (container("attempts: [{exit: one}]"), "exit: wrong value"),
    "exit code true": (container("attempts: [{exit: true}]"), "exit: wrong value"),
    "result": (
        container("readinessProbe: [{result: fail}]"),
        "expected success, failure, error, found 'fail'; did you mean failure?",
    ),
    "image error": (
        scenario("{images: {'example/app:1': {error: NotThere}}}"),
        "expected NotFound, Unauthorized, Unavailable, found 'NotThere'",
    ),
    "mapping for a list": (
        scenario("{containers: {container: app}}"),
        "m.yaml:9:8: spec.containers: wrong type; expected a list, found an object",
    ),
    "list for a mapping": (scenario("{images: [a]}"), "spec.images: wrong type; expected an object, found a list"),
    "number for a mapping": (container("attempts: [{stop: 3}]"), "attempts[0].stop: wrong type"),
    "text for a flag": (
        scenario("{images: {'example/app:1': {absent: 'yes'}}}"),
        "absent: wrong type; expected true or false",
    ),
    "number for a name": (scenario("{containers: [{container: 3}]}"), "container: wrong type; expected text"),
    "spec a list": (scenario("[]"), "m.yaml:9:1: spec: wrong type"),
    "version a number": (scenario("{kubernetes: 1.30}"), "found the number 1.3; put it in quotes"),
    "version unknown": (
        scenario("{kubernetes: '1.99'}"),
        "m.yaml:9:8: spec.kubernetes: Kubernetes version not modelled; expected 1.18 to 1.36",
    ),
    "version a word": (scenario("{kubernetes: latest}"), "spec.kubernetes: not a version"),
    "gate unknown": (
        scenario("{featureGates: {SidecarContainer: true}}"),
        "no feature gate of this name, found 'SidecarContainer'; did you mean SidecarContainers?",
    ),
    "gate no flag": (scenario("{featureGates: {SidecarContainers: 3}}"), "spec.featureGates: wrong type"),
    "gates a list": (scenario("{featureGates: [SidecarContainers]}"), "spec.featureGates: wrong type"),
}

NOT_STEPS = {
    "nothing": (scenario("{steps: [{at: 1s}]}"), "exactly one of create, delete, patch"),
    "two": (step("delete: pods/web, evict: pods/web"), "found delete, evict"),
    "misspelt": (step("delet: pods/web"), "found at, delet; did you mean delete?"),
    "a namespace in the target": (
        step("delete: pods/default/web"),
        "nothing to delete of this name, found 'web'; pods/web? a target names no namespace",
    ),
    "scale of what has none": (step("patch: nodes/node-1/scale, body: {spec: {replicas: 3}}"), "known: status"),
    "metadata no object": (
        step("create: {apiVersion: v1, kind: ConfigMap, metadata: [x]}"),
        "create.metadata: wrong type",
    ),
    "created without a name": (step("create: {apiVersion: v1, kind: Pod, metadata: null}"), "a Pod without a name"),
    "created under another version": (
        step("create: {apiVersion: v2, kind: ConfigMap, metadata: {name: c}}"),
        "no ConfigMap in 'v2'; write v1",
    ),
    "no list": (scenario("{steps: 3}"), "spec.steps: wrong type"),
    "no target": (step("delete: web"), "m.yaml:9:25: spec.steps[0].delete: not a target"),
    "no such Pod": (
        step("delete: pods/wbe"),
        "spec.steps[0].delete: no Pod of this name, found 'pods/wbe'; did you mean web?",
    ),
    "no such Pod to patch": (step("patch: pods/wbe/status, body: {}"), "no Pod of this name"),
    "no such number": (step('delete: "pods[7]"'), "no Pod of this number; expected less than 1"),
    "no such resource": (step("delete: pod/web"), "pod cannot be acted on, found 'pod/web'; did you mean pods?"),
    "no such node": (step("kubelet: stop, node: a"), "steps[0].node: no Node of this name, found 'a'; known: node-1"),
    "kubelet": (
        step("kubelet: restart, node: node-1"),
        "no such state of a kubelet, found 'restart'; did you mean start?",
    ),
    "no such subresource": (step("patch: pods/web/stauts, body: {}"), "found 'stauts'; did you mean status?"),
    "created later": (
        scenario(
            "{steps: [{at: 1s, delete: pods/b}, {at: 2s, create: {apiVersion: v1, kind: Pod, metadata: {name: b},"
            " spec: {containers: [{name: c, image: d}]}}}]}"
        ),
        "no Pod of this name",
    ),
    "created wrongly": (
        step("create: {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: 3}}"),
        "m.yaml:9:89: spec.containers: wrong type",
    ),
    "created without image": (
        step("create: {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: a}]}}"),
        "refused by the API server",
    ),
    "created of no kind": (step("create: {metadata: {name: b}}"), "m.yaml:9"),
    "created of another kind": (
        step("create: {apiVersion: v1, kind: Ingress, metadata: {name: b}}"),
        "Ingress is not simulated",
    ),
    "created a number": (step("create: 3"), "steps[0].create: wrong type"),
    "no body": (step("patch: pods/web"), "no body; expected the patch"),
    "body a number": (
        step("patch: pods/web, body: 3"),
        "steps[0].body: wrong type; expected an object, found the number 3",
    ),
    "body no operations": (step("patch: pods/web, type: json, body: {}"), "expected a list of operations"),
    "type": (step("patch: pods/web, type: stratgic, body: {}"), "did you mean strategic?"),
    "body of wrong type": (
        step("patch: pods/web, body: {spec: {containers: 3}}"),
        "steps[0].patch: refused by the API server",
    ),
    "immutable": (step("patch: pods/web, body: {spec: {restartPolicy: Never}}"), "update-spec-immutable"),
    "another name": (
        step("patch: pods/web, type: merge, body: {metadata: {name: other}}"),
        "update-metadata-immutable",
    ),
    "a longer deadline": (
        scenario(
            "{steps: [{at: 1s, patch: pods/web, body: {spec: {activeDeadlineSeconds: 5}}},"
            " {at: 2s, patch: pods/web, body: {spec: {activeDeadlineSeconds: 9}}}]}"
        ),
        "m.yaml:9:94: spec.steps[1].patch: refused",
    ),
    "ephemeral without its way": (
        step("patch: pods/web, body: {spec: {ephemeralContainers: [{name: e, image: f}]}}"),
        "ephemeralcontainers",
    ),
}


def table(cases):
    return pytest.mark.parametrize(("text", "complaint"), cases.values(), ids=cases.keys())


@table(NOT_SCENARIOS | NOT_STEPS)
def test_bad_scenarios(refused, text, complaint):
    said = refused(text)
    assert complaint in said
    assert said.startswith("m.yaml:")


@pytest.mark.parametrize("output", ["watch", "json"])
@table(NOT_STEPS)
def test_bad_steps_leave_nothing_half_written(refused, text, complaint, output):
    assert complaint in refused(text, "-o", output)


def test_a_step_after_the_end_is_told_not_to_be_done(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(scenario("{duration: 5s, steps: [{at: 50s, delete: pods/web}]}"))
    shown = podfsm("simulate", file)
    assert shown.status == 0
    assert "note: the step at 50 s comes after the end: delete is not done" in shown.out


def test_a_patch_that_leaves_no_object_is_refused(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(
        f"{DEPLOYMENT}---\n{HEAD}spec: {{steps: [{{at: 1s, patch: deployments/web, body: {{spec: 3}}}}]}}\n"
    )
    shown = podfsm("simulate", file)
    assert shown.status == 2
    assert "spec.steps[0].patch: refused by the API server" in shown.err
    assert "spec: wrong type; expected an object, found the number 3" in shown.err


def test_a_patch_that_only_the_run_finds_impossible(podfsm, tmp_path):
    """What stands in the way is known when it happens; the output so far is there, and the complaint says where."""
    file = tmp_path / "m.yaml"
    file.write_text(step("patch: pods/web, type: json, body: [{op: remove, path: /spec/schedulingGates}]"))
    shown = podfsm("simulate", file)
    assert shown.status == 2
    assert "m.yaml:9:25: spec.steps[0].patch: refused by the API server" in shown.err
    assert shown.err.count("\n") == 1
    assert "bound to node-1" in shown.out
