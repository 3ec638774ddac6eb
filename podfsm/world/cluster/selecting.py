"""Which objects select a Pod, found by the Pod's labels instead of by asking every object.

An object is kept under one of the labels that its selector asks for: without that label a Pod cannot match. Selectors
that ask for no label by value are kept apart and asked each time.
"""

from __future__ import annotations

from immutables import Map

from podfsm.kube.objects import LabelSelector, Pod
from podfsm.kube.selector import matches
from podfsm.world.cluster.indexes import with_key, without_key
from podfsm.world.cluster.state import NO_KEYS, ClusterDraft, Label, Thing

ANY: Label = ("", "")


def selects(thing: Thing, pod: Pod) -> bool:
    """Whether an object's selector matches a Pod, which has to be in its namespace."""
    return thing.namespace == pod.metadata.namespace and matches(thing.selector, pod.metadata.labels)


def selecting(c: ClusterDraft, kind: str, *pods: Pod | None) -> list[Thing]:
    """The objects of a kind that select one of these Pods, by key; None is no Pod."""
    there = c.selectors.get(kind)
    if there is None:
        return []
    found: dict[str, Thing] = {}
    for pod in filter(None, pods):
        for label in (ANY, *pod.metadata.labels.items()):
            for key in there.get(label, NO_KEYS):
                if key not in found and selects(c.things[key], pod):
                    found[key] = c.things[key]
    return [found[key] for key in sorted(found)]


def index_selector(c: ClusterDraft, before: Thing | None, after: Thing | None) -> None:
    """Note an object that was created, changed or removed."""
    old, new = (each.selector if each is not None else None for each in (before, after))
    if old == new:
        return
    thing = after or before
    assert thing is not None
    index = c.selectors.get(thing.kind) or Map()
    if old is not None:
        index = without_key(index, _label(old), thing.key)
    if new is not None:
        index = with_key(index, _label(new), thing.key)
    c.selectors = c.selectors.set(thing.kind, index) if index else c.selectors.delete(thing.kind)


def _label(selector: LabelSelector) -> Label:
    """The label that an object with this selector is kept under."""
    return min(selector.matchLabels.items(), default=ANY)
