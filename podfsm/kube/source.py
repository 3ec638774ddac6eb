"""The text behind a file name or `-`, within limits, or one clear complaint."""

from __future__ import annotations

import sys
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from podfsm.errors import InputError
from podfsm.kube.limits import DEFAULT, Limits, in_mib

STDIN = "<stdin>"
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(source: str | Path, *, stdin: BinaryIO | None = None, limits: Limits = DEFAULT) -> tuple[str, str]:
    """The name to give in errors and the text of a file, or of standard input for `-`; gzip is unpacked.

    Raises InputError for a missing or unreadable file, a folder, too many bytes, and anything that is not UTF-8 text.
    """
    if str(source) == "-":
        name, data = STDIN, _bounded(stdin or sys.stdin.buffer, STDIN, limits)
    else:
        name, data = str(source), _read_file(Path(source), limits)
    if data.startswith(_GZIP):
        data = _unpack(data, name, limits)
    return name, _decode(data, name)


def _contents(path: Path, limits: Limits) -> bytes:
    if path.is_dir():
        raise InputError("is a folder", source=str(path), expected="a file", hint="name the files in it")
    with path.open("rb") as file:
        return _bounded(file, str(path), limits)


def _read_file(path: Path, limits: Limits) -> bytes:
    name = str(path)
    try:
        return _contents(path, limits)
    except InputError:
        raise  # which is a ValueError too
    except FileNotFoundError:
        raise InputError("no such file", source=name, hint=_neighbour(path)) from None
    except PermissionError:
        raise InputError("may not be read", source=name, hint="check the permissions of the file") from None
    except OSError as error:
        raise InputError("cannot be read", source=name, found=(error.strerror or str(error)).lower()) from None
    except ValueError:
        raise InputError("is not a file name", source=repr(name)) from None


def _neighbour(path: Path) -> str:
    """The nearest name in the folder, for a file that is not there."""
    from difflib import get_close_matches  # most files are there

    if not path.parent.is_dir():
        return f"there is no folder {str(path.parent)!r} either"
    try:
        close = get_close_matches(path.name, sorted(each.name for each in path.parent.iterdir()), n=1)
    except OSError:
        return ""
    return f"did you mean {path.with_name(close[0])}?" if close else ""


def _bounded(file: BinaryIO, name: str, limits: Limits) -> bytes:
    data = file.read(limits.size + 1)
    if len(data) > limits.size:
        raise InputError("too large", source=name, expected=f"at most {in_mib(limits.size)}", found="more")
    return data


def _unpack(data: bytes, name: str, limits: Limits) -> bytes:
    import gzip  # most files are not packed
    import zlib

    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as file:
            unpacked = file.read(limits.size + 1)
    except (EOFError, OSError, zlib.error):
        raise InputError("broken gzip data", source=name, hint="is the file complete?") from None
    if len(unpacked) > limits.size:
        expected = f"at most {in_mib(limits.size)} when unpacked"
        raise InputError("too large", source=name, expected=expected, found="more")
    return unpacked


def _decode(data: bytes, name: str) -> str:
    if data.startswith(_UTF16):
        raise InputError("UTF-16 text", source=name, expected="UTF-8", hint="save the file as UTF-8")
    zero = data.find(b"\0")
    if zero >= 0:
        found = f"a zero byte at offset {zero}"
        raise InputError("binary data", source=name, expected="YAML or JSON text", found=found)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        line, column = _place(data, error.start)
        raise InputError(
            "not UTF-8 text", source=name, line=line, column=column, expected="UTF-8", found=found
        ) from None


def _place(data: bytes, offset: int) -> tuple[int, int]:
    """Line and column of a byte, with everything before it on its line taken as characters."""
    start = data.rfind(b"\n", 0, offset) + 1
    return data.count(b"\n", 0, offset) + 1, len(data[start:offset].decode("utf-8", "replace")) + 1
