"""A machine that goes off: no process, no sandbox, and nothing of what its kubelet was about.

Records of containers and images stay on the disk; the kubelet finds them when the machine is on again.
"""

from __future__ import annotations

from podfsm.rules.facts import RuntimeState, WorkerState
from podfsm.world.firing import fire, fire_container, image_facts
from podfsm.world.kill import find_container
from podfsm.world.model import Model
from podfsm.world.pod import Draft, Op
from podfsm.world.runtime import end
from podfsm.world.sandbox import LOST_EXIT, sandbox_dies


def power_off(m: Model, d: Draft) -> None:
    """End whatever the Pod has on its machine, whose kubelet has stopped already."""
    if d.sandboxes:
        sandbox_dies(m, d, d.sandboxes[0].id)
    for c in d.live:
        if c.state is RuntimeState.CREATED:
            end(m, d, c.id, LOST_EXIT)
    if d.worker is not WorkerState.FINISHED:
        _abandon(m, d)


def _abandon(m: Model, d: Draft) -> None:
    """The sync under way is never taken up again."""
    if d.plan and d.plan[0].kind == "start" and d.plan[0].stage == "pull":
        _break_off(m, d, d.plan[0])
    d.plan, d.stops, d.shelf = (), {}, tuple(entry for entry in d.shelf if entry[0] != "plan")
    d.busy, d.fresh_needed = False, False


def _break_off(m: Model, d: Draft, op: Op) -> None:
    """A pull ends without an image, and nobody is told."""
    assert d.work is not None
    container = find_container(d.work.pod.spec, op.name)
    fire(m, d, "image", container.image, "fail", image_facts(d, container))
    fire_container(m, d, op.name, "pull_failed")
