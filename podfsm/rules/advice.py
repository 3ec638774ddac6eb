"""Advice on Pods: what the API server accepts and what will surprise all the same, as the documentation warns.

Each rule looks at one Pod spec with its defaults, be it a Pod's or a template's, and gives what it has to say. Rules
about probes and hooks are in `advice_probes`, rules about whole objects in `advice_owners`.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from podfsm.engine.rule import Rule, derivation, docs, example
from podfsm.kube.objects import (
    Container,
    LabelSelector,
    PodReadinessGate,
    PodSpec,
    TopologySpreadConstraint,
)
from podfsm.kube.selector import matches

WARNING, NOTE = "warning", "note"
"""warning: likely not what is meant. note: worth knowing."""

_AREA = "advice"
_LIFECYCLE = "concepts/workloads/pods/pod-lifecycle.md"
_INIT = "concepts/workloads/pods/init-containers.md"


@frozen
class Advice:
    """One remark: the field it is about, as a path below the spec ("" for the object itself), how grave, and why."""

    path: str
    severity: str
    text: str


@frozen
class Subject:
    """A Pod spec with its defaults, and what is around it.

    `owner` is the kind of the object whose template it is, "" for a Pod; `controlled`: a Pod that a controller owns;
    `sidecars`: the version knows sidecars.
    """

    spec: PodSpec
    owner: str = ""
    labels: Mapping[str, str] = field(factory=dict)
    controlled: bool = False
    sidecars: bool = True


Remarks = tuple[Advice, ...]


@derivation(
    "advice-no-grace",
    area=_AREA,
    cites=[docs("concepts/workloads/pods/pod-termination.md#pod-termination-forced")],
    examples=[
        example(
            Subject(PodSpec(terminationGracePeriodSeconds=0)),
            gives=(
                Advice(
                    "terminationGracePeriodSeconds",
                    WARNING,
                    "0 takes Pods out of the API at once when they are deleted, while their containers may still run",
                ),
            ),
        ),
        example(Subject(PodSpec(terminationGracePeriodSeconds=30)), gives=()),
    ],
)
def no_grace(subject: Subject) -> Remarks:
    """With a grace period of 0 every deletion is a forced one: nobody waits for the containers to end."""
    if subject.spec.terminationGracePeriodSeconds != 0:
        return ()
    text = "0 takes Pods out of the API at once when they are deleted, while their containers may still run"
    return (Advice("terminationGracePeriodSeconds", WARNING, text),)


@derivation(
    "advice-init-deadline",
    area=_AREA,
    cites=[docs(f"{_INIT}#detailed-behavior")],
    examples=[
        example(
            Subject(PodSpec(initContainers=(Container("wait"),), restartPolicy="OnFailure"), "Job"),
            gives=(
                Advice(
                    "initContainers",
                    NOTE,
                    "are retried for ever when they fail; activeDeadlineSeconds would put an end to it",
                ),
            ),
        ),
        example(Subject(PodSpec(initContainers=(Container("wait"),), restartPolicy="Never"), "Job"), gives=()),
        example(Subject(PodSpec(initContainers=(Container("wait"),)), "Deployment"), gives=()),
    ],
)
def endless_init(subject: Subject) -> Remarks:
    """Init containers that fail are retried without end unless restartPolicy is Never or there is a deadline.

    Only Pods that end may have one, so Deployments and the like are not told.
    """
    spec = subject.spec
    retried = [each for each in spec.initContainers if each.restartPolicy in (None, "OnFailure")]
    ending = subject.owner in ("", "Job", "CronJob")
    if not retried or spec.restartPolicy == "Never" or spec.activeDeadlineSeconds is not None or not ending:
        return ()
    text = "are retried for ever when they fail; activeDeadlineSeconds would put an end to it"
    return (Advice("initContainers", NOTE, text),)


@derivation(
    "advice-bare-pod",
    area=_AREA,
    cites=[docs(f"{_LIFECYCLE}#pod-fault-recovery"), docs("concepts/workloads/controllers/job.md#bare-pods")],
    examples=[
        example(
            Subject(PodSpec(restartPolicy="Always")),
            gives=(
                Advice(
                    "", NOTE, "nothing makes this Pod again when it is evicted or its node is lost; a Deployment does"
                ),
            ),
        ),
        example(Subject(PodSpec(restartPolicy="Never"), controlled=True), gives=()),
        example(Subject(PodSpec(), "Deployment"), gives=()),
    ],
)
def bare(subject: Subject) -> Remarks:
    """A Pod on its own is lost with its node: a Deployment keeps Pods that are to stay, a Job those that are to end."""
    if subject.owner or subject.controlled:
        return ()
    better = "a Deployment" if subject.spec.restartPolicy == "Always" else "a Job"
    return (Advice("", NOTE, f"nothing makes this Pod again when it is evicted or its node is lost; {better} does"),)


@derivation(
    "advice-readiness-gate",
    area=_AREA,
    cites=[docs("concepts/workloads/pods/pod-condition.md#enhanced-pod-readiness")],
    examples=[
        example(
            Subject(PodSpec(readinessGates=(PodReadinessGate("example.com/lb"),))),
            gives=(
                Advice(
                    "readinessGates[0]",
                    NOTE,
                    "the Pod is not Ready until something of yours sets the condition example.com/lb to True",
                ),
            ),
        ),
        example(Subject(PodSpec(terminationGracePeriodSeconds=30)), gives=()),
    ],
)
def gated(subject: Subject) -> Remarks:
    """Kubernetes itself sets no condition of a readiness gate; without whoever does, the Pod is never Ready."""
    return tuple(
        Advice(
            f"readinessGates[{index}]",
            NOTE,
            f"the Pod is not Ready until something of yours sets the condition {gate.conditionType} to True",
        )
        for index, gate in enumerate(subject.spec.readinessGates)
    )


_OTHERS = TopologySpreadConstraint(1, "zone", "DoNotSchedule", LabelSelector({"app": "web"}))


@derivation(
    "advice-spread-self",
    area=_AREA,
    cites=[docs("concepts/scheduling-eviction/topology-spread-constraints.md#implicit-conventions")],
    examples=[
        example(
            Subject(PodSpec(topologySpreadConstraints=(_OTHERS,)), labels={"app": "db"}),
            gives=(
                Advice(
                    "topologySpreadConstraints[0].labelSelector",
                    WARNING,
                    "does not match the Pod's own labels, so its own Pods are not counted",
                ),
            ),
        ),
        example(Subject(PodSpec(topologySpreadConstraints=(_OTHERS,)), labels={"app": "web"}), gives=()),
    ],
)
def spreads_others(subject: Subject) -> Remarks:
    """A spread constraint whose selector does not match the Pod itself spreads them by others."""
    return tuple(
        Advice(
            f"topologySpreadConstraints[{index}].labelSelector",
            WARNING,
            "does not match the Pod's own labels, so its own Pods are not counted",
        )
        for index, constraint in enumerate(subject.spec.topologySpreadConstraints)
        if not matches(constraint.labelSelector, subject.labels)
    )


@derivation(
    "advice-sidecar-too-new",
    area=_AREA,
    cites=[docs("concepts/workloads/pods/sidecar-containers.md")],
    examples=[
        example(
            Subject(PodSpec(initContainers=(Container("log", restartPolicy="Always"),)), sidecars=False),
            gives=(
                Advice(
                    "initContainers[0].restartPolicy",
                    WARNING,
                    "this version knows no sidecars: the Pod waits for the container to end before it goes on",
                ),
            ),
        ),
        example(Subject(PodSpec(initContainers=(Container("log", restartPolicy="Always"),))), gives=()),
    ],
)
def no_sidecars_yet(subject: Subject) -> Remarks:
    """Before 1.29 a sidecar is an ordinary init container: if it never ends, no app container ever starts."""
    text = "this version knows no sidecars: the Pod waits for the container to end before it goes on"
    return tuple(
        Advice(f"initContainers[{index}].restartPolicy", WARNING, text)
        for index, container in enumerate(subject.spec.initContainers)
        if container.restartPolicy == "Always" and not subject.sidecars
    )


POD_ADVICE: tuple[Rule, ...] = (bare, no_sidecars_yet, endless_init, no_grace, gated, spreads_others)
"""Every rule above, in the order in which they are asked."""
