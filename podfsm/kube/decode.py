"""Raw objects to typed ones, with every mismatch located; and the fields that nobody knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from podfsm.errors import InputError, nearest
from podfsm.kube.api_fields import FIELDS
from podfsm.kube.document import Document
from podfsm.kube.paths import Step, join, path_of, steps_of
from podfsm.kube.shape import Field, fields_of
from podfsm.kube.words import described, quoted
from podfsm.kube.yaml_values import resolve

T = TypeVar("T")

_WRONG_TYPE = re.compile(r"Expected `([^`]*)`, got `([^`]*)`")
_FIELD = re.compile(r"`([^`]*)`")
_AT = re.compile(r" - at `(?:key in )?\$([^`]*)`\Z")
_STEP = re.compile(r"\[(\.\.\.|\d+)\]|\.([^.\[]+)")
_TYPES = {
    "int": "an integer",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "a time",
}
_TIME = "a time as in 2026-01-01T00:00:00Z"
_JSON_TYPES = {dict: "object", list: "array", str: "str", bool: "bool", int: "int", float: "float", type(None): "null"}
_LARGEST = 2**63 - 1
_ZONE = re.compile(r"(?:[zZ]|[-+]\d\d:?\d\d)\Z")


class UnknownField(NamedTuple):
    """A field that the API does not have: where it is, and the nearest one that it has."""

    path: str
    hint: str


def decode(doc: Document, type_: type[T], *, at: str = "") -> T:
    """The typed object of a document, or of the part of it at the path `at`. A null is an absent field.

    Raises InputError with the place, what was expected and what was found.
    """
    with doc.locating(at):
        return convert(_part(doc.raw, at), type_)


def convert(raw: Any, type_: type[T]) -> T:
    """The typed object of a raw one; as `decode`, but errors know only the path inside `raw`."""
    plain = without_nulls(raw)
    try:
        typed = msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        raise _mismatch(str(error), plain, type_) from None
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct) and isinstance(plain, dict):
        _check_values(plain, type_, "")
    return typed


def without_nulls(raw: Any) -> Any:
    """The same value without the fields of objects that are null. Shares whatever has none."""
    if isinstance(raw, dict):
        plain = {key: without_nulls(value) for key, value in raw.items() if value is not None}
        same = len(plain) == len(raw) and all(plain[key] is value for key, value in raw.items())
        return raw if same else plain
    if isinstance(raw, list):
        items = [without_nulls(item) for item in raw]
        return raw if all(new is old for new, old in zip(items, raw, strict=True)) else items
    return raw


def unknown_fields(raw: Any, type_: type[msgspec.Struct]) -> list[UnknownField]:
    """The fields in `raw` that objects of this type do not have in the API, in their order.

    Fields that the API has and podfsm does not read are not reported; nor are fields of a class that is not listed in
    `podfsm.kube.api_fields`.
    """
    return list(_unknown(raw, type_, ""))


def _unknown(raw: Any, type_: type[msgspec.Struct], path: str) -> Iterator[UnknownField]:
    if not isinstance(raw, dict):
        return
    fields = fields_of(type_)
    others = FIELDS.get(type_.__name__)
    for name, value in raw.items():
        field = fields.get(name)
        if field is None:
            if others is not None and name not in others:
                yield UnknownField(join(path, name), nearest(name, {*others, *fields}))
        elif field.struct is not None:
            for below, part in _parts(value, field, join(path, name)):
                yield from _unknown(part, field.struct, below)


def _parts(value: Any, field: Field, path: str) -> Iterator[tuple[str, Any]]:
    """The objects inside a field, with their paths."""
    if field.many and isinstance(value, list):
        yield from ((join(path, index), item) for index, item in enumerate(value))
    elif field.keyed and isinstance(value, dict):
        yield from ((join(path, key), item) for key, item in value.items())
    elif not field.many and not field.keyed:
        yield path, value


def _check_values(raw: dict[str, Any], type_: type[msgspec.Struct], path: str) -> None:
    """What msgspec lets pass and the API does not: times without a zone, integers beyond 64 bits."""
    for name, field in fields_of(type_).items():
        value = raw.get(name)
        if value is None:
            continue
        if field.struct is not None:
            for below, part in _parts(value, field, join(path, name)):
                if isinstance(part, dict):
                    _check_values(part, field.struct, below)
        elif field.integer:
            for index, each in enumerate(value) if isinstance(value, list) else ((None, value),):
                if isinstance(each, int) and not -_LARGEST <= each <= _LARGEST:
                    where = join(path, name) if index is None else join(join(path, name), index)
                    raise InputError(
                        "too large", path=where, expected="an integer of 64 bits at most", found=described(each)
                    )
        elif field.instant and isinstance(value, str) and not _ZONE.search(value):
            raise InputError("a time without a zone", path=join(path, name), expected=_TIME, found=quoted(value))


def _part(raw: Any, path: str) -> Any:
    for step in steps_of(path):
        raw = raw[step] if _has(raw, step) else {}
    return raw


def _has(raw: Any, step: Step) -> bool:
    if isinstance(step, int):
        return isinstance(raw, list) and step < len(raw)
    return isinstance(raw, dict) and step in raw


def _mismatch(message: str, raw: Any, type_: Any) -> InputError:
    """The InputError for msgspec's message, which names a path but neither map keys nor the value found there."""
    at = _AT.search(message)
    said = message[: at.start()] if at else message
    wrong = _WRONG_TYPE.match(said)
    steps = tuple(int(i) if i.isdigit() else i or name for i, name in _STEP.findall(at[1])) if at else ()
    found_type = wrong[2] if wrong else "str"
    path, value = next(_resolved(raw, steps, found_type), (path_of(steps), None))
    if wrong:
        names = [name for name in wrong[1].split(" | ") if name != "null"]
        expected = " or ".join(_TYPES.get(name, name) for name in names)
        hint = _quotes(names, value)
        return InputError("wrong type", path=path, expected=expected, found=described(value), hint=hint)
    if "timezone" in said:
        return InputError("a time without a zone", path=path, expected=_TIME, found=described(value))
    if "RFC3339" in said:
        return InputError("not a time", path=path, expected=_TIME, found=described(value))
    field = _FIELD.search(said)
    if "missing required field" in said and field:
        return InputError(f"{field[1]!r} is missing", path=path)
    if "unknown field" in said and field:
        return _unexpected(field[1], path, type_)
    if "enum value" in said:
        return InputError("not one of the values allowed", path=path, found=described(value))
    return InputError("not allowed", path=path, expected=said.replace("`", "").removeprefix("Expected "))


