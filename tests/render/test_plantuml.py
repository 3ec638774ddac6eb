"""What PlantUML takes the diagrams for."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podfsm.render import render
from podfsm.render.parts import arrows, clean, identifiers
from tests.engine.parcel import SPEC
from tests.render.machines import specs


def shown(text):
    """The text as PlantUML shows it."""
    return re.sub(r"<U\+([0-9A-F]+)>", lambda found: chr(int(found[1], 16)), text)


def check(spec, with_guards):
    lines = render(spec, "plantuml", with_guards=with_guards).split("\n")
    names = identifiers(spec)
    assert lines[0] == "@startuml"
    assert lines[-2:] == ["@enduml", ""]
    declared = [re.fullmatch(r'state "(.*)" as (\w+)', line) for line in lines]
    assert {shown(found[1]): found[2] for found in declared if found} == {clean(name): names[name] for name in names}
    drawn = [re.fullmatch(r"(\w+) -\[#\w{6}\]-> (\w+) : (.*)", line) for line in lines]
    assert [(found[1], found[2], tuple(map(shown, found[3].split("\\n")))) for found in drawn if found] == [
        (names[arrow.source], names[arrow.target], arrow.labels) for arrow in arrows(spec, with_guards=with_guards)
    ]
    assert f"[*] --> {names[spec.initial]}" in lines
    assert all(f"{names[name]} --> [*]" in lines for name in spec.finals)


@given(spec=specs(), with_guards=st.booleans())
def test_every_line_is_one_of_the_few_kinds(spec, with_guards):
    check(spec, with_guards)
    check(SPEC, with_guards)


@pytest.mark.plantuml
def test_plantuml_reads_state_diagrams(plantuml):
    """One run for all: starting it is what takes time."""
    drawn = [render(SPEC, "plantuml", with_guards=True, current="Depot")]
    counts = [len(SPEC.states) + 2]

    @settings(max_examples=200)
    @given(specs())
    def gather(spec):
        drawn.append(render(spec, "plantuml", with_guards=True))
        counts.append(len(spec.states) + 1 + bool(spec.finals))

    gather()
    said = [line for line in plantuml(drawn) if line]
    assert said == [line for count in counts for line in ("STATE", f"({count} entities)")]
