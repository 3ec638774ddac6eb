"""Finds `specs/`, which lies beside the package in a checkout and inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def specs_folder() -> Path:
    """The folder that holds machines/, gates.yaml, timing.yaml and examples/."""
    package = Path(__file__).resolve().parent
    for folder in (package / "specs", package.parent / "specs"):
        if (folder / "gates.yaml").is_file():
            return folder
    raise FileNotFoundError(f"no specs folder beside {package}")
