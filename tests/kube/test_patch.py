"""Patches: what they do to an object, in which order lists come out, and what is refused."""

import copy

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.kube.patch import json_patch, merge_patch, patched, strategic_patch

KEYS = st.sampled_from("abcd")
VALUES = st.recursive(
    st.integers(0, 3) | st.text("xy", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def container(name, image="i:1", **fields):
    return {"name": name, "image": image, **fields}


def pod(*containers, **metadata):
    return {"kind": "Pod", "metadata": {"name": "p", **metadata}, "spec": {"containers": list(containers)}}


def names(raw):
    return [each["name"] for each in raw["spec"]["containers"]]


def difference(old, new):
    """A merge patch that makes `new` of `old`."""
    out = {key: None for key in old if key not in new}
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            out[key] = difference(old[key], value)
        elif key not in old or old[key] != value:
            out[key] = value
    return out


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_leads_from_any_object_to_any_other(old, new):
    before = copy.deepcopy(old)
    assert merge_patch(old, difference(old, new)) == new
    assert old == before


def test_a_merge_patch_replaces_lists_and_drops_nulls():
    old = {"a": [1, 2], "b": {"c": 1, "d": 2}, "e": 5}
    assert merge_patch(old, {"a": [3], "b": {"c": None}, "e": {"f": {"g": None, "h": 1}}}) == {
        "a": [3],
        "b": {"d": 2},
        "e": {"f": {"h": 1}},
    }


@given(OBJECTS, OBJECTS)
def test_a_json_patch_leads_from_any_object_to_any_other(old, new):
    before = copy.deepcopy(old)
    assert json_patch(old, jsonpatch.make_patch(old, new).patch) == new
    assert old == before


def test_json_patch_operations_and_shared_values():
    value = {"key": "zz"}
    ops = [
        {"op": "test", "path": "/spec/tolerations/0/key", "value": "a"},
        {"op": "add", "path": "/spec/tolerations/-", "value": value},
        {"op": "copy", "from": "/spec/tolerations/1", "path": "/spec/tolerations/0"},
        {"op": "move", "from": "/metadata/name", "path": "/metadata/generateName"},
        {"op": "replace", "path": "/spec/tolerations/0/key", "value": "b"},
        {"op": "remove", "path": "/spec/tolerations/1"},
    ]
    made = json_patch({"metadata": {"name": "p"}, "spec": {"tolerations": [{"key": "a"}]}}, ops)
    assert made == {"metadata": {"generateName": "p"}, "spec": {"tolerations": [{"key": "b"}, {"key": "zz"}]}}
    made["spec"]["tolerations"][1]["key"] = "changed"
    assert value == {"key": "zz"}


JSON_REFUSED = [
    ({}, "not a JSON patch; expected a list of operations, found an object"),
    (["x"], "[0]: wrong type; expected an object with op and path, found 'x'"),
    ([{"op": "ad", "path": "/a"}],
     ("[0].op: unknown operation; expected one of add, copy, move, remove, replace, test, found 'ad'; "
      "did you mean add?")),
    ([{"op": "remove", "path": "a"}],
     "[0].path: not a pointer; expected a JSON pointer such as /spec/containers/0/image, found 'a'"),
    ([{"op": "move", "path": "/a"}],
     "[0].from: not a pointer; expected a JSON pointer such as /spec/containers/0/image, found null"),
    ([{"op": "add", "path": "/a"}], "[0]: 'value' is missing"),
    ([{"op": "add", "path": "/x", "value": 1}, {"op": "replace", "path": "/b", "value": 1}],
     "[1].path: cannot replace: the object has no place /b"),
    ([{"op": "remove", "path": "/l/7"}], "[0].path: cannot remove: the object has no place /l/7"),
    ([{"op": "add", "path": "/l/x", "value": 1}], "[0].path: cannot add: the object has no place /l/x"),
    ([{"op": "add", "path": "/n/x", "value": 1}], "[0].path: cannot add: the object has no place /n/x"),
    ([{"op": "move", "from": "/b", "path": "/c"}], "[0].path: cannot move: the object has no place /b or /c"),
    ([{"op": "test", "path": "/n", "value": 2}], "[0].value: the test of /n fails, found the number 2"),
    ([{"op": "replace", "path": "", "value": 5}], "leaves no object, found the number 5"),
]  # fmt: skip


@pytest.mark.parametrize(("ops", "message"), JSON_REFUSED, ids=[message for _, message in JSON_REFUSED])
def test_a_json_patch_is_refused_in_one_sentence(ops, message):
    with pytest.raises(InputError) as caught:
        json_patch({"n": 1, "l": [1, 2]}, ops)
    assert str(caught.value) == message


def test_containers_are_merged_by_name_and_new_ones_come_first():
    old = pod(container("a", env=[{"name": "X", "value": "1"}]), container("b"))
    before = copy.deepcopy(old)
    body = {"spec": {"containers": [{"name": "b", "image": "i:2"}, container("new")]}}
    made = strategic_patch(old, body)
    assert names(made) == ["a", "b", "new"]
    assert made["spec"]["containers"][1] == container("b", "i:2")
    assert names(strategic_patch(old, {"spec": {"containers": [container("new")]}})) == ["new", "a", "b"]
    body = {"spec": {"containers": [{"name": "a", "env": [{"name": "Y", "value": "2"}, {"name": "X", "value": None}]}]}}
    assert strategic_patch(old, body)["spec"]["containers"][0]["env"] == [{"name": "Y", "value": "2"}, {"name": "X"}]
    assert old == before


@pytest.mark.parametrize(
    ("old", "patch", "order", "result"),
    [
        ("abc", "", "cba", "cba"),
        ("abc", "", "ca", "bca"),  # b, which only the server has, keeps its place before c
        ("abc", "d", "dabc", "dabc"),
        ("abc", "d", "adbc", "adbc"),
        ("abc", "d", "abcd", "abcd"),
        ("abc", "cb", None, "acb"),
        ("abc", "dc", None, "dabc"),
        ("", "ba", None, "ba"),
    ],
)
def test_the_order_of_a_merged_list(old, patch, order, result):
    body = {"spec": {"containers": [{"name": each} for each in patch]}} if patch else {"spec": {}}
    if order:
        body["spec"]["$setElementOrder/containers"] = [{"name": each} for each in order]
    made = strategic_patch(pod(*[container(each) for each in old]), body)
    assert "".join(names(made)) == result
    assert "$setElementOrder/containers" not in made["spec"]


def test_directives_in_a_list():
    old = pod(container("a"), container("b"), container("c"))
    delete = {"spec": {"containers": [{"name": "b", "$patch": "delete"}, {"name": "c", "image": "x"}]}}
    assert names(strategic_patch(old, delete)) == ["a", "c"]
    replace = {"spec": {"containers": [{"$patch": "replace"}, {"name": "z"}]}}
    assert strategic_patch(old, replace)["spec"]["containers"] == [{"name": "z"}]
    assert strategic_patch(pod(), delete)["spec"]["containers"] == [{"name": "c", "image": "x"}]


def test_directives_in_an_object():
    old = pod(labels={"a": "1", "b": "2"}, finalizers=["x", "y", "z"])
    body = {
        "metadata": {"labels": {"$patch": "replace", "c": "3"}, "$deleteFromPrimitiveList/finalizers": ["y", "q"]},
        "spec": {"$patch": "delete"},
    }
    made = strategic_patch(old, body)
    assert made["metadata"] == {"name": "p", "labels": {"c": "3"}, "finalizers": ["x", "z"]}
    assert made["spec"] == {}
    volumes = {"kind": "Pod", "spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}
    retain = {"name": "v", "hostPath": {"path": "/"}, "$retainKeys": ["name", "hostPath"]}
    assert strategic_patch(volumes, {"spec": {"volumes": [retain]}})["spec"]["volumes"] == [
        {"name": "v", "hostPath": {"path": "/"}}
    ]


def test_sets_are_united_and_other_lists_replaced():
    old = pod(container("a", command=["x"], ports=[{"containerPort": 80}]), finalizers=["f", "g"])
    old["spec"]["tolerations"] = [{"key": "a"}]
    body = {
        "metadata": {"finalizers": ["h", "f"]},
        "spec": {
            "tolerations": [{"key": "b", "value": None}],
            "containers": [{"name": "a", "command": ["y"], "ports": [{"containerPort": 80, "name": "web"}]}],
        },
    }
    made = strategic_patch(old, body)
    assert made["metadata"]["finalizers"] == ["h", "f", "g"]
    assert made["spec"]["tolerations"] == [{"key": "b"}]
    assert made["spec"]["containers"][0]["command"] == ["y"]
    assert made["spec"]["containers"][0]["ports"] == [{"containerPort": 80, "name": "web"}]


def test_conditions_are_merged_by_type_and_status_lists_replaced():
    old = {
        "kind": "Pod",
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [{"name": "a"}]},
    }
    gate = {"type": "example.com/gate", "status": "True"}
    made = strategic_patch(old, {"status": {"conditions": [gate], "containerStatuses": [{"name": "b"}]}})
    assert made["status"]["conditions"] == [gate, {"type": "Ready", "status": "True"}]
    assert made["status"]["containerStatuses"] == [{"name": "b"}]


def test_templates_of_workloads_are_merged_and_selectors_of_budgets_replaced():
    deployment = {"kind": "Deployment", "spec": {"replicas": 1, "template": {"spec": {"containers": [container("a")]}}}}
    body = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "i:2"}]}}}}
    made = strategic_patch(deployment, body)
    assert made["spec"] == {"replicas": 1, "template": {"spec": {"containers": [container("a", "i:2")]}}}
    budget = {"kind": "PodDisruptionBudget", "spec": {"selector": {"matchLabels": {"a": "1"}}}}
    made = strategic_patch(budget, {"spec": {"selector": {"matchLabels": {"b": "2"}}}})
    assert made["spec"]["selector"] == {"matchLabels": {"b": "2"}}


