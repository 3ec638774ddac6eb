"""Kubernetes objects from a file or standard input: JSON or YAML, one document or many, plain or gzip, `List`s opened.

Whatever is wrong with the input gives one `InputError` that says where, what was expected and what was found.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from podfsm.errors import InputError, meant, nearest
from podfsm.kube.document import Document
from podfsm.kube.json_read import read_json
from podfsm.kube.limits import DEFAULT, Limits
from podfsm.kube.locate import Origin, Value
from podfsm.kube.paths import Step, path_of
from podfsm.kube.source import read_text
from podfsm.kube.words import described, quoted

__all__ = ["Document", "documents_of", "read_documents"]


def read_documents(
    source: str | Path,
    *,
    stdin: BinaryIO | None = None,
    limits: Limits = DEFAULT,
    kinds: Collection[str] | None = None,
) -> list[Document]:
    """The Kubernetes objects in a file, or in standard input for `-`, in their order; items of Lists one by one.

    `stdin` stands in for the program's standard input. `kinds`, if given, are the kinds to accept. A List without items
    gives no documents; an input without any document is an error, like everything that is not a Kubernetes object.
    """
    name, text = read_text(source, stdin=stdin, limits=limits)
    return documents_of(text, name, limits=limits, kinds=kinds)


def documents_of(
    text: str, source: str = "", *, limits: Limits = DEFAULT, kinds: Collection[str] | None = None
) -> list[Document]:
    """The Kubernetes objects in a text; as `read_documents`."""
    if not text.strip():
        raise InputError("is empty", source=source, expected="a Kubernetes object in YAML or JSON")
    values = _values(text, source, limits)
    if not values:
        raise InputError("holds no object, only comments or empty documents", source=source)
    return [each for value in values for each in _objects(value.value, source, value.origin, (), kinds)]


def _values(text: str, source: str, limits: Limits) -> list[Value]:
    """Read as JSON what looks like it, everything else as YAML (of which JSON is nearly a part)."""
    start = text.lstrip()[:1]
    if start not in ("{", "["):
        return _yaml(text, source, limits)
    try:
        return read_json(text, source, limits)
    except InputError as not_json:
        if not not_json.problem.startswith("not JSON"):
            raise
        if _looks_like_json(text):
            raise
        return _yaml(text, source, limits)


def _yaml(text: str, source: str, limits: Limits) -> list[Value]:
    from podfsm.kube.yaml_read import read_yaml  # brings PyYAML, which takes long to load and JSON has no need of

    return read_yaml(text, source, limits)


def _looks_like_json(text: str) -> bool:
    """Whether text that starts with a bracket was meant as JSON and not as YAML's flow style."""
    rest = text.lstrip().lstrip("[{ \t\r\n")
    return rest.startswith('"') and "\n---" not in text and "\n#" not in text


def _objects(
    raw: Any, source: str, origin: Origin, within: tuple[Step, ...], kinds: Collection[str] | None
) -> Iterator[Document]:
    _check_object(raw, source, origin, within)
    items = raw.get("items")
    if not raw["kind"].endswith("List") or ("items" not in raw and raw["kind"] != "List"):
        document = Document(raw, source, origin, within)
        if kinds is not None and document.kind not in kinds:
            hint = nearest(document.kind, kinds)
            raise _error("unknown kind", source, origin, (*within, "kind"), found=quoted(document.kind), hint=hint)
        yield document
        return
    if items is not None and not isinstance(items, list):
        raise _error("wrong type", source, origin, (*within, "items"), expected="a list", found=described(items))
    for index, item in enumerate(items or ()):
        whole = item
        if isinstance(item, dict) and raw["kind"] != "List":  # the items of a typed list leave out what they are
            whole = {"apiVersion": raw["apiVersion"], "kind": raw["kind"].removesuffix("List")} | item
        yield from _objects(whole, source, origin, (*within, "items", index), kinds)


def _check_object(raw: Any, source: str, origin: Origin, within: tuple[Step, ...]) -> None:
    if not isinstance(raw, dict):
        expected = "an object with apiVersion and kind"
        raise _error("not a Kubernetes object", source, origin, within, expected=expected, found=described(raw))
    if "kind" not in raw and "type" in raw and isinstance(raw.get("object"), dict):
        hint = "this is an event of a watch; 'podfsm check' reads those"
        raise _error("not a Kubernetes object", source, origin, within, expected="apiVersion and kind", hint=hint)
    for key in ("apiVersion", "kind"):
        value = raw.get(key)
        if value is None or value == "":
            found = "the keys " + ", ".join(list(raw)[:6]) if raw else "an empty object"
            problem, hint = f"not a Kubernetes object: no {key}", _key_hint(key, raw)
            raise _error(problem, source, origin, within, found=found, hint=hint)
        if not isinstance(value, str):
            raise _error("wrong type", source, origin, (*within, key), expected="text", found=described(value))
    for key in ("metadata", "spec", "status"):
        if not isinstance(raw.get(key), dict | None):
            raise _error("wrong type", source, origin, (*within, key), expected="an object", found=described(raw[key]))


def _key_hint(key: str, raw: dict[str, Any]) -> str:
    close = meant(nearest(key, [each for each in raw if isinstance(each, str)]))
    return f"rename {close} to {key}?" if close and key not in raw else ""


def _error(problem: str, source: str, origin: Origin, steps: tuple[Step, ...], **fields: str) -> InputError:
    line, column = origin.place(steps)
    return InputError(problem, source=source, line=line, column=column, path=path_of(steps), **fields)
