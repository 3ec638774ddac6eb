"""Hypothesis profiles (quick unless HYPOTHESIS_PROFILE says ci or deep), and what is collected where."""

import os
from importlib.util import find_spec

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("quick", max_examples=25, deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.register_profile("deep", max_examples=1000, deadline=None, suppress_health_check=SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

# Schemas are checked in the development environment (`nox -s diagrams`); `.[testing]` does not bring what that needs.
collect_ignore = [] if find_spec("lxml") and find_spec("jsonschema") else ["render/test_machines_to_run.py"]

# An instant that is no number has no place in a comparison.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
