"""SCXML and XState JSON are valid by their schemas."""

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from lxml import etree

from podfsm.render import render
from tests.engine.parcel import SPEC
from tests.render.machines import specs

SCHEMAS = Path(__file__).parent.parent / "data" / "schemas"
SCXML = etree.XMLSchema(etree.parse(SCHEMAS / "scxml-core.xsd"))
XSTATE = Draft7Validator(json.loads((SCHEMAS / "xstate-machine.json").read_text()))


@given(specs() | st.just(SPEC))
def test_scxml(spec):
    document = etree.fromstring(render(spec, "scxml").encode())
    assert SCXML.validate(document), SCXML.error_log
    ids = {node.get("id") for node in document}
    assert {node.get("target") for node in document.iter("{*}transition")} <= {*ids, None}  # lxml checks no references
    assert document.get("initial") in ids


@given(specs() | st.just(SPEC))
def test_xstate(spec):
    assert not list(XSTATE.iter_errors(json.loads(render(spec, "xstate"))))


def test_the_schemas_do_find_errors():
    text = render(SPEC, "scxml")
    for old, new in [('id="Depot"', 'id="De pot"'), ('event="ring"', 'event="a b.."'), ("<transition", "<trans")]:
        assert old in text
        assert not SCXML.validate(etree.fromstring(text.replace(old, new).encode()))
    machine = json.loads(render(SPEC, "xstate"))
    machine["states"]["Depot"]["on"]["lose"][0]["guards"] = []
    assert list(XSTATE.iter_errors(machine))
