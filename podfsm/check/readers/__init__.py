"""Readers: from files, folders and standard input to observations, without being told what they hold.

Watch events (concatenated or one a line), lists, single Pods, tables with objects, audit logs, recordings of KWOK,
folders of must-gather and `kubectl cluster-info dump`, and what podfsm prints; JSON or YAML, plain, gzip or zstd. What
cannot be read is given as `Trouble` in its place, and the rest is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from podfsm.check.event import Observation, Relist
from podfsm.check.readers.folder import files_in
from podfsm.check.readers.objects import ObjectReader
from podfsm.check.readers.opening import STDIN, broken, opened
from podfsm.check.readers.trouble import Trouble
from podfsm.check.readers.values import values
from podfsm.kube.limits import DEFAULT, Limits

__all__ = ["Trouble", "observations", "read_path", "read_stream"]

Seen = Observation | Relist | Trouble


def observations(
    paths: list[str], *, stdin: BinaryIO | None = None, limits: Limits = DEFAULT, strict: bool = False
) -> Iterator[Seen]:
    """Everything that the files and folders tell, in their order; `-` is standard input.

    `strict` looks for fields of Pods that the API does not have, which takes about as long again.
    """
    for path in paths:
        yield from read_path(path, stdin=stdin, limits=limits, strict=strict)


def read_path(
    path: str, *, stdin: BinaryIO | None = None, limits: Limits = DEFAULT, strict: bool = False
) -> Iterator[Seen]:
    """What one file, one folder or standard input (`-`) tells."""
    if path != "-" and Path(path).is_dir():
        found = False
        for name in files_in(Path(path)):
            found = True
            yield from _file(str(name), None, limits, strict=strict)
        if not found:
            yield Trouble(path, "holds no file with Pods", "pods.json, pods.yaml, pods/*.yaml, audit logs or *.jsonl")
        return
    yield from _file(path, stdin, limits, strict=strict)


def _file(path: str, stdin: BinaryIO | None, limits: Limits, *, strict: bool) -> Iterator[Seen]:
    name = STDIN if path == "-" else path
    try:
        with opened(path, stdin) as stream:
            yield from read_stream(stream, name, limits=limits, strict=strict)
    except broken() as error:
        what = getattr(error, "strerror", None) or str(error) or "ends too early"
        yield Trouble(name, "cannot be read", found=what.lower())


def read_stream(
    stream: BinaryIO, source: str = "", *, limits: Limits = DEFAULT, strict: bool = False
) -> Iterator[Seen]:
    """What a stream of bytes tells, as long as it lasts."""
    reader = ObjectReader(source, strict=strict)
    for value in values(stream, source, limits):
        if isinstance(value, Trouble):
            yield value
        else:
            yield from reader.read(value)
    yield from reader.finish()
