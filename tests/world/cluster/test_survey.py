"""What the scheduler remembers of nodes is what it would find out if it asked each of them again."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.world.cluster import fitting, scoring, survey, traced
from podfsm.world.cluster.desk import Desk
from podfsm.world.cluster.indexes import host_ports
from podfsm.world.cluster.survey import NO_USE
from podfsm.world.pod import PodWorld
from tests.world.cluster.runs import Run, container, node, owner, pod

FEW = 3
"""As if a cluster of more than three nodes was a large one, and as if few changes and questions were remembered."""

NODES = tuple(f"n{number}" for number in range(9))
SSD = [{"weight": 5, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}]
SPREAD = {"maxSkew": 1, "topologyKey": "disk", "labelSelector": {"matchLabels": {"app": "web0"}}}
ALIKE = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web0"}}}
SPECS = (
    {},
    {"nodeSelector": {"disk": "ssd"}},
    {"tolerations": [{"operator": "Exists"}]},
    {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": SSD}}},
    {"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [ALIKE]}}},
    {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "DoNotSchedule"}]},
    {"topologySpreadConstraints": [{**SPREAD, "whenUnsatisfiable": "ScheduleAnyway"}]},
)
EFFECTS = ("NoSchedule", "PreferNoSchedule", "PreferNoSchedule", "NoExecute")

taints = st.lists(st.builds(lambda e: {"key": "k", "value": "v", "effect": e}, st.sampled_from(EFFECTS)), max_size=1)
nodes = st.builds(
    lambda name, disk, taints, cpu: node(name, labels={"disk": disk}, taints=taints, cpu=cpu),
    st.sampled_from(NODES), st.sampled_from(["ssd", "hdd"]), taints, st.sampled_from(["200m", "1", "2"]),
)  # fmt: skip
containers = st.builds(
    lambda cpu, port: [
        container(
            **({"resources": {"requests": {"cpu": cpu}}} if cpu else {}),
            **({"ports": [{"containerPort": 80, "hostPort": port}]} if port else {}),
        )
    ],
    st.sampled_from(["", "100m", "150m", "1"]), st.sampled_from([0, 0, 0, 80, 81]),
)  # fmt: skip
templates = st.builds(lambda spec, containers: {**spec, "containers": containers}, st.sampled_from(SPECS), containers)


@st.composite
def steps(draw, owners):
    name = draw(st.sampled_from(NODES))
    what = draw(
        st.sampled_from(
            [
                {"patch": f"nodes/{name}", "body": {"spec": {"unschedulable": draw(st.booleans())}}},
                {"patch": f"nodes/{name}", "body": {"metadata": {"labels": {"disk": "ssd"}}}},
                {"delete": f"nodes/{name}"},
                {"patch": f"replicasets/web{draw(st.integers(0, owners - 1))}",
                 "body": {"spec": {"replicas": draw(st.integers(0, 6))}}},
                {"delete": "pods/alone"},
            ]
        )
    )  # fmt: skip
    return {"at": draw(st.integers(1, 25)), **what}


@st.composite
def clusters(draw):
    there = draw(st.lists(nodes, min_size=1, max_size=9, unique_by=lambda each: each["metadata"]["name"]))
    names = {each["metadata"]["name"] for each in there}
    sets = [
        owner("ReplicaSet", f"web{number}", replicas=draw(st.integers(1, 6)), template=template)
        for number, template in enumerate(draw(st.lists(templates, min_size=1, max_size=3)))
    ]
    what = draw(st.lists(steps(len(sets)), max_size=6))
    left, kept = {f"nodes/{name}" for name in names}, []
    for each in sorted(what, key=lambda step: step["at"]):
        on = each.get("patch") or each["delete"]
        if on in left or not on.startswith("nodes/"):
            kept.append(each)
            left -= {each.get("delete")}
    return [*there, pod("alone", **draw(templates)), *sets], kept


@given(clusters(), st.randoms(use_true_random=False))
def test_what_is_remembered_is_what_is_there(cluster, random: Random):
    """Worlds are asked in any order: what was remembered of a later one must not be told of an earlier one."""
    objects, what = cluster
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "ALL_LOOKED_AT", FEW)
        patch.setattr(survey, "REMEMBERED", FEW)
        patch.setattr(traced, "SHORTEST", FEW)
        run = Run(*objects, steps=what, duration=30)
        worlds = random.sample([step.world for step in run.steps], min(60, len(run.steps)))
        for world in worlds:
            there = sorted(key for key, each in world.pods.items() if each.exists)
            for key in random.sample(there, min(3, len(there))):
                agree(Desk.open(run.simulation.model, world, world.now), world.pods[key])


def agree(desk: Desk, asks: PodWorld):
    """The scheduler's answers and those found by looking at one node after another."""
    expected, turn, why = plainly_fitting(desk, asks)
    found, said = fitting.fitting(desk, asks)
    assert ([each.name for each in found], desk.c.turn) == (expected, turn)
    assert said == ("" if expected else why)
    if found:
        assert scoring.best(desk, asks, found).name == plainly_best(desk, asks, list(found))


