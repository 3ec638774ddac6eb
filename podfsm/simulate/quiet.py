"""Whether a Pod is at rest: only repetitions that change nothing are left on its agenda."""

from __future__ import annotations

from podfsm.rules.facts import ProbeKind, RuntimeState, WorkerState
from podfsm.rules.probe_worker import probe_of
from podfsm.world.kill import find_container
from podfsm.world.pod import PodWorld
from podfsm.world.probing import SCRIPT_KEYS, seen_result
from podfsm.world.scripts import FOREVER

_REPETITIONS = {"due", "probe"}


def at_rest(pod: PodWorld) -> bool:
    """Whether this Pod will never change by itself again."""
    if pod.frozen:
        return not pod.agenda
    if pod.worker is WorkerState.FINISHED or (not pod.agenda and not pod.busy):
        return True
    if pod.busy or pod.pending is not None or pod.failed or pod.worker is not WorkerState.SYNCING:
        return False
    if any(kind not in _REPETITIONS for _, _, kind, _ in pod.agenda if not _stale(pod, kind)):
        return False
    return all(_settled(pod, kind, name) for kind, name in pod.probes)


def _stale(pod: PodWorld, kind: str) -> bool:
    return kind == "relist" and pod.relist_at == FOREVER


def _settled(pod: PodWorld, kind: ProbeKind, name: str) -> bool:
    """Whether a worker's result is what its check will answer for ever."""
    newest = pod.newest(name)
    worker = pod.probes[(kind, name)]
    if newest is None or newest.state is not RuntimeState.RUNNING or newest.started_at is None:
        return False
    if worker.container_id != newest.id:
        return False
    if worker.on_hold:
        return True
    number, age = pod.instances[newest.id].number, pod.now - newest.started_at
    windows = pod.scripts.container(name).windows.get(SCRIPT_KEYS[kind], ())
    if any(w.attempt in (None, number) and (age < w.start or age < w.end < FOREVER) for w in windows):
        return False
    probe = probe_of(find_container(pod.api.spec, name), kind)
    if probe is None:
        return True
    expected = seen_result(probe, pod.scripts.container(name).window(SCRIPT_KEYS[kind], number, age))
    return expected is None or worker.cached is expected
