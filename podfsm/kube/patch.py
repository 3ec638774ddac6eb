"""The patches that the API server takes: JSON, merge and strategic merge patches. Nothing given is changed."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from podfsm.errors import InputError, nearest
from podfsm.kube.paths import join
from podfsm.kube.strategic import strategic_patch
from podfsm.kube.words import described

__all__ = ["TYPES", "json_patch", "merge_patch", "patched", "strategic_patch"]

TYPES = ("json", "merge", "strategic")
"""The names of the patch types, as `kubectl patch --type` spells them."""

_OPERATIONS = ("add", "copy", "move", "remove", "replace", "test")


def patched(raw: Mapping[str, Any], type_: str, body: Any) -> dict[str, Any]:
    """The object after a patch of the type named, as a new one. Raises InputError with the path inside the patch."""
    if type_ == "json":
        return json_patch(raw, body)
    if type_ == "merge":
        return merge_patch(raw, body)
    if type_ == "strategic":
        return strategic_patch(raw, body)
    expected, hint = "one of " + ", ".join(TYPES), nearest(type_, TYPES)
    raise InputError("unknown patch type", path="type", expected=expected, found=repr(type_), hint=hint)


def merge_patch(raw: Mapping[str, Any], body: Any) -> dict[str, Any]:
    """The object after a JSON merge patch (RFC 7386): objects are merged, null removes, everything else replaces."""
    if not isinstance(body, Mapping):
        raise InputError("not a patch", expected="an object", found=described(body))
    return deepcopy(_merged(raw, body))


def _merged(old: Any, patch: Mapping[str, Any]) -> dict[str, Any]:
    new = dict(old) if isinstance(old, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = _merged(new.get(key), value) if isinstance(value, Mapping) else value
    return new


def json_patch(raw: Mapping[str, Any], ops: Any) -> dict[str, Any]:
    """The object after a JSON patch (RFC 6902), all operations or none.

    Raises InputError whose path is the operation's place in the patch (`[2].path`).
    """
    import jsonpatch  # only those who patch this way pay for it

    if not isinstance(ops, list):
        raise InputError("not a JSON patch", expected="a list of operations", found=described(ops))
    result: Any = deepcopy(dict(raw))
    for index, operation in enumerate(ops):
        _check_operation(operation, join("", index))
        try:
            result = jsonpatch.apply_patch(result, [deepcopy(operation)])
        except jsonpatch.JsonPatchTestFailed:
            found = described(operation.get("value"))
            problem = f"the test of {operation['path']} fails"
            raise InputError(problem, path=join(join("", index), "value"), found=found) from None
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError, IndexError):
            where = operation["path"]
            if "from" in operation:
                where = f"{operation['from']} or {where}"
            problem = f"cannot {operation['op']}: the object has no place {where}"
            raise InputError(problem, path=join(join("", index), "path")) from None
    if not isinstance(result, dict):
        raise InputError("leaves no object", found=described(result))
    return result


def _check_operation(operation: Any, path: str) -> None:
    if not isinstance(operation, dict):
        raise InputError("wrong type", path=path, expected="an object with op and path", found=described(operation))
    op = operation.get("op")
    if op not in _OPERATIONS:
        expected = "one of " + ", ".join(_OPERATIONS)
        hint = nearest(str(op), _OPERATIONS)
        raise InputError("unknown operation", path=join(path, "op"), expected=expected, found=described(op), hint=hint)
    for key in ("path", "from") if op in ("copy", "move") else ("path",):
        pointer = operation.get(key)
        if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
            expected = "a JSON pointer such as /spec/containers/0/image"
            raise InputError("not a pointer", path=join(path, key), expected=expected, found=described(pointer))
    if op in ("add", "replace", "test") and "value" not in operation:
        raise InputError("'value' is missing", path=path)