def plainly_fitting(desk: Desk, asks: PodWorld):
    """Names of the nodes that fit, where the next search begins, and what is said if there are none."""
    among = fitting.candidates(desk, asks.api)
    many, start, refused = len(among.nodes), desk.c.turn, Counter(among.refused)
    enough = many if many <= FEW else max(FEW, many * 50 // 100)
    order = [among.nodes[(start + number) % many] for number in range(many)]
    found, looked = [], 0
    while looked < many and len(found) < enough:
        one = order[looked]
        looked += 1
        why = fitting.lacking(desk, asks, one, frozenset())
        taken = {port for there in fitting.present(desk, one.name) for port in host_ports(there.spec)}
        if not why and host_ports(asks.api.spec) & taken:
            why = "node(s) didn't have free ports for the requested pod ports"
        if why:
            refused[why] += 1
        else:
            found.append(one)
    left = [
        one for one in found if fitting.among_pods(desk, asks, survey.Open((one,)).all, frozenset(), refused)
    ]  # fmt: skip
    said = ", ".join(sorted(f"{count} {why}" for why, count in refused.items()))
    turn = (start + looked) % many if many > FEW else start
    return (
        sorted(one.name for one in left),
        turn,
        f"0/{len(desk.c.nodes)} nodes are available{': ' * bool(said)}{said}.",
    )


def plainly_best(desk: Desk, asks: PodWorld, nodes):
    """The name of the node with the highest score, added up node by node."""
    scores = {one.name: scoring._room(one, desk.c.used.get(one.name, NO_USE)) for one in nodes}
    spec, owners = asks.api.spec, [o.uid for o in asks.api.metadata.ownerReferences if o.controller]
    beside = Counter(
        other.api.spec.nodeName
        for other in desk.world.pods.values()
        if other.exists and other.api.metadata.deletionTimestamp is None
        and owners and owners == [o.uid for o in other.api.metadata.ownerReferences if o.controller]
    )  # fmt: skip
    kinds = [("taints", [scoring._disliked(asks.api, one) for one in nodes], True)]
    if not spec.topologySpreadConstraints:
        kinds.append(("owner", [beside[one.name] for one in nodes], True))
    kinds.append(("affinity", [scoring._preferred(asks.api, one) for one in nodes], False))
    for kind, counts, fewer_is_better in kinds:
        top = max(counts)
        for one, count in zip(nodes, counts, strict=True):
            share = (top - count if fewer_is_better else count) / top if top else 0
            scores[one.name] += scoring.WEIGHTS[kind] * int(100 * share + 1e-9)
    if any(each.whenUnsatisfiable == "ScheduleAnyway" for each in spec.topologySpreadConstraints):
        among = survey.Open(tuple(nodes)).all
        for name, points in scoring._spread(desk, asks.api, among).items():
            scores[name] += scoring.WEIGHTS["spread"] * points
    return min(scores, key=lambda name: (-scores[name], name))


def test_sets_of_nodes_are_in_the_order_of_names():
    run = Run(*(node(name) for name in NODES), pod("p"))
    among = survey.Open(tuple(run.cluster.nodes[name] for name in NODES))
    some = among.all.only(lambda one: one.name in ("n8", "n2", "n5"))
    assert [one.name for one in some] == ["n2", "n5", "n8"]
    assert (len(some), some.first.name, bool(some)) == (3, "n2", True)
    assert not among.all.only(lambda _: False)
