"""Parts of raw objects: what is no object, or no time, is said or left out, and nothing is taken for granted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from podfsm.errors import InputError


def moment(text: Any) -> datetime | None:
    """The instant that a text tells; None if it tells none, or not in which zone."""
    try:
        when = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return when if when is not None and when.tzinfo is not None else None


def unversioned(raw: dict[str, Any]) -> dict[str, Any]:
    """An object without its resourceVersion: what is worked out from an older one has another, which nobody knows."""
    metadata = raw.get("metadata")
    if not isinstance(metadata, dict) or "resourceVersion" not in metadata:
        return raw
    return {**raw, "metadata": {key: value for key, value in metadata.items() if key != "resourceVersion"}}


def part(raw: dict[str, Any], name: str) -> dict[str, Any]:
    """An object inside of an object; empty if it is not there. Raises InputError if something else is."""
    found = raw.get(name)
    if found is not None and not isinstance(found, dict):
        raise InputError(f"{name} is no object")
    return found or {}
