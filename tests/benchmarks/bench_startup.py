"""How long it takes until something can be said."""

import shutil
import sys
from pathlib import Path

from tests.benchmarks.measure import Row, alternating, python


def rows():
    beside = Path(sys.executable).with_name("podfsm")
    script = str(beside) if beside.exists() else shutil.which("podfsm")
    taken = alternating(
        {
            "pass": python("pass"),
            "help": [script, "--help"] if script else [sys.executable, "-m", "podfsm", "--help"],
            "import podfsm": python("import podfsm"),
            "import attrs, transitions": python("import attrs, transitions"),
        }
    )
    yield Row("podfsm --help", taken["help"], "python -c pass", taken["pass"], 4)
    yield Row(
        "import podfsm", taken["import podfsm"], "import attrs, transitions", taken["import attrs, transitions"], 2
    )
