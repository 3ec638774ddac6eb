"""Finds `specs/`, which lies beside the package in a checkout and inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec


def specs_folder() -> Path:
    """The folder that holds machines/, gates.yaml, timing.yaml, compiled.json and examples/."""
    package = Path(__file__).resolve().parent
    for folder in (package / "specs", package.parent / "specs"):
        if (folder / "gates.yaml").is_file():
            return folder
    raise FileNotFoundError(f"no specs folder beside {package}")


def compiled(table: str) -> Any:
    """A table of gates.yaml (`gates`) or timing.yaml (`timings`), as written into compiled.json.

    That is JSON because YAML takes longer to read than most commands take to answer.
    """
    return msgspec.json.decode((specs_folder() / "compiled.json").read_bytes())[table]
