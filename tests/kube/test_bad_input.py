"""Bad input: one located sentence for each kind of it, whole, and never a traceback."""

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.kube.limits import Limits, in_mib
from podfsm.kube.read import documents_of, read_documents
from podfsm.kube.source import read_text

HEAD = "apiVersion: v1\nkind: Pod\n"
KINDS = ["Pod", "Job", "Scenario"]
NO_OBJECT = "not a Kubernetes object"
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{key}: &{key} [{', '.join(['*' + before] * 9)}]\n" for before, key in zip("abcdefgh", "bcdefghi", strict=True)
)

TEXTS = [
    # nothing, or nothing of Kubernetes
    ("", "f: is empty; expected a Kubernetes object in YAML or JSON"),
    (" \n\n", "f: is empty; expected a Kubernetes object in YAML or JSON"),
    ("# only\n---\n", "f: holds no object, only comments or empty documents"),
    ("hello", f"f:1:1: {NO_OBJECT}; expected an object with apiVersion and kind, found 'hello'"),
    ("\n- a", f"f:2:1: {NO_OBJECT}; expected an object with apiVersion and kind, found a list"),
    ("[1]", f"f:1:1: {NO_OBJECT}; expected an object with apiVersion and kind, found a list"),
    ("{}", f"f:1:1: {NO_OBJECT}: no apiVersion, found an empty object"),
    ("apiVersion: v1\nspec: {}", f"f:1:1: {NO_OBJECT}: no kind, found the keys apiVersion, spec"),
    (
        "apiVersion: v1\nKind: Pod",
        f"f:1:1: {NO_OBJECT}: no kind, found the keys apiVersion, Kind; rename Kind to kind?",
    ),
    ("apiVersion: v1\nkind:", f"f:1:1: {NO_OBJECT}: no kind, found the keys apiVersion, kind"),
    ("apiVersion: 1\nkind: Pod", "f:1:1: apiVersion: wrong type; expected text, found the number 1"),
    (HEAD + "spec: []", "f:3:1: spec: wrong type; expected an object, found a list"),
    (HEAD + "metadata: on", "f:3:1: metadata: wrong type; expected an object, found true"),
    ("apiVersion: v1\nkind: Pdo", "f:2:1: kind: unknown kind, found 'Pdo'; did you mean Pod?"),
    ("apiVersion: v1\nkind: Zebra", "f:2:1: kind: unknown kind, found 'Zebra'; known: Job, Pod, Scenario"),
    (
        '{"type":"ADDED","object":{"kind":"Pod"}}',
        f"f:1:1: {NO_OBJECT}; expected apiVersion and kind; this is an event of a watch; 'podfsm check' reads those",
    ),
    ("apiVersion: v1\nkind: List\nitems: 5", "f:3:1: items: wrong type; expected a list, found the number 5"),
    (
        "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n- apiVersion: v1\n  kind: Pdo",
        "f:7:3: items[1].kind: unknown kind, found 'Pdo'; did you mean Pod?",
    ),
    (
        "apiVersion: v1\nkind: PodList\nitems:\n- {}\n- text",
        f"f:5:3: items[1]: {NO_OBJECT}; expected an object with apiVersion and kind, found 'text'",
    ),
    # not YAML
    (HEAD + "metadata:\n\tname: p", "f:4:1: not YAML: a tab in the indentation; expected spaces, found 'name: p'"),
    (HEAD + "spec:\n  \ta: b", "f:4:3: not YAML: a tab in the indentation; expected spaces, found 'a: b'"),
    (
        "kind: Pod: x",
        (
            "f:1:10: not YAML: a second ':' where none fits, found 'kind: Pod: x'; "
            "indentation, or a value that needs quotes?"
        ),
    ),
    ("kind: [Pod", "f:2:1: not YAML: a list that is not closed, found the end of the file; is a ',' or ']' missing?"),
    ("a: {b: c", "f:2:1: not YAML: an object that is not closed, found the end of the file; is a ',' or '}' missing?"),
    ("kind: 'Pod", "f:1:11: not YAML: a quote that is never closed, found the end of the file"),
    ("a: %x", "f:1:4: not YAML: a character that cannot start a value, found 'a: %x'; put the value in quotes"),
    ("- a\nb: c", "f:2:1: not YAML: not an item of the list above, found 'b: c'; items start with '-' in one column"),
    (
        "a: |\n  x\n bad",
        "f:3:2: not YAML: neither a key nor the end of the block above, found 'bad'; check the indentation",
    ),
    (
        'a: "\\q"',
        (
            "f:1:5: not YAML: an escape that YAML does not know, found 'a: \"\\\\q\"'; "
            "write backslashes twice, or use single quotes"
        ),
    ),
    (
        "a: 1\n...\nb: 2",
        "f:3:1: not YAML: text after the end of a document, found 'b: 2'; documents are separated by '---'",
    ),
    ("a: !x!y z", "f:1:4: not YAML: a tag prefix that is not declared, found 'a: !x!y z'; Kubernetes needs no tags"),
    ("%FOO\n", "f:1:5: not YAML: a line starting with '%' that YAML does not know, found '%FOO'"),
    ("kind: \x01Pod", "f:1:7: not YAML: a control character, found character U+0001"),
    # YAML that is no JSON, or too much
    (HEAD + "spec:\n  a: 1\n  b: 2\n  a: 3", "f:6:3: spec.a: a key given twice, found the first in line 4"),
    (HEAD + "? [a]\n: b", "f:3:3: a key that is an object or a list; expected text"),
    (HEAD + "~: x", "f:3:1: a key that is not text; expected text, found null"),
    (
        HEAD + "spec: {priority: .nan}",
        "f:3:18: spec.priority: a number that JSON does not have; expected a number or text, found .nan",
    ),
    (
        HEAD + "spec: !!python/object:os.system x",
        "f:3:7: spec: a tag that Kubernetes does not know, found !!python/object:os.system",
    ),
    (HEAD + "spec: !!set {a}", "f:3:7: spec: a tag that Kubernetes does not know, found !!set"),
    (HEAD + "spec: !Ref x", "f:3:7: spec: a tag that Kubernetes does not know, found !Ref"),
    (HEAD + "a: !!int x", "f:3:4: a: a value that does not fit its tag; expected !!int, found 'x'"),
    (HEAD + "a: !!binary '?'", "f:3:4: a: a value that does not fit its tag; expected !!binary, found '?'"),
    (HEAD + "a: &x 1\nb: *y", "f:4:4: b: no such anchor; expected &x, found *y"),
    (HEAD + "a: &x\n  b: *x", "f:4:6: a.b: an alias inside the value it stands for, found *x"),
    (HEAD + "<<: 5", "f:3:5: '<<' merges objects only; expected an alias of an object, found the number 5"),
    (BOMB, "f:7:8: g[0]: aliases that grow too large; expected at most 1000000 values from aliases, found more"),
    ("- &a x\n" + "- *a\n" * 10_001, "f:10002:3: [10001]: too many aliases; expected at most 10000, found more"),
    ("[" * 5_000_000, "f:1:101: nested too deeply; expected at most 100 levels, found more"),
    (HEAD + "a: " + "[" * 200, "f:3:103: nested too deeply; expected at most 100 levels, found more"),
    # not JSON, or too much of it
    ('{"kind":"Pod",}', "f:1:15: not JSON: not a key; expected a key in double quotes, found '}'"),
    (
        '{"a":1 "b":2}',
        "f:1:8: not JSON: an object or list that goes on without ','; expected ',' or the end, found '\"b\":2}'",
    ),
    ('{"a":\n"x', "f:2:1: not JSON: a string that is never closed; expected '\"', found '\"x'"),
    ('{"a":1', "f:1:7: not JSON: an object or list that is not closed, found the end of the file"),
    ('{"a" 1}', "f:1:6: not JSON: a key without a value; expected ':', found '1}'"),
    ('{"a":', "f:1:6: not JSON: not a value; expected a value, found the end of the file"),
    ('{"a":"\\q"}', "f:1:7: not JSON: an escape that JSON does not know, found '\\\\q\"}'"),
    ('{"kind":"Pod",\n"kind":"Job"}', "f:2:1: kind: a key given twice, found the first in line 1"),
    ('{"a":[{},{"x":1,"x":2}]}', "f:1:17: a[1].x: a key given twice, found the first in line 1"),
    ('{"a":{"b":NaN}}', "f:1:11: a.b: a number that JSON does not have, found 'NaN'"),
    ('{"a":["NaN",1e999]}', "f:1:13: a[1]: a number that is too large, found '1e999'"),
    ('{"a":' * 100_000, "f:1:501: nested too deeply; expected at most 100 levels, found more"),
    ('{"a":' + "[" * 300 + "]" * 300 + "}", "f:1:105: nested too deeply; expected at most 100 levels, found more"),
]


