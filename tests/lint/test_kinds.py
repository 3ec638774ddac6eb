"""Kinds and apiVersions: what no API server has, what newer ones have no more, and what is somebody else's."""

import pytest

from podfsm.kube.document import Document
from podfsm.lint import is_linted, lint
from podfsm.rules.gates import gates_for

POD = {"metadata": {"name": "p", "labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}}


def objects(api_version, kind, **fields):
    return Document({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, **fields})


def said(*documents, version="1.36"):
    return [(each.rule, each.place.path, each.why) for each in lint(documents, gates_for(version))]


@pytest.mark.parametrize(
    ("api_version", "kind", "path", "why"),
    [
        ("v1", "Podd", "kind", "no kind 'Podd' in v1; did you mean Pod?"),
        ("v1", "pod", "kind", "no kind 'pod' in v1; did you mean Pod?"),
        ("apps/v1", "Pods", "kind", "no kind 'Pods' in apps/v1; did you mean Pod?"),
        ("v1", "Deployment", "apiVersion", "no Deployment in 'v1'; write apps/v1"),
        ("extensions/v1beta1", "DaemonSet", "apiVersion", "no DaemonSet in 'extensions/v1beta1'; write apps/v1"),
        ("policy/v1beta1", "Eviction", "apiVersion", "policy/v1beta1 is served up to Kubernetes 1.24; write policy/v1"),
    ],
)
def test_what_is_not_there_is_refused(api_version, kind, path, why):
    """Rule known-kinds."""
    spec = {"template": {"spec": {}}, "selector": {}}
    found = said(objects(api_version, kind, spec=spec))
    assert found[0] == ("known-kinds", path, why)


def test_older_versions_have_older_apis():
    job = objects("batch/v1beta1", "CronJob", spec={"jobTemplate": {"spec": {"template": POD}}})
    assert "known-kinds" not in {rule for rule, *_ in said(job, version="1.24")}
    assert "known-kinds" in {rule for rule, *_ in said(job, version="1.25")}


@pytest.mark.parametrize("kind", ["Ingress", "Service", "Pod", "Deployment"])
def test_what_others_define_is_passed_over(kind):
    theirs = objects("serving.example.com/v1", kind, spec={"template": 3, "selector": 4})
    assert said(theirs) == []
    assert not is_linted(theirs)


@pytest.mark.parametrize(
    ("kind", "field", "hint"),
    [
        ("DaemonSet", "strategy", "did you mean updateStrategy?"),
        ("DaemonSet", "replicas", "known: minReadySeconds, revisionHistoryLimit, selector, template, updateStrategy"),
        ("Deployment", "updateStrategy", "did you mean strategy?"),
        ("ReplicaSet", "paused", "known: minReadySeconds, replicas, selector, template"),
    ],
)
def test_fields_of_another_kind_are_no_fields(kind, field, hint):
    whole = objects("apps/v1", kind, spec={"selector": {}, "template": POD, field: None})
    assert ("known-fields", f"spec.{field}", f"no such field; {hint}") in said(whole)


def test_an_object_has_a_name_or_one_is_made():
    nameless = [
        Document({"apiVersion": "v1", "kind": "Pod", **POD, "metadata": each}) for each in ({}, {"generateName": "p-"})
    ]
    assert [("an object has a name" in str(said(each))) for each in nameless] == [True, False]


def test_a_service_that_selects_nothing_is_remarked_on():
    """Rule advice-service-unmatched."""
    pod = Document({"apiVersion": "v1", "kind": "Pod", **POD})
    ports = [{"port": 80}]
    found = [
        [rule for rule, *_ in said(pod, objects("v1", "Service", spec={"ports": ports, **more}))]
        for more in ({"selector": {"app": "wbe"}}, {"selector": {"app": "web"}}, {})
    ]
    assert [("advice-service-unmatched" in rules) for rules in found] == [True, False, False]
    assert said(objects("v1", "Service", spec={"ports": ports, "selector": {"app": "wbe"}})) == []


def test_taints_of_nodes_are_looked_at():
    (found,) = said(objects("v1", "Node", spec={"taints": [{"key": "a", "effect": "Never"}]}))
    assert found[1] == "spec.taints[0].effect"
