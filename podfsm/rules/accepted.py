"""What the API server takes at all: objects without unknown fields whose fields have the form they must have.

The rules here stand behind every complaint that no rule of its own covers.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, source, validation
from podfsm.engine.versions import Version
from podfsm.kube.objects import Container, Pod, PodSpec
from podfsm.kube.served import LAST, unserved
from podfsm.rules.gates import gates_for
from podfsm.rules.validation import pod_problems

_FINE = Container("app", image="i", imagePullPolicy="Always", terminationMessagePolicy="File")


def _pod(container: Container) -> Pod:
    return Pod(spec=PodSpec((container,), restartPolicy="Always", dnsPolicy="ClusterFirst"))


@validation(
    "valid-fields",
    area="validation",
    machine=(),
    cites=[
        docs("reference/using-api/api-concepts.md"),
        source("pkg/apis/core/validation/validation.go", "ValidatePodCreate"),
    ],
    observable="422 Unprocessable Entity",
    allows=[_pod(_FINE)],
    refuses=[
        _pod(Container("App", image="i", imagePullPolicy="Always", terminationMessagePolicy="File")),
        _pod(Container("app", imagePullPolicy="Always", terminationMessagePolicy="File")),
        Pod(spec=PodSpec(restartPolicy="Always", dnsPolicy="ClusterFirst")),
    ],
)
def accepted(pod: Pod) -> bool:
    """The API server refuses an object with a field that lacks or has not the form it must: names, ports, amounts.

    All the problems of an object are reported together. The Pod has its defaults.
    """
    return not pod_problems(pod, gates_for())


@validation(
    "known-fields",
    area="validation",
    machine=(),
    cites=[docs("reference/using-api/api-concepts.md#field-validation")],
    observable="400 Bad Request: strict decoding error, unknown field",
    allows=[((),)],
    refuses=[(("spec.contianers",),)],
)
def all_known(unknown: tuple[str, ...]) -> bool:
    """With strict field validation, which kubectl asks for, the API server refuses fields that it does not know.

    Without it they are dropped, and what they ask for does not happen. `unknown` are their paths.
    """
    return not unknown


@validation(
    "known-kinds",
    area="validation",
    machine=(),
    cites=[docs("reference/using-api/deprecation-guide.md")],
    observable="404 Not Found; kubectl: no matches for kind",
    allows=[
        ("apps/v1", "Deployment", "1.36"),
        ("policy/v1beta1", "PodDisruptionBudget", "1.24"),
        ("a.b/v1", "C", "1.36"),
    ],
    refuses=[
        ("v1", "Deployment", "1.36"),
        ("v1", "Podd", "1.36"),
        ("policy/v1beta1", "PodDisruptionBudget", "1.25"),
    ],
)
def kind_served(api_version: str, kind: str, version: str) -> bool:
    """An object is known by apiVersion and kind together, and only as long as that apiVersion is served.

    Newer versions are let pass by older ones here, since manifests differ in nothing that the lifecycle depends on.
    """
    last = LAST.get(api_version)
    served = last is None or Version.parse(version) <= Version.parse(last)
    return served and unserved(api_version, kind) is None
