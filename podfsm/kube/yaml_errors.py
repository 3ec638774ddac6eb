"""What is wrong with text that is not YAML, in our own few words."""

from __future__ import annotations

from typing import Any

import yaml

from podfsm.errors import InputError
from podfsm.kube.words import quoted

_END = "the end of the file"
_WORDS: tuple[tuple[str, str, str], ...] = (
    # what the parser says, what we say, and the remedy
    ("mapping values are not allowed", "a second ':' where none fits", "indentation, or a value that needs quotes?"),
    ("expected '-' indicator", "not an item of the list above", "items start with '-' in one column"),
    ("expected key", "neither a key nor the end of the block above", "check the indentation"),
    ("expected ',' or ']'", "a list that is not closed", "is a ',' or ']' missing?"),
    ("expected ',' or '}'", "an object that is not closed", "is a ',' or '}' missing?"),
    ("expected ':'", "a key without ':'", "write 'key: value'"),
    ("unexpected end of stream", "a quote that is never closed", ""),
    ("document indicator", "a quote that is never closed", ""),
    ("unknown escape", "an escape that YAML does not know", "write backslashes twice, or use single quotes"),
    ("escape code", "an escape that is not a character", ""),
    ("expected <document start>", "text after the end of a document", "documents are separated by '---'"),
    ("cannot start any token", "a character that cannot start a value", "put the value in quotes"),
    ("undefined tag handle", "a tag prefix that is not declared", "Kubernetes needs no tags"),
    ("directive", "a line starting with '%' that YAML does not know", ""),
    ("node content", "a value is missing", ""),
    ("indentation", "an indentation that does not fit", ""),
    ("anchor", "'&' or '*' without a name", "put the value in quotes"),
    ("alias", "'&' or '*' without a name", "put the value in quotes"),
    ("block end", "neither a key nor the end of the block above", "check the indentation"),
)


def yaml_error(error: yaml.YAMLError, text: str, source: str) -> InputError:
    """The InputError for what the YAML parser raised: line, column and what stood there."""
    details: Any = error
    if isinstance(error, yaml.reader.ReaderError):
        return _character(details, text, source)
    mark = getattr(details, "problem_mark", None) or getattr(details, "context_mark", None)
    said = str(getattr(details, "problem", "") or "").lower()
    if mark is None:
        return InputError("not YAML", source=source)
    line, column, index = mark.line + 1, mark.column + 1, min(mark.index, len(text))
    if "nesting depth" in said:  # the parser has a limit of its own, far beyond those of `podfsm.kube.limits`
        return InputError(
            "nested too deeply", source=source, line=line, column=column, found=quoted(_line(text, index))
        )
    written = _line(text, index)
    indentation = written[: len(written) - len(written.lstrip())]
    if "\t" in indentation:
        return InputError(
            "not YAML: a tab in the indentation",
            source=source,
            line=line,
            column=indentation.index("\t") + 1,
            expected="spaces",
            found=quoted(written),
        )
    what, hint = next(((ours, hint) for key, ours, hint in _WORDS if key in said), ("it cannot be read", ""))
    missing = not text[index:].strip() and "expected" in said  # the parser wanted more
    found = _END if missing else quoted(written)
    return InputError(f"not YAML: {what}", source=source, line=line, column=column, found=found, hint=hint)


def _character(error: Any, text: str, source: str) -> InputError:
    """A control character, which YAML does not allow anywhere."""
    index = int(getattr(error, "position", 0))
    code = error.character if isinstance(error.character, int) else ord(error.character)
    if index >= len(text) or ord(text[index]) != code:  # some parsers count bytes
        index = max(text.find(chr(code)), 0)
    line = text.count("\n", 0, index) + 1
    column = index - text.rfind("\n", 0, index)
    found = f"character U+{code:04X}"
    return InputError("not YAML: a control character", source=source, line=line, column=column, found=found)


def _line(text: str, index: int) -> str:
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    return text[start : end if end >= 0 else len(text)]
