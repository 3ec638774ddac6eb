"""`step` is pure: the same world and event give the same step, and no world ever changes."""

import pytest
from attrs import evolve, fields
from attrs.exceptions import FrozenInstanceError

from podfsm.kube.read import read_documents
from podfsm.rules.gates import gates_for
from podfsm.simulate import prepare, run
from podfsm.world.cluster.drive import take
from podfsm.world.cluster.state import ClusterDraft
from podfsm.world.model import make_model
from podfsm.world.pod import freeze, thaw
from podfsm.world.step import Create, Delete, Due, Patch, World, step
from tests.world.runs import DATA, EVERY


def shown(world, event):
    """A world as text, as far as an event can touch it."""
    key = getattr(event, "key", None)
    return repr((world.now, world.pods.get(key), len(world.pods), held(world.cluster)))


def held(cluster):
    """What a cluster holds, but for what is only remembered and could be worked out again."""
    if cluster is None:
        return None
    left_out = {"fits", "moulds", "environment"}
    return [getattr(cluster, field.name) for field in fields(ClusterDraft) if field.name not in left_out]


def outcome(done):
    """A step, its world as far as it can be compared."""
    return (done.fired, done.snapshots, done.events, done.things, done.world.pods, held(done.world.cluster))


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
def test_a_step_taken_twice_is_the_same_and_leaves_its_world_alone(path, monkeypatch):
    taken = []

    def twice(once):
        def taking(model, world, event, at=None):
            before = shown(world, event)
            first, second = once(model, world, event, at), once(model, world, event, at)
            assert shown(world, event) == before
            assert outcome(first) == outcome(second)
            assert repr(first.pod) == repr(second.pod)
            taken.append(type(event).__name__)
            return first

        return taking

    monkeypatch.setattr(run, "step", twice(step))
    monkeypatch.setattr(run, "take", twice(take))
    for _ in prepare(read_documents(path), until=20.0):
        pass
    assert taken.count("Create") + taken.count("MakeObject") >= 1
    assert taken.count("Due") > 3


@pytest.fixture
def running():
    """A world in which a Pod runs, and the model."""
    simulation = prepare(read_documents(DATA / "scenarios/always-restarts.yaml"), until=10.0)
    for _ in simulation:
        pass
    return simulation.model, simulation.world


def test_worlds_are_frozen(running):
    model, world = running
    pod = world.pods["default/always"]
    for thing, name in ((world, "now"), (pod, "busy"), (pod, "live"), (step(model, world, Due(pod.key)), "world")):
        with pytest.raises(FrozenInstanceError):
            setattr(thing, name, None)


def test_a_draft_shares_nothing_that_it_changes(running):
    _, world = running
    pod = world.pods["default/always"]
    before = repr(pod)
    draft = thaw(pod, 99.0)
    draft.at(100.0, "due")
    draft.states["container/ends"] = "Nowhere"
    draft.backoffs.clear()
    draft.history.clear()
    draft.live = ()
    assert repr(pod) == before
    assert freeze(thaw(pod, pod.now)) == pod


def test_pods_do_not_touch_each_other(running):
    model, world = running
    other = evolve(world.pods["default/always"], key="default/other")
    world = evolve(world, pods=world.pods.set("default/other", other))
    done = step(model, world, Due("default/always"))
    assert done.world.pods["default/other"] is other
    assert done.pod is done.world.pods["default/always"]


def test_a_pod_that_is_not_there(running):
    model, world = running
    for event in (Due("default/nobody"), Delete("default/nobody"), Patch("default/nobody", "merge", {})):
        with pytest.raises(KeyError):
            step(model, world, event)


def test_the_first_step_begins_a_world():
    simulation = prepare(read_documents(DATA / "scenarios/pod-ends.yaml"), until=0.0)
    first = next(iter(simulation))
    [snapshot] = first.snapshots
    assert (snapshot.type, snapshot.at, snapshot.pod.status.phase) == ("ADDED", 0.0, "Pending")
    assert isinstance(first.world, World)
    assert list(first.world.pods) == [first.pod.key]
    assert make_model(gates_for()).gates == simulation.model.gates
    assert Create.__attrs_attrs__[0].name == "key"
