"""The Kubernetes Pod lifecycle as executable, citable rules.

Everything in `__all__` is public. Names are imported on first use, so `import podfsm` itself costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from podfsm.check import Finding, check
    from podfsm.engine.machine import Lifecycle, build_machine, machine_class
    from podfsm.engine.rule import (
        Citation,
        Registry,
        Rule,
        default,
        derivation,
        docs,
        example,
        guard,
        invariant,
        source,
        timing,
        validation,
    )
    from podfsm.engine.spec import MachineSpec, load_spec
    from podfsm.engine.table import Fired, Table, compile_table
    from podfsm.engine.verdict import HOLDS, Verdict, refuse, wait_until
    from podfsm.engine.versions import Gates, Version
    from podfsm.errors import (
        GuardCrashed,
        InputError,
        NotModelled,
        PodfsmError,
        Refused,
        ScenarioError,
        SpecError,
        UnknownName,
    )
    from podfsm.explain import Explanation, can_become, explain, kubectl_columns
    from podfsm.machines import (
        ContainerMachine,
        EphemeralContainerMachine,
        EvictionMachine,
        ImageMachine,
        InitContainerMachine,
        JobMachine,
        NamespaceMachine,
        NodeMachine,
        PodMachine,
        PodWorkerMachine,
        PresetAdmissionMachine,
        ProbeMachine,
        ResizeMachine,
        SandboxMachine,
        SchedulingMachine,
        SidecarContainerMachine,
        machine,
    )
    from podfsm.render import render as draw
    from podfsm.rules.catalogue import all_rules
    from podfsm.rules.gates import gates_for
    from podfsm.simulate import Run, prepare
    from podfsm.simulate.run import Simulation

__all__ = [
    "HOLDS",
    "Citation",
    "ContainerMachine",
    "EphemeralContainerMachine",
    "EvictionMachine",
    "Explanation",
    "Finding",
    "Fired",
    "Gates",
    "GuardCrashed",
    "ImageMachine",
    "InitContainerMachine",
    "InputError",
    "JobMachine",
    "Lifecycle",
    "MachineSpec",
    "NamespaceMachine",
    "NodeMachine",
    "NotModelled",
    "PodMachine",
    "PodWorkerMachine",
    "PodfsmError",
    "PresetAdmissionMachine",
    "ProbeMachine",
    "Refused",
    "Registry",
    "ResizeMachine",
    "Rule",
    "Run",
    "SandboxMachine",
    "ScenarioError",
    "SchedulingMachine",
    "SidecarContainerMachine",
    "Simulation",
    "SpecError",
    "Table",
    "UnknownName",
    "Verdict",
    "Version",
    "all_rules",
    "build_machine",
    "can_become",
    "check",
    "compile_table",
    "default",
    "derivation",
    "docs",
    "draw",
    "example",
    "explain",
    "gates_for",
    "guard",
    "invariant",
    "kubectl_columns",
    "load_spec",
    "machine",
    "machine_class",
    "prepare",
    "refuse",
    "source",
    "timing",
    "validation",
    "wait_until",
]

_HOMES = {
    "podfsm.check": "Finding",
    "podfsm.explain": "Explanation can_become kubectl_columns",
    "podfsm.engine.machine": "Lifecycle build_machine machine_class",
    "podfsm.engine.rule": "Citation Registry Rule default derivation docs example guard invariant source timing "
    "validation",
    "podfsm.engine.spec": "MachineSpec load_spec",
    "podfsm.engine.table": "Fired Table compile_table",
    "podfsm.engine.verdict": "HOLDS Verdict refuse wait_until",
    "podfsm.engine.versions": "Gates Version",
    "podfsm.errors": "GuardCrashed InputError NotModelled PodfsmError Refused ScenarioError SpecError UnknownName",
    "podfsm.machines": "ContainerMachine EphemeralContainerMachine EvictionMachine ImageMachine InitContainerMachine "
    "JobMachine NamespaceMachine NodeMachine PodMachine PodWorkerMachine PresetAdmissionMachine ProbeMachine "
    "ResizeMachine SandboxMachine SchedulingMachine SidecarContainerMachine machine",
    "podfsm.rules.catalogue": "all_rules",
    "podfsm.rules.gates": "gates_for",
    "podfsm.simulate": "Run prepare",
    "podfsm.simulate.run": "Simulation",
}
_HOME = {name: (module, name) for module, names in _HOMES.items() for name in names.split()}
_HOME["draw"] = (
    "podfsm.render",
    "render",
)  # a function named like its package would hide it; so `simulate` stays in podfsm.simulate

_CALLABLE = ("check", "explain")
"""Packages that are functions as well."""


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return import_module("importlib.metadata").version("podfsm")
    if name in _CALLABLE:
        return import_module(f"podfsm.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'podfsm' has no attribute {name!r}")
    module, attribute = _HOME[name]
    found = globals()[name] = getattr(import_module(module), attribute)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
