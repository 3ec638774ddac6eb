"""The container runtime and the processes in it, as the scenario scripts them."""

from __future__ import annotations

from attrs import evolve

from podfsm.kube.objects import Container
from podfsm.rules.facts import RuntimeContainer, RuntimeState
from podfsm.world.firing import fire_container
from podfsm.world.model import Model
from podfsm.world.pod import Draft, Instance
from podfsm.world.scripts import FOREVER

KEPT_DEAD = 2
"""Dead instances kept for each container; the kubelet's own collection, once a minute, leaves one."""


def make_instance(d: Draft, container: Container, restart_count: int) -> RuntimeContainer:
    """Create a container (not started). Its attempt is counted within the current sandbox."""
    name = container.name
    attempt_key = f"{d.sandboxes[0].id}/{name}" if d.sandboxes else name
    number = d.starts.get(attempt_key, 0)
    d.starts[attempt_key] = number + 1
    d.made += 1
    made = RuntimeContainer(
        id=f"podfsm://{d.api.metadata.uid[:8] or d.key}-{name}-{d.made}",
        name=name,
        state=RuntimeState.CREATED,
        restart_count=restart_count,
        created_at=d.now,
        image=container.image,
    )
    d.instances[made.id] = Instance(number, d.scripts.container(name).attempt(number), resources=container.resources)
    d.live = (made, *_pruned(d, name))
    return made


def _pruned(d: Draft, name: str) -> tuple[RuntimeContainer, ...]:
    dead = [c.id for c in d.live if c.name == name and c.state is RuntimeState.EXITED]
    if len(dead) <= KEPT_DEAD:
        return d.live
    surplus = set(dead[KEPT_DEAD:])
    for container_id in surplus:
        forget(d, container_id)
    return tuple(c for c in d.live if c.id not in surplus)


def forget(d: Draft, container_id: str) -> None:
    """Drop what is remembered about an instance that left the runtime."""
    d.instances.pop(container_id, None)
    for key in [key for key in d.results_of if key[1] == container_id]:
        del d.results_of[key]


def launch(d: Draft, made: RuntimeContainer) -> RuntimeContainer:
    """The process starts; when it will end by itself goes on the agenda."""
    running = evolve(made, state=RuntimeState.RUNNING, started_at=d.now)
    d.replace(running)
    instance = d.instances[made.id]
    if instance.attempt.run < FOREVER:
        d.instances[made.id] = evolve(instance, ends_at=d.now + instance.attempt.run)
        d.at(d.now + instance.attempt.run, "ends", made.id)
    return running


def end(m: Model, d: Draft, container_id: str, exit_code: int, reason: str = "", message: str = "") -> None:
    """The process is gone, by itself or stopped."""
    found = d.instance(container_id)
    if found is None or found.state is RuntimeState.EXITED:
        return
    attempt = d.instances[container_id].attempt
    d.replace(
        evolve(
            found,
            state=RuntimeState.EXITED,
            exit_code=exit_code,
            reason=reason or attempt.reason_for(exit_code),
            message=message,
            finished_at=d.now,
        )
    )
    fire_container(m, d, found.name, "exit")


def end_by_itself(m: Model, d: Draft, container_id: str) -> None:
    """The scripted end of an attempt."""
    attempt = d.instances[container_id].attempt if container_id in d.instances else None
    if attempt is not None:
        end(m, d, container_id, attempt.exit, attempt.reason, attempt.message)


def remove_container(d: Draft, container_id: str) -> None:
    """Remove a container's record from the runtime."""
    d.live = tuple(c for c in d.live if c.id != container_id)
    forget(d, container_id)


def is_running(d: Draft, container_id: str) -> bool:
    """Whether the instance has a process."""
    found = d.instance(container_id)
    return found is not None and found.state is RuntimeState.RUNNING
