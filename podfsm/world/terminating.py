"""Ending a Pod: stop its containers, report how they ended, clean up.

Source: pkg/kubelet/kubelet.go SyncTerminatingPod, SyncTerminatedPod.
"""

from __future__ import annotations

from msgspec.structs import replace

from podfsm.rules.facts import WorkerState
from podfsm.rules.terminate import terminate_status
from podfsm.world import kill, probing, status
from podfsm.world.model import Model
from podfsm.world.plan import HANDLERS, Progress, run_plan
from podfsm.world.pod import Draft, Op
from podfsm.world.worker import TERMINAL, complete


def sync_terminating(m: Model, d: Draft) -> None:
    """Report the status as it is, then stop everything; no container starts from here on."""
    assert d.work is not None
    status.set_status(m, d, status.derive(m, d, d.work.pod, terminal=False))
    probing.stop_liveness_and_startup(m, d)
    d.plan = (Op("kill-pod", grace=d.work.grace), Op("stopped"))
    run_plan(m, d)


def _stopped(m: Model, d: Draft, _op: Op) -> Progress:
    """Nothing runs any more: the final statuses, from the runtime itself rather than from the cache.

    The worker counts as terminated when the status manager gets to writing, so a terminal phase is not withheld.
    """
    assert d.work is not None
    probing.remove_all(m, d)
    final = status.derive(m, d, d.work.pod, terminal=True, from_runtime=True)
    status.set_status(m, d, final, worker=WorkerState.TERMINATED)
    return Progress.DONE


def sync_terminated(m: Model, d: Draft) -> None:
    """Clean up, fill in what was never seen to end, and let the API object go."""
    assert d.work is not None
    pod = d.work.pod
    if d.api.status.phase in TERMINAL:  # a deadline that passes only now changes nothing any more
        pod = replace(pod, status=replace(pod.status, phase=d.api.status.phase))
    status.set_status(m, d, status.derive(m, d, pod, terminal=True))
    d.finished = True
    status.set_status(m, d, terminate_status(d.work.pod, last=d.status, gates=m.gates))
    complete(m, d)


HANDLERS["stopped"] = _stopped
HANDLERS.setdefault("kill-pod", kill.run_kill_pod)
