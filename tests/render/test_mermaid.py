"""What Mermaid's own parser finds in the diagrams."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podfsm.render import render
from podfsm.render.parts import arrows, awaited, clean, identifiers, shown
from tests.engine.parcel import SPEC
from tests.render.machines import specs

pytestmark = pytest.mark.npm


def check(readers, spec, with_guards, current):
    read = readers.ask("mermaid", render(spec, "mermaid", with_guards=with_guards, current=current))
    names = identifiers(spec)
    assert read["type"] == "stateDiagram"
    ends = {"root_start"} | ({"root_end"} if spec.finals else set())
    assert set(read["states"]) == set(names.values()) | ends
    for state in spec.states:
        found = read["states"][names[state.name]]
        assert found["says"] == [clean(text) for text in (state.name, shown(state)) if text]
        assert ("current" in found["classes"]) == (state.name == current)
        assert bool(awaited(spec, state.name)) == any(name.startswith("actor") for name in found["classes"])
        assert set(found["classes"]) <= set(read["classes"])
    drawn = [
        [names[a.source], names[a.target], clean(f"{' / '.join(a.labels)} ({a.by})")]
        for a in arrows(spec, with_guards=with_guards)
    ]
    start = ["root_start", names[spec.initial], ""]
    assert read["relations"] == [start, *drawn, *([names[name], "root_end", ""] for name in spec.finals)]


@pytest.mark.parametrize("with_guards", [False, True])
def test_the_parcel(readers, with_guards):
    check(readers, SPEC, with_guards, "On the way")
    check(readers, SPEC, with_guards, None)


@settings(max_examples=200)
@given(spec=specs(), with_guards=st.booleans(), data=st.data())
def test_any_machine(readers, spec, with_guards, data):
    check(readers, spec, with_guards, data.draw(st.sampled_from([None, *spec.state_names])))
