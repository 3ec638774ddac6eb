"""`python -m tests.benchmarks [NAME...]`: the table of every `bench_*` module, or of those named."""

import importlib
import pkgutil
import sys

import tests.benchmarks
from podfsm.rules.describe import table
from tests.benchmarks.measure import HEADS

names = [info.name for info in pkgutil.iter_modules(tests.benchmarks.__path__) if info.name.startswith("bench_")]
chosen = [name for name in names if not sys.argv[1:] or name.removeprefix("bench_") in sys.argv[1:]]
rows = [row for name in chosen for row in importlib.import_module(f"tests.benchmarks.{name}").rows()]
print(table(HEADS, (row.cells for row in rows)))