@pytest.mark.parametrize(("text", "message"), TEXTS, ids=[message[:60] for _, message in TEXTS])
def test_a_bad_text_is_refused_in_one_sentence(text, message):
    with pytest.raises(InputError) as caught:
        documents_of(text, "f", kinds=KINDS)
    assert str(caught.value) == message


def test_nesting_beyond_what_the_parser_bears_is_told_as_such():
    with pytest.raises(InputError, match="nested too deeply") as caught:
        documents_of(f"{HEAD}a: {'[' * 5000}", "f", kinds=KINDS)
    assert caught.value.line == 3


BYTES = [
    (b"\x89PNG\r\n\x1a\n\x00\x00", "<stdin>: binary data; expected YAML or JSON text, found a zero byte at offset 8"),
    (b"kind: \xc3\xa4\nx: \xff", "<stdin>:2:4: not UTF-8 text; expected UTF-8, found byte 0xff at offset 12"),
    ("kind: Pod".encode("utf-16"), "<stdin>: UTF-16 text; expected UTF-8; save the file as UTF-8"),
    (gzip.compress(b"kind: Pod")[:-9], "<stdin>: broken gzip data; is the file complete?"),
    (b"\x1f\x8bnonsense", "<stdin>: broken gzip data; is the file complete?"),
    (b"#" * 2001, "<stdin>: too large; expected at most 2000 bytes, found more"),
    (gzip.compress(b"#" * 2001), "<stdin>: too large; expected at most 2000 bytes when unpacked, found more"),
]


