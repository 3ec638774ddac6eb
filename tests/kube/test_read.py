"""Reading good input: every form gives the same objects, and every part of an object is found again in the text."""

import gzip
import io
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.document import Document
from podfsm.kube.json_read import read_json
from podfsm.kube.paths import join, path_of, steps_of
from podfsm.kube.read import documents_of, read_documents
from podfsm.kube.yaml_read import read_yaml
from podfsm.kube.yaml_values import resolve

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: p
  labels: {app.kubernetes.io/name: ü, "b": "1"}
spec:
  containers:
  - name: app
    image: app:1
  -
    name: other
    image: other:1
"""

WORDS = st.text("abcdefgXYZ", min_size=1, max_size=6).filter(lambda word: resolve(word) == word)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | WORDS | st.text(st.characters(codec="utf-8"), max_size=8)
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3))
OBJECTS = st.dictionaries(WORDS, VALUES, min_size=1, max_size=4)


def places_of(value, path=""):
    """Every path in a value, with the key it ends in (None for items of lists)."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield join(path, key), key
            yield from places_of(each, join(path, key))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield join(path, index), None
            yield from places_of(each, join(path, index))


def test_one_pod_in_yaml_json_and_gzip(tmp_path):
    raw = yaml.safe_load(POD)
    (tmp_path / "pod.yaml").write_text(POD)
    (tmp_path / "pod.json").write_text(json.dumps(raw, indent="\t"))
    (tmp_path / "pod.yaml.gz").write_bytes(gzip.compress(POD.encode()))
    for name in ("pod.yaml", "pod.json", "pod.yaml.gz"):
        (document,) = read_documents(tmp_path / name)
        assert document.raw == raw
        assert (document.kind, document.apiVersion, document.name) == ("Pod", "v1", "p")
        assert document.source == str(tmp_path / name)


def test_standard_input_and_a_byte_order_mark():
    (document,) = read_documents("-", stdin=io.BytesIO(b"\xef\xbb\xbf" + POD.encode()))
    assert document.source == "<stdin>"
    assert document.place("kind") == (2, 1)


def test_documents_keep_their_order_and_empty_ones_are_skipped():
    text = f"# first\n---\n{POD}---\n---\n# nothing\n---\n{POD.replace('name: p', 'name: q')}"
    assert [(each.name, each.line) for each in documents_of(text)] == [("p", 3), ("q", 19)]


def test_json_documents_one_after_the_other():
    line = json.dumps(yaml.safe_load(POD))
    assert [each.line for each in documents_of(f"{line}\n{line}{line}")] == [1, 2, 2]


def test_flow_style_is_yaml_even_behind_a_brace():
    (document,) = documents_of("{apiVersion: v1, kind: Pod} # a comment")
    assert document.raw == {"apiVersion": "v1", "kind": "Pod"}


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("kind", ["List", "PodList"])
def test_lists_are_opened_and_their_items_located(form, kind):
    items = [yaml.safe_load(POD.replace("name: p", f"name: p{n}")) for n in range(3)]
    if kind == "PodList":
        items = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
    whole = {"apiVersion": "v1", "items": items, "kind": kind}
    text = yaml.safe_dump(whole, allow_unicode=True) if form == "yaml" else json.dumps(whole, indent=2)
    documents = documents_of(text, "list")
    assert [each.raw for each in documents] == [{"apiVersion": "v1", "kind": "Pod"} | item for item in items]
    for document in documents:
        line, _ = document.place("metadata.name")
        assert document.name in text.splitlines()[line - 1]


def test_a_list_in_a_list_and_a_list_without_items():
    inner = {"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(POD)]}
    (document,) = documents_of(json.dumps({"apiVersion": "v1", "kind": "List", "items": [inner]}, indent=1))
    assert document.place("kind")[0] > document.line > 1
    assert documents_of("apiVersion: v1\nkind: List\nitems: []") == []
    assert documents_of("apiVersion: v1\nkind: PodList\nitems: null") == []


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("", (1, 1)),
        ("spec.containers[0].image", (9, 5)),
        ("spec.containers[1]", (11, 5)),
        ("spec.containers[1].image", (12, 5)),
        ("spec.containers[1].nothing", (11, 5)),
        ("spec.containers[2].image", (7, 3)),
        ("spec.nothing.at.all", (6, 1)),
        ("metadata.labels[app.kubernetes.io/name]", (5, 12)),
        ("metadata.labels.b", (5, 39)),
        ("status.phase", (1, 1)),
    ],
)
def test_the_place_of_a_path(path, place):
    (document,) = documents_of(POD)
    assert document.place(path) == place


