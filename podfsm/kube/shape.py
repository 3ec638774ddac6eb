"""What a typed object looks like from outside: which of its fields are objects, lists, instants or integers.

Made once for each class from its annotations; `decode` walks raw objects by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import msgspec


class Field(NamedTuple):
    """One field: `struct` is the class of the object it holds, or of each one in its list (`many`) or map (`keyed`)."""

    struct: type[msgspec.Struct] | None
    many: bool = False
    keyed: bool = False
    instant: bool = False
    integer: bool = False


@cache
def fields_of(struct: type[msgspec.Struct]) -> Mapping[str, Field]:
    """The fields of a class by the names they have in JSON."""
    return {info.encode_name: _field(info.type) for info in msgspec.structs.fields(struct)}


def _field(annotation: Any) -> Field:
    for part in _alternatives(annotation):
        origin, arguments = get_origin(part), get_args(part)
        if isinstance(part, type) and issubclass(part, msgspec.Struct):
            return Field(part)
        if isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
            return Field(_field(arguments[1]).struct, keyed=True)
        if isinstance(origin, type) and issubclass(origin, Sequence) and arguments:
            inner = _field(arguments[0])
            return Field(inner.struct, many=True, integer=inner.integer)
        if part is datetime:
            return Field(None, instant=True)
        if part is int:
            return Field(None, integer=True)
    return Field(None)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types that a value may have, `Annotated` and `| None` taken off."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return tuple(each for part in get_args(annotation) for each in _alternatives(part))
    return (annotation,)
