"""Namespaces that are deleted: what is refused from then on, and when the namespace controller looks at what is left.

The controller is told of nothing that happens inside a namespace. It deletes what it finds, estimates how long that
will take, and comes back.
"""

from __future__ import annotations

from podfsm.engine.rule import derivation, docs, example, guard, source, timing, validation
from podfsm.rules.cluster_facts import NamespaceFacts
from podfsm.rules.timings import timing_constant

ACTIVE, TERMINATING, GONE = "Active", "Terminating", "Gone"
RESERVED = ("default", "kube-system", "kube-public")

_ADMISSION = docs("reference/access-authn-authz/admission-controllers.md#namespacelifecycle")
_PLUGIN = source("staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go", "Admit")
_PAGE = docs("tasks/administer-cluster/namespaces.md#deleting-a-namespace")
_CONTROLLER = "pkg/controller/namespace/namespace_controller.go"
_DELETER = "pkg/controller/namespace/deletion/namespaced_resources_deleter.go"


@guard(
    "namespace-may-go",
    machine="namespace",
    cites=[_ADMISSION, _PLUGIN],
    allows=[NamespaceFacts("shop")],
    refuses=[NamespaceFacts("default"), NamespaceFacts("kube-system"), NamespaceFacts("kube-public")],
)
def may_go(facts: NamespaceFacts) -> bool:
    """The namespaces default, kube-system and kube-public cannot be deleted."""
    return facts.name not in RESERVED


@validation(
    "namespace-lets-in",
    machine="namespace",
    cites=[_ADMISSION, _PLUGIN],
    observable="no object of the namespace is created after its deletionTimestamp",
    allows=[ACTIVE],
    refuses=[TERMINATING, GONE],
)
def lets_in(state: str) -> bool:
    """Nothing can be created in a namespace that is being deleted (403, cause NamespaceTerminating) or gone (404).

    Controllers meet that refusal, too. They neither try again nor complain.
    """
    return state == ACTIVE


def refusal(name: str, state: str) -> str:
    """The API server's words to whoever creates something in a namespace; "" if it lets that in."""
    if lets_in(state):
        return ""
    if state == GONE:
        return f'namespaces "{name}" not found (404)'
    return f"unable to create new content in namespace {name} because it is being terminated (403)"


@timing(
    "namespace-first-look",
    machine="namespace",
    cites=[_PAGE, source(_CONTROLLER, "namespaceDeletionGracePeriod")],
    observable="time from the Namespace's deletionTimestamp to that of its Pods",
    examples=[example(10.0, gives=15.0)],
)
def first_look(heard: float) -> float:
    """The controller waits 5 s after each change of a deleted Namespace before it looks at what is inside.

    So all API servers know of the deletion by then, and objects that were created at the last moment are seen.
    """
    return heard + timing_constant("namespace-deletion-delay")


@derivation(
    "namespace-estimate",
    machine="namespace",
    cites=[source(_DELETER, "estimateGracefulTermination")],
    examples=[
        example((30, 5), 2.0, gives=30),
        example((30, 5), 30.0, gives=0),
        example((), 2.0, gives=0),
    ],
)
def estimate(graces: tuple[int, ...], since: float) -> int:
    """What is left is expected to take the longest grace period of the Pods that have not finished, in seconds.

    Once the deletion is older than that (`since`, in seconds), nothing can be said: 0.
    """
    longest = max(graces, default=0)
    return longest if since < longest else 0


@timing(
    "namespace-next-look",
    machine="namespace",
    cites=[source(_CONTROLLER, "worker"), source(_CONTROLLER, "nsControllerRateLimiter")],
    examples=[
        example(30, gives=16.0),
        example(1, gives=1.0),
        example(0, finalizers=True, gives=8.0),
        example(0, failed=0, gives=0.005),
        example(0, failed=3, gives=0.04),
        example(0, failed=30, gives=60.0),
    ],
)
def next_look(expected: int, failed: int = 0, *, finalizers: bool = False) -> float:
    """While something is left the controller comes back after half the estimate, in whole seconds, and one more.

    Without an estimate objects with finalizers count as 15 s. What is left for no reason is a failure, and is looked
    at again after 5 ms, a delay that doubles with each failure up to a minute. `failed`: how many there were before.
    """
    seconds = expected or (int(timing_constant("namespace-finalizer-estimate")) if finalizers else 0)
    if seconds:
        return float(seconds // 2 + 1)
    first, most = timing_constant("namespace-retry-first"), timing_constant("namespace-retry-most")
    return most if failed > 20 else min(first * 2.0**failed, most)


@derivation(
    "namespace-pods-first",
    machine="namespace",
    gate="OrderedNamespaceDeletion",
    cites=[source(_DELETER, "deleteAllContent")],
    observable="Services, ReplicaSets and the like go when the last Pod is gone",
    examples=[example(2, gives=True), example(0, gives=False)],
)
def waits_for_pods(pods: int) -> bool:
    """Pods are deleted before anything else; as long as one is left, the other objects stay.

    Without the gate everything is deleted at once, in no order.
    """
    return pods > 0


@guard(
    "namespace-empty",
    machine="namespace",
    cites=[_PAGE, source(_DELETER, "finalizeNamespace")],
    allows=[NamespaceFacts("shop")],
    refuses=[NamespaceFacts("shop", remaining=1)],
)
def empty(facts: NamespaceFacts) -> bool:
    """A deleted namespace goes when the controller has seen that nothing is left inside."""
    return not facts.remaining
