"""Strategic merge patch: like a merge patch, but lists are merged by the key that the API declares for them.

Source: `apimachinery/pkg/util/strategicpatch/patch.go` (mergeMap, mergeSlice, normalizeElementOrder). Values are
JSON-like; nothing given is changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from podfsm.errors import InputError, nearest
from podfsm.kube.merge_keys import KINDS, PLAIN, Part
from podfsm.kube.paths import join
from podfsm.kube.words import described

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_DELETE = "$deleteFromPrimitiveList/"
_ORDER = "$setElementOrder/"
_DIRECTIVES = ("delete", "replace")


def strategic_patch(raw: Mapping[str, Any], body: Any, *, kind: str = "") -> dict[str, Any]:
    """The object after the patch, as a new one. `kind` stands in for an object that does not say its own.

    Raises InputError with the path inside the patch: not an object, a list item without its merge key, an unknown
    directive, a kind without merge keys.
    """
    name = str(raw.get("kind") or kind or "Pod")
    if name not in KINDS:
        hint = "use a merge patch or a JSON patch"
        raise InputError("no strategic merge for this kind", path="kind", found=repr(name), hint=hint)
    if not isinstance(body, Mapping):
        raise InputError("not a patch", expected="an object", found=described(body))
    merged = _merge(dict(raw), body, KINDS[name], "")
    return deepcopy(merged if isinstance(merged, dict) else {})


def _merge(old: Any, patch: Mapping[str, Any], part: Part, path: str) -> dict[str, Any]:
    """One object. `old` may be anything else, which counts as an empty object."""
    directive = patch.get(_PATCH)
    if directive == "replace":
        return _fresh({key: value for key, value in patch.items() if key != _PATCH}, part, path)
    if directive == "delete":
        return {}
    if _PATCH in patch:
        raise _unknown_directive(directive, path)
    new = _retained(dict(old) if isinstance(old, dict) else {}, patch, path)
    for key, value in patch.items():
        if key == _RETAIN:
            continue
        if key.startswith(_DELETE):
            _delete_values(new, key.removeprefix(_DELETE), value, join(path, key))
        elif key.startswith(_ORDER):
            _list_in(value, join(path, key))
            name = key.removeprefix(_ORDER)
            if name not in patch and isinstance(new.get(name), list):
                new[name] = _merge_list(new[name], [], part.fields.get(name, PLAIN), join(path, name), value)
        elif value is None:
            new.pop(key, None)
        else:
            order = patch.get(_ORDER + key)
            new[key] = _value(new.get(key), value, part.fields.get(key, PLAIN), join(path, key), order)
    return new


def _value(old: Any, new: Any, part: Part, path: str, order: Any = None) -> Any:
    if isinstance(new, Mapping):
        return _fresh(new, part, path) if part.replace else _merge(old, new, part, path)
    if isinstance(new, list):
        return _merge_list(old if isinstance(old, list) else [], new, part, path, order)
    return new


def _fresh(patch: Mapping[str, Any], part: Part, path: str) -> dict[str, Any]:
    """The part of a patch that meets nothing old: its directives and nulls are worked off all the same."""
    return _merge({}, patch, part, path)


def _retained(old: dict[str, Any], patch: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Only the keys that `$retainKeys` lists stay; a patch may not set others."""
    if _RETAIN not in patch:
        return old
    keep = _list_in(patch[_RETAIN], join(path, _RETAIN))
    for key, value in patch.items():
        if value is not None and not key.startswith("$") and key not in keep:
            raise InputError(f"sets a field that {_RETAIN} does not list", path=join(path, key))
    return {key: value for key, value in old.items() if key in keep}


def _merge_list(old: list[Any], patch: list[Any], part: Part, path: str, order: Any = None) -> list[Any]:
    key = part.key
    if key is None:
        return [_value(None, item, Part(None, part.fields), join(path, index)) for index, item in enumerate(patch)]
    _check_items(patch, key, path)
    if not key:
        merged = [each for place, each in enumerate([*old, *patch]) if each not in [*old, *patch][:place]]
        return _in_order(merged, order or patch, old, "")
    old, changes = _work_off(old, patch, key, path)
    result = list(old)
    for index, item in changes:
        place = next((at for at, each in enumerate(result) if _key(each, key) == item[key]), None)
        below, inner = join(path, index), Part(None, part.fields)
        if place is None:
            result.append(_fresh(item, inner, below))
        else:
            result[place] = _merge(result[place], item, inner, below)
    return _in_order(result, order or [item for _, item in changes], old, key)


def _check_items(patch: list[Any], key: str, path: str) -> None:
    """The items must be what the list can be merged by: objects with the key, or plain values in a set."""
    for index, item in enumerate(patch):
        is_object = isinstance(item, Mapping)
        if is_object != bool(key) or isinstance(item, list):
            expected = "an object" if key else "a plain value"
            raise InputError("wrong type", path=join(path, index), expected=expected, found=described(item))
        if is_object and key not in item and item.get(_PATCH) != "replace":
            raise InputError(f"an item without {key!r}, by which the list is merged", path=join(path, index))


def _work_off(
    old: list[Any], patch: list[Any], key: str, path: str
) -> tuple[list[Any], list[tuple[int, Mapping[str, Any]]]]:
    """Apply the directives among the items: what is left of the old list, and the items to merge with their indices."""
    changes: list[tuple[int, Mapping[str, Any]]] = []
    replace = False
    for index, item in enumerate(patch):
        directive = item.get(_PATCH)
        if _PATCH not in item:
            changes.append((index, item))
        elif directive == "delete" and key in item:
            old = [each for each in old if _key(each, key) != item[key]]
        elif directive == "replace":
            replace = True
        else:
            raise _unknown_directive(directive, join(path, index))
    return ([] if replace else old), changes


def _in_order(merged: list[Any], order: Any, server: list[Any], key: str) -> list[Any]:
    """The merged list in the patch's order, with the items that only the server has woven in.

    An item of the server's comes before the next one of the patch if it did so in the old list; items that the patch
    adds come first otherwise, which is why a container added with `kubectl patch` is the first one.
    """
    wanted = [_key(each, key) for each in order] if isinstance(order, list) else []
    places = {_key(each, key): place for place, each in reversed(list(enumerate(server)))}
    named = [each for each in merged if _key(each, key) in wanted]
    named.sort(key=lambda each: wanted.index(_key(each, key)))
    others = [each for each in merged if _key(each, key) not in wanted]
    result: list[Any] = []
    while named and others:
        theirs, ours = places.get(_key(others[0], key)), places.get(_key(named[0], key))
        before = theirs is not None and ours is not None and theirs < ours
        result.append((others if before else named).pop(0))
    return [*result, *named, *others]


def _key(item: Any, key: str) -> Any:
    """What identifies an item: the value of its merge key, or the value itself in a set."""
    found = item.get(key) if key and isinstance(item, Mapping) else item
    return str(found) if isinstance(found, dict | list) else found


def _delete_values(new: dict[str, Any], name: str, values: Any, path: str) -> None:
    gone = _list_in(values, path)
    if isinstance(new.get(name), list):
        new[name] = [each for each in new[name] if each not in gone]


def _list_in(value: Any, path: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise InputError("wrong type", path=path, expected="a list", found=described(value))
    return value


def _unknown_directive(directive: Any, path: str) -> InputError:
    expected, hint = " or ".join(_DIRECTIVES), nearest(str(directive), _DIRECTIVES)
    where = join(path, _PATCH)
    return InputError("unknown directive", path=where, expected=expected, found=described(directive), hint=hint)