@pytest.mark.parametrize(("data", "message"), BYTES, ids=[message for _, message in BYTES])
def test_bytes_that_are_no_text_are_refused(data, message):
    with pytest.raises(InputError) as caught:
        read_documents("-", stdin=io.BytesIO(data), limits=Limits(size=2000))
    assert str(caught.value) == message


def complaint(path):
    with pytest.raises(InputError) as caught:
        read_text(path)
    return str(caught.value)


def test_files_that_cannot_be_read(tmp_path, monkeypatch):
    (tmp_path / "crash.yaml").write_text("kind: Pod")
    assert complaint(tmp_path) == f"{tmp_path}: is a folder; expected a file; name the files in it"
    missing = tmp_path / "crahs.yaml"
    assert complaint(missing) == f"{missing}: no such file; did you mean {tmp_path / 'crash.yaml'}?"
    assert complaint(tmp_path / "zzz") == f"{tmp_path / 'zzz'}: no such file"
    nowhere = tmp_path / "none" / "x.yaml"
    assert complaint(nowhere) == f"{nowhere}: no such file; there is no folder {str(tmp_path / 'none')!r} either"
    below = tmp_path / "crash.yaml" / "x"
    assert complaint(below) == f"{below}: cannot be read, found not a directory"
    assert complaint("a\0b") == r"'a\x00b': is not a file name"

    def refuse(*_args):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.open", refuse)
    readable = tmp_path / "crash.yaml"
    assert complaint(readable) == f"{readable}: may not be read; check the permissions of the file"


def test_the_default_size_limit_is_said_in_mib():
    assert in_mib(Limits().size) == "64 MiB"


def attempt(read):
    """What is read, or the complaint about it; nothing else may come out."""
    try:
        return read()
    except InputError as error:
        return error


@given(st.text(st.sampled_from("{}[]:,-&*!|>'\"%@`#?~ \n\tab1.<"), max_size=40))
def test_whatever_the_text_it_is_read_or_refused(text):
    outcome = attempt(lambda: documents_of(text, "f"))
    if isinstance(outcome, InputError):
        assert str(outcome).startswith("f:")
    else:
        assert all(document.kind for document in outcome)


@given(st.binary(max_size=60) | st.builds(lambda body: b"apiVersion: v1\nkind: Pod\n" + body, st.binary(max_size=20)))
def test_whatever_the_bytes_they_are_read_or_refused(data):
    outcome = attempt(lambda: read_documents("-", stdin=io.BytesIO(data)))
    if isinstance(outcome, InputError):
        assert outcome.source == "<stdin>"
    else:
        assert all(document.apiVersion for document in outcome)
