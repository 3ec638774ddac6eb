"""What Graphviz itself finds in the graphs, and the pictures it makes of them."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podfsm.errors import InputError
from podfsm.render import picture, render
from podfsm.render.parts import arrows, clean, colours, identifiers, shown
from tests.engine.parcel import SPEC
from tests.render.machines import specs

pytestmark = pytest.mark.graphviz
SVG = "{http://www.w3.org/2000/svg}"


def written(*lines):
    """A label as Graphviz reads it: backslashes and HTML entities mean something in it."""
    return "\\n".join(clean(line).replace("\\", "\\\\").replace("&", "&amp;") for line in lines if line)


def check(graphviz, spec, with_guards, current):
    read = graphviz(render(spec, "dot", with_guards=with_guards, current=current))
    names, paint = identifiers(spec), colours(spec)
    nodes = {node["name"]: node for node in read["objects"] if "nodes" not in node}
    places = {node["_gvid"]: node["name"] for node in read["objects"]}
    assert set(names.values()) | {"[initial]"} == {name for name in nodes if not name.startswith("[actor]")}
    for state in spec.states:
        node = nodes[names[state.name]]
        assert node["label"] == written(state.name, shown(state))
        assert (node.get("peripheries") == "2") == state.final
        assert (node.get("penwidth") == "3") == (state.name == current)
    edges = [(places[edge["tail"]], places[edge["head"]], edge) for edge in read["edges"]]
    assert ("[initial]", names[spec.initial]) in [edge[:2] for edge in edges]
    drawn = sorted((a, b, edge["label"], edge["color"]) for a, b, edge in edges if a != "[initial]")
    assert drawn == sorted(
        (names[arrow.source], names[arrow.target], written(*arrow.labels), paint[arrow.by])
        for arrow in arrows(spec, with_guards=with_guards)
    )
    legend = [node["fontcolor"] for name, node in nodes.items() if name.startswith("[actor]")]
    assert sorted(legend) == sorted(paint.values())


@pytest.mark.parametrize("with_guards", [False, True])
def test_the_parcel(graphviz, with_guards):
    check(graphviz, SPEC, with_guards, "Depot")
    check(graphviz, SPEC, with_guards, None)


@given(spec=specs(), with_guards=st.booleans(), data=st.data())
def test_any_machine(graphviz, spec, with_guards, data):
    check(graphviz, spec, with_guards, data.draw(st.sampled_from([None, *spec.state_names])))


@settings(max_examples=15)
@given(spec=specs())
def test_a_picture_shows_every_name(graphviz, spec):
    drawn = ET.fromstring(render(spec, "svg"))
    texts = {" ".join(text.text.split()) for text in drawn.iter(f"{SVG}text") if text.text}
    for name in (*spec.state_names, spec.name, *colours(spec)):
        assert " ".join(name.split()) in texts
    assert drawn.tag == f"{SVG}svg"


def test_png(graphviz):
    drawn = render(SPEC, "png", with_guards=True, current="Depot")
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    assert drawn != render(SPEC, "png")


@pytest.mark.parametrize("form", ["svg", "png"])
def test_without_graphviz(monkeypatch, form):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        InputError, match=f"{form} needs Graphviz, and there is no program `dot` on the PATH; install it"
    ):
        render(SPEC, form)


@pytest.mark.parametrize(
    ("script", "complaint"),
    [("echo no fonts >&2; exit 1", "Graphviz failed: no fonts"), ("exec sleep 5", "Graphviz took more than 0.2 s")],
)
def test_when_graphviz_fails(monkeypatch, tmp_path, script, complaint):
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(picture, "_SECONDS", 0.2)
    monkeypatch.setattr(picture.shutil, "which", lambda name: str(program))
    with pytest.raises(InputError, match=complaint):
        render(SPEC, "svg")
