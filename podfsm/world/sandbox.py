"""The Pod sandbox: creating it, losing it, and what its loss does to the containers in it."""

from __future__ import annotations

from hashlib import blake2b

import msgspec
from attrs import evolve

from podfsm.rules.condition_list import NETWORK
from podfsm.rules.conditions import network_reported_at
from podfsm.rules.facts import RuntimeState, Sandbox
from podfsm.world.firing import fire, sandbox_facts
from podfsm.world.kill import ended
from podfsm.world.model import Model
from podfsm.world.plan import Progress, advance, resume_at
from podfsm.world.pod import Draft, Op
from podfsm.world.runtime import remove_container
from podfsm.world.scripts import FOREVER
from podfsm.world.status import set_status

LOST_EXIT = 137


def run_purge_init(_m: Model, d: Draft, _op: Op) -> Progress:
    """Before a new sandbox every record of an init container goes, in the runtime and in this sync's view of it."""
    assert d.work is not None
    names = {c.name for c in d.work.pod.spec.initContainers}
    gone = {c.id for c in d.live if c.name in names and c.state is RuntimeState.EXITED}
    for name in names:
        d.logs.pop(name, None)
    for container_id in gone:
        remove_container(d, container_id)
    d.cache = tuple(c for c in d.cache if c.id not in gone)
    d.view = tuple(c for c in d.view if c.id not in gone)
    return Progress.DONE


def run_sandbox(m: Model, d: Draft, op: Op) -> Progress:
    """Create a sandbox; a failure ends the sync and is tried again like any error."""
    if not op.stage:
        if d.sandbox_tried is None:
            d.sandbox_tried = d.now
        advance(d, evolve(op, stage="creating"))
        return resume_at(d, d.now + m.profile.sandbox + d.scripts.sandbox.takes)
    d.results += 1
    script, tried = d.scripts.sandbox, d.sandbox_tried
    if tried is not None and script.fails_from <= d.now - tried < script.fails_until:
        d.failed = True
        d.event("Warning", "FailedCreatePodSandBox", "Failed to create pod sandbox")
        fire(m, d, "sandbox", "", "create_failed", sandbox_facts(d))
        return Progress.ABORT
    _add_sandbox(m, d, op.attempt)
    return Progress.DONE


def _add_sandbox(m: Model, d: Draft, attempt: int) -> None:
    assert d.work is not None
    host = d.work.pod.spec.hostNetwork
    made = Sandbox(
        id=f"{d.key}/sandbox-{attempt}",
        ready=True,
        attempt=attempt,
        ip="" if host else _address(d.key, attempt),
        host_network=host,
        created_at=d.now,
    )
    fire(m, d, "sandbox", "", "create", sandbox_facts(d))
    d.sandboxes = (made, *d.sandboxes[:1])
    d.passed = frozenset()
    d.live = tuple(evolve(c, in_active_sandbox=False) if c.in_active_sandbox else c for c in d.live)
    if d.scripts.sandbox.dies_after < FOREVER and attempt == 0:
        d.at(d.now + d.scripts.sandbox.dies_after, "sandbox-dies", made.id)
    pushed = network_reported_at(d.now, FOREVER, m.gates.at_least("1.36"))
    if pushed <= d.now and d.status is not None:
        _push_ready_to_start(m, d)


def _address(key: str, attempt: int) -> str:
    """An address of the Pod network; another sandbox has another. Drawn from the Pod's name, so that runs repeat."""
    drawn = blake2b(f"{key}/{attempt}".encode(), digest_size=3).digest()
    return ".".join(map(str, (10, *drawn)))


def _push_ready_to_start(m: Model, d: Draft) -> None:
    """Rule cond-podreadytostart-early: the condition does not wait for the next sync."""
    assert d.status is not None
    conditions = tuple(
        msgspec.structs.replace(c, status="True") if c.type == NETWORK else c for c in d.status.conditions
    )
    set_status(m, d, msgspec.structs.replace(d.status, conditions=conditions))


def sandbox_dies(m: Model, d: Draft, sandbox_id: str) -> None:
    """The sandbox is gone, and every process in it."""
    if not d.sandboxes or d.sandboxes[0].id != sandbox_id or not d.sandboxes[0].ready:
        return
    fire(m, d, "sandbox", "", "die", sandbox_facts(d))
    d.sandboxes = (evolve(d.sandboxes[0], ready=False), *d.sandboxes[1:])
    for c in d.live:
        if c.state is RuntimeState.RUNNING and c.in_active_sandbox:
            ended(m, d, c.id, LOST_EXIT)
