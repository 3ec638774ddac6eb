"""`python -m podfsm.evaluate NAME FILE...`: agreement of a derivation with measured cases."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from podfsm.evaluate import evaluate, same
from podfsm.rules.gates import gates_for


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--kubernetes", default="1.36")
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    gates = gates_for(options.kubernetes)
    wrong = 0
    for path in options.files:
        cases = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        bad = [
            (case, got) for case in cases if not same(got := evaluate(options.name, case["input"], gates), case["want"])
        ]
        wrong += len(bad)
        print(f"{path}: {len(cases) - len(bad)} of {len(cases)} agree")
        for case, got in bad[: options.show]:
            print(json.dumps(case), "\n  got:", json.dumps(got, default=str))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
