"""What a watch shows, and in which order: what a recording must keep for anything to follow from it."""

from __future__ import annotations

from podfsm.engine.rule import derivation, docs, example, invariant, source
from podfsm.kube.objects import ObjectMeta, Pod
from podfsm.rules.phase_invariants import same_pod

_CONCEPTS = "reference/using-api/api-concepts.md"


def _at(version: str) -> Pod:
    return Pod(metadata=ObjectMeta(uid="u", resourceVersion=version))


@invariant(
    "watch-order",
    cites=[
        docs(f"{_CONCEPTS}#resource-versions"),
        source("staging/src/k8s.io/apimachinery/pkg/util/resourceversion/resourceversion.go", "CompareResourceVersion"),
    ],
    observable="metadata.resourceVersion",
    documented="before 1.35 the page calls resource versions opaque; etcd's were numbers that grow all the same",
    allows=[(_at("9"), _at("10")), (_at("9"), _at("9")), (_at(""), _at("3")), (_at("x"), _at("a"))],
    refuses=[(_at("10"), _at("9"))],
)
def in_order(before: Pod, after: Pod) -> bool:
    """A watch shows the states of an object in the order of their resourceVersion."""
    old, new = version_of(before), version_of(after)
    return old is None or new is None or not same_pod(before, after) or old <= new


def version_of(pod: Pod) -> int | None:
    """The resourceVersion as a number; None if it is not one."""
    text = pod.metadata.resourceVersion
    return int(text) if text.isascii() and text.isdigit() else None


@derivation(
    "watch-one-uid-a-name",
    cites=[
        docs("concepts/overview/working-with-objects/names.md#uids"),
        source("staging/src/k8s.io/apimachinery/pkg/watch/watch.go", "Deleted"),
    ],
    observable="metadata.uid of one name",
    examples=[
        example("MODIFIED", gives=False),
        example("ADDED", gives=True),
        example("SEEN", gives=True),
    ],
)
def may_replace(event_type: str) -> bool:
    """While a Pod is there no other has its name: another uid comes with an event ADDED, or out of a new list.

    In an unbroken watch the DELETED event of the old one comes before.
    """
    return event_type != "MODIFIED"


@derivation(
    "watch-deleted-last",
    cites=[
        docs(f"{_CONCEPTS}#efficient-detection-of-changes"),
        source("staging/src/k8s.io/apimachinery/pkg/watch/watch.go", "Deleted"),
    ],
    observable="type of watch events of one uid",
    examples=[
        example("ADDED", "MODIFIED", gives=True),
        example("DELETED", "MODIFIED", gives=False),
        example("DELETED", "ADDED", gives=False),
    ],
)
def may_follow(earlier: str, later: str) -> bool:
    """Nothing follows the DELETED event of a uid: a Pod of the same name made later has another uid."""
    return earlier != "DELETED" or later == "DELETED"
