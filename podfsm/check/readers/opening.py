"""The bytes behind a name: plain, gzip or zstd, told by their first bytes."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, cast

from podfsm.errors import InputError

STDIN = "<stdin>"
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_CHUNK = 1 << 10
"""How many packed bytes are unpacked at a time: in the worst case they hold 32 MiB."""


def broken() -> tuple[type[Exception], ...]:
    """What is raised by data that cannot be read or unpacked."""
    libraries = [sys.modules.get(name) for name in ("compression.zstd", "zstandard")]
    return (OSError, EOFError, zlib.error, *(library.ZstdError for library in libraries if library is not None))


@contextmanager
def opened(path: str, stdin: BinaryIO | None = None) -> Iterator[BinaryIO]:
    """A file, or standard input for `-`, to read unpacked bytes from.

    Raises OSError for what cannot be opened, and InputError for zstd without a library for it.
    """
    if path == "-":
        yield unpacked(stdin or sys.stdin.buffer, STDIN)
        return
    with Path(path).open("rb") as file:
        yield unpacked(file, path)


def unpacked(file: BinaryIO, source: str) -> BinaryIO:
    """The stream, unpacked while it is read."""
    peekable = file if isinstance(file, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, file))
    start = peekable.peek(4)[:4]
    if start.startswith(_GZIP):
        return cast(BinaryIO, gzip.GzipFile(fileobj=peekable))
    if start == _ZSTD:
        return _zstd(peekable, source)
    return cast(BinaryIO, peekable)


def _zstd(file: BinaryIO, source: str) -> BinaryIO:
    for module in ("compression.zstd", "zstandard"):
        try:
            library = import_module(module)
        except ImportError:
            continue
        if module == "zstandard":
            return cast(BinaryIO, io.BufferedReader(_Frames(file, library.ZstdDecompressor())))
        return cast(BinaryIO, library.ZstdFile(file))
    raise InputError(
        "zstd data", source=source, hint="install zstandard (pip install 'podfsm[zstd]'), or unpack it first"
    )


class _Frames(io.RawIOBase):
    """Zstd frames one after the other, unpacked while they are read.

    The reader that comes with zstandard takes a frame that is cut off for the end; this one raises EOFError.
    """

    def __init__(self, file: BinaryIO, decompressor: Any) -> None:
        self._file = file
        self._decompressor = decompressor
        self._frame: Any = None
        self._packed = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            packed = self._packed or self._file.read(_CHUNK)
            if not packed:
                if self._frame is not None:
                    raise EOFError("zstd data that is cut off")
                return 0
            self._frame = self._frame or self._decompressor.decompressobj()
            self._ready, self._packed = memoryview(self._frame.decompress(packed)), b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size
