"""Started and ready, as probes and their workers decide them for one container after another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import NO_STATE, Container, Probe
from podfsm.rules.container_probing import Probing, probed_apps, probed_inits
from podfsm.rules.facts import ProbeKind, ProbeResult
from tests.rules.statuses import (
    NEW,
    containers,
    ends,
    runs,
    shown,
    spec,
    waits,
)

PROBED = Container(name="app", readinessProbe=Probe(), startupProbe=Probe())
UP, DOWN = ProbeResult.SUCCESS, ProbeResult.FAILURE


@pytest.mark.parametrize(
    ("state", "startup", "readiness", "expected"),
    [
        (waits(), UP, UP, (False, False)),
        (ends(0), UP, UP, (False, False)),
        (runs(), None, UP, (False, False)),
        (runs(), DOWN, UP, (False, False)),
        (runs(), UP, None, (True, False)),
        (runs(), UP, DOWN, (True, False)),
        (runs(), UP, UP, (True, True)),
    ],
)
def test_started_and_ready_of_a_probed_container(state, startup, readiness, expected):
    cached = {
        kind: result for kind, result in ((ProbeKind.STARTUP, startup), (ProbeKind.READINESS, readiness)) if result
    }
    (found,) = probed_apps(spec(PROBED), (shown("app", state),), Probing({"app": cached}))
    assert (found.started, found.ready) == expected


def test_without_probes_running_is_ready():
    (found,) = probed_apps(spec("app"), (shown("app", runs()),), Probing({}))
    assert (found.started, found.ready) == (True, True)


def test_a_container_that_has_not_started_keeps_the_ready_it_had():
    """As recorded of an init container that RestartAllContainers removed: not started, still shown ready."""
    (found,) = probed_apps(spec("app"), (shown("app", waits("RestartingAllContainers"), ready=True),), Probing({}))
    assert (found.started, found.ready) == (False, True)


def test_without_workers_probes_do_not_hold_anything_back():
    """A worker that has ended takes its result with it; the container then counts as started and ready."""
    (found,) = probed_apps(spec(PROBED), (shown("app", runs()),), Probing({}, workers={}))
    assert (found.started, found.ready) == (True, True)
    (found,) = probed_apps(spec(PROBED), (shown("app", runs()),), Probing({}, workers={"app": {ProbeKind.READINESS}}))
    assert (found.started, found.ready) == (True, False)


def test_init_containers_are_ready_when_done_and_sidecars_when_they_serve():
    given = spec("app", init=(*containers("one", "two"), *containers("side", policy="Always")))
    drafts = (shown("one", ends(0)), shown("two", runs()), shown("side", runs()))
    found = probed_inits(given, drafts, Probing({}), NEW)
    assert [(s.name, s.started, s.ready) for s in found] == [
        ("one", False, True),
        ("two", True, False),
        ("side", True, True),
    ]


def test_statuses_out_of_place_are_not_made_ready():
    given = spec("app", init=containers("one", "two"))
    (found,) = probed_inits(given, (shown("two", ends(0)),), Probing({}), NEW)
    assert found.ready is False


@pytest.mark.parametrize(
    ("started_at", "was_ready", "keeps", "ready"),
    [(50, True, True, True), (50, False, True, False), (95, True, True, False), (50, True, False, False)],
)
def test_readiness_outlives_a_restart_of_the_kubelet(started_at, was_ready, keeps, ready):
    """A container more than 10 s older than its kubelet stays ready until its probe has run again."""
    container = Container(name="app", readinessProbe=Probe())
    probing = Probing({}, keeps_state=keeps, kubelet_started=100.0, pod_was_ready=was_ready)
    (found,) = probed_apps(spec(container), (shown("app", runs(started_at), started=True),), probing)
    assert found.ready is ready


@given(
    st.sampled_from([waits(), runs(), ends(0), ends(1), NO_STATE]),
    st.sampled_from([None, *ProbeResult]),
    st.sampled_from([None, *ProbeResult]),
    st.sampled_from([None, True, False]),
    st.booleans(),
)
def test_ready_means_started_and_started_means_running(state, startup, readiness, carried, keeps):
    cached = {
        kind: result for kind, result in ((ProbeKind.STARTUP, startup), (ProbeKind.READINESS, readiness)) if result
    }
    draft = shown("app", state, started=carried)
    (found,) = probed_apps(spec(PROBED), (draft,), Probing({"app": cached}, keeps_state=keeps))
    assert found.started or not found.ready
    assert found.state.running is not None or not found.started
    assert found.started is not None
