"""What the documentation shows is what happens: commands, Python, links, and the generated pages."""

import doctest
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
READ = ["README.md", "docs/tutorial.md", *sorted(f"docs/howto/{path.name}" for path in (DOCS / "howto").glob("*.md"))]
TOP = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
ALL = sorted({*TOP, *(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md") if "_build" not in path.parts)})
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OUTPUT = re.compile(r"<!-- simulate-output -->\n```text\n(.*?)```\n<!-- end -->", re.DOTALL)
COMMAND = re.compile(r"^    pip install \. && (podfsm .*)$", re.MULTILINE)


def text_of(name):
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name, language):
    return [body for found, body in BLOCK.findall(text_of(name)) if found == language]


@pytest.fixture
def shell(tmp_path):
    """Runs a command line with `podfsm` on the path, in a folder with the examples; gives what it prints."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "podfsm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m podfsm "$@"\n')
    (tools / "podfsm").chmod(0o755)
    work = tmp_path / "work"
    shutil.copytree(ROOT / "specs", work / "specs")
    environment = {**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "100"}

    def run(command, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
        shown = subprocess.run(["sh", "-c", command], cwd=work, env=environment, text=True, check=False, **options)
        return shown.stdout

    run.folder = work
    return run


def sessions(name):
    """(command, expected output) for each `$ ` line of the console blocks."""
    for body in blocks(name, "console"):
        for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            yield command, expected


def write_files(name, folder):
    """The YAML blocks that begin with `# file: NAME`, as files."""
    for body in blocks(name, "yaml"):
        if named := re.match(r"# file: (\S+)\n", body):
            (folder / named[1]).write_text(body)


def pattern(expected):
    """Expected output as a regular expression: a line `...` stands for any lines, `...` inside a line for any text."""
    lines = [
        r"(?:.*\n)*?" if line == "..." else r".*?".join(map(re.escape, line.split("..."))) + r"\n"
        for line in expected.splitlines()
    ]
    return re.compile("".join(lines))


@pytest.mark.parametrize("name", [name for name in READ if "```console" in text_of(name)])
def test_commands_print_what_the_page_shows(name, shell):
    write_files(name, shell.folder)
    for command, expected in sessions(name):
        shown = shell(command)
        assert pattern(expected).fullmatch(shown), f"$ {command}\n{shown}\n--- expected\n{expected}"
        assert "Traceback" not in shown


@pytest.mark.parametrize("name", [name for name in READ if "```pycon" in text_of(name)])
def test_python_sessions_run(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = doctest.DocTestParser().get_doctest("\n".join(blocks(name, "pycon")), {}, name, name, 0)
    complaints = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(found, out=complaints.append)
    assert runner.tries
    assert not runner.failures, "".join(complaints)


@pytest.mark.parametrize("name", [name for name in READ if "```python" in text_of(name)])
def test_python_blocks_run(name, tmp_path):
    write_files(name, tmp_path)
    code = "\n".join(blocks(name, "python"))
    ran = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert ran.returncode == 0, ran.stderr


def test_readme_shows_what_its_command_prints(shell):
    command = COMMAND.search(text_of("README.md"))[1]
    shown = shell(command, stderr=subprocess.DEVNULL)
    assert shown.strip()
    assert OUTPUT.search(text_of("README.md"))[1] == shown


@pytest.mark.parametrize("name", ALL)
def test_links_lead_somewhere(name):
    folder = (ROOT / name).parent
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", text_of(name), flags=re.DOTALL)
    for target in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", outside):
        path, _, anchor = target.partition("#")
        page = folder / path if path else ROOT / name
        assert page.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
            }, target


def test_generated_pages_are_up_to_date(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.differing(generate.pages()) == [], "run: python docs/generate.py"
