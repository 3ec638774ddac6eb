"""How much input is read before podfsm says that it is too much."""

from __future__ import annotations

import msgspec

MIB = 1024 * 1024


class Limits(msgspec.Struct, frozen=True):
    """Bounds on one input, each refused with a message of its own.

    `size` counts bytes, after decompression; `depth` counts nested objects and lists; `aliases` counts YAML aliases
    (`*name`); `expanded` counts the values that those aliases stand for beyond the ones written out.
    """

    size: int = 64 * MIB
    depth: int = 100
    aliases: int = 10_000
    expanded: int = 1_000_000


DEFAULT = Limits()


def in_mib(size: int) -> str:
    """A number of bytes for people: `64 MiB`, `70.5 MiB`, or bytes below one MiB."""
    return f"{size / MIB:.4g} MiB" if size >= MIB else f"{size} bytes"
