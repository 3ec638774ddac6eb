"""Pictures of a run: every span of the snapshots is drawn, nothing else, and readers of each format accept it."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from podfsm.data import specs_folder
from podfsm.render.timeline import PICTURES, html, lanes_of, perfetto, svg
from podfsm.simulate import simulate


@pytest.fixture(scope="module")
def run():
    return simulate(specs_folder() / "examples" / "crash-loop.yaml")


@pytest.fixture(scope="module")
def lanes(run):
    return lanes_of(run.snapshots, run.now)


def test_lanes_cover_their_time_without_gaps(lanes, run):
    for lane in lanes:
        for one, other in zip(lane.spans, lane.spans[1:], strict=False):
            assert one.end == other.start
            assert (one.label, one.tone) != (other.label, other.tone)
        assert lane.spans[-1].end == run.now


def test_there_is_a_lane_for_each_part(lanes):
    assert [lane.name for lane in lanes][:2] == ["phase", "PodScheduled"]
    assert "app" in {lane.name for lane in lanes}


def test_the_containers_lane_tells_restarts(lanes):
    labels = [span.label for lane in lanes if lane.name == "app" for span in lane.spans]
    assert "running, ready" in labels
    assert "waiting CrashLoopBackOff #1" in labels or "waiting CrashLoopBackOff #2" in labels


def test_svg_has_a_bar_for_each_span(lanes, run):
    drawn = ET.fromstring(svg(lanes, run.now))
    bars = drawn.findall(".//{http://www.w3.org/2000/svg}title")
    assert len(bars) == sum(len(lane.spans) for lane in lanes)


def test_perfetto_has_an_event_for_each_span(lanes, run):
    events = json.loads(perfetto(lanes, run.now))["traceEvents"]
    assert len([e for e in events if e["ph"] == "X"]) == sum(len(lane.spans) for lane in lanes)
    assert all(e["dur"] >= 0 for e in events if e["ph"] == "X")


def test_html_has_a_row_for_each_span(lanes, run):
    assert html(lanes, run.now).count("<tr>") == 1 + sum(len(lane.spans) for lane in lanes)


@pytest.mark.parametrize("form", sorted(PICTURES))
def test_a_run_that_ends_at_once_can_be_drawn(form):
    assert PICTURES[form]([], 0.0)
