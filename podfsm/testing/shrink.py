"""Making a case smaller as long as it shows the same: parts are left out one after another, then numbers lowered.

The order is fixed and the effort counted, not timed, so that the same case always shrinks to the same one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from podfsm.errors import PodfsmError
from podfsm.simulate import prepare
from podfsm.testing.case import Case

Json = dict[str, Any]
Path = tuple[str | int, ...]
NEEDED = frozenset(
    {
        "apiVersion",
        "kind",
        "metadata",
        "spec",
        "containers",
        "name",
        "image",
        "duration",
        "pod",
        "container",
        "at",
        "delete",
        "patch",
        "create",
        "body",
        "type",
        "exec",
        "command",
        "action",
        "operator",
        "values",
        "conditionType",
        "status",
        "restartPolicy",
        "sandbox",
        "resourceName",
        "requests",
        "limits",
    }
)
"""Keys whose absence makes another thing of what holds them."""


def shrink(case: Case, shows: Callable[[Case], bool], *, effort: int = 400) -> Case:
    """The smallest case found that still shows it, after at most `effort` tries."""
    left = effort
    best, again = case, True
    while again and left > 0:
        again = False
        for smaller in _smaller(best):
            left -= 1
            if left < 0:
                break
            if _valid(smaller) and shows(smaller):
                best, again = smaller, True
                break
    return best


def _valid(case: Case) -> bool:
    try:
        prepare(case.documents())
    except PodfsmError:
        return False
    return True


def _smaller(case: Case) -> Iterator[Case]:
    """Candidates, the boldest first."""
    for pod in case.pods if len(case.pods) > 1 else ():
        yield _without_pod(case, pod["metadata"]["name"])
    whole = {"pods": list(case.pods), "spec": case.spec}
    for path in sorted(_removable(whole), key=lambda path: (-len(json.dumps(_at(whole, path))), len(path))):
        yield _case(_without(whole, path))
    for path, value in _numbers(whole):
        for lower in sorted({0, 1, value // 2} if isinstance(value, int) else {0, 1, int(value)}):
            if lower < value and (lower or path[-1] != "duration"):  # a duration of 0 would be the usual one
                yield _case(_replaced(whole, path, lower))


def _case(whole: Json) -> Case:
    return Case(tuple(whole["pods"]), {key: value for key, value in whole["spec"].items() if value not in ([], {})})


def _without_pod(case: Case, name: str) -> Case:
    spec = dict(case.spec)
    for group in ("containers", "pods"):
        spec[group] = [entry for entry in spec.get(group, ()) if entry.get("pod") != name]
    steps = [s for s in case.steps if str(s.get("delete", s.get("patch", ""))).split("/")[1:2] != [name]]
    spec["steps"] = steps
    return Case(tuple(p for p in case.pods if p["metadata"]["name"] != name), {k: v for k, v in spec.items() if v})


def _removable(value: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of what can be left out: keys that are not needed, and entries of lists that keep another one."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in NEEDED and path:
                yield (*path, key)
            if key not in ("body", "create"):
                yield from _removable(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            single = path[-1] in ("pods", "containers", "values", "command") and len(value) == 1 and path[0] == "pods"
            if not single:
                yield (*path, index)
            yield from _removable(part, (*path, index))


def _numbers(value: Any, path: Path = ()) -> Iterator[tuple[Path, int | float]]:
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            if key not in ("body", "create", "values"):
                yield from _numbers(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _numbers(part, (*path, index))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _without(whole: Json, path: Path) -> Json:
    copy = _copied(whole)
    holder = _at(copy, path[:-1])
    del holder[path[-1]]
    return dict(copy)


def _replaced(whole: Json, path: Path, value: Any) -> Json:
    copy = _copied(whole)
    _at(copy, path[:-1])[path[-1]] = value
    return dict(copy)
