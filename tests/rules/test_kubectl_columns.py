"""kubectl's columns: the rows that the API server printed of recorded Pods, and what no recording has."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from podfsm.kube.decode import convert
from podfsm.kube.objects import Pod, PodCondition, PodStatus
from podfsm.kube.times import instant
from podfsm.rules.kubectl_columns import human_duration, kubectl_columns
from tests.rules.statuses import NEW, OLD, containers, ends, pod, runs, shown, spec, waits
from tests.shared.beside import BESIDE

SAMPLE = Path(__file__).parents[1] / "data" / "columns.jsonl"


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def reproduced(row):
    """Whether some instant between request and answer gives the row; one not asked for is 2 s old at most."""
    last = datetime.fromisoformat(row["receivedAt"])
    asked = datetime.fromisoformat(row["requestedAt"]) if row["requestedAt"] else last - timedelta(seconds=2)
    seen, wanted = convert(row["object"], Pod), tuple(row["row"][name] for name in ("READY", "STATUS", "RESTARTS"))
    at = asked
    while True:
        columns = kubectl_columns(seen, at, NEW)
        if (columns.ready, columns.status, columns.restarts) == wanted:
            return True
        if at >= last:
            return False
        at = min(at + timedelta(seconds=0.25), last)


@pytest.mark.parametrize("row", rows(SAMPLE), ids=lambda row: row["row"]["STATUS"])
def test_recorded_row(row):
    assert reproduced(row)


@pytest.mark.shared
def test_every_recorded_row():
    recorded = rows(BESIDE / "traces" / "columns.jsonl")
    assert len(recorded) > 1000
    assert [row["row"] for row in recorded if not reproduced(row)] == []


def show(given, status, gates=NEW, **metadata):
    columns = kubectl_columns(pod(given, status, **metadata), instant(1000), gates)
    return columns.ready, columns.status, columns.restarts


TWO = spec("a", "b")


def two(phase, *statuses, ready="False", **fields):
    return PodStatus(phase, conditions=(PodCondition("Ready", ready),), containerStatuses=statuses, **fields)


def test_lost_node_shows_unknown_while_the_pod_is_deleted():
    status = PodStatus("Running", reason="NodeLost")
    assert show(TWO, status, deletionTimestamp=instant(5))[1] == "Unknown"
    assert show(TWO, status)[1] == "NodeLost"


def test_finished_pods_do_not_show_terminating():
    assert show(TWO, PodStatus("Failed", reason="Evicted"), deletionTimestamp=instant(5))[1] == "Evicted"
    assert show(TWO, PodStatus("Running"), deletionTimestamp=instant(5))[1] == "Terminating"


def test_error_is_preferred_to_completed_since_1_33():
    status = two("Running", shown("a", ends(0)), shown("b", ends(3)))
    assert show(TWO, status)[1] == "Error"
    assert show(TWO, status, OLD)[1] == "Completed"


@pytest.mark.parametrize(("ready", "status"), [("True", "Running"), ("False", "NotReady")])
def test_one_done_and_one_running(ready, status):
    running = two("Running", shown("a", ends(0)), shown("b", runs(), ready=True), ready=ready)
    assert show(TWO, running)[:2] == ("1/2", status)


def test_restarts_of_init_containers_count_only_while_they_run():
    side, init = containers("side", policy="Always")[0], containers("init")[0]
    given = spec("a", init=(init, side))
    done = shown("init", ends(0), waits(), restartCount=4)
    up = shown("side", runs(), ends(1), started=True, ready=True, restartCount=2)
    running = PodStatus(
        "Running", initContainerStatuses=(done, up), containerStatuses=(shown("a", runs(), ready=True, restartCount=1),)
    )
    assert show(given, running) == ("2/2", "Running", "3")
    stuck = PodStatus("Pending", initContainerStatuses=(shown("init", waits("CrashLoopBackOff"), restartCount=4),))
    assert show(given, stuck) == ("0/2", "Init:CrashLoopBackOff", "4")


def test_gated_pod_shows_that_it_is():
    gated = PodStatus("Pending", conditions=(PodCondition("PodScheduled", "False", "SchedulingGated"),))
    assert show(TWO, gated) == ("0/2", "SchedulingGated", "0")


def test_columns_without_a_clock_have_no_ago():
    crashed = PodStatus("Running", containerStatuses=(shown("a", runs(), ends(1), restartCount=7),))
    assert kubectl_columns(pod(TWO, crashed), None, NEW).restarts == "7"


def test_durations_never_shrink_in_words():
    assert [human_duration(seconds) for seconds in (0, 600, 3600, 8 * 3600, 172800, 365 * 86400 * 2)] == [
        *("0s", "10m", "60m", "8h", "2d", "2y"),
    ]