def test_a_document_made_in_the_program_has_no_places():
    document = Document({"kind": "Pod", "apiVersion": "v1"})
    assert document.place("spec") == (None, None)
    assert str(document.error("odd", "spec")) == "spec: odd"


@given(OBJECTS, st.booleans())
def test_every_key_of_a_yaml_text_is_found(value, flow):
    text = yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "data": value}, default_flow_style=flow, width=40)
    (document,) = documents_of(text)
    lines = text.splitlines()
    for path, key in places_of(document.raw["data"], "data"):
        line, column = document.place(path)
        assert key is None or lines[line - 1][column - 1 :].lstrip("'\"? ").startswith(key)


@given(OBJECTS, st.sampled_from([None, 1, "\t"]))
def test_every_key_of_a_json_text_is_found(value, indent):
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", "data": value}, indent=indent)
    (document,) = documents_of(text)
    lines = text.split("\n")
    for path, key in places_of(value, "data"):
        line, column = document.place(path)
        assert key is None or lines[line - 1][column - 1 :].startswith(json.dumps(key))


@given(OBJECTS)
def test_quoted_yaml_comes_back_as_it_went(value):
    text = yaml.safe_dump(value, default_style='"', allow_unicode=True)
    assert [each.value for each in read_yaml(text, "")] == [value]


@given(OBJECTS)
def test_json_comes_back_as_it_went_read_either_way(value):
    text = json.dumps(value, ensure_ascii=False)
    assert [each.value for each in read_json(text, "")] == [value]
    assert [each.value for each in read_json(json.dumps(value), "")] == [value]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", True), ("On", True), ("off", False), ("NO", False), ("y", "y"), ("n", "n"),
        ("~", None), ("", None), ("Null", None),
        ("10", 10), ("010", 8), ("0o10", 8), ("0x1F", 31), ("0b11", 3), ("-5", -5), ("+5", 5), ("1_000", 1000),
        ("08", 8), ("1e3", 1000), ("1.0", 1), (".5", 0.5), ("1.5e-3", 0.0015), ("1e400", "1e400"),
        ("18446744073709551615", 2**64 - 1), ("18446744073709551616", 18446744073709551616),
        ("9" * 5000, "9" * 5000), ("1e21", 1e21),
        ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("1.2.3", "1.2.3"), (".", "."), ("-", "-"), ("1Gi", "1Gi"), ("100m", "100m"), ("=", "="),
        ("!!str 5", "5"), ("!!int '5'", 5), ("!!float 5", 5), ("!!bool 'on'", True), ("!!null ''", None),
        ("!!binary aGk=", "hi"), ("!!timestamp 2026-01-01", "2026-01-01"), ("'yes'", "yes"),
    ],
)  # fmt: skip
def test_what_a_yaml_scalar_means(written, value):
    (read,) = read_yaml(f"value: {written}\n", "") if written != "-" else read_yaml("value: '-'", "")
    assert read.value == {"value": value}
    assert type(read.value["value"]) is type(value)


def test_keys_become_text_as_in_json():
    (read,) = read_yaml("1: a\non: b\n1.5: c\nd: d\n'2': e\n", "")
    assert read.value == {"1": "a", "true": "b", "1.5": "c", "d": "d", "2": "e"}


def test_aliases_and_merge_keys():
    text = "base: &b {x: 1, y: 2}\nother: *b\nmerged:\n  y: 3\n  <<: [*b, {z: 4, x: 5}]\nquoted: {'<<': 1}\n"
    (read,) = read_yaml(text, "")
    assert read.value["other"] == {"x": 1, "y": 2}
    assert read.value["merged"] == {"x": 1, "y": 3, "z": 4}
    assert read.value["quoted"] == {"<<": 1}


def test_half_a_surrogate_pair_is_replaced():
    (read,) = read_json(r'{"a": "x\ud800y", "b": "\ud83d\ude00"}', "")
    assert read.value == {"a": "x\ufffdy", "b": "\U0001f600"}


STEPS = st.lists(
    st.integers(0, 99) | st.text(st.characters(exclude_characters="]", codec="utf-8"), max_size=6), max_size=5
)


@given(STEPS.filter(lambda steps: not any(isinstance(step, str) and step.isdigit() for step in steps)))
def test_paths_say_their_steps(steps):
    assert list(steps_of(path_of(steps))) == steps
