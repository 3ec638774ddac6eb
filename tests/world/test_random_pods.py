"""Random Pods under random circumstances: the simulator never contradicts itself, and the lifecycle's laws hold."""

from hypothesis import given
from hypothesis import strategies as st

from podfsm.simulate import prepare
from podfsm.simulate.output import object_of
from tests.snapshots import broken
from tests.world.history import wrong
from tests.world.pods import cases


def watched(steps):
    return [{"type": one.type, "object": object_of(one)} for step in steps for one in step.snapshots]


@given(cases())
def test_every_law_holds(case):
    steps = list(prepare(case.documents))
    assert wrong(steps) == []
    assert broken(watched(steps)) == []


@given(cases(), st.integers(0, 3), st.sampled_from(["kubelet", "ideal"]))
def test_jitter_and_timing_break_no_law(case, seed, timing):
    steps = list(prepare(case.documents, seed=seed, timing=timing, until=45.0))
    assert wrong(steps) == []
    assert broken(watched(steps)) == []


@given(cases(most_apps=2, most_inits=2), st.integers(18, 36))
def test_every_version_runs(case, minor):
    steps = list(prepare(case.documents, kubernetes=f"1.{minor}", until=45.0))
    assert steps[0].snapshots[0].type == "ADDED"
    assert [what for what in wrong(steps) if "restart" not in what or minor == 36] == []


@given(cases())
def test_probe_workers_and_their_machines_agree(case):
    """A machine is at its end exactly when its worker is gone."""
    for step in prepare(case.documents, until=45.0):
        states = step.pod.states if step.pod is not None else {}
        for key, state in states.items():
            machine, _, instance = key.partition("/")
            if machine == "probe":
                kind, _, name = instance.partition("/")
                alive = any((k.value, n) == (kind, name) for k, n in step.pod.probes)
                assert (state != "Ended") == alive, key
