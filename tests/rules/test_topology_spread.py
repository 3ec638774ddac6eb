"""Topology spread constraints: what they count, which nodes they let through, and how they score the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.cluster import Node, NodeSpec, Taint
from podfsm.kube.objects import LabelSelector, ObjectMeta, Pod, PodSpec, Toleration, TopologySpreadConstraint
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import gates_for
from podfsm.rules.node_affinity import wanted
from podfsm.rules.spread_nodes import Fit, filter_nodes, score_nodes
from podfsm.rules.taints import tolerates, untolerated
from podfsm.rules.topology_spread import HOSTNAME

RULES = all_rules()
NOW = gates_for()
WEB = LabelSelector({"app": "web"})
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def node(name, *taints, **labels):
    return Node(
        metadata=ObjectMeta(name=name, labels={HOSTNAME: name, **labels}),
        spec=NodeSpec(tuple(Taint(key, "", effect) for key, effect in taints)),
    )


def pod(*constraints, app="web", **spec):
    return Pod(metadata=ObjectMeta(labels={"app": app}), spec=PodSpec(topologySpreadConstraints=constraints, **spec))


def hard(key="zone", skew=1, **more):
    return TopologySpreadConstraint(skew, key, "DoNotSchedule", WEB, **more)


def soft(key="zone", skew=1, **more):
    return TopologySpreadConstraint(skew, key, "ScheduleAnyway", WEB, **more)


def judged(incoming, nodes, on=(), gates=NOW):
    there = {name: [pod()] * count for name, count in dict(on).items()}
    found = filter_nodes(incoming, nodes, there, incoming.spec.topologySpreadConstraints, gates)
    return {name: fit.value for name, fit in found.items()}


A1, A2, B1 = node("a1", zone="a"), node("a2", zone="a"), node("b1", zone="b")


def test_the_fuller_zone_is_closed():
    assert judged(pod(hard()), [A1, A2, B1], {"a1": 1}) == {
        "a1": "unschedulable",
        "a2": "unschedulable",
        "b1": "ok",
    }
    assert set(judged(pod(hard(skew=2)), [A1, A2, B1], {"a1": 1}).values()) == {"ok"}


def test_a_pod_that_its_own_selector_does_not_match_adds_nothing():
    assert set(judged(pod(hard(), app="db"), [A1, B1], {"a1": 1}).values()) == {"ok"}


def test_a_node_without_a_key_counts_nowhere():
    bare = Node(metadata=ObjectMeta(name="bare", labels={HOSTNAME: "bare"}))
    found = judged(pod(hard(), hard(HOSTNAME, 2)), [A1, B1, bare], {"a1": 1, "b1": 1, "bare": 0})
    assert found == {"a1": "ok", "b1": "ok", "bare": "unresolvable"}


def test_the_first_constraint_that_fails_names_the_reason():
    bare = Node(metadata=ObjectMeta(name="bare", labels={"zone": "a"}))
    nodes, on = [A1, B1, bare], {"a1": 2}
    assert judged(pod(hard(), hard(HOSTNAME)), nodes, on)["bare"] == "unschedulable"
    assert judged(pod(hard(HOSTNAME), hard()), nodes, on)["bare"] == "unresolvable"


@pytest.mark.parametrize(("version", "fit"), [("1.36", "unschedulable"), ("1.23", "ok")])
def test_too_few_domains_make_the_minimum_zero(version, fit):
    found = judged(pod(hard(minDomains=3)), [A1, B1], {"a1": 1, "b1": 1}, gates_for(version))
    assert set(found.values()) == {fit}


def test_policies_say_which_nodes_are_counted():
    spare = node("c1", ("gpu", "NoSchedule"), zone="c")
    nodes, on = [A1, B1, spare], {"a1": 1, "b1": 1}
    assert judged(pod(hard()), nodes, on)["a1"] == "unschedulable"
    assert judged(pod(hard(nodeTaintsPolicy="Honor")), nodes, on)["a1"] == "ok"
    tolerant = pod(hard(nodeTaintsPolicy="Honor"), tolerations=(Toleration("gpu", "Exists"),))
    assert judged(tolerant, nodes, on)["a1"] == "unschedulable"
    picky = {"nodeSelector": {"zone": "a"}}
    assert judged(pod(hard(), **picky), nodes, on)["a1"] == "ok"
    assert judged(pod(hard(nodeAffinityPolicy="Ignore"), **picky), nodes, on)["a1"] == "unschedulable"


def test_scores_prefer_the_emptier_zone_and_ignore_nameless_nodes():
    bare = Node(metadata=ObjectMeta(name="bare"))
    incoming = pod(soft())
    there = {"a1": [pod()] * 3, "b1": [pod()]}
    raw, scores = score_nodes(incoming, [A1, A2, B1, bare], there, incoming.spec.topologySpreadConstraints, NOW)
    assert raw["a1"] == raw["a2"] > raw["b1"] > raw["bare"] == 0
    assert scores["b1"] == 100
    assert scores["bare"] == 0
    assert 0 < scores["a1"] < 100


def test_only_feasible_nodes_are_scored():
    incoming = pod(soft())
    constraints = incoming.spec.topologySpreadConstraints
    raw, scores = score_nodes(incoming, [A1, B1], {"a1": [pod()]}, constraints, NOW, feasible=[B1])
    assert raw == {"b1": 0}
    assert scores == {"b1": 100}


@given(counts=st.lists(st.integers(0, 5), min_size=1, max_size=5), skew=st.integers(1, 3), domains=st.integers(1, 6))
def test_whoever_is_let_in_keeps_the_skew(counts, skew, domains):
    nodes = [node(f"n{index}", zone=f"z{index}") for index in range(len(counts))]
    on = {f"n{index}": count for index, count in enumerate(counts)}
    least = RULES["spread-min-domains"](counts, domains)
    assert least in (0, min(counts))
    for index, (name, fit) in enumerate(judged(pod(hard(skew=skew, minDomains=domains)), nodes, on).items()):
        assert name == f"n{index}"
        assert (fit == "ok") == (counts[index] + 1 - least <= skew)


@given(st.lists(st.sampled_from(list(Fit))))
def test_one_refusal_is_enough(answers):
    assert (RULES["spread-and"](answers) is Fit.OK) == all(answer is Fit.OK for answer in answers)


@given(st.lists(st.tuples(st.sampled_from(["zone", "host"]), st.sampled_from(["DoNotSchedule", "ScheduleAnyway"]))))
def test_pairs_are_unique(pairs):
    constraints = tuple(TopologySpreadConstraint(1, key, when) for key, when in pairs)
    assert RULES["spread-fields"](constraints) == (len(set(pairs)) == len(pairs))
    assert [RULES["spread-schedule-anyway"](each) for each in constraints] == [
        when == "DoNotSchedule" for _, when in pairs
    ]


def test_defaults_need_an_owner_and_no_constraint_of_ones_own():
    assert RULES["spread-defaults"]((hard(),), WEB) == (hard(),)
    assert [each.maxSkew for each in RULES["spread-defaults"]((), WEB)] == [3, 5]
    assert RULES["spread-defaults"]((), None) == ()


@pytest.mark.parametrize(
    ("operator", "values", "labels", "fits"),
    [
        ("In", ["a"], {"zone": "a"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {}, True),
        ("Exists", [], {"zone": "x"}, True),
        ("DoesNotExist", [], {"zone": "x"}, False),
        ("Gt", ["5"], {"zone": "6"}, True),
        ("Gt", ["5"], {"zone": "five"}, False),
        ("Lt", ["5"], {"zone": "5"}, False),
        ("Lt", [], {"zone": "5"}, False),
    ],
)
def test_required_affinity(operator, values, labels, fits):
    term = {"matchExpressions": [{"key": "zone", "operator": operator, "values": values}]}
    spec = PodSpec(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [{}, term]}}})
    assert wanted(spec, Node(metadata=ObjectMeta(name="n", labels=labels))) is fits


def test_affinity_to_a_node_by_name():
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a1"]}]}
    spec = PodSpec(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": [term]}}})
    assert wanted(spec, A1)
    assert not wanted(spec, B1)
    assert not wanted(PodSpec(affinity={"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": []}}}), A1)


@pytest.mark.parametrize(
    ("toleration", "covers"),
    [
        (Toleration(operator="Exists"), True),
        (Toleration("gpu", "Exists"), True),
        (Toleration("gpu", "Exists", effect="NoExecute"), False),
        (Toleration("gpu", "Equal", "yes"), True),
        (Toleration("gpu", "", "no"), False),
        (Toleration("cpu", "Exists"), False),
        (Toleration("gpu", "Gt", "1"), False),
    ],
)
def test_tolerations(toleration, covers):
    taint = Taint("gpu", "yes", "NoSchedule")
    assert tolerates(toleration, taint) is covers
    assert (untolerated([taint], [toleration]) is None) is covers
    assert untolerated([Taint("x", "", "PreferNoSchedule")], ()) is None


def test_only_noexecute_drives_away():
    taints = (Taint("a", "", "NoSchedule"), Taint("b", "", "NoExecute"))
    assert [taint.key for taint in RULES["sched-noschedule-no-evict"](taints)] == ["b"]
