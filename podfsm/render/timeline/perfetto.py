"""Lanes in the JSON of Chrome's trace viewer, which Perfetto opens: a process for each Pod, a thread for each lane."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from podfsm.render.timeline.lanes import Lane

_MICROSECONDS = 1_000_000


def perfetto(lanes: Sequence[Lane], _end: float) -> str:
    """The trace; its times are microseconds since the start of the run."""
    pods = {pod: number for number, pod in enumerate(dict.fromkeys(lane.pod for lane in lanes), 1)}
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": number, "args": {"name": pod}} for pod, number in pods.items()
    ]
    for thread, lane in enumerate(lanes, 1):
        about = {"pid": pods[lane.pod], "tid": thread}
        events.append({"ph": "M", "name": "thread_name", **about, "args": {"name": lane.name}})
        events += [
            {
                "ph": "X",
                "name": span.label,
                "cat": span.tone,
                "ts": round(span.start * _MICROSECONDS),
                "dur": round((span.end - span.start) * _MICROSECONDS),
                **about,
            }
            for span in lane.spans
        ]
    return json.dumps({"displayTimeUnit": "ms", "traceEvents": events}, separators=(",", ":"))
