"""What the API server takes at all: objects without unknown fields whose fields have the form they must have.

The two rules here stand behind every complaint that no rule of its own covers.
"""

from __future__ import annotations

from podfsm.engine.rule import docs, source, validation
from podfsm.kube.objects import Container, Pod, PodSpec
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
