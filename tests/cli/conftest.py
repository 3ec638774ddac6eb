"""The command line, run in this process or as one of its own."""

import io
import subprocess
import sys

import pytest
from attrs import frozen

from podfsm.cli.main import run


@frozen
class Outcome:
    """What a command did: its status and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def complaint(self):
        """The one line on standard error, with nothing on standard output."""
        assert self.status == 2
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.removeprefix("podfsm: ").rstrip("\n")


@pytest.fixture
def podfsm(capsys, monkeypatch):
    """Run one command line in this process; `given` is its standard input."""

    def call(*arguments, given=""):
        stdin = io.TextIOWrapper(io.BytesIO(given if isinstance(given, bytes) else given.encode()))
        monkeypatch.setattr(sys, "stdin", stdin)
        status = run([str(one) for one in arguments])
        return Outcome(status, *capsys.readouterr())

    return call


@pytest.fixture
def process():
    """Start one command line as a process of its own."""

    def start(*arguments, **options):
        return subprocess.Popen([sys.executable, "-m", "podfsm", *arguments], **options)

    return start


@pytest.fixture
def refused(podfsm, tmp_path):
    """The one complaint about a manifest, without the path of the file."""

    def run(text, *options):
        file = tmp_path / "m.yaml"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return podfsm("simulate", file, *options).complaint.replace(str(file), "m.yaml")

    return run
