"""Everything that CI runs, a session each. `nox -l` lists them; with `--no-venv` they use the environment at hand."""

from __future__ import annotations

import os
import shutil
import sys
import venv
from pathlib import Path

import nox

ROOT = Path(__file__).parent
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["tests", "types", "lint", "imports", "docs", "diagrams", "wheel"]


def install(session: nox.Session, what: str) -> None:
    """Install into the session's own environment; with `--no-venv` everything is already there."""
    if session.virtualenv.venv_backend != "none":
        session.install(*what.split())


@nox.session
def tests(session: nox.Session) -> None:
    """The test-suite, with nothing installed that the README does not name."""
    install(session, ".[testing]")
    session.run("pytest", *session.posargs)


@nox.session
def shared(session: nox.Session) -> None:
    """The long comparisons with measured vectors and recordings, where they lie beside the checkout."""
    if not (ROOT.parent / "shared").is_dir():
        session.skip("nothing lies beside this checkout")
    install(session, ".[testing]")
    session.run("pytest", "-m", "shared", "tests/shared", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    install(session, "-e .[dev]")
    session.run("mypy")


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, both halves."""
    install(session, "-e .[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def imports(session: nox.Session) -> None:
    """The import contracts."""
    install(session, "-e .[dev]")
    session.run("lint-imports")


@nox.session
def docs(session: nox.Session) -> None:
    """Generated pages are up to date, and the site builds without a warning."""
    install(session, "-e .[dev]")
    session.run("python", "docs/generate.py", "--check")
    session.run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def diagrams(session: nox.Session) -> None:
    """Others read the diagrams: Mermaid and XState in Node, Graphviz, PlantUML, and the schemas of SCXML and XState."""
    install(session, "-e .[dev]")
    there = {"npm": "npm", "dot": "graphviz", "plantuml": "plantuml"}
    missing = [marker for program, marker in there.items() if shutil.which(program) is None]
    if missing:
        session.warn(f"not installed, so left out: {', '.join(missing)}")
    left_out = " and ".join(f"not {marker}" for marker in ["shared", *missing])
    session.run("pytest", "-m", left_out, "tests/render", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it into an empty environment, and use it from an empty folder."""
    install(session, "build")
    folder = Path(session.create_tmp()).resolve()
    for name in ("dist", "empty", "cwd"):
        shutil.rmtree(folder / name, ignore_errors=True)
    session.run("python", "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(ROOT))
    built = next((folder / "dist").glob("*.whl"))
    venv.create(folder / "empty", with_pip=True)
    tools = folder / "empty" / ("Scripts" if sys.platform == "win32" else "bin")
    (folder / "cwd").mkdir()
    session.chdir(folder / "cwd")
    python, podfsm = str(tools / "python"), str(tools / "podfsm")
    session.run(python, "-m", "pip", "install", "-q", str(built), external=True)
    session.run(python, "-c", "import podfsm; [getattr(podfsm, name) for name in podfsm.__all__]", external=True)
    session.run(podfsm, "--version", external=True)
    session.run(podfsm, "rules", "list", external=True, stdout=open(os.devnull, "w"))  # noqa: PTH123, SIM115
    find = "from podfsm.data import specs_folder; print(specs_folder() / 'examples' / 'crash-loop.yaml')"
    example = str(session.run(python, "-c", find, silent=True, external=True)).strip()
    session.run(podfsm, "simulate", example, external=True)


@nox.session
def verify(session: nox.Session) -> None:
    """The invariant suite over the whole profile ci, and how many planted faults it notices."""
    install(session, ".[testing]")
    session.run("podfsm", "verify", "--profile", "ci", *session.posargs)
    session.run("podfsm", "verify", "--faults", "--profile", "ci")


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmark table: ratios inside one run."""
    install(session, "-e .[dev]")
    session.run("python", "-m", "tests.benchmarks", *session.posargs)


@nox.session
def changelog(session: nox.Session) -> None:
    """What the fragments add up to."""
    install(session, "towncrier")
    session.run("towncrier", "build", "--draft", "--version", "next")
