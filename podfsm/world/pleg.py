"""Relists: how the kubelet learns what its containers did. Source: pkg/kubelet/pleg/generic.go.

A node-wide relist comes every second; one of a single Pod can be asked for after a sync that did something. A relist
that finds a change renews the cache and has the Pod synced.
"""

from __future__ import annotations

from podfsm.rules.facts import RuntimeState
from podfsm.world.model import Model
from podfsm.world.pod import Draft
from podfsm.world.scripts import FOREVER
from podfsm.world.worker import need_relist, run, update_pod


def relist(m: Model, d: Draft, *, node_wide: bool) -> None:
    """Compare the runtime with the cache."""
    if node_wide:
        if d.now < d.relist_at:
            return
        d.relist_at = FOREVER
    changed, noteworthy = _changes(d)
    if changed:
        d.cache, d.cache_sandboxes = d.live, d.sandboxes
    d.cache_at = d.now
    awaited = d.fresh_needed
    noteworthy, d.reinspect = noteworthy or d.reinspect, False
    if noteworthy:
        update_pod(m, d)
    if awaited:
        run(m, d)


def watch_runtime(m: Model, d: Draft) -> None:
    """See to it that a relist finds what the runtime did in this step."""
    if d.relist_at == FOREVER and (d.live is not d.cache or d.sandboxes is not d.cache_sandboxes) and _changes(d)[0]:
        need_relist(m, d)


def _changes(d: Draft) -> tuple[bool, bool]:
    """Whether anything changed, and whether it is an event: a container that is merely created is none."""
    before = {c.id: c.state for c in d.cache} | {s.id: s.ready for s in d.cache_sandboxes}
    after = {c.id: c.state for c in d.live} | {s.id: s.ready for s in d.sandboxes}
    if before == after:
        return False, False
    noteworthy = any(state is not RuntimeState.CREATED and before.get(key) != state for key, state in after.items())
    return True, noteworthy or bool(before.keys() - after.keys())
