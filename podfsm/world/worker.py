"""The Pod worker: one sync of a Pod at a time, in the order syncing, terminating, terminated, finished.

Updates that arrive during a sync are folded into one. A sync looks at the runtime through the cache that relists
fill, and only at a cache newer than the end of the sync before. Source: pkg/kubelet/pod_workers.go (UpdatePod,
podWorkerLoop, completeWork).
"""

from __future__ import annotations

from attrs import evolve

from podfsm.rules.facts import WorkerState
from podfsm.rules.grace import effective_grace
from podfsm.world.allocation import as_allocated
from podfsm.world.firing import fire, retire, worker_facts
from podfsm.world.model import Model
from podfsm.world.pod import Draft, Work
from podfsm.world.scripts import FOREVER

TERMINAL = ("Succeeded", "Failed")


def look(m: Model, d: Draft) -> None:
    """What the API wrote reaches the kubelet a moment later."""
    while d.history and d.history[0][0] + m.profile.notice <= d.now + 1e-9:
        d.seen = d.history.pop(0)[1]


def update_pod(m: Model, d: Draft) -> None:
    """Something about the Pod changed: sync it, now or after the sync under way."""
    look(m, d)
    if d.worker is WorkerState.FINISHED or d.seen is None:
        return
    if d.worker is WorkerState.SYNCING and _must_terminate(d):
        fire(m, d, "pod_worker", "", "terminate", worker_facts(d))
        d.worker = WorkerState.TERMINATING
    if d.worker is not WorkerState.SYNCING:
        asked = d.seen.metadata.deletionGracePeriodSeconds
        d.grace, _ = effective_grace(d.grace, d.seen.spec.terminationGracePeriodSeconds, asked, d.kill_grace)
    d.pending = d.seen
    if not d.busy:
        begin(m, d)


def _must_terminate(d: Draft) -> bool:
    assert d.seen is not None
    return (
        d.pod_gone
        or d.kill is not None
        or d.seen.metadata.deletionTimestamp is not None
        or d.seen.status.phase in TERMINAL
    )


def begin(m: Model, d: Draft) -> None:
    """Take up the pending update; wait for a relist if the cache is older than the last sync."""
    assert d.pending is not None
    d.work = Work(d.worker, d.pending, d.grace or None)
    d.busy, d.pending = True, None
    relist_now = d.relist_at <= d.now + 1e-9  # it stands on the agenda for this instant and has not had its turn
    last_relist = m.profile.last_relist(d.now, d.api.spec.nodeName)
    if d.last_sync >= 0 and (relist_now or max(d.cache_at, last_relist) <= d.last_sync):
        d.fresh_needed = True
        need_relist(m, d)
    else:
        run(m, d)


def need_relist(m: Model, d: Draft) -> None:
    """See to it that the next node-wide relist looks at this Pod."""
    when = m.profile.next_relist(d.now, d.api.spec.nodeName)
    if when < d.relist_at:
        d.relist_at = when
        d.at(when, "relist")


def run(m: Model, d: Draft) -> None:
    """Run the sync that `begin` took up."""
    from podfsm.world import sync, terminating

    assert d.work is not None
    d.work = evolve(d.work, pod=as_allocated(d.work.pod, d.resizing.allocated))
    d.fresh_needed = False
    d.results, d.failed, d.retry_at, d.reset_done, d.killed = 0, False, None, False, {}
    d.view, d.view_sandboxes = d.cache, d.cache_sandboxes
    if d.work.kind is WorkerState.SYNCING:
        sync.sync_pod(m, d)
    elif d.work.kind is WorkerState.TERMINATING:
        terminating.sync_terminating(m, d)
    else:
        terminating.sync_terminated(m, d)


def complete(m: Model, d: Draft, *, terminal: bool = False) -> None:
    """The sync is over: advance the worker, ask for a relist if all went well, and plan the next sync."""
    assert d.work is not None
    d.last_sync = d.now
    d.plan = ()
    transition = _advance(m, d, terminal=terminal)
    if d.worker is WorkerState.FINISHED:
        d.busy, d.due = False, FOREVER
        return
    if d.results and not d.failed and d.work.kind is WorkerState.SYNCING and m.pod_relist:
        d.at(d.now + m.profile.look, "relist-pod")
    _requeue(m, d, transition=transition)
    d.busy = False
    if d.pending is not None:
        begin(m, d)


def _advance(m: Model, d: Draft, *, terminal: bool) -> bool:
    assert d.work is not None
    if d.work.kind is WorkerState.TERMINATED:
        fire(m, d, "pod_worker", "", "finish", worker_facts(d))
        d.worker = WorkerState.FINISHED
        retire(m, d)
    elif d.work.kind is WorkerState.TERMINATING:
        fire(m, d, "pod_worker", "", "stopped", worker_facts(d))
        d.worker = WorkerState.TERMINATED
    elif terminal:
        if d.worker is WorkerState.SYNCING:
            fire(m, d, "pod_worker", "", "terminate", worker_facts(d, finished=True))
            d.worker = WorkerState.TERMINATING
    else:
        return False
    if d.pending is None:
        d.pending = d.work.pod
    return True


def _requeue(m: Model, d: Draft, *, transition: bool) -> None:
    """When the Pod is synced again if nothing else happens: rule backoff-sync-error, backoff-requeue-jitter."""
    if transition:
        wait = 0.0
    elif not d.failed:
        wait = m.resync
    elif d.offline:
        wait = m.network_retry
    elif d.retry_at is not None and m.waits_for_backoff:
        wait = min(max(d.retry_at - d.now, 0.0), m.resync)
    else:
        wait = m.retry
    wait = m.profile.jittered(wait, m.resync_jitter, who=d.key, draw=d.draw())
    d.due = m.profile.next_tick(d.now + wait)
    d.at(d.due, "due")
