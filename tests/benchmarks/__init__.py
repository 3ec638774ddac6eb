"""Speed as ratios inside one run, so that the machine does not matter. `python -m tests.benchmarks` prints them."""
