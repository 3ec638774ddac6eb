"""Lanes as one SVG: time runs to the right, a bar for each span, its label as a tooltip and, where it fits, as text."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from podfsm.render.timeline.lanes import Lane

WIDTH, LEFT, ROW, TOP = 1200, 260, 22, 34
COLOURS = {"good": "#2b8a5a", "waiting": "#d9a521", "bad": "#c0392b", "done": "#5b6b7a", "gone": "#b8c0c8"}
_CHARACTER = 6.4
"""About the width of a character of the labels, in pixels."""


def svg(lanes: Sequence[Lane], end: float) -> str:
    """The picture, 1,200 pixels wide."""
    scale = (WIDTH - LEFT - 20) / max(end, 1e-9)
    height = TOP + ROW * len(lanes) + 14
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="11">'
    )
    parts = [
        head,
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        *_axis(end, scale, height),
    ]
    several = len({lane.pod for lane in lanes}) > 1
    for row, lane in enumerate(lanes):
        parts += _lane(lane, TOP + row * ROW, scale, lane.pod + " " + lane.name if several else lane.name)
    return "\n".join([*parts, "</svg>"])


def _axis(end: float, scale: float, height: int) -> list[str]:
    step = next(
        s for s in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400, 1e12) if end / s <= 12
    )
    marks = []
    for index in range(int(end / step) + 1):
        x = LEFT + index * step * scale
        marks.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 10}" stroke="#e3e7ea"/>')
        marks.append(f'<text x="{x:.1f}" y="{TOP - 14}" text-anchor="middle" fill="#555">{index * step:g} s</text>')
    return marks


def _lane(lane: Lane, y: int, scale: float, name: str) -> list[str]:
    parts = [f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(name)}</text>']
    for span in lane.spans:
        x, width = LEFT + span.start * scale, max((span.end - span.start) * scale, 1.0)
        told = f"{span.label}, {span.start:.3f} s to {span.end:.3f} s"
        parts.append(
            f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 5}" rx="2" fill="{COLOURS[span.tone]}">'
            f"<title>{escape(told)}</title></rect>"
        )
        if len(span.label) * _CHARACTER < width - 6:
            parts.append(
                f'<text x="{x + 4:.1f}" y="{y + 14}" fill="white" pointer-events="none">{escape(span.label)}</text>'
            )
    return parts
