"""Which files of a folder hold Pods: those of must-gather, of `kubectl cluster-info dump`, and recordings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

_NAMES = re.compile(
    r"(pods\.(json|ya?ml)|audit.*\.(log|jsonl?)|[^/]+\.(jsonl|ndjson)|[^/]*watch[^/]*\.json)(\.gz|\.zst)?\Z",
    re.IGNORECASE,
)
_POD = re.compile(r"pods/[^/]+/[^/]+\.ya?ml\Z|pods/[^/]+\.(ya?ml|json)\Z")


def files_in(folder: Path) -> Iterator[Path]:
    """The files below a folder that hold Pods by their names, sorted. A Pod's own file goes before the list of all."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lists = {path.parent.parent for path in files if path.parent.name == "core" and path.stem == "pods"}
    for path in files:
        name = path.relative_to(folder).as_posix()
        single = _POD.search(name) is not None
        if single and _namespace(path) in lists:
            continue  # must-gather has every Pod twice: in core/pods.yaml and below pods/
        if single or _NAMES.search(name.rsplit("/", 1)[-1]):
            yield path


def _namespace(path: Path) -> Path:
    """The folder of the namespace, for a file below its `pods`."""
    parts = path.parts
    index = len(parts) - 1 - parts[::-1].index("pods")
    return Path(*parts[:index])
