"""Lanes as one page that needs nothing else: the picture, and the spans as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from podfsm.render.timeline.lanes import Lane
from podfsm.render.timeline.svg import svg

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>podfsm timeline</title>
<style>
body {{ font-family: sans-serif; margin: 1.5em; color: #222 }}
table {{ border-collapse: collapse; font-size: 13px; margin-top: 1em }}
td, th {{ padding: 2px 12px 2px 0; text-align: left }}
td.time {{ text-align: right; font-variant-numeric: tabular-nums }}
</style></head><body>
<h1>{title}</h1>
"""


def html(lanes: Sequence[Lane], end: float) -> str:
    """The page."""
    title = escape(", ".join(dict.fromkeys(lane.pod for lane in lanes)) or "no Pods")
    rows = sorted((span.start, lane.pod, lane.name, span) for lane in lanes for span in lane.spans)
    table = "\n".join(
        f'<tr><td class="time">{start:.3f}</td><td>{escape(pod)}</td><td>{escape(name)}</td>'
        f'<td>{escape(span.label)}</td><td class="time">{span.end - span.start:.3f}</td></tr>'
        for start, pod, name, span in rows
    )
    head = "<tr><th>seconds</th><th>Pod</th><th>what</th><th>shows</th><th>for</th></tr>"
    return f"{_HEAD.format(title=title)}{svg(lanes, end)}\n<table>{head}\n{table}</table>\n</body></html>"