STRATEGIC_REFUSED = [
    (5, "not a patch; expected an object, found the number 5"),
    ({"spec": {"containers": [{"image": "x"}]}},
     "spec.containers[0]: an item without 'name', by which the list is merged"),
    ({"spec": {"containers": ["x"]}}, "spec.containers[0]: wrong type; expected an object, found 'x'"),
    ({"metadata": {"finalizers": [{}]}}, "metadata.finalizers[0]: wrong type; expected a plain value, found an object"),
    ({"spec": {"$patch": "replce"}},
     "spec.$patch: unknown directive; expected delete or replace, found 'replce'; did you mean replace?"),
    ({"spec": {"containers": [{"name": "a", "$patch": "merge"}]}},
     "spec.containers[0].$patch: unknown directive; expected delete or replace, found 'merge'; known: delete, replace"),
    ({"spec": {"$setElementOrder/containers": 5}},
     "spec.$setElementOrder/containers: wrong type; expected a list, found the number 5"),
    ({"metadata": {"$deleteFromPrimitiveList/finalizers": "x"}},
     "metadata.$deleteFromPrimitiveList/finalizers: wrong type; expected a list, found 'x'"),
    ({"spec": {"$retainKeys": ["a"], "nodeName": "n"}}, "spec.nodeName: sets a field that $retainKeys does not list"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), STRATEGIC_REFUSED, ids=[message for _, message in STRATEGIC_REFUSED])