def _quotes(wanted: list[str], value: Any) -> str:
    """The remedy for a YAML value that only lacks its quotes, or has them where it should not."""
    if wanted == ["str"] and isinstance(value, bool | int | float):
        return "put it in quotes"
    is_number = isinstance(value, str) and isinstance(resolve(value), int)
    return "remove the quotes" if is_number and not {"int", "bool"}.isdisjoint(wanted) else ""


def _unexpected(name: str, path: str, type_: Any) -> InputError:
    """A field refused by a type that forbids unknown ones."""
    known: set[str] = set()
    struct: Any = type_
    for step in steps_of(path):
        struct = struct if isinstance(step, int) else getattr(_field(struct, step), "struct", None)
    if isinstance(struct, type) and issubclass(struct, msgspec.Struct):
        known = set(fields_of(struct))
    return InputError("unknown field", path=join(path, name), hint=nearest(name, known) if known else "")


def _field(struct: Any, name: str) -> Field | None:
    is_struct = isinstance(struct, type) and issubclass(struct, msgspec.Struct)
    return fields_of(cast(type[msgspec.Struct], struct)).get(name) if is_struct else None


def _resolved(raw: Any, steps: tuple[Step, ...], found_type: str) -> Iterator[tuple[str, Any]]:
    """The places that msgspec's path can mean: where it says `[...]`, every key of a map may be it."""

    def walk(value: Any, rest: tuple[Step, ...], path: str) -> Iterator[tuple[str, Any]]:
        if not rest:
            if _JSON_TYPES.get(type(value)) == found_type:
                yield path, value
        elif rest[0] == "..." and isinstance(value, dict):
            for key, item in value.items():
                yield from walk(item, rest[1:], join(path, key))
        elif rest[0] == "..." and isinstance(value, list):
            for index, item in enumerate(value):
                yield from walk(item, rest[1:], join(path, index))
        elif _has(value, rest[0]):
            yield from walk(value[rest[0]], rest[1:], join(path, rest[0]))

    return walk(raw, steps, "")
