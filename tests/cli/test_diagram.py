"""`podfsm diagram`: machines by name or file, in every form that needs no other program."""

import json
import xml.etree.ElementTree as ET

import pytest

from podfsm.machines import machine_names

OWN = """\
machine: door
initial: Open
states:
  Open: {says: anybody may pass}
  Shut: {says: nobody may pass}
transitions:
  - {trigger: close, source: Open, dest: Shut, by: user}
  - {trigger: open, source: Shut, dest: Open, by: user}
"""


def test_list(podfsm):
    assert tuple(podfsm("diagram", "--list").out.split()) == machine_names()


@pytest.mark.parametrize("name", machine_names())
def test_mermaid_is_the_default(podfsm, name):
    shown = podfsm("diagram", name)
    assert shown.status == 0
    assert "stateDiagram-v2" in shown.out
    assert shown.out == podfsm("diagram", name, "-o", "mermaid").out


def test_other_forms(podfsm):
    assert podfsm("diagram", "container", "-o", "dot").out.startswith("digraph")
    assert podfsm("diagram", "container", "-o", "plantuml").out.startswith("@startuml")
    assert ET.fromstring(podfsm("diagram", "container", "-o", "scxml").out).tag.endswith("scxml")
    assert json.loads(podfsm("diagram", "container", "-o", "xstate").out)


def test_guards_are_written_on_request(podfsm):
    assert "restart-always" in podfsm("diagram", "container", "--with-guards").out
    assert "restart-always" not in podfsm("diagram", "container").out


def test_the_version_decides_which_rows_exist(podfsm):
    assert podfsm("diagram", "container", "--kubernetes", "1.36").out != podfsm(
        "diagram", "container", "--kubernetes", "1.18"
    ).out  # fmt: skip


def test_a_file_of_ones_own(podfsm, tmp_path):
    file = tmp_path / "door.yaml"
    file.write_text(OWN)
    assert "Shut" in podfsm("diagram", file).out
    assert podfsm("diagram", file, "--current", "Shut").out != podfsm("diagram", file).out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["containr"], "no machine 'containr'; did you mean container?"),
        (["container", "--current", "Runing"], "no state 'Runing'; did you mean Running?"),
        (["container", "-o", "jpeg"], "invalid value for"),
        (["missing.yaml"], "missing.yaml"),
        (["."], "no machine '.'"),
    ],
    ids=str,
)
def test_bad_arguments_are_one_line(podfsm, arguments, complaint):
    assert complaint in podfsm("diagram", *arguments).complaint