def test_a_strategic_patch_is_refused_in_one_sentence(body, message):
    with pytest.raises(InputError) as caught:
        strategic_patch(pod(container("a")), body)
    assert str(caught.value) == message


def test_kinds_and_types_that_are_not_known():
    with pytest.raises(InputError) as caught:
        strategic_patch({"kind": "Widget"}, {})
    assert str(caught.value) == (
        "kind: no strategic merge for this kind, found 'Widget'; use a merge patch or a JSON patch"
    )
    with pytest.raises(InputError) as caught:
        patched({}, "strategc", {})
    assert str(caught.value) == (
        "type: unknown patch type; expected one of json, merge, strategic, found 'strategc'; did you mean strategic?"
    )
    with pytest.raises(InputError) as caught:
        merge_patch({}, [])
    assert str(caught.value) == "not a patch; expected an object, found a list"


def test_patches_by_the_name_of_their_type():
    old = pod(container("a"))
    assert names(patched(old, "strategic", {"spec": {"containers": [container("b")]}})) == ["b", "a"]
    assert names(patched(old, "merge", {"spec": {"containers": [container("b")]}})) == ["b"]
    assert names(patched(old, "json", [{"op": "add", "path": "/spec/containers/-", "value": container("b")}])) == [
        "a",
        "b",
    ]


NAMED = st.lists(st.sampled_from("abcd"), unique=True, max_size=4).map(lambda keys: [{"name": key} for key in keys])


@given(NAMED, NAMED)
def test_a_merged_list_holds_everything_once_and_keeps_the_patchs_order(old, patch):
    made = names(strategic_patch(pod(*old), {"spec": {"containers": patch}}))
    wanted = [each["name"] for each in patch]
    assert sorted(made) == sorted({each["name"] for each in old} | set(wanted))
    assert [name for name in made if name in wanted] == wanted
    assert names(strategic_patch(pod(*old), {"spec": {"containers": old}})) == [each["name"] for each in old]
