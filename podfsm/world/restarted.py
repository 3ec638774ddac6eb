"""What a kubelet that starts anew does not know any more, and does again.

Back-offs, failed starts, probe workers and their results are kept in memory only; statuses are found in the API,
containers and sandboxes in the runtime. A Pod that was being stopped is stopped again, hooks included. The sync of a
living Pod that was under way is taken up where it was: what it had asked of the runtime is not asked a second time.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection

from podfsm.rules.facts import WorkerState
from podfsm.world import kill, probing
from podfsm.world.model import Model
from podfsm.world.pod import Draft

_PROBING = frozenset({"probe", "probe-answer"})
_STOPPING = frozenset({"stop"})


def begin_anew(m: Model, d: Draft) -> None:
    """A new kubelet takes over a Pod whose worker had not finished."""
    d.kubelet_since = d.now
    d.backoffs, d.image_backoffs, d.reasons, d.retry_at = {}, {}, {}, None
    d.status = d.api.status
    _forget_probes(d)
    if not d.busy:
        d.last_sync = -1.0
        d.cache, d.cache_sandboxes, d.cache_at = d.live, d.sandboxes, d.now
    elif d.work is not None and d.work.kind is WorkerState.TERMINATING:
        _void(d, _STOPPING)
        kill.stop_again(m, d)
    elif d.plan and all(op.kind != "probe-workers" for op in d.plan):
        probing.add_workers(m, d)  # the sync that goes on has them behind it


def _forget_probes(d: Draft) -> None:
    """New workers come with the next sync."""
    d.probes, d.results_of, d.probe_next, d.parked = {}, {}, {}, {}
    d.asleep, d.triggered = frozenset(), frozenset()
    _void(d, _PROBING)


def _void(d: Draft, kinds: Collection[str]) -> None:
    """What was planned, or came due while no kubelet ran, does not happen."""
    d.shelf = tuple(entry for entry in d.shelf if entry[0] not in kinds)
    d.agenda = [timer for timer in d.agenda if timer[2] not in kinds]
    heapq.heapify(d.agenda)
