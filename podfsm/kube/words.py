"""How values of the input are named in error messages."""

from __future__ import annotations


def quoted(text: str, length: int = 40) -> str:
    """A piece of the input, in quotes and shortened."""
    text = text.strip()
    return repr(text if len(text) <= length else text[: length - 3] + "...")


def described(value: object) -> str:
    """A JSON-like value in a few words: `'app'`, `the number 5`, `true`, `a list`, `an object`, `null`."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the number {str(value)[:40]}" if isinstance(value, int | float) else quoted(str(value))
