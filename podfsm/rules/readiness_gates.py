"""Readiness gates: conditions of others that the Pod's Ready condition waits for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from podfsm.engine.rule import default, derivation, docs, example, invariant, source, validation
from podfsm.kube.objects import Pod, PodCondition, PodReadinessGate, PodStatus
from podfsm.rules.phase_counts import TERMINAL

NOT_READY = "ReadinessGatesNotReady"
"""Reason of Ready while the containers are ready and a gate is not."""

_PAGE = "concepts/workloads/pods/pod-condition.md"
_GATES = docs(f"{_PAGE}#enhanced-pod-readiness")
_STATUS = docs(f"{_PAGE}#status-for-pod-readiness")
_READY = source("pkg/kubelet/status/generate.go", "GeneratePodReadyCondition")

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

_OPEN = PodCondition(type="example.com/lb", status="True")
_SHUT = PodCondition(type="example.com/lb", status="False")


def _pod(phase: str, *conditions: PodCondition) -> Pod:
    return Pod(status=PodStatus(phase=phase, conditions=conditions))


@default(
    "gate-missing-is-false",
    machine="pod",
    cites=[_GATES, _READY],
    observable="no such condition and Ready False",
    examples=[example(None, gives="False"), example(_OPEN, gives="True"), example(_SHUT, gives="False")],
)
def gate_status(condition: PodCondition | None) -> str:
    """A readiness gate whose condition the Pod does not have counts as False."""
    return "False" if condition is None else condition.status


@derivation(
    "gate-ready-requires-all",
    machine="pod",
    cites=[_GATES, _READY],
    gate="PodReadinessGates",
    observable="conditions[Ready] vs conditions[gate]",
    examples=[
        example((PodReadinessGate("example.com/lb"),), {"example.com/lb": _OPEN}, gives=()),
        example((PodReadinessGate("example.com/lb"),), {"example.com/lb": _SHUT}, gives=("example.com/lb",)),
        example((PodReadinessGate("example.com/lb"),), {}, gives=("example.com/lb",)),
    ],
)
def shut_gates(gates: Sequence[PodReadinessGate], conditions: Mapping[str, PodCondition]) -> tuple[str, ...]:
    """Ready needs, beside ContainersReady, every condition type of spec.readinessGates to be present and True.

    Gives the types that are not, in spec order; `conditions` are the Pod's by type.
    """
    return tuple(gate.conditionType for gate in gates if gate_status(conditions.get(gate.conditionType)) != "True")


@derivation(
    "gate-reason",
    machine="pod",
    cites=[_STATUS, _READY],
    observable="ContainersReady True, Ready False, reason ReadinessGatesNotReady",
    examples=[
        example(
            ("example.com/lb",),
            {"example.com/lb": _SHUT},
            gives=(
                "False",
                NOT_READY,
                'the status of pod readiness gate "example.com/lb" is not "True", but False',
            ),
        ),
        example(
            ("a",), {}, gives=("False", NOT_READY, 'corresponding condition of pod readiness gate "a" does not exist.')
        ),
    ],
)
def not_ready(shut: Sequence[str], conditions: Mapping[str, PodCondition]) -> tuple[str, str, str]:
    """With ready containers and a gate that is not, Ready is False with reason ReadinessGatesNotReady.

    Gives status, reason and message; the message has a sentence for each gate. ContainersReady stays True.
    """
    said = []
    for name in shut:
        found = conditions.get(name)
        if found is None:
            said.append(f'corresponding condition of pod readiness gate "{name}" does not exist.')
        else:
            said.append(f'the status of pod readiness gate "{name}" is not "True", but {found.status}')
    return "False", NOT_READY, ", ".join(said)


@derivation(
    "gate-status-write",
    cites=[_STATUS, source("pkg/kubelet/status/status_manager.go", "NeedToReconcilePodReadiness")],
    observable="Ready flips shortly after the custom condition",
    examples=[
        example(True, PodCondition(type="Ready", status="False"), ("True", "", ""), gives=True),
        example(True, PodCondition(type="Ready", status="True"), ("True", "", ""), gives=False),
        example(True, None, ("True", "", ""), gives=False),
        example(False, PodCondition(type="Ready", status="False"), ("True", "", ""), gives=False),
    ],
)
def needs_reconcile(gated: bool, ready: PodCondition | None, derived: tuple[str, str, str]) -> bool:
    """A custom condition is written through the status subresource, and the kubelet looks at Ready again at once.

    `gated`: the Pod has readiness gates; `ready`: its Ready condition; `derived`: what Ready would be now. A
    difference in status or message starts a sync.
    """
    return gated and ready is not None and (ready.status != derived[0] or ready.message != derived[2])


@validation(
    "gate-name-format",
    cites=[_GATES, source("pkg/apis/core/validation/validation.go", "validateReadinessGates")],
    observable="spec.readinessGates[].conditionType",
    allows=[PodReadinessGate("example.com/lb-attached"), PodReadinessGate("Ready")],
    refuses=[PodReadinessGate(""), PodReadinessGate("a b"), PodReadinessGate("Example.com/x"), PodReadinessGate("/x")],
)
def well_named(gate: PodReadinessGate) -> bool:
    """A readiness gate's conditionType must be a qualified name: label key syntax, an optional DNS prefix and a name.

    A name has at most 63 characters, a prefix 253.
    """
    prefix, slash, name = gate.conditionType.rpartition("/")
    if slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix)):
        return False
    return len(name) <= 63 and _NAME.fullmatch(name) is not None


@invariant(
    "gate-no-container-effect",
    machine="container",
    cites=[_GATES, _READY],
    observable="containerStatuses[].ready true while Ready False",
    allows=[
        _pod(
            "Running",
            PodCondition(type="Ready", status="False", reason=NOT_READY),
            PodCondition(type="ContainersReady", status="True"),
        ),
        _pod("Failed", PodCondition(type="Ready", status="False", reason="PodFailed")),
    ],
    refuses=[
        _pod("Succeeded", PodCondition(type="Ready", status="False", reason=NOT_READY)),
        _pod(
            "Running",
            PodCondition(type="Ready", status="False", reason=NOT_READY),
            PodCondition(type="ContainersReady", status="False"),
        ),
    ],
)
def only_ready_is_gated(pod: Pod) -> bool:
    """Readiness gates touch the Pod's Ready condition only, never a container's ready, and not in a terminal phase."""
    by_type = {condition.type: condition for condition in pod.status.conditions}
    ready = by_type.get("Ready")
    if ready is None or ready.reason != NOT_READY:
        return True
    containers = by_type.get("ContainersReady")
    return containers is not None and containers.status == "True" and pod.status.phase not in TERMINAL
