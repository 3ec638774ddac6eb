"""The project's own promises: what is public, what loading costs, what the files say of each other."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import metadata, version
from pathlib import Path

import pytest

import podfsm
from podfsm.cli.main import VERBS
from podfsm.data import specs_folder
from podfsm.machines import class_name, machine, machine_names

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_public_names_are_sorted_and_exist():
    assert len(set(podfsm.__all__)) == len(podfsm.__all__)
    assert sorted(podfsm.__all__, key=_like_isort) == podfsm.__all__
    assert [name for name in podfsm.__all__ if not hasattr(podfsm, name)] == []
    assert set(podfsm.__all__) <= set(dir(podfsm))


def _like_isort(name):
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_a_public_name_does_not_hide_a_module():
    modules = {path.stem for path in Path(podfsm.__file__).parent.iterdir()}
    assert {name for name in modules & set(podfsm.__all__) if not callable(getattr(podfsm, name))} == set()


def test_every_error_is_public():
    errors = re.findall(r"^class (\w+)", (ROOT / "podfsm/errors.py").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(errors) <= set(podfsm.__all__)


def test_every_machine_has_a_public_class():
    assert {class_name(name) for name in machine_names()} == {
        name for name in podfsm.__all__ if name.endswith("Machine")
    }
    for name in machine_names():
        assert getattr(podfsm, class_name(name)) is machine(name)


def test_the_reference_lists_the_public_names():
    page = (ROOT / "docs/reference/generated/api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(podfsm.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Pod'"):
        _ = podfsm.Pod


def test_importing_loads_nothing():
    loaded = set(python("import sys; before = {*sys.modules}; import podfsm; print(*{*sys.modules} - before)").split())
    assert {name for name in loaded if name.startswith("podfsm")} == {"podfsm"}
    assert not loaded & {"attrs", "click", "msgspec", "rich", "transitions", "yaml"}


def test_rules_need_neither_transitions_nor_click():
    loaded = set(
        python("import sys; from podfsm.rules.catalogue import all_rules; all_rules(); print(*sys.modules)").split()
    )
    assert not loaded & {"click", "rich", "transitions"}


def test_explaining_json_loads_no_more_than_it_needs():
    pod = ROOT / "tests/data/recordings/kubectl-get.json"
    code = f"import sys; from podfsm.cli.main import run; run(['explain', {str(pod)!r}]); print(*sys.modules)"
    shown, _, loaded = python(code).rstrip().rpartition("\n")
    assert "running and ready" in shown
    assert not set(loaded.split()) & {"yaml", "transitions", "rich", "subprocess", "gzip", "podfsm.rules.catalogue"}


def test_the_version_is_the_projects():
    assert podfsm.__version__ == version("podfsm") == PROJECT["project"]["version"]


def test_it_is_typed_and_licensed():
    assert (Path(podfsm.__file__).parent / "py.typed").is_file()
    assert metadata("podfsm")["License-Expression"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_specs_are_found_and_complete():
    folder = specs_folder()
    for name in ("gates.yaml", "timing.yaml", "compiled.json", "machines", "examples/crash-loop.yaml"):
        assert (folder / name).exists(), name


def test_the_readme_names_every_verb():
    table = re.findall(r"^\| `podfsm (\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(table) == set(VERBS)


def test_changelog_fragments_have_a_type():
    types = {one["directory"] for one in PROJECT["tool"]["towncrier"]["type"]}
    for path in (ROOT / "changelog.d").iterdir():
        assert path.name == "README.md" or re.fullmatch(rf"[\w-]+\.({'|'.join(types)})\.md", path.name), path.name


def test_the_architecture_shows_the_layers_that_are_checked():
    layers = next(one["layers"] for one in PROJECT["tool"]["importlinter"]["contracts"] if one["type"] == "layers")
    assert " > ".join(layers) in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
