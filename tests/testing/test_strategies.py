"""Strategies are broad: they reach every state and transition, give valid Pods, and traces that conform."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from podfsm.errors import UnknownName
from podfsm.kube.decode import unknown_fields
from podfsm.kube.objects import Pod
from podfsm.machines import machine_names, machine_spec
from podfsm.simulate import prepare
from podfsm.testing import MachineSuite, PodSuite, cases, container_histories, legal_traces, machine_suite, pods
from podfsm.testing.choose import Drawn, Seeded, chance, some
from podfsm.testing.cluster import make_cluster
from podfsm.testing.coverage import all_arrows, rare, states_reached, unreached
from podfsm.testing.drive import run_case
from podfsm.testing.manifests import FEATURES, NEEDS
from podfsm.testing.protocol import CAPABILITIES
from podfsm.testing.scenarios import case
from podfsm.testing.walks import FACTS
from tests.independent import tiny

CASES = 2500


@pytest.fixture(scope="module")
def fired():
    """How often each arrow fired over as many cases as the profile quick runs."""
    counts = Counter()
    for number in range(CASES):
        for history in run_case(case(Seeded(f"0/{number}")), make_cluster).histories:
            counts.update((a.machine, a.source, a.trigger, a.dest, a.rules) for a in history.accepted)
    return counts


def test_pods_reach_every_state(fired):
    reached = states_reached(fired)
    for name in all_arrows():
        assert reached[name] >= set(machine_spec(name).state_names), name


def test_pods_fire_every_transition(fired):
    assert unreached({arrow: times for arrow, times in fired.items() if arrow[0] in FACTS}) == []


def test_few_transitions_are_rare(fired):
    hardly_ever = rare(fired)
    assert len(hardly_ever) <= 15, hardly_ever


@given(made=pods())
def test_pods_are_valid_and_can_be_simulated(made):
    assert list(unknown_fields(made, Pod)) == []
    names = [c["name"] for group in ("initContainers", "containers") for c in made["spec"].get(group, ())]
    assert len(set(names)) == len(names)
    for entry in made["spec"].get("initContainers", ()):
        if entry.get("restartPolicy") != "Always":
            assert not {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"} & set(entry)


@given(made=cases())
def test_cases_are_scenarios(made):
    simulation = prepare(made.documents())
    assert simulation.setup.pods
    assert made.steps == sorted(made.steps, key=lambda step: step["at"])


@given(data=st.data())
def test_nothing_is_asked_of_a_cluster_that_it_lacks(data):
    lacks = data.draw(st.sets(st.sampled_from(sorted(CAPABILITIES))))
    made = data.draw(cases(lacks=lacks))
    text = str((made.pods, made.spec))
    words = {"probes": "Probe'", "hooks": "'lifecycle'", "readiness-gates": "readinessGates", "termination": "'delete'",
             "ephemeral": "ephemeralContainers", "deadlines": "activeDeadlineSeconds", "images": "'images'",
             "finalizers": "finalizers", "restart-rules": "restartPolicyRules", "scheduling-gates": "schedulingGates",
             "node-loss": "'sandbox'", "versions": "'kubernetes'"}  # fmt: skip
    assert [name for name in lacks if name in words and words[name] in text] == []


def test_every_feature_needs_a_capability_that_exists():
    assert set(NEEDS) <= set(FEATURES)
    assert set(NEEDS.values()) <= set(CAPABILITIES)


@settings(max_examples=10)
@given(events=legal_traces())
def test_legal_traces_begin_with_their_pods(events):
    assert {event["type"] for event in events} <= {"ADDED", "MODIFIED", "DELETED"}
    first = {event["object"]["metadata"]["name"]: event["type"] for event in reversed(events)}
    assert set(first.values()) == {"ADDED"}
    instants = [event["at"] for event in events]
    assert instants == sorted(instants)


@settings(max_examples=10)
@given(statuses=container_histories())
def test_histories_of_containers_never_count_back(statuses):
    assert len({status["name"] for status in statuses}) <= 1
    assert all(one != two for one, two in pairwise(statuses))


@given(data=st.data())
def test_both_sources_of_choices_keep_to_their_bounds(data):
    for choose in (Drawn(data.draw), Seeded("bounds")):
        assert 3 <= choose.number(3, 5) <= 5
        assert chance(choose, 1)
        assert set(some(choose, "abc", 2)) <= set("abc")


@pytest.mark.parametrize("name", [name for name in machine_names() if name in FACTS])
def test_each_machine_keeps_its_laws(name):
    run_state_machine_as_test(machine_suite(name), settings=settings(max_examples=10, stateful_step_count=30))


def test_pods_keep_every_invariant():
    run_state_machine_as_test(PodSuite, settings=settings(max_examples=15, stateful_step_count=12))


def test_a_suite_of_ones_own_finds_a_bug():
    class TinySuite(PodSuite):
        make_cluster = staticmethod(tiny.ignoring_gates)

    with pytest.raises(AssertionError, match="ready-needs-gates"):
        run_state_machine_as_test(
            TinySuite,
            settings=settings(
                max_examples=150, stateful_step_count=8, derandomize=True, phases=[Phase.generate], database=None
            ),
        )


def test_a_machine_that_breaks_a_law_is_noticed():
    class Yes:
        def fire(self, state, trigger, facts):
            arrows = machine_spec("image").arrows()
            return next(row for source, _, row in arrows if source == state and row.trigger == trigger)

    with pytest.raises((AssertionError, StopIteration)):
        run_state_machine_as_test(machine_suite("image", Yes()), settings=settings(max_examples=50, derandomize=True))


def test_an_unknown_machine_is_named():
    with pytest.raises(UnknownName, match="container"):
        machine_suite("kontainer")
    assert MachineSuite.machine == "container"
