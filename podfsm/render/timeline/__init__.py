"""A run as a picture: one lane for the phase, each condition and each container, one span for each state.

`lanes_of` collects the spans; `svg`, `html` and `perfetto` draw them.
"""

from __future__ import annotations

from podfsm.render.timeline.html import html
from podfsm.render.timeline.lanes import Lane, Span, lanes_of
from podfsm.render.timeline.perfetto import perfetto
from podfsm.render.timeline.svg import svg

PICTURES = {"svg": svg, "html": html, "perfetto": perfetto}
"""Functions from lanes (and the end of the run, in seconds) to text."""

__all__ = ["PICTURES", "Lane", "Span", "html", "lanes_of", "perfetto", "svg"]
