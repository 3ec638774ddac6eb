"""Raw objects to typed ones: what is refused, in whole sentences, and which fields nobody knows."""

import json
from pathlib import Path

import msgspec
import pytest

from podfsm.errors import InputError
from podfsm.kube.api_fields import FIELDS
from podfsm.kube.decode import convert, decode, unknown_fields, without_nulls
from podfsm.kube.document import Document
from podfsm.kube.misspelt import KNOWN
from podfsm.kube.objects import Container, Pod, PodSpec
from podfsm.kube.read import documents_of
from podfsm.kube.shape import fields_of

RECORDED = [json.loads(line) for line in (Path(__file__).parents[1] / "data/kube/pods.jsonl").read_text().splitlines()]
HEAD = "apiVersion: v1\nkind: Pod\n"
SPEC = HEAD + "spec:\n"
APP = SPEC + "  containers:\n  - name: app\n"
TIME = "expected a time as in 2026-01-01T00:00:00Z, found"

REFUSED = [
    (APP + "    image: 5",
     "spec.containers[0].image: wrong type; expected text, found the number 5; put it in quotes", 6),
    (SPEC + "  terminationGracePeriodSeconds: soon",
     "spec.terminationGracePeriodSeconds: wrong type; expected an integer, found 'soon'", 4),
    (SPEC + "  terminationGracePeriodSeconds: '5'",
     "spec.terminationGracePeriodSeconds: wrong type; expected an integer, found '5'; remove the quotes", 4),
    (SPEC + "  activeDeadlineSeconds: 2.5",
     "spec.activeDeadlineSeconds: wrong type; expected an integer, found the number 2.5", 4),
    (SPEC + "  hostNetwork: 'yes'",
     "spec.hostNetwork: wrong type; expected true or false, found 'yes'; remove the quotes", 4),
    (SPEC + "  containers: {}", "spec.containers: wrong type; expected a list, found an object", 4),
    (SPEC + "  containers:\n  -\n", "spec.containers[0]: wrong type; expected an object, found null", 5),
    (APP + "    livenessProbe:\n      httpGet: {port: []}",
     "spec.containers[0].livenessProbe.httpGet.port: wrong type; expected an integer or text, found a list", 7),
    (APP + "    command: [a, on]",
     "spec.containers[0].command[1]: wrong type; expected text, found true; put it in quotes", 6),
    (HEAD + "metadata:\n  labels:\n    a: b\n    x.y/z: 1\n",
     "metadata.labels[x.y/z]: wrong type; expected text, found the number 1; put it in quotes", 6),
    (SPEC + "  priority: 10000000000000000000",
     "spec.priority: too large; expected an integer of 64 bits at most, found the number 10000000000000000000", 4),
    (APP + "    restartPolicyRules: [{exitCodes: {values: [1, 10000000000000000000]}}]",
     ("spec.containers[0].restartPolicyRules[0].exitCodes.values[1]: too large; "
      "expected an integer of 64 bits at most, found the number 10000000000000000000"), 6),
    (HEAD + "metadata: {creationTimestamp: 2026-01-01}",
     f"metadata.creationTimestamp: not a time; {TIME} '2026-01-01'", 3),
    (HEAD + "metadata: {creationTimestamp: 2026-01-01T00:00:00}",
     f"metadata.creationTimestamp: a time without a zone; {TIME} '2026-01-01T00:00:00'", 3),
    (HEAD + "metadata: {creationTimestamp: 5}",
     "metadata.creationTimestamp: wrong type; expected a time, found the number 5", 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message", "line"), REFUSED, ids=[message[:50] for _, message, _ in REFUSED])
def test_a_wrong_value_is_refused_where_it_stands(text, message, line):
    (document,) = documents_of(text, "pod.yaml")
    with pytest.raises(InputError) as caught:
        decode(document, Pod)
    assert str(caught.value) == f"pod.yaml:{line}:{caught.value.column}: {message}"


def test_a_part_of_a_document_is_located_too():
    (document,) = documents_of(APP + "    image: []", "pod.yaml")
    with pytest.raises(InputError) as caught:
        decode(document, Container, at="spec.containers[0]")
    assert str(caught.value) == "pod.yaml:6:5: spec.containers[0].image: wrong type; expected text, found a list"
    assert decode(document, Container, at="spec.containers[1]") == Container()


def test_null_is_absent():
    raw = {"spec": {"nodeName": None, "containers": [{"name": "a", "image": None, "env": None}]}, "status": None}
    assert convert(raw, Pod) == Pod(spec=PodSpec(containers=(Container(name="a"),)))
    assert raw["spec"]["nodeName"] is None
    assert without_nulls([None, {"a": None}]) == [None, {}]


def test_what_has_no_nulls_is_not_copied():
    raw = {"a": [{"b": 1}], "c": {}}
    assert without_nulls(raw) is raw


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    seconds: int
    inner: "Strict | None" = None


def test_other_complaints_of_a_type():
    def message(raw):
        with pytest.raises(InputError) as caught:
            decode(Document(raw, source="f"), Strict)
        return str(caught.value)

    assert message({}) == "f: 'seconds' is missing"
    assert message({"seconds": 1, "inner": {}}) == "f: inner: 'seconds' is missing"
    assert message({"seconds": 1, "inner": {"seconds": 1, "iner": 5}}) == (
        "f: inner.iner: unknown field; did you mean inner?"
    )


def test_a_misspelt_field_is_noticed_and_a_field_of_no_use_is_not():
    text = APP + (
        "    workingDir: /x\n    livenessProbe:\n      intialDelaySeconds: 5\n"
        "  restartpolicy: Never\n  dnsConfig: {anything: 1}\nstatsu: {}\n"
    )
    (document,) = documents_of(text)
    found = unknown_fields(document.raw, Pod)
    assert [tuple(each) for each in found] == [
        ("spec.containers[0].livenessProbe.intialDelaySeconds", "did you mean initialDelaySeconds?"),
        ("spec.restartpolicy", "did you mean restartPolicy?"),
        ("statsu", "did you mean status?"),
    ]
    assert [document.place(each.path)[0] for each in found] == [8, 9, 11]


def test_nothing_is_unknown_in_recorded_pods():
    for raw in RECORDED:
        assert unknown_fields(raw, Pod) == []


def test_values_of_the_wrong_shape_are_no_reason_to_fail():
    assert unknown_fields({"spec": {"containers": "x", "initContainers": [5]}, "metadata": []}, Pod) == []


def structs(type_, seen):
    if type_ not in seen:
        seen.add(type_)
        for field in fields_of(type_).values():
            if field.struct is not None:
                structs(field.struct, seen)
    return seen


@pytest.mark.parametrize("kind", KNOWN)
def test_every_class_of_an_object_is_listed_with_all_its_fields(kind):
    found = structs(KNOWN[kind], set())
    assert len(found) >= 3
    for type_ in found:
        assert set(fields_of(type_)) <= set(FIELDS[type_.__name__]), type_
