"""SVG and PNG, drawn by Graphviz from the DOT text."""

from __future__ import annotations

import shutil
import subprocess

from podfsm.engine.spec import MachineSpec
from podfsm.errors import InputError
from podfsm.render.dot import dot

_SECONDS = 60


def svg(spec: MachineSpec, *, with_guards: bool, current: str | None) -> str:
    """The picture as SVG text. Raises InputError when Graphviz is missing or fails."""
    return _drawn("svg", dot(spec, with_guards=with_guards, current=current)).decode("utf-8")


def png(spec: MachineSpec, *, with_guards: bool, current: str | None) -> bytes:
    """The picture as PNG. Raises InputError when Graphviz is missing or fails."""
    return _drawn("png", dot(spec, with_guards=with_guards, current=current))


def _drawn(form: str, graph: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        hint = (
            "install it (apt-get install graphviz, brew install graphviz, https://graphviz.org/download) or use mermaid"
        )
        raise InputError(f"{form} needs Graphviz, and there is no program `dot` on the PATH", hint=hint)
    try:
        # The program is the one found above, its input is a graph made here, and no shell is involved.
        done = subprocess.run(  # noqa: S603
            [program, f"-T{form}"], input=graph.encode(), capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"Graphviz took more than {_SECONDS} s", hint="draw without guards, or use mermaid") from None
    if done.returncode:
        raise InputError(f"Graphviz failed: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
