"""Sidecars as manifests declare them: what the API accepts."""

from __future__ import annotations

from podfsm.engine.rule import docs, source, validation
from podfsm.kube.objects import Container, ContainerRestartRule, ExitCodes, Lifecycle, Probe
from podfsm.rules.init_checks import has_probe_or_hook

_VALIDATION = "pkg/apis/core/validation/validation.go"
_RULE = ContainerRestartRule(action="RestartAllContainers", exitCodes=ExitCodes(operator="In", values=(42,)))
_WITH_RULE = Container(name="s", restartPolicy="Always", restartPolicyRules=(_RULE,))
_PLAIN = Container(name="s", restartPolicy="Always")


@validation(
    "sidecar-probes-and-lifecycle-allowed",
    area="sidecar",
    machine="sidecar_container",
    cites=[
        docs("concepts/workloads/pods/sidecar-containers.md#differences-from-init-containers"),
        source(_VALIDATION, "validateInitContainers"),
    ],
    gate="SidecarContainers",
    observable="spec.initContainers[]",
    allows=[
        Container(name="s", restartPolicy="Always", startupProbe=Probe(), lifecycle=Lifecycle()),
        Container(name="i"),
    ],
    refuses=[Container(name="i", startupProbe=Probe())],
)
def probes_and_lifecycle_allowed(entry: Container) -> bool:
    """Of the init entries sidecars, and only they, may have lifecycle hooks and all three probes."""
    return not has_probe_or_hook(entry) or entry.restartPolicy == "Always"


@validation(
    "sidecar-rules-allowed-136",
    area="sidecar",
    machine="sidecar_container",
    cites=[
        docs("concepts/workloads/pods/container-restarts.md#container-restart-rules"),
        source(_VALIDATION, "validateInitContainerRestartPolicy"),
    ],
    since="1.35",
    observable="spec.initContainers[].restartPolicyRules",
    documented="the life cycle page says that sidecars take no restartPolicyRules",
    allows=[(_WITH_RULE, True), (_PLAIN, False)],
    refuses=[(_WITH_RULE, False)],
)
def rules_allowed(sidecar: Container, restart_all: bool) -> bool:
    """A sidecar may have restartPolicyRules only where RestartAllContainers is possible, as it is from 1.36 on.

    They serve to trigger that; a sidecar is restarted in any case. `restart_all` is the feature gate.
    """
    return restart_all or not sidecar.restartPolicyRules
