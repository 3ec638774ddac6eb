from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podfsm.engine.located import MAX_DEPTH, load_located, path_text
from podfsm.errors import SpecError

TEXT = """\
a: 1
list:
  - x
  - {b: "2", c: [on, no, ~, null, true, 1.5, .5, -3, 1e3, "true", 0x1f, 1_000, !!str 7]}
text: |
  two
  lines
empty:
"""


def test_values_are_those_of_yaml_1_2():
    values = load_located(TEXT).value
    assert values["list"][1]["c"] == [
        *("on", "no", None, None, True, 1.5, 0.5, -3, 1000.0, "true", "0x1f", "1_000", "7")
    ]
    assert values["list"][1]["b"] == "2"
    assert (values["a"], values["text"], values["empty"]) == (1, "two\nlines\n", None)


def test_places():
    doc = load_located(TEXT, "file.yaml")
    assert doc.place() == (1, 1)
    assert doc.place(("list", 1, "c", 1)) == (4, 22)
    assert doc.key_place(("list", 1, "c")) == (4, 14)
    assert doc.place(("list", 1, "c")) == (4, 17)
    assert doc.place(("list", 1, "nothing", "there")) == (4, 5)  # the nearest parent
    assert doc.key_place(("list", 1)) == (4, 5)
    wrong = doc.error("bad", ("list", 1, "c", 1), expected="x", found="y", hint="z")
    assert str(wrong) == "file.yaml:4:22: list[1].c[1]: bad; expected x, found y; z"
    assert str(doc.error("bad", ("text",), at_key=True)) == "file.yaml:5:1: text: bad"


def test_path_text():
    assert path_text(()) == ""
    assert path_text(("states", "On the way", "shows", 0)) == 'states["On the way"].shows[0]'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &x 1\nb: *x\n", "2:4: b: alias *x; expected the value itself: aliases are not read"),
        ("a: 1\nb: 2\na: 3\n", "3:1: a: key 'a' given twice; first on line 1"),
        ("a: 1\n---\nb: 2\n", "2:1: a second document; expected one document in a file"),
        ("a: !!python/name:os.system x\n", "1:4: a: tag tag:yaml.org,2002:python/name:os.system; expected no tag"),
        ("a: !mine [1]\n", "1:4: a: tag !mine; expected no tag"),
        ("a: !!set {b: }\n", "1:4: a: tag tag:yaml.org,2002:set; expected no tag"),
        ("? [a]\n: 1\n", "1:3: a key that is no plain text; expected text"),
        ("!mine a: 1\n", "1:1: a key that is no plain text; expected text"),
        ("a: [1\nb: 2\n", "not YAML: did not find expected ',' or ']'"),
        ("a: b: c\n", "1:5: not YAML: mapping values are not allowed in this context"),
        ("a: \x01\n", "not YAML: "),
        ("a: \ud800\n", "not YAML: "),
        ("[" * 5000 + "]" * 5000, "nested too deeply; expected at most 32 levels"),
        ("[" * 1000, "nested too deeply; expected at most 32 levels"),
        ("x" * 1_000_001, "too long; expected at most 1000000 characters, found 1000001"),
    ],
)
def test_what_is_refused(text, complaint):
    with pytest.raises(SpecError) as caught:
        load_located(text, "f.yaml")
    assert str(caught.value).startswith("f.yaml")
    assert complaint in str(caught.value)


def test_the_deepest_that_is_read():
    assert load_located("[" * MAX_DEPTH + "]" * MAX_DEPTH).value != []
    with pytest.raises(SpecError, match="nested too deeply"):
        load_located("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2))


# PyYAML leaves bare what YAML 1.2 reads as numbers ("0E0"); such text is the writer's trouble.
WORDS = st.text(st.characters(exclude_characters="0123456789"), max_size=8)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(TREES)
def test_reads_back_what_yaml_writes(tree):
    assert load_located(yaml.safe_dump(tree, allow_unicode=False)).value == tree


@given(st.text(st.sampled_from("ab:-[]{}#&*!|>'\"%@`, \n\t~?"), max_size=30))
def test_any_text_is_read_or_refused_as_a_spec(text):
    with suppress(SpecError):
        load_located(text)
