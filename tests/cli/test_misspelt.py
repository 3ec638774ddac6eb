"""Misspelt fields: told wherever manifests are read, with the name that is meant, whether or not they do harm."""

import pytest

from tests.cli.manifests import DEPLOYMENT, POD, scenario, step

BUDGET = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: b}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
"""
REFUSED = {
    "imag": (POD.replace("image:", "imag:"), "m.yaml:4:21: spec.containers[0].image: refused", "imag to image"),
    "nam": (POD.replace("name: web", "nam: web"), "metadata.name: a Pod without a name", "nam to name"),
    "container": (POD.replace("containers:", "container:"), "no containers", "container to containers"),
    "spc": (POD.replace("spec:", "spc:"), "no containers", "spc to spec"),
    "templat": (DEPLOYMENT.replace("template:", "templat:"), "no template", "templat to template"),
    "selctor": (DEPLOYMENT.replace("selector:", "selctor:"), "spec.selector: refused", "selctor to selector"),
    "matchLabel": (DEPLOYMENT.replace("matchLabels", "matchLabel"), "refused", "matchLabel to matchLabels"),
    "port": (POD + "---\n" + SERVICE.replace("port: 80", "prt: 80"), "ports[0].port: refused", "prt to port"),
    "in a step": (
        step("create: {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {containers: [{name: a, imag: x}]}}"),
        "spec.containers[0].image: refused",
        "imag to image",
    ),
}
TOLD = {
    "a Pod": (POD.replace("{containers", "{restartPolcy: Never, containers"), "spec.restartPolcy", "restartPolicy"),
    "a Deployment": (DEPLOYMENT.replace("replicas", "replicaz"), "spec.replicaz", "replicas"),
    "a budget": (
        BUDGET.replace("{minAvailable: 1,", "{minAvailable: 1, unhealtyPodEvictionPolicy: AlwaysAllow,") + POD,
        "spec.unhealtyPodEvictionPolicy",
        "unhealthyPodEvictionPolicy",
    ),
    "a Service": (
        SERVICE.replace("spec: {", "spec: {publishNotReadyAdresses: true, ") + POD,
        "spec.publishNotReadyAdresses",
        "publishNotReadyAddresses",
    ),
    "what a step creates": (
        step(
            "create: {apiVersion: v1, kind: Pod, metadata: {name: b}, spec: {contaners: [], containers: "
            "[{name: a, image: x}]}}"
        ),
        "spec.contaners",
        "containers",
    ),
    "a patch": (
        scenario("{steps: [{at: 1s, patch: pods/web, body: {spec: {activDeadlineSeconds: 9}}}]}"),
        "m.yaml:9:56: spec.activDeadlineSeconds",
        "activeDeadlineSeconds",
    ),
}


def table(cases):
    return pytest.mark.parametrize(("text", "place", "meant"), cases.values(), ids=cases)


@table(REFUSED)
def test_a_refusal_names_the_misspelling_behind_it(refused, text, place, meant):
    said = refused(text)
    assert place in said
    assert said.endswith(f"; rename {meant}?")


@table(TOLD)
def test_what_does_no_harm_is_told_and_ignored(podfsm, tmp_path, text, place, meant):
    file = tmp_path / "m.yaml"
    file.write_text(text)
    shown = podfsm("simulate", file, "--until", "5s")
    assert shown.status == 0
    assert f"{place}: no such field, so it is ignored; did you mean {meant}?" in shown.err


def test_a_refusal_that_no_misspelling_explains_proposes_nothing(refused):
    text = POD.replace("{containers", "{dnsPolcy: x, containers").replace(', image: "example/app:1"', "")
    assert refused(text).endswith("a container has an image")


def test_directives_of_a_patch_are_no_fields(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(step("patch: pods/web, body: {spec: {$setElementOrder/containers: [{name: app}]}}"))
    shown = podfsm("simulate", file)
    assert (shown.status, shown.err) == (0, "")


def test_explain_and_lint_tell_too(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(POD.replace("image:", "imag:"))
    explained, linted = podfsm("explain", file), podfsm("lint", file)
    assert (explained.status, linted.status) == (0, 1)
    assert "spec.containers[0].imag: no such field, so it is ignored; did you mean image?" in explained.err
    assert "spec.containers[0].imag: error: no such field; did you mean image? [known-fields]" in linted.out


def test_lint_looks_at_budgets_and_services_too(podfsm, tmp_path):
    file = tmp_path / "m.yaml"
    file.write_text(BUDGET.replace("minAvailable", "minAvailble") + SERVICE.replace("selector", "selctor"))
    shown = podfsm("lint", file).out
    assert "spec.minAvailble: error: no such field; did you mean minAvailable?" in shown
    assert "spec.selctor: error: no such field; did you mean selector?" in shown
