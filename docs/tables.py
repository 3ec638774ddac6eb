"""`specs/gates.yaml` and `specs/timing.yaml` as one JSON file: people change the YAML, podfsm reads the JSON.

That takes a fraction of the time. `docs/generate.py` writes the file. So does this script, which loads no rules and
therefore helps where a merge has broken the file.
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from podfsm.data import specs_folder

SOURCES = {"gates": "gates.yaml", "timings": "timing.yaml"}
"""The tables by their key, in the file that holds them as in what is written."""

NOTE = f"Written by docs/generate.py from {' and '.join(SOURCES.values())}; changes go there."
FILE = specs_folder() / "compiled.json"


def table(name: str) -> dict[str, Any]:
    """One table as its YAML says."""
    text = (specs_folder() / SOURCES[name]).read_text(encoding="utf-8")
    rows: dict[str, Any] = yaml.safe_load(text)[name]
    return rows


def compiled() -> str:
    """The JSON of all tables, a line for each row, so that a change of one shows as one."""
    parts = [f'"note": {json.dumps(NOTE)}']
    for name in SOURCES:
        rows = ",\n".join(f"{json.dumps(key)}: {_plain(row)}" for key, row in table(name).items())
        parts.append(f'"{name}": {{\n{rows}\n}}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _plain(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False)


def renew() -> bool:
    """Write the file if it is not what the tables say; whether it was written."""
    text = compiled()
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text:
        return False
    FILE.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    renew()
