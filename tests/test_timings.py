"""The table of constants: sources, units, and errors that say where; and that what is read is what the YAML says."""

import json
import re

import pytest
import yaml

from podfsm.data import specs_folder
from podfsm.errors import SpecError, UnknownName
from podfsm.rules.timings import UNITS, read_timings, timing_constant, timings

GOOD = {"value": 1, "unit": "s", "source": "pkg/a.go:B", "what": "something"}


@pytest.mark.parametrize("one", timings().values(), ids=lambda one: one.name)
def test_every_constant_is_complete(one):
    path, _, identifier = one.source.partition(":")
    assert path.endswith(".go")
    assert identifier
    assert one.unit in UNITS
    assert one.what == one.what.strip()
    assert one.what


def test_a_few_values():
    assert timing_constant("pod-resync") == 60
    assert timing_constant("resync-jitter") == 0.5
    assert timing_constant("crash-backoff-max") == timing_constant("image-backoff-max") == 300
    assert timing_constant("image-backoff-expiry") == 2 * timing_constant("image-backoff-max")


def test_an_unknown_name_says_the_nearest():
    with pytest.raises(UnknownName, match="did you mean pod-resync"):
        timing_constant("pod-resinc")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"value": "1"}, "timings.x.value: not a value"),
        ({"value": True}, "timings.x.value: not a value"),
        ({"value": -1}, "timings.x.value: not a value"),
        ({"unit": "min"}, "timings.x.unit: no such unit"),
        ({"values": 1}, "timings.x: wrong keys"),
    ],
)
def test_a_wrong_entry_is_located(change, complaint):
    with pytest.raises(SpecError, match=re.escape(complaint)):
        read_timings({"x": {**GOOD, **change}}, source="timing.yaml")


def test_an_entry_that_is_no_table_is_located():
    with pytest.raises(SpecError, match=r"timings\.x: wrong keys"):
        read_timings({"x": 1}, source="timing.yaml")


@pytest.mark.parametrize(("table", "file"), [("gates", "gates.yaml"), ("timings", "timing.yaml")])
def test_what_podfsm_reads_is_what_the_yaml_says(table, file):
    read = json.loads((specs_folder() / "compiled.json").read_text(encoding="utf-8"))
    written = yaml.safe_load((specs_folder() / file).read_text(encoding="utf-8"))
    assert list(read[table].items()) == list(written[table].items()), "run: python docs/generate.py"
    assert file in read["note"]
