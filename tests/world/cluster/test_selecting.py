"""Objects are found by the labels of a Pod as if each of them had been asked."""

from hypothesis import given
from hypothesis import strategies as st

from podfsm.kube.objects import LabelSelector, LabelSelectorRequirement, ObjectMeta, Pod
from podfsm.world.cluster.selecting import index_selector, selecting, selects
from podfsm.world.cluster.state import ClusterDraft, Thing

labels = st.dictionaries(st.sampled_from("abc"), st.sampled_from("xy"), max_size=3)
terms = st.lists(
    st.builds(LabelSelectorRequirement, st.sampled_from("abc"), st.sampled_from(["Exists", "DoesNotExist"])), max_size=1
)
selectors = st.none() | st.builds(LabelSelector, labels, terms.map(tuple))
pods = st.none() | st.builds(
    lambda namespace, labels: Pod(metadata=ObjectMeta(namespace=namespace, labels=labels)),
    st.sampled_from("mn"),
    labels,
)
changes = st.tuples(
    st.sampled_from(["Service", "ReplicaSet"]), st.sampled_from("mn"), st.sampled_from("123"), selectors
)


@given(st.lists(st.tuples(changes, st.booleans()), max_size=20), pods, pods)
def test_all_that_select_a_pod_are_found(what, one, other):
    c = ClusterDraft()
    for (kind, namespace, name, selector), stays in what:
        key = f"{kind}/{namespace}/{name}"
        before = c.things.get(key)
        after = Thing(kind, key, namespace, name, "", {}, selector=selector) if stays else None
        if before is None and after is None:
            continue
        c.things = c.things.set(key, after) if after is not None else c.things.delete(key)
        index_selector(c, before, after)
    for kind in ("Service", "ReplicaSet"):
        expected = sorted(
            key
            for key, thing in c.things.items()
            if thing.kind == kind and any(each is not None and selects(thing, each) for each in (one, other))
        )
        assert [thing.key for thing in selecting(c, kind, one, other)] == expected
    if not any(thing.selector for thing in c.things.values()):
        assert not c.selectors
