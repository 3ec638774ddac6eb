"""The protocol: podfsm's own cluster keeps it, reading is as good as watching, misbehaviour is told, not suffered."""

import time

import pytest

from podfsm.errors import UnknownName
from podfsm.testing.case import Case, seconds, spelled
from podfsm.testing.choose import Seeded
from podfsm.testing.cluster import SimulatedCluster, make_cluster
from podfsm.testing.drive import run_case
from podfsm.testing.limits import OutOfTime, call_limited
from podfsm.testing.protocol import CAPABILITIES, Cluster, lacking
from podfsm.testing.scenarios import case

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"containers": [{"name": "app", "image": "a:1"}]},
}
SIMPLE = Case((POD,), {"duration": 5})


def behaving(**wrong):
    """A cluster of podfsm's own with some methods replaced."""

    methods = {name: value for name, value in wrong.items() if callable(value)}
    fields = {name: value for name, value in wrong.items() if not callable(value)}

    def make():
        return type("Odd", (SimulatedCluster,), methods)(**fields)

    return make


def kinds(factory, limit=5.0):
    return [(wrong.kind, wrong.call) for wrong in run_case(SIMPLE, factory, limit=limit).misbehaviours]


def test_podfsms_own_cluster_is_a_cluster():
    assert isinstance(make_cluster(), Cluster)
    assert lacking(make_cluster()) == frozenset()
    assert kinds(make_cluster) == []


def test_what_is_missing_is_lacking():
    class Bare:
        lacks = ("probes",)

    assert lacking(Bare()) == {"probes", "watch", "events", "transitions"}
    assert lacking(Bare()) <= set(CAPABILITIES)


@pytest.mark.parametrize("number", range(12))
def test_reading_once_a_second_shows_no_more_than_watching(number):
    made = case(Seeded(f"protocol/{number}"))
    watched = run_case(made, make_cluster)
    read = run_case(made, behaving(lacks=frozenset({"watch"})))
    shown = {history.name: [seen.pod.status for seen in history.seen] for history in watched.histories}
    for history in read.histories:
        assert not history.whole
        assert all(seen.pod.status in shown[history.name] for seen in history.seen)


def test_what_raises_is_told():
    def advance(self, seconds):
        raise ZeroDivisionError("no time")

    assert kinds(behaving(advance=advance)) == [("raised", "advance")]


def test_a_factory_that_raises_is_told():
    assert kinds(lambda: 1 / 0) == [("raised", "the factory")]


def test_what_hangs_is_told_in_time():
    def read(self, pod):
        while True:
            pass

    began = time.monotonic()
    assert kinds(behaving(read=read, lacks=frozenset({"watch"})), limit=0.2) == [("hung", "read")]
    assert time.monotonic() - began < 5


def test_what_swallows_exceptions_is_interrupted_all_the_same():
    def stubborn():
        while True:
            try:
                time.sleep(1)
            except Exception:  # noqa: BLE001
                continue

    with pytest.raises(OutOfTime):
        call_limited(0.2, stubborn)


@pytest.mark.parametrize(
    "raw",
    [
        7,
        [],
        {},
        {"metadata": {"name": "p"}, "status": {}},
        {"metadata": {"name": "p"}, "status": {"phase": 3}},
        {"metadata": {"name": "p"}, "status": {"phase": "Running", "containerStatuses": "none"}},
    ],
)
def test_malformed_pods_are_told(raw):
    assert kinds(behaving(read=lambda self, pod: raw, lacks=frozenset({"watch"}))) == [("malformed", "read")]


@pytest.mark.parametrize("listed", [None, 3, "ADDED", [1], [{"type": "ADDED"}]])
def test_malformed_watches_are_told(listed):
    assert kinds(behaving(watch=lambda self: listed)) == [("malformed", "watch")]


def test_time_that_goes_back_is_told():
    def watch(self):
        return [{**event, "at": 4 - event["at"]} for event in SimulatedCluster.watch(self)]

    assert kinds(behaving(watch=watch))[0][0] == "time"


def test_what_has_not_happened_yet_is_told():
    def watch(self):
        return [{**event, "at": event["at"] + 1000} for event in SimulatedCluster.watch(self)]

    assert kinds(behaving(watch=watch)) == [("time", "watch")]


def test_a_target_that_does_not_exist_is_named():
    with pytest.raises(UnknownName, match="containers"):
        make_cluster().script("container/p/app", {})


def test_durations_are_spelled_as_kubernetes_does():
    spec = {
        "duration": 5,
        "steps": [{"at": 0.25, "body": {"at": 3}}],
        "containers": [{"attempts": [{"run": "forever", "exit": 3}]}],
    }
    assert spelled(spec) == {
        "duration": "5s",
        "steps": [{"at": "250ms", "body": {"at": 3}}],
        "containers": [{"attempts": [{"run": "forever", "exit": 3}]}],
    }
    assert seconds("forever") == float("inf")
