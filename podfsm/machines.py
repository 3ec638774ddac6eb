"""podfsm's own machines: the specs of specs/machines, and a `transitions` class made from each.

`machine("container")` and `ContainerMachine` are the same class.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from podfsm.data import specs_folder
from podfsm.engine.spec import MachineSpec, load_spec
from podfsm.engine.versions import Gates
from podfsm.errors import UnknownName
from podfsm.rules.catalogue import all_rules
from podfsm.rules.gates import all_gates, gates_for

if TYPE_CHECKING:
    from podfsm.engine.machine import Lifecycle

    ContainerMachine: type[Lifecycle]
    EphemeralContainerMachine: type[Lifecycle]
    EvictionMachine: type[Lifecycle]
    ImageMachine: type[Lifecycle]
    InitContainerMachine: type[Lifecycle]
    JobMachine: type[Lifecycle]
    NamespaceMachine: type[Lifecycle]
    NodeMachine: type[Lifecycle]
    PodMachine: type[Lifecycle]
    PodWorkerMachine: type[Lifecycle]
    PresetAdmissionMachine: type[Lifecycle]
    ProbeMachine: type[Lifecycle]
    ResizeMachine: type[Lifecycle]
    SandboxMachine: type[Lifecycle]
    SchedulingMachine: type[Lifecycle]
    SidecarContainerMachine: type[Lifecycle]


@lru_cache(maxsize=1)
def machine_names() -> tuple[str, ...]:
    """The names of podfsm's own machines, sorted."""
    return tuple(sorted(path.stem for path in (specs_folder() / "machines").glob("*.yaml")))


AROUND_PODS = frozenset({"eviction", "job", "namespace", "node", "preset_admission", "resize", "scheduling"})
"""Machines of what happens to Pods from outside: most of it passes by a Pod that is alone on its node."""


@lru_cache(maxsize=64)
def machine_spec(name: str) -> MachineSpec:
    """The spec of one of podfsm's own machines. Raises UnknownName."""
    if name not in machine_names():
        raise UnknownName("machine", name, machine_names())
    path = specs_folder() / "machines" / f"{name}.yaml"
    return load_spec(path, registry=all_rules(), gates=all_gates(), source=f"specs/machines/{name}.yaml")


@lru_cache(maxsize=64)
def machine(name: str, gates: Gates | None = None) -> type[Lifecycle]:
    """The class whose instances are machines of this kind, as `transitions` runs them.

    `gates` choose the Kubernetes version and its feature gates (`gates_for`); the newest one unless given. Raises
    UnknownName.
    """
    from podfsm.engine.machine import machine_class  # transitions takes as long to load as all the rest

    made = machine_class(machine_spec(name), gates or gates_for())
    made.__name__ = made.__qualname__ = class_name(name)
    made.__module__ = __name__
    return made


def __getattr__(name: str) -> Any:
    for known in machine_names():
        if name == class_name(known):
            return machine(known)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def class_name(name: str) -> str:
    """`pod_worker` becomes `PodWorkerMachine`."""
    return "".join(part.capitalize() for part in name.split("_")) + "Machine"
