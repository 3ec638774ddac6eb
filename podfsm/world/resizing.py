"""In-place resize: the kubelet brings running containers to the resources that the spec asks for."""

from __future__ import annotations

from attrs import evolve, frozen

from podfsm.kube.objects import Pod, PodCondition
from podfsm.rules.facts import RuntimeState
from podfsm.rules.resize import changed_resources, in_progress, needs_restart, resizable
from podfsm.world.kill import find_container
from podfsm.world.model import Model
from podfsm.world.plan import Progress
from podfsm.world.pod import Draft, Op


@frozen
class Resize:
    """A running container whose resources differ from the spec's."""

    name: str
    id: str
    restart: bool


def resizes(m: Model, d: Draft, pod: Pod) -> tuple[Resize, ...]:
    """The running containers to resize, in the spec's order."""
    found = []
    for init, group in ((True, pod.spec.initContainers), (False, pod.spec.containers)):
        for container in group:
            newest = d.newest(container.name)
            if (
                newest is None
                or newest.state is not RuntimeState.RUNNING
                or not resizable(container, m.gates, init=init)
            ):
                continue
            changed = changed_resources(container, d.instances[newest.id].resources)
            if changed:
                found.append(Resize(container.name, newest.id, needs_restart(container, changed)))
    return tuple(found)


def conditions(m: Model, d: Draft, pod: Pod) -> tuple[PodCondition, ...]:
    """PodResizeInProgress while something is to be resized."""
    shown: tuple[PodCondition, ...] = in_progress(bool(d.live) and bool(resizes(m, d, pod)), "")
    return shown


def run_resize(_m: Model, d: Draft, op: Op) -> Progress:
    """Give a running container its new resources."""
    assert d.work is not None
    if op.id in d.instances:
        container = find_container(d.work.pod.spec, op.name)
        d.instances[op.id] = evolve(d.instances[op.id], resources=container.resources)
        d.results += 1
        d.reinspect = True
        d.event("Normal", "ResizeCompleted", f"Container {op.name} resized")
    return Progress.DONE
