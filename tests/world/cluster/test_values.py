"""The values that a cluster is kept in: a queue and a map of which older states go on being used."""

from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podfsm.world.cluster import traced
from podfsm.world.cluster.heap import Heap
from podfsm.world.cluster.traced import TracedMap

POP = None
BACK = "back"


@given(st.lists(st.one_of(st.integers(), st.just(POP), st.tuples(st.just(BACK), st.integers(0, 50))), max_size=200))
def test_a_heap_gives_what_a_list_would_and_older_ones_stay_as_they_are(what):
    heaps = [(Heap(), [])]
    for number, each in enumerate(what):
        heap, plain = heaps[each[1] % len(heaps)] if isinstance(each, tuple) else heaps[-1]
        plain = list(plain)
        if each is POP and plain:
            item, heap = heap.pop()
            assert item == heappop(plain)
        elif isinstance(each, int):
            heap = heap.push((each, number))
            heappush(plain, (each, number))
        heaps.append((heap, plain))
    for heap, plain in heaps:
        assert bool(heap) == bool(plain)
        assert list(heap) == sorted(plain)
        assert heap == Heap() if not plain else heap.first == plain[0]


def test_heaps_are_equal_that_hold_the_same():
    one, other = Heap().push(1).push(2), Heap().push(2).push(1)
    assert one == other != one.push(3)
    assert repr(one) == repr(other) == "Heap([1, 2])"
    assert one != [1, 2]


def test_an_empty_heap_has_nothing():
    with pytest.raises(IndexError):
        Heap().pop()
    with pytest.raises(IndexError):
        _ = Heap().first


@pytest.mark.parametrize("numbers", [range(5000), range(5000, 0, -1)])
def test_a_heap_is_as_deep_as_the_logarithm_of_its_length(numbers):
    """Or else this would be too deep for Python."""
    heap = Heap()
    for number in numbers:
        heap = heap.push(number)
    assert list(heap) == sorted(numbers)


KEYS = "abcde"


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 30)), max_size=60))
def test_a_map_tells_what_has_changed_since_any_other_state(what):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traced, "SHORTEST", 4)
        states = [(TracedMap(), {})]
        for number, (key, back) in enumerate(what):
            one, plain = states[-1 - back] if back < len(states) else states[-1]
            states.append((one.set(key, number), {**plain, key: number}))
    for one, plain in states:
        assert {key: one.get(key) for key in KEYS} == {key: plain.get(key) for key in KEYS}
        for other, before in states:
            changed = one.changed_since(other.mark)
            differing = {key for key in KEYS if plain.get(key) != before.get(key)}
            assert changed is None or differing <= changed
        assert one.changed_since(one.mark) == set()


def test_maps_are_equal_that_hold_the_same():
    one, other = TracedMap().set("a", 1).set("b", 2), TracedMap().set("b", 2).set("a", 0).set("a", 1)
    assert one == other != one.set("a", 2)


def test_a_map_forgets_changes_of_long_ago():
    one = TracedMap()
    for number in range(traced.SHORTEST + 2):
        one = one.set("a", number)
    recent = one.set("b", 0)
    assert recent.changed_since(one.mark) == {"b"}
    assert recent.changed_since(TracedMap().set("a", 0).mark) is None, "of another map"
    assert recent.changed_since(TracedMap().mark) is None, "of the beginning"
