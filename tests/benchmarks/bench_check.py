"""What a check costs beside decoding the same bytes, whether its memory grows, and how long an explanation takes."""

import io
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from time import process_time

import msgspec

from podfsm.check import Checker
from podfsm.check.readers import Trouble, read_stream
from podfsm.kube.objects import Pod, Struct
from podfsm.rules.gates import gates_for
from tests.benchmarks.measure import Row, alternating
from tests.check.traces import FOLDER, RECORDINGS, events


class Event(Struct, frozen=True):
    """A watch event, decoded whole: the yardstick."""

    type: str = ""
    object: Pod | None = None
    at: datetime | None = None
    receivedAt: datetime | None = None  # noqa: N815 - as recorded


EVENT = msgspec.json.Decoder(Event)
EXPLAINED = FOLDER / "kubectl-get.json"
ANEW = b'{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "code": 410}}\n'
EVENTS = 60_000
"""Some 220 MB. The first few hundred cost many times as much: no Pod has lived like theirs before."""
TURN = 500
SIZES = (100 << 20, 400 << 20)


def lines():
    """Every recording once, as lines."""
    return [json.dumps(event).encode() + b"\n" for name in RECORDINGS for event in events(name)]


def generated(size):
    """Lines of about `size` bytes altogether: the recordings again and again, each time of other Pods.

    Some recordings end before their Pods do; that the watch is begun anew after each round says that they are gone.
    """
    kept, written = lines(), 0
    for number in cycle(range(10**9)):
        for line in kept:
            event = line.replace(b'"uid": "', f'"uid": "{number:08x}'.encode(), 1)
            yield event
            written += len(event)
        yield ANEW
        if written > size:
            return


def decoded(lines):
    start = process_time()
    for line in lines:
        EVENT.decode(line)
    return process_time() - start


def checked(lines, checker):
    data = b"".join(lines)
    start = process_time()
    for one in read_stream(io.BytesIO(data), "trace"):
        assert not isinstance(one, Trouble)
        for _ in checker.see(one):
            raise AssertionError("a finding in a recording")
    return process_time() - start


def in_turn(lines):
    """Processor seconds of decoding lines and of checking them; in turn, so that both share the machine's moods."""
    checker, plain, whole = Checker(gates_for()), 0.0, 0.0
    for begin in range(0, len(lines), TURN):
        part = lines[begin : begin + TURN]
        plain += decoded(part)
        whole += checked(part, checker)
    return plain, whole


def peak(size):
    """The peak memory in bytes of a process that checks a generated trace of this size."""
    code = (
        "import resource, sys\n"
        "from podfsm.check.recording import Order, Tally, recording\n"
        "list(recording(Order(sys.argv[1]), Tally(sys.argv[1])))\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.jsonl"
        with path.open("wb") as file:
            file.writelines(generated(size))
        answer = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    return int(answer.stdout.split()[-1]) * (1024 if sys.platform != "darwin" else 1)


def rows():
    small, large = map(peak, SIZES)  # first: a process that is started counts what this one holds
    yield Row("peak memory of check, 400 MB (MB)", large / 2**20, "100 MB of events", small / 2**20, 1.2)
    taken = alternating({"explain": [sys.executable, "-m", "podfsm", "explain", str(EXPLAINED)]}, repeat=11)
    yield Row("podfsm explain, whole process", taken["explain"], "150 ms", 0.15, 1)
    kept = list(islice(generated(1 << 30), EVENTS))
    plain, whole = sorted((in_turn(kept) for _ in range(3)), key=lambda both: both[1] / both[0])[1]
    yield Row("check, an event", whole / len(kept), "decoding it", plain / len(kept), 4)
    plain, whole = sorted((in_turn(lines()) for _ in range(9)), key=lambda both: both[1] / both[0])[4]
    yield Row("check, an event like none before", whole, "decoding it", plain, 40)
