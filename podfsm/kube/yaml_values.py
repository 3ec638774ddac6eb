"""What a plain YAML scalar means to Kubernetes' YAML reader.

Kubernetes turns YAML into JSON with rules between YAML 1.1 and 1.2: `yes` and `on` are booleans, `010` is octal, `1e3`
is a number and, being whole, an integer in the JSON; times and `12:30` stay text. Source: the `resolve` function of
sigs.k8s.io/yaml (goyaml.v2) and the JSON it writes. One difference is deliberate: a lone `y` or `n`, a boolean there,
is text here, because most writers of YAML do not quote it.
"""

from __future__ import annotations

import binascii
import math
import re

Scalar = str | int | float | bool | None

STANDARD = "tag:yaml.org,2002:"
"""What the `!!` of a standard tag stands for."""

SCALAR_TAGS = ("str", "int", "float", "bool", "null", "binary", "timestamp")
"""The standard tags of scalars that Kubernetes' YAML reader knows."""

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z", re.ASCII)
_BASES = (16, 2, 8, 10)
_LONGEST = 80  # characters of a 64-bit integer in binary, with room to spare
_NUMERIC = frozenset("+-.0123456789")
_EXACT = 1e21  # from here on JSON writes a whole float with an exponent


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted, untagged) scalar. May be infinite or not a number."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMERIC else text


def _number(text: str) -> Scalar:
    plain = text if text[0] == "." else text.replace("_", "")
    found = _INTEGER.match(plain) if len(plain) <= _LONGEST else None
    if found:
        sign, *digits = found.groups()
        value = next(int(each, base) for each, base in zip(digits, _BASES, strict=True) if each is not None)
        value = -value if sign == "-" else value
        if -(2**63) <= value < 2**64:
            return value
    if not _FLOAT.match(plain):
        return text
    number = float(plain)
    if math.isinf(number):
        return text  # too large for a float: Kubernetes keeps the text
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def key_text(value: object) -> str | None:
    """The JSON key that a YAML key becomes: `1` and `yes` turn into text; None if it cannot be a key."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else None


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with one of `SCALAR_TAGS`. Raises ValueError if the text does not fit the tag."""
    name = tag.removeprefix(STANDARD)
    if name in ("str", "timestamp"):
        return text
    if name == "binary":
        try:
            return binascii.a2b_base64("".join(text.split()), strict_mode=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(text) from error
    value = resolve(text)
    if name == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if type(value).__name__ != {"int": "int", "bool": "bool", "null": "NoneType"}.get(name):
        raise ValueError(text)
    return value
